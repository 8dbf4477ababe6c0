//! Prometheus's HTTP API over series in memory: from a request to an answer, and the sockets in front of it.
//!
//! One file a family of routes; `routes` lists them all. A handler is a function of what is [`Served`] and a request,
//! and knows nothing of sockets; [`server`] keeps every limit of time and size.

mod lenient;
mod params;
mod query;
mod request;
mod routes;
mod rules;
mod select;
pub mod server;
mod status;
mod tree;

use crate::model::{Millis, Timestamp};
use crate::promql::{Features, Reader, View};
use crate::replay::Replay;
use crate::rules::RuleGroup;
use crate::store::Store;

/// What is served: series, and how the rules stood at their end.
#[derive(Debug)]
pub struct Served {
    store: Store,
    groups: Vec<rules::Group>,
    setting: Setting,
}

/// How queries are evaluated.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The time of queries that name none: the end of the data.
    pub now: Timestamp,
    /// The global evaluation interval: of groups that have none of their own, and of subqueries that name no step.
    pub interval: Millis,
    /// What is switched on.
    pub features: Features,
    /// How many samples a query may hold at once.
    pub max_samples: usize,
    /// The rule files as they were named.
    pub rule_files: Vec<String>,
}

impl Served {
    /// Series alone.
    pub fn series(store: Store, setting: Setting) -> Served {
        Served {
            store,
            groups: Vec::new(),
            setting,
        }
    }

    /// What a replay of rules left: all series, and the rules as they stood at its end.
    pub fn replayed(replay: Replay<'_>, groups: &[&RuleGroup], setting: Setting) -> Served {
        Served {
            groups: rules::groups(&replay, groups, &setting),
            store: replay.store,
            setting,
        }
    }

    /// Everything there is, whoever wrote it and when.
    fn view(&self) -> View<'_> {
        View {
            features: self.setting.features,
            max_samples: self.setting.max_samples,
            ..View::new(
                &self.store,
                Reader::After(Timestamp::MAX / 2),
                self.setting.interval,
            )
        }
    }
}
