//! Whether a file's result hangs on when its groups are evaluated.

use std::collections::BTreeSet;

use super::file::TestFile;
use super::verdict::{Mismatch, TestVerdict};
use crate::model::Duration;
use crate::replay::Schedule;
use crate::rules::RuleGroup;
use crate::text::Diagnostic;

/// At most so many groups are named.
const MAX_NAMED: usize = 3;

impl Schedule {
    /// The one that a file's result is held against.
    pub(super) fn other(self) -> Schedule {
        match self {
            Schedule::Promtool => Schedule::Production,
            Schedule::Production => Schedule::Promtool,
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Schedule::Promtool => "--schedule promtool",
            Schedule::Production => "--schedule production",
        }
    }
}

/// The groups that a server would evaluate at other times than promtool does.
pub(super) fn apart<'g>(file: &TestFile, groups: &[&'g RuleGroup]) -> Vec<&'g RuleGroup> {
    let differs = |group: &&&RuleGroup| {
        let interval = group.interval.unwrap_or(file.evaluation_interval);
        interval != file.evaluation_interval || group.phase != 0
    };
    groups.iter().filter(differs).copied().collect()
}

/// Names the first expectation that one schedule meets and the other does not. `tests` are the results with `schedule`,
/// `others` those with the other, of the same tests.
pub(super) fn difference(
    apart: &[&RuleGroup],
    file: &TestFile,
    schedule: Schedule,
    tests: &[TestVerdict],
    others: &[TestVerdict],
) -> Option<Diagnostic> {
    let pairs = tests.iter().zip(others);
    let (failure, fails_with) = pairs.into_iter().find_map(|(test, other)| {
        let there = only_of(other, test).map(|failure| (failure, schedule.other()));
        let here = only_of(test, other).map(|failure| (failure, schedule));
        // A rule's error ends a test: what was not checked any more did not pass.
        let found = there.into_iter().chain(here);
        found.min_by_key(|(failure, _)| failure.kind() != "rule")
    })?;
    let what = match failure.kind() {
        "rule" => format!("rule {}", failure.name),
        "alert" => format!("the expectation of alert {}", failure.name),
        _ => format!("the expectation of {}", failure.name),
    };
    let message = format!(
        "{what} at {} fails with {}, but not with {}",
        Duration(failure.eval_time),
        fails_with.flag(),
        fails_with.other().flag(),
    );
    let named: Vec<String> = apart
        .iter()
        .take(MAX_NAMED)
        .map(|group| times(group, file))
        .collect();
    let more = match apart.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let help = format!(
        "promtool evaluates every group each {}, a server {}{more}: set evaluation_interval to the group's interval, or \
         keep to one --schedule",
        Duration(file.evaluation_interval),
        named.join(", "),
    );
    let place = &failure.place;
    let warning = Diagnostic::warning(message).at(&place.source, place.span);
    Some(warning.help(help))
}

/// When a server evaluates a group.
fn times(group: &RuleGroup, file: &TestFile) -> String {
    let interval = Duration(group.interval.unwrap_or(file.evaluation_interval));
    let line = group.source.line_column(group.name_span.start).line;
    let phase = match group.phase {
        0 => String::new(),
        phase => format!(", {} later", Duration(phase)),
    };
    format!(
        "{:?} ({}:{line}) each {interval}{phase}",
        group.name,
        group.source.name()
    )
}

/// The first failure of a test that it has not with the other schedule.
fn only_of<'t>(test: &'t TestVerdict, other: &TestVerdict) -> Option<&'t Mismatch> {
    let key = |failure: &Mismatch| (failure.kind(), failure.check);
    let others: BTreeSet<_> = other.failures.iter().map(key).collect();
    let mut only = test
        .failures
        .iter()
        .filter(|failure| !others.contains(&key(failure)));
    only.next()
}
