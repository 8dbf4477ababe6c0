//! Groups of rules over time: what they record, when their alerts are pending and when they fire.
//!
//! [`replay`] evaluates every rule at every one of its moments, in the order and with the visibility that
//! Prometheus has, and yields a [`Replay`]: the store with all that was written, the [`Timeline`] of the
//! alerts, and the rules' errors. Rules whose inputs are complete are evaluated over all their moments in one
//! go; only rules that read each other in a circle go moment by moment.

mod again;
mod alert;
mod append;
mod batch;
mod bits;
mod circles;
mod dependencies;
mod graph;
mod lead_in;
mod machine;
mod needs;
mod output;
mod phase;
mod plan;
mod record;
mod render;
mod result;
mod runs;
mod stepped_alerts;
mod stepwise;
mod synthetic;
mod timeline;
mod why;

use crate::model::{Labels, Matcher, Millis, Timestamp};
use crate::promql::{Features, View};
use crate::store::Store;

use crate::rules::RuleGroup;

pub use again::{Dependents, dependents, replay_some, replay_without};
pub use alert::ALERT_NAME;
pub use dependencies::{
    Dependencies, DependencyFinding, DependencyKind, DependentRule, Given, Order, RuleRead,
    RuleSource,
};
pub use lead_in::reach_back;
pub use needs::{Need, needs};
pub use phase::phase;
pub use plan::{MAX_TICKS, NO_VECTOR};
pub use result::{ActiveAlert, AlertValue, Replay, RuleError, Sight, Standing};
pub use synthetic::{ALERT_STATE, ALERTS, ALERTS_FOR_STATE};
pub use timeline::{AlertState, AlertTimeline, Instance, RuleId, Stretch, Timeline};
pub use why::{Explanation, Question, Recorded, Section, State, Subject, Waiting};

/// What is replayed, and how.
#[derive(Debug, Clone)]
pub struct ReplaySpec<'a> {
    /// The groups, in the order of evaluation.
    pub groups: &'a [&'a RuleGroup],
    /// The input series.
    pub store: Store,
    /// The first moment.
    pub start: Timestamp,
    /// No evaluation lies after it.
    pub end: Timestamp,
    /// The evaluation interval: between the moments, and the step of subqueries that name none.
    pub interval: Millis,
    /// When groups are evaluated.
    pub schedule: Schedule,
    /// Labels of the whole server, for templates.
    pub external_labels: Labels,
    /// The server's address, for templates.
    pub external_url: String,
    /// What is switched on.
    pub features: Features,
    /// How many samples the query of a rule may hold at once.
    pub max_samples: usize,
    /// What an error of a rule does.
    pub on_error: OnRuleError,
    /// How the rules are evaluated.
    pub mode: Mode,
    /// What there is before the start.
    pub history: History,
}

/// What there is before the start of a replay: recording rules are evaluated over as much of it as something looks back on, as
/// if they had been there. None unless given: then all rules are new.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// How long it is.
    pub length: Millis,
    /// What is read besides by who looks at the replay, and from how long before the start on.
    pub reads: Vec<(Vec<Matcher>, Millis)>,
}

/// When groups are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Every group at the start and then at every evaluation interval, whatever its own interval.
    Promtool,
    /// Each group at its phase after the multiples of its own interval.
    Production,
}

/// What an error of a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRuleError {
    /// The first moment with an error is the last: its other rules are still evaluated, nothing after it is.
    Stop,
    /// Everything goes on.
    Continue,
}

/// How the rules are evaluated; the result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Over all moments at once where that is possible.
    Batches,
    /// Moment by moment, rule by rule.
    TickByTick,
}

/// Why a replay can't be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// More evaluations than [`MAX_TICKS`].
    #[error("group {group:?} would be evaluated {count} times, more than the limit of {MAX_TICKS}")]
    TooManyTicks {
        /// The group's name.
        group: String,
        /// How many evaluations it would take.
        count: u64,
    },
    /// Start or end lies further from 1970 than 285,000 years.
    #[error("the time of the replay is out of range")]
    OutOfRange,
}

impl<'a> ReplaySpec<'a> {
    /// A replay as promtool does it: all groups at every interval, stopping at the first error.
    pub fn new(
        groups: &'a [&'a RuleGroup],
        store: Store,
        start: Timestamp,
        end: Timestamp,
        interval: Millis,
    ) -> ReplaySpec<'a> {
        ReplaySpec {
            groups,
            store,
            start,
            end,
            interval,
            schedule: Schedule::Promtool,
            external_labels: Labels::empty(),
            external_url: String::new(),
            features: Features::default(),
            max_samples: View::MAX_SAMPLES,
            on_error: OnRuleError::Stop,
            mode: Mode::Batches,
            history: History::default(),
        }
    }
}

/// Evaluates rules over time.
///
/// # Errors
///
/// A time out of range, or more evaluations than [`MAX_TICKS`].
pub fn replay(spec: ReplaySpec<'_>) -> Result<Replay<'_>, ReplayError> {
    let rules = plan::plan(&spec)?;
    Ok(batch::run(spec, rules))
}
