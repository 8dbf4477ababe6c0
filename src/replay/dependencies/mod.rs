//! Which rule reads what, which of it other rules write, and how late it comes.
//!
//! The rules of a group are evaluated one after the other: a rule sees what those before it just wrote, and what those
//! behind it (and it itself) wrote one evaluation ago. Groups are evaluated side by side, each at its own moments: what
//! another group writes may be as old as that group's interval.

mod answers;
mod findings;
mod given;

use std::borrow::Cow;
use std::sync::Arc;

use super::circles::strongly_connected;
use super::output::Outputs;
use super::timeline::RuleId;
use crate::model::{METRIC_NAME, MatchOp, Matcher, Millis, metric_of};
use crate::promql::selectors::{Reach, reads};
use crate::rules::{Rule, RuleGroup, RuleKind};
use crate::text::{Place, closest};

use answers::{Answers, Excluded};
pub use findings::{DependencyFinding, DependencyKind};
pub use given::Given;

/// The rules of some groups and what they read. Rules are named by their index, in the order of the groups.
#[derive(Debug)]
pub struct Dependencies<'r> {
    /// All rules.
    pub rules: Vec<DependentRule<'r>>,
    /// Rules that read each other in a circle, or themselves; each in order.
    pub circles: Vec<Vec<usize>>,
}

/// A rule among those that it reads and that read it.
#[derive(Debug)]
pub struct DependentRule<'r> {
    /// Which rule.
    pub id: RuleId,
    /// Its group.
    pub group: &'r RuleGroup,
    /// It.
    pub rule: &'r Rule,
    /// Time between two evaluations.
    pub interval: Millis,
    /// What its query reads, as written; then what the templates of its labels and annotations query.
    pub reads: Vec<RuleRead<'r>>,
    /// The rules that read it, in order.
    pub read_by: Vec<usize>,
    /// How many rules lie in a row below it: 0 where it reads none.
    pub depth: usize,
    /// How much older than its own moment what it reads of metrics may be, by the order and the moments of the rules between;
    /// `None` where there is a circle between.
    pub late: Option<Millis>,
    /// The circle in which it stands, by its place among all.
    pub circle: Option<usize>,
}

/// Something that a rule reads.
#[derive(Debug)]
pub struct RuleRead<'r> {
    /// Which series; `None` for a template that queries, whose query is known only when it is rendered.
    pub matchers: Option<Cow<'r, [Matcher]>>,
    /// The selector on one line.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// Which samples.
    pub reach: Reach,
    /// The rules that may write some of it, in order.
    pub sources: Vec<RuleSource>,
    /// Rules that write the metric, but no series of it that the matchers can select.
    excluded: Arc<[Excluded]>,
    /// What is known of series that no rule writes.
    supply: Supply,
    /// A metric of those series that is called nearly as it asks, where none is called so.
    near: Option<String>,
}

/// A rule that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleSource {
    /// Which.
    pub rule: usize,
    /// When it is evaluated.
    pub order: Order,
    /// How old what is read may be when it is read; `None` where the reader does not say so but `@` fixes the moment.
    pub late: Option<Millis>,
}

/// When a rule that is read is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// In the same group before its reader.
    Before,
    /// In the same group behind its reader, or it is the reader.
    Behind,
    /// In another group.
    Apart,
}

/// Whether series that no rule writes answer a selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// Nobody said which series there are.
    Unknown,
    /// Some do.
    Some,
    /// There are none that do.
    None,
    /// There are none of that name.
    NoName,
}

impl RuleRead<'_> {
    /// The metric that it names.
    pub fn metric(&self) -> Option<&str> {
        self.matchers
            .as_ref()
            .and_then(|matchers| metric_of(matchers))
    }

    /// Whether it is certain that it selects nothing.
    pub fn is_unanswered(&self) -> bool {
        self.sources.is_empty()
            && match self.supply {
                Supply::Some => false,
                Supply::NoName => true,
                Supply::None => !self.excluded.is_empty(),
                Supply::Unknown => {
                    !self.excluded.is_empty() || self.metric().is_some_and(is_recorded_name)
                }
            }
    }

    /// Whether neither a rule nor one of the series that there are answers it; never where nobody knows these.
    pub fn is_without_series(&self) -> bool {
        self.matchers.is_some()
            && self.sources.is_empty()
            && matches!(self.supply, Supply::None | Supply::NoName)
    }

    /// Whether it asks for certain names at all.
    fn is_choosy(&self) -> bool {
        let asks = |matcher: &Matcher| {
            matcher.name == METRIC_NAME
                && matches!(matcher.op, MatchOp::Equal | MatchOp::Regex)
                && !matcher.matches_value("")
        };
        self.matchers
            .as_ref()
            .is_none_or(|matchers| matchers.iter().any(asks))
    }
}

impl<'r> Dependencies<'r> {
    /// Looks at rules. `interval` is that of groups that have none of their own; `given` are the series that there are for a
    /// group beside those that rules write, `None` where nobody knows.
    pub fn new<'g>(
        groups: &[&'r RuleGroup],
        interval: Millis,
        given: &dyn Fn(&RuleGroup) -> Option<&'g Given>,
    ) -> Dependencies<'r> {
        let mut rules: Vec<DependentRule<'r>> = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            rules.extend(group.rules.iter().enumerate().map(|(rule, it)| {
                let id = RuleId {
                    group: number,
                    rule,
                };
                DependentRule {
                    id,
                    group,
                    rule: it,
                    interval: group.interval.unwrap_or(interval).max(1),
                    reads: Vec::new(),
                    read_by: Vec::new(),
                    depth: 0,
                    late: Some(0),
                    circle: None,
                }
            }));
        }
        let outputs = Outputs::new(rules.iter().map(|rule| rule.rule));
        let mut answers = Answers::new(&outputs);
        let all_reads: Vec<Vec<RuleRead<'r>>> = (0..rules.len())
            .map(|reader| reads_of(reader, &rules, &mut answers, given(rules[reader].group)))
            .collect();
        for (reader, reads) in all_reads.into_iter().enumerate() {
            for source in reads.iter().flat_map(|read| &read.sources) {
                let readers = &mut rules[source.rule].read_by;
                if readers.last() != Some(&reader) {
                    readers.push(reader);
                }
            }
            rules[reader].reads = reads;
        }
        let mut dependencies = Dependencies {
            rules,
            circles: Vec::new(),
        };
        dependencies.measure();
        dependencies
    }

    /// The number of a rule.
    pub fn find(&self, id: RuleId) -> Option<usize> {
        self.rules.iter().position(|rule| rule.id == id)
    }

    /// Rules and all that they read in the end, or all that read them.
    pub fn closure(
        &self,
        of: &[usize],
        next: impl Fn(&DependentRule<'r>) -> Vec<usize>,
    ) -> Vec<bool> {
        let mut is_in = vec![false; self.rules.len()];
        let mut open = of.to_vec();
        while let Some(rule) = open.pop() {
            if !std::mem::replace(&mut is_in[rule], true) {
                open.extend(next(&self.rules[rule]));
            }
        }
        is_in
    }

    /// Finds circles, depths and how late everything is.
    fn measure(&mut self) {
        let edges: Vec<Vec<usize>> = self
            .rules
            .iter()
            .map(DependentRule::named_sources)
            .collect();
        for mut members in strongly_connected(&edges) {
            members.sort_unstable();
            let is_member = |rule: &usize| members.binary_search(rule).is_ok();
            let is_circle = members.iter().any(|&it| edges[it].iter().any(is_member));
            let (mut depth, mut late) = (0, Some(0));
            for &member in &members {
                for read in self.rules[member]
                    .reads
                    .iter()
                    .filter(|read| read.metric().is_some())
                {
                    for source in read
                        .sources
                        .iter()
                        .filter(|source| !is_member(&source.rule))
                    {
                        let below = &self.rules[source.rule];
                        depth = depth.max(below.depth + 1);
                        let sum = below
                            .late
                            .zip(source.late)
                            .map(|(a, b)| a.saturating_add(b));
                        // What is read at a moment that `@` fixes is not late.
                        let sum = match source.late {
                            None => Some(0),
                            Some(_) => sum,
                        };
                        late = late.zip(sum).map(|(a, b)| a.max(b));
                    }
                }
            }
            for &member in &members {
                self.rules[member].depth = depth;
                self.rules[member].late = late.filter(|_| !is_circle);
            }
            if is_circle {
                self.circles.push(members);
            }
        }
        self.circles.sort();
        for (number, circle) in self.circles.iter().enumerate() {
            for &member in circle {
                self.rules[member].circle = Some(number);
            }
        }
    }
}

impl DependentRule<'_> {
    /// Whether it raises alerts.
    pub fn is_alert(&self) -> bool {
        matches!(self.rule.kind, RuleKind::Alert(_))
    }

    /// Where its name stands.
    pub fn place(&self) -> Place {
        Place::new(&self.group.source, self.rule.name_span)
    }

    /// The rules that it reads, each once and in order.
    pub fn sources(&self) -> Vec<usize> {
        ordered(self.reads.iter())
    }

    /// Those that it names.
    fn named_sources(&self) -> Vec<usize> {
        ordered(self.reads.iter().filter(|read| read.metric().is_some()))
    }
}

/// Whether a name is that of a recording rule by custom.
fn is_recorded_name(name: &str) -> bool {
    name.contains(':')
}

fn ordered<'a>(reads: impl Iterator<Item = &'a RuleRead<'a>>) -> Vec<usize> {
    let sources = reads.flat_map(|read| &read.sources);
    let mut rules: Vec<usize> = sources.map(|source| source.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// What a rule reads.
fn reads_of<'r>(
    reader: usize,
    rules: &[DependentRule<'r>],
    answers: &mut Answers<'_, 'r>,
    given: Option<&Given>,
) -> Vec<RuleRead<'r>> {
    let rule: &'r Rule = rules[reader].rule;
    let found = reads(&rule.expr.expr, Reach::LOOKBACK).into_iter();
    let mut found: Vec<RuleRead<'r>> = found
        .map(|used| {
            let answer = answers.of(&used.matchers, &|index| rules[index].rule);
            let sources = answer.rules.iter();
            let supply = supply(given, &used.matchers);
            RuleRead {
                near: given
                    .filter(|_| supply == Supply::NoName)
                    .and_then(|given| closest(metric_of(&used.matchers)?, &given.names()))
                    .map(str::to_owned),
                supply,
                text: rule.expr.written(used.span),
                place: Place::new(rule.expr_text.source(), rule.expr_text.span(used.span)),
                sources: sources
                    .map(|&source| source_of(reader, source, rules, used.reach))
                    .collect(),
                excluded: answer.excluded,
                matchers: Some(used.matchers),
                reach: used.reach,
            }
        })
        .collect();
    found.extend(template_reads(reader, rules));
    found
}

/// What the templates of an alert query, as far as that shows: the rules whose names stand in them.
fn template_reads<'r>(reader: usize, rules: &[DependentRule<'r>]) -> Option<RuleRead<'r>> {
    let RuleKind::Alert(alert) = &rules[reader].rule.kind else {
        return None;
    };
    let templates = alert.labels.iter().chain(&alert.annotations);
    let texts: Vec<&str> = templates
        .filter(|(_, template)| template.queries())
        .map(|(_, template)| template.text())
        .collect();
    if texts.is_empty() {
        return None;
    }
    let here = Reach::Around {
        oldest: Reach::LOOKBACK,
        newest: 0,
    };
    let words: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(|it| !in_name(it)))
        .collect();
    let is_named =
        |rule: &DependentRule<'_>| !rule.is_alert() && words.contains(&rule.rule.name.as_str());
    let sources = (0..rules.len()).filter(|&source| is_named(&rules[source]));
    Some(RuleRead {
        matchers: None,
        text: "query in a template".to_owned(),
        place: rules[reader].place(),
        reach: here,
        sources: sources
            .map(|source| source_of(reader, source, rules, here))
            .collect(),
        excluded: Arc::default(),
        supply: Supply::Unknown,
        near: None,
    })
}

fn in_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == ':'
}

/// How a rule reads another.
fn source_of(
    reader: usize,
    source: usize,
    rules: &[DependentRule<'_>],
    reach: Reach,
) -> RuleSource {
    let (from, to) = (&rules[reader], &rules[source]);
    let order = match (from.id.group == to.id.group, source < reader) {
        (true, true) => Order::Before,
        (true, false) => Order::Behind,
        (false, _) => Order::Apart,
    };
    let late = match (order, reach) {
        (_, Reach::Fixed) => None,
        (Order::Before, _) => Some(0),
        // What was there before this evaluation is complete.
        (Order::Behind, Reach::Around { newest, .. }) if newest > 0 => Some(0),
        (Order::Behind, _) => Some(to.interval),
        (Order::Apart, _) => {
            let offset = |rule: &DependentRule<'_>| rule.group.query_offset.unwrap_or(0);
            let behind = offset(to).saturating_sub(offset(from)).max(0);
            Some(to.interval.saturating_add(behind))
        }
    };
    RuleSource {
        rule: source,
        order,
        late,
    }
}

fn supply(given: Option<&Given>, matchers: &[Matcher]) -> Supply {
    match given {
        None => Supply::Unknown,
        Some(given) if given.has(matchers) => Supply::Some,
        Some(given) if given.has_name(matchers) => Supply::None,
        Some(_) => Supply::NoName,
    }
}
