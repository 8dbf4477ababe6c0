//! Operators of rules whose sides never find each other in series that somebody recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::load;
use super::{INTERVAL, Options};
use crate::promql::ast::{Expr, ExprKind, ValueType};
use crate::promql::why::{Cause, Differs, Explained, NoPartner, Value};
use crate::replay::{OnRuleError, Question, Replay, ReplaySpec, RuleId, Schedule, replay};
use crate::rules::{ReadOptions, RuleFile, RuleGroup};
use crate::store::Store;
use crate::suite::file::TestCase;
use crate::suite::{RunOptions, replay_test};
use crate::text::{Diagnostic, Place, Span};

/// The lint in whose name it is said.
const LINT: &str = "join-never-matches";

/// At so many moments a rule is looked at.
const MOMENTS: i64 = 24;

/// At no fewer of them than this both sides must have had series.
const ENOUGH: usize = 3;

/// No more labels than this are named.
const MAX_LABELS: usize = 3;

/// What the series of `--data`, or the recordings that tests read, show of the joins of rules; nothing twice.
pub(super) fn shown<'p>(
    options: &Options,
    paths: impl Iterator<Item = &'p PathBuf>,
    (reading, shelf): (&ReadOptions, &load::Shelf),
    store: Option<&Store>,
    files: &[RuleFile],
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(store) = store {
        found.extend(in_data(files, store, reading, options));
    }
    for path in paths {
        found.extend(in_recordings(path, reading, shelf).unwrap_or_default());
    }
    found
}

fn in_data(
    files: &[RuleFile],
    store: &Store,
    reading: &ReadOptions,
    options: &Options,
) -> Vec<Diagnostic> {
    let groups: Vec<&RuleGroup> = files.iter().flat_map(|file| &file.groups).collect();
    let mut rules = groups.iter().flat_map(|group| group.rules.iter());
    let Some(extent) = load::extent(store) else {
        return Vec::new();
    };
    if !rules.any(|rule| has_join(&rule.expr.expr)) {
        return Vec::new();
    }
    let mut spec = ReplaySpec::new(&groups, store.clone(), extent.0, extent.1, INTERVAL);
    spec.schedule = Schedule::Production;
    spec.on_error = OnRuleError::Continue;
    spec.features = reading.features;
    let of = match options.data.as_slice() {
        [one] => format!("in {}", crate::io::display(one)),
        _ => "in the data".to_owned(),
    };
    // That the replay is too long is told elsewhere.
    replay(spec).map_or_else(|_| Vec::new(), |it| unpaired(&it, &groups, extent, &of))
}

/// What the recordings show that a test file reads, of tests that have nothing else.
fn in_recordings(
    path: &Path,
    reading: &ReadOptions,
    shelf: &load::Shelf,
) -> Option<Vec<Diagnostic>> {
    let source = crate::io::read(path).ok()?;
    let may_read = source.text().contains("fixtures") || source.text().contains("include");
    if !may_read || !crate::suite::file::looks_like_test_file(source.text()) {
        return None;
    }
    let suite = load::suite(path, reading, false, shelf).ok()?;
    let running = RunOptions {
        features: reading.features,
        ..RunOptions::default()
    };
    let is_recorded = |test: &TestCase| {
        !test.fixtures.is_empty() && test.input_series.is_empty() && test.generated.is_empty()
    };
    let mut found = Vec::new();
    for (index, _) in (0..)
        .zip(&suite.file.tests)
        .filter(|(_, test)| is_recorded(test))
    {
        let said = replay_test(&suite, index, &running, |run| {
            let extent = (run.test.start, run.test.start.saturating_add(run.length));
            let of = format!("in the recording of {}", crate::io::display(path));
            unpaired(&run.replay, run.groups, extent, &of)
        });
        found.extend(said.unwrap_or_default());
    }
    Some(found)
}

/// The joins that never paired a series though both sides had some.
fn unpaired(
    replay: &Replay<'_>,
    groups: &[&RuleGroup],
    (start, end): (i64, i64),
    of: &str,
) -> Vec<Diagnostic> {
    let step = (end.saturating_sub(start) / (MOMENTS - 1)).max(1);
    let mut said = Vec::new();
    for (group, of_group) in groups.iter().enumerate() {
        let rules = of_group.rules.iter().enumerate();
        for (rule, _) in rules.filter(|(_, rule)| has_join(&rule.expr.expr)) {
            let mut joins: BTreeMap<Span, Join> = BTreeMap::new();
            let mut text = None;
            for at in (0..MOMENTS).map(|number| start.saturating_add(number * step)) {
                let question = Question {
                    at,
                    depth: 0,
                    about: &[],
                };
                let explanation = replay.explain_rule(RuleId { group, rule }, question);
                let section = explanation.and_then(|it| it.sections.into_iter().next());
                let Some(section) = section else { continue };
                if let Some(explained) = &section.explained {
                    look(explained, &mut joins);
                }
                text = Some(section.text);
            }
            let never = joins.into_iter().filter(|(_, join)| join.is_never());
            for ((span, join), text) in never.filter_map(|it| Some((it, text.as_ref()?))) {
                let place = Place::new(text.source(), text.span(span));
                said.extend(join.last.map(|it| tell(&it, place, of)));
            }
        }
    }
    said
}

/// What was seen of a join.
#[derive(Default)]
struct Join {
    /// How often no series had a partner.
    alone: usize,
    /// Whether one ever had.
    is_paired: bool,
    last: Option<NoPartner>,
}

impl Join {
    fn is_never(&self) -> bool {
        !self.is_paired && self.alone >= ENOUGH
    }
}

/// Notes what an evaluation shows of the joins in it.
fn look(explained: &Explained, joins: &mut BTreeMap<Span, Join>) {
    for node in explained.root.each() {
        if matches!(&node.value, Value::Vector(points) if !points.is_empty()) {
            joins.entry(node.span).or_default().is_paired = true;
        }
    }
    for finding in &explained.findings {
        let join = joins.entry(finding.span).or_default();
        match &finding.cause {
            Cause::Compared(_) => join.is_paired = true,
            // Conditions that are never true at once may well be meant so.
            Cause::NoPartner(cause) if !cause.op.is_set() && cause.alone == cause.left_count => {
                join.alone += 1;
                join.last = Some(cause.clone());
            }
            _ => {}
        }
    }
}

fn tell(cause: &NoPartner, place: Place, of: &str) -> Diagnostic {
    let side = |value: &Option<String>, side: &str| match value {
        Some(value) => format!("{value:?} on the {side}"),
        None => format!("absent on the {side}"),
    };
    let one = |differs: &Differs| {
        format!(
            "{} is {}, {}",
            differs.label,
            side(&differs.left, "left"),
            side(&differs.right, "right")
        )
    };
    let differing = cause.differs.iter().take(MAX_LABELS).map(one);
    let differing: Vec<String> = differing.collect();
    let message = format!(
        "`{}` pairs no series {of}: {}",
        cause.op.symbol(),
        differing.join("; ")
    );
    let help = match &cause.suggestion {
        Some(how) => format!("write `{} {how} …`", cause.op.symbol()),
        None => "aggregate both sides by the same labels, or say by `on (…)` which ones count"
            .to_owned(),
    };
    let said = Diagnostic::warning(message).at(&place.source, place.span);
    said.help(help).named(LINT)
}

/// Whether an expression has an operator between two vectors.
fn has_join(expr: &Expr) -> bool {
    let is_vector = |expr: &Expr| expr.value_type() == ValueType::Vector;
    let own = match &expr.kind {
        ExprKind::Chain(chain) => {
            let mut sides =
                std::iter::once(&*chain.first).chain(chain.links.iter().map(|it| &it.rhs));
            sides.by_ref().filter(|side| is_vector(side)).count() > 1
        }
        _ => false,
    };
    own || expr.children().into_iter().any(has_join)
}
