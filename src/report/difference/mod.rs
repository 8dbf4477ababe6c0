//! What a change of rules does: which rules say something else, and what their alerts do then.

mod json;
mod markdown;
mod text;
mod words;

use serde_json::Value;

pub use self::words::percent;
use super::text::diff::rule;
use crate::model::{Millis, Timestamp};
use crate::replay::AlertState;
use crate::whatif::diff::{
    Both, BudgetDiff, Counts, RuleChange, RulePair, RulesDiff, TimelineDiff,
};

/// What changed in a world.
#[derive(Debug, Clone)]
pub struct WorldDiff {
    /// The world's name.
    pub name: String,
    /// What alerts do.
    pub diff: TimelineDiff,
    /// What is left of budgets.
    pub budgets: Vec<BudgetDiff>,
}

/// Something that a change must not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The flag that asks for it.
    pub name: String,
    /// Whether the change does not do it.
    pub is_passed: bool,
    /// What it does, in words.
    pub says: String,
}

/// What a change of rules does.
#[derive(Debug, Clone)]
pub struct Report<'r> {
    /// What people call both sides.
    pub names: Both<String>,
    /// What rules say.
    pub rules: &'r RulesDiff,
    /// What that does, in each world; none where nothing was replayed.
    pub worlds: &'r [WorldDiff],
    /// What it must not do.
    pub gates: Vec<Gate>,
}

/// What a change does in all worlds together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Firing windows.
    pub firing: Counts,
    /// Pending windows.
    pub pending: Counts,
    /// Instances with other labels than before.
    pub relabelled: usize,
    /// How often somebody is paged.
    pub pages: Both<usize>,
    /// How long instances fire, added up.
    pub time: Both<Millis>,
    /// How long all worlds are together.
    pub span: Millis,
    /// Rules that can't be evaluated and could before.
    pub failing: usize,
}

/// Which windows a text lists; of the others it says how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Those in which an alert fires.
    Firing,
    /// Those in which it is pending, too.
    All,
}

/// When the alerts of a world are pending or fire otherwise, instance by instance.
pub fn windows_text(world: &WorldDiff) -> String {
    text::alerts(world, Listed::All)
}

/// What changed in a world, as in [`Report::json`].
pub fn world_json(world: &WorldDiff) -> Value {
    json::of_world(world)
}

impl Summary {
    /// Pages a week; `None` where no time passes.
    pub fn pages_per_week(&self) -> Option<Both<f64>> {
        weekly(self.pages, self.span)
    }

    /// Whether every alert does what it did.
    pub fn is_empty(&self) -> bool {
        self.firing.changed() + self.pending.changed() + self.relabelled == 0
    }
}

/// Pages a week, of pages over some time.
fn weekly(pages: Both<usize>, span: Millis) -> Option<Both<f64>> {
    const WEEK: f64 = 7.0 * 86_400_000.0;
    let rate = |pages: usize| pages as f64 * WEEK / span as f64;
    (span > 0).then(|| Both {
        before: rate(pages.before),
        after: rate(pages.after),
    })
}

/// A number of pages a week as people see it.
pub fn per_week(pages: f64) -> String {
    let digits = if pages < 10.0 { 2 } else { 1 };
    let text = format!("{pages:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl WorldDiff {
    /// From the first to the last moment.
    fn span(&self) -> (Timestamp, Timestamp) {
        self.diff.span
    }

    fn length(&self) -> Millis {
        let (from, to) = self.span();
        to.saturating_sub(from)
    }

    fn is_empty(&self) -> bool {
        self.diff.is_empty() && self.budgets.iter().all(BudgetDiff::is_empty)
    }
}

impl Report<'_> {
    /// What it does in all worlds together.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for world in self.worlds {
            let diff = &world.diff;
            summary.firing.add(diff.counts(AlertState::Firing));
            summary.pending.add(diff.counts(AlertState::Pending));
            summary.relabelled += diff.relabelled();
            summary.pages.before += diff.pages.before;
            summary.pages.after += diff.pages.after;
            summary.time.before = summary.time.before.saturating_add(diff.firing.before);
            summary.time.after = summary.time.after.saturating_add(diff.firing.after);
            summary.failing += diff.failing.len();
            summary.span = summary.span.saturating_add(world.length());
        }
        summary
    }

    /// For people.
    pub fn text(&self, listed: Listed) -> String {
        text::of(self, listed)
    }

    /// For programs.
    ///
    /// `{"version": 1, "base", "head", "rules": [{"change", "kind", "group", "name", "before", "after", "fields": [{"name",
    /// "before", "after"}], "diff"}], "summary", "worlds": [{"name", "from", "to", "pages", "pages_per_week", "time_firing",
    /// "alerts", "failing", "budgets"}], "gates": [{"name", "passed", "says"}]}`; `docs/what-if.md` says what is in each. Times are unix seconds,
    /// lengths of time seconds; what is not there is null.
    pub fn json(&self) -> String {
        let value: Value = json::of(self);
        format!("{value:#}\n")
    }

    /// For pull requests: never longer than a comment on GitHub may be.
    pub fn markdown(&self) -> String {
        markdown::of(self)
    }

    /// How many rules there are of a kind of change.
    fn rules_of(&self, change: RuleChange) -> usize {
        let pairs = self.rules.pairs.iter();
        pairs.filter(|pair| pair.change() == change).count()
    }
}

/// The unified diff of what is written of a rule; nothing where only its group differs.
fn text_of(pair: &RulePair) -> String {
    let text = |side: &Option<crate::whatif::diff::RuleSide>| {
        side.as_ref()
            .map_or_else(String::new, |side| side.text.clone())
    };
    rule(&text(&pair.before), &text(&pair.after))
}
