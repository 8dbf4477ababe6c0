//! When an alert's condition holds, as something to be worked out anew for other numbers.

use std::collections::{BTreeSet, HashMap};

use super::plan::Plan;
use crate::model::Labels;
use crate::promql::ast::{BinaryOp, Matching};
use crate::promql::{
    Column, ColumnSeries, Columns, Features, Query, Ticks, View, evaluate, signature,
};

/// When instances of an alert are active.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What yields series, and which of their samples stay.
    pub node: Node,
    /// All series that it speaks of.
    pub series: Vec<LiveSeries>,
    /// The instance that each series of the result is, in the order of the result. An instance is active where one of its own
    /// is there; where two are, the evaluation fails.
    pub owners: Vec<usize>,
}

/// A series.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveSeries {
    /// Its labels.
    pub labels: Labels,
    /// The ticks at which there is a value, with it.
    pub values: Vec<(usize, f64)>,
}

/// A part of a condition; it yields series, some of whose samples are there.
#[derive(Debug, Clone)]
pub enum Node {
    /// Series as they are, by their places among all.
    Series(Vec<usize>),
    /// Those samples for which a comparison holds.
    Compare(Box<Compare>),
    /// Two parts joined.
    Set(Box<Set>),
}

/// A comparison with a number.
#[derive(Debug, Clone)]
pub struct Compare {
    /// What yields the samples.
    pub of: Node,
    /// What that is, on one line.
    pub value: String,
    /// The comparison, the value on its left.
    pub op: BinaryOp,
    /// How to work out what it is compared with.
    pub bound: Vec<Step>,
}

/// `and` and `unless` yield the series of the left part, `or` those of the left and then those of the right one. A sample of
/// the left part (with `or`: of the right one) stays where the other part has a sample of the same key (with `unless` and `or`:
/// where it has none).
#[derive(Debug, Clone)]
pub struct Set {
    /// `and`, `or` or `unless`.
    pub op: BinaryOp,
    /// The left part.
    pub left: Node,
    /// The right part.
    pub right: Node,
    /// For each series of the left part a number that says which others it finds.
    pub left_keys: Vec<usize>,
    /// The same of the right part.
    pub right_keys: Vec<usize>,
}

/// A step by which a limit is worked out; each takes its operands from a stack and puts its result there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Puts a number there.
    Number(f64),
    /// Puts the number there that a knob is set to, by its place among the knobs that were given.
    Knob(usize),
    /// Turns the sign.
    Negate,
    /// Takes two: `+`, `-`, `*`, `/` or `%`.
    Binary(BinaryOp),
}

impl Node {
    /// The knobs that move it, by their places.
    pub fn knobs(&self) -> BTreeSet<usize> {
        match self {
            Node::Series(_) => BTreeSet::new(),
            Node::Compare(compare) => {
                let steps = compare.bound.iter().filter_map(|step| match step {
                    Step::Knob(place) => Some(*place),
                    _ => None,
                });
                steps.chain(compare.of.knobs()).collect()
            }
            Node::Set(set) => &set.left.knobs() | &set.right.knobs(),
        }
    }

    /// Puts the present value in place of a knob, so that it moves nothing.
    pub(super) fn freeze(&mut self, knob: usize, value: f64) {
        match self {
            Node::Series(_) => {}
            Node::Compare(compare) => {
                for step in &mut compare.bound {
                    if *step == Step::Knob(knob) {
                        *step = Step::Number(value);
                    }
                }
                compare.of.freeze(knob, value);
            }
            Node::Set(set) => {
                set.left.freeze(knob, value);
                set.right.freeze(knob, value);
            }
        }
    }
}

/// What a plan yields when its queries are evaluated.
pub(super) struct Evaluated {
    pub node: Node,
    pub series: Vec<LiveSeries>,
    /// The series of the result, by their places.
    pub result: Vec<usize>,
    /// Ticks at which a query fails.
    pub failed: BTreeSet<usize>,
}

impl Evaluated {
    /// Evaluates the queries of a plan; `None` where a result holds histograms.
    pub fn of(
        plan: &Plan,
        view: &View<'_>,
        times: Ticks,
        features: &Features,
    ) -> Option<Evaluated> {
        let mut evaluator = Evaluator {
            view,
            times,
            features,
            series: Vec::new(),
            failed: BTreeSet::new(),
        };
        let (node, result) = evaluator.part(plan)?;
        Some(Evaluated {
            node,
            result,
            series: evaluator.series,
            failed: evaluator.failed,
        })
    }
}

struct Evaluator<'e> {
    view: &'e View<'e>,
    times: Ticks,
    features: &'e Features,
    series: Vec<LiveSeries>,
    failed: BTreeSet<usize>,
}

impl Evaluator<'_> {
    /// A part, and the series it yields.
    fn part(&mut self, plan: &Plan) -> Option<(Node, Vec<usize>)> {
        match plan {
            Plan::Query(text) => {
                let places = self.query(text)?;
                Some((Node::Series(places.clone()), places))
            }
            Plan::Compare {
                of,
                value,
                op,
                bound,
            } => {
                let (of, places) = self.part(of)?;
                let compare = Compare {
                    of,
                    value: value.clone(),
                    op: *op,
                    bound: bound.clone(),
                };
                Some((Node::Compare(Box::new(compare)), places))
            }
            Plan::Set {
                op,
                matching,
                left,
                right,
            } => {
                let (left, mut places) = self.part(left)?;
                let (right, others) = self.part(right)?;
                let mut keys = HashMap::new();
                let left_keys = self.keys(&places, matching, &mut keys);
                let right_keys = self.keys(&others, matching, &mut keys);
                let set = Set {
                    op: *op,
                    left,
                    right,
                    left_keys,
                    right_keys,
                };
                if *op == BinaryOp::Or {
                    places.extend(others);
                }
                Some((Node::Set(Box::new(set)), places))
            }
        }
    }

    /// The series of a query, by their places among all.
    fn query(&mut self, text: &str) -> Option<Vec<usize>> {
        let query = Query::parse(text, self.features).ok()?;
        let columns = evaluate(&query, self.view, self.times).into_columns()?;
        if columns.series.iter().any(|it| it.column.has_histograms()) {
            return None;
        }
        self.failed.extend(columns.errors.keys());
        let first = self.series.len();
        for series in columns.series {
            let ticks = series.column.present_ticks();
            let ticks = ticks.filter(|tick| !columns.errors.contains_key(tick));
            let values = series.column.values();
            let values = ticks.filter_map(|tick| Some((tick, *values.get(tick)?)));
            self.series.push(LiveSeries {
                labels: series.labels,
                values: values.collect(),
            });
        }
        Some((first..self.series.len()).collect())
    }

    /// For each series a number that is the same for those that find each other.
    fn keys(
        &self,
        places: &[usize],
        matching: &Matching,
        known: &mut HashMap<Labels, usize>,
    ) -> Vec<usize> {
        let series = places.iter().filter_map(|place| self.series.get(*place));
        let keys = series.map(|series| {
            let next = known.len();
            *known
                .entry(signature(&series.labels, matching))
                .or_insert(next)
        });
        keys.collect()
    }
}

/// Columns that hold nothing but the labels of series.
pub(super) fn labels_only(series: &[LiveSeries], places: &[usize], ticks: Ticks) -> Columns {
    let mut columns = Columns::new(ticks);
    let series = places.iter().filter_map(|place| series.get(*place));
    columns.series = series
        .map(|series| ColumnSeries {
            labels: series.labels.clone(),
            drop_name: false,
            column: Column::absent(0),
        })
        .collect();
    columns
}
