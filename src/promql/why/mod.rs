//! Why an expression yields what it yields at a moment: what each node of its tree holds, and where and why it became
//! empty, failed, or was let through.
//!
//! `tree` looks at every node by itself, `blame` finds the nodes at which something went, and the others say why.

mod blame;
mod compare;
mod join;
mod nan;
mod pin;
mod selector;
mod tree;
mod windows;

use std::sync::Arc;

use super::ast::BinaryOp;
use super::eval::View;
use super::query::Query;
use crate::model::{Histogram, Labels, Matcher, Millis, Timestamp};
use crate::text::Span;

/// No more than this many series, values or pairs stand in a [`Cause`]; how many there are is told beside them.
pub const MAX_NAMED: usize = 3;

/// In [`Node::short`], expressions of more characters have `…` for nodes below.
pub const MAX_SHORT: usize = 44;

/// What an expression came to, and why.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The outermost node.
    pub root: Node,
    /// What there is to say, in the order of the expression.
    pub findings: Vec<Finding>,
}

/// A node of an expression and what it yields.
#[derive(Debug, Clone)]
pub struct Node {
    /// As written, on one line.
    pub text: String,
    /// The same, but where it is long `…` stands for nodes below.
    pub short: String,
    /// Where it stands in the query's text.
    pub span: Span,
    /// When it was evaluated: inside a subquery that is the last step.
    pub time: Timestamp,
    /// What it yields.
    pub value: Value,
    /// Whether something went here.
    pub mark: Mark,
    /// What it selects, where it is a selector.
    pub selects: Option<Selects>,
    /// The nodes below; numbers and texts are none.
    pub children: Vec<Node>,
    /// Whether there are nodes below that were not looked at, because there are too many.
    pub is_cut: bool,
}

/// What a selector asks for.
#[derive(Debug, Clone)]
pub struct Selects {
    /// Which series.
    pub matchers: Vec<Matcher>,
    /// Up to when, as `offset` and `@` say.
    pub end: Timestamp,
}

/// What a node yields.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Series with a sample each.
    Vector(Vec<Point>),
    /// A number.
    Scalar(f64),
    /// Series with a window of samples each.
    Windows(Vec<Held>),
    /// A text.
    Text(String),
    /// Nothing: the evaluation failed, in Prometheus's words.
    Failed(String),
}

/// A series with its sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// What it is called.
    pub labels: Labels,
    /// Its sample.
    pub reading: Reading,
}

/// A sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A number.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<Histogram>),
}

/// A series with a window of samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// What it is called.
    pub labels: Labels,
    /// How many samples the window holds; at least one.
    pub count: usize,
    /// The first.
    pub first: Timestamp,
    /// The last.
    pub last: Timestamp,
}

/// Whether something went at a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// Nothing did.
    #[default]
    None,
    /// It is empty, and nothing below explains it.
    Emptied,
    /// It failed, and nothing below did.
    Failed,
}

/// Something to say of a node.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Where the node stands in the query's text.
    pub span: Span,
    /// What it is.
    pub cause: Cause,
}

/// Why a node yields what it yields.
#[derive(Debug, Clone)]
pub enum Cause {
    /// There is no series of this name.
    NoMetric {
        /// The name.
        name: String,
        /// Names like it, the likest first.
        near: Vec<String>,
    },
    /// There are series of this name, but none passes all matchers.
    NoMatch(NoMatch),
    /// Series match, but none has a sample in reach.
    NoSample(NoSample),
    /// Windows hold fewer samples than the function needs.
    FewSamples(FewSamples),
    /// A subquery has no step in its window.
    NoStep {
        /// Its range.
        range: Millis,
        /// The distance of its steps.
        step: Millis,
    },
    /// A comparison let some through and others not.
    Compared(Compared),
    /// Two sides of an operator do not find each other.
    NoPartner(NoPartner),
    /// `unless` removed everything.
    Removed(Removed),
    /// `unless` removes nothing: its right side is empty.
    NothingToRemove,
    /// `absent` and its like yield nothing where there is something.
    Present {
        /// The function.
        function: &'static str,
        /// How many series there are.
        count: usize,
        /// Some of them.
        some: Vec<Labels>,
    },
    /// `absent` and its like yield 1 where there is nothing.
    Absent {
        /// The function.
        function: &'static str,
    },
    /// Quantiles of buckets need the label `le`.
    NoBuckets {
        /// The function.
        function: &'static str,
        /// One of the series without.
        example: Labels,
        /// Where the label went.
        dropped: Option<Dropped>,
    },
    /// `scalar` of anything but one series is NaN.
    NoScalar {
        /// How many series there are.
        count: usize,
    },
    /// A value that is no number, and equal, above or below to none.
    NotANumber(NotANumber),
    /// The result lacks a label that it should have.
    LostLabel {
        /// The label.
        label: String,
        /// Where it went.
        dropped: Dropped,
    },
    /// It failed, in Prometheus's words.
    Failed {
        /// Why.
        message: String,
        /// Series that should be one.
        twins: Option<Twins>,
    },
    /// Nothing is left of what came in; what Prometheus says of it.
    Nothing {
        /// What Prometheus says beside the result.
        notes: Vec<String>,
    },
}

/// Series of a name of which none passes all matchers.
#[derive(Debug, Clone)]
pub struct NoMatch {
    /// The name; `None` where the selector fixes none.
    pub name: Option<String>,
    /// How many series of the name there are.
    pub of_name: usize,
    /// The matchers to blame. Where `is_each` is set, each of them alone keeps every series out that the others let
    /// through; else none alone does.
    pub matchers: Vec<Blamed>,
    /// See `matchers`.
    pub is_each: bool,
}

/// A matcher that lets nothing through.
#[derive(Debug, Clone)]
pub struct Blamed {
    /// The matcher as written.
    pub matcher: String,
    /// Its label.
    pub label: String,
    /// The values which the label has in series that pass all other matchers, the likest first; empty where they lack it.
    pub values: Vec<String>,
    /// How many more values there are.
    pub more: usize,
}

/// Series without a sample in reach.
#[derive(Debug, Clone)]
pub struct NoSample {
    /// How far back samples count.
    pub reach: Millis,
    /// Up to when.
    pub end: Timestamp,
    /// Whether `reach` is a range that was written, and not the look-back.
    pub is_range: bool,
    /// Some of the series.
    pub series: Vec<Quiet>,
    /// How many more there are.
    pub more: usize,
}

/// A series without a sample in reach.
#[derive(Debug, Clone)]
pub struct Quiet {
    /// What it is called.
    pub labels: Labels,
    /// Its last sample before the end of the reach, no stale marker.
    pub last: Option<Timestamp>,
    /// When a stale marker ended it.
    pub stale: Option<Timestamp>,
    /// Its first sample after the end of the reach, or not yet visible to who asks.
    pub next: Option<Timestamp>,
}

/// Windows that hold fewer samples than a function needs.
#[derive(Debug, Clone)]
pub struct FewSamples {
    /// The function.
    pub function: &'static str,
    /// How many it needs.
    pub needed: usize,
    /// The range; `None` where it can't be told.
    pub range: Option<Millis>,
    /// Some of the series with how many samples their windows hold.
    pub series: Vec<Held>,
    /// How many more there are.
    pub more: usize,
    /// How far the samples of the first lie apart; `None` where it has no second.
    pub apart: Option<Millis>,
}

/// What a comparison made of its values; of each those that are meant first, then the nearest.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The operator.
    pub op: BinaryOp,
    /// Whether the right side is one number for all.
    pub threshold: Option<f64>,
    /// Some that it let through.
    pub passed: Vec<Pair>,
    /// How many it let through.
    pub passed_count: usize,
    /// Some that it did not.
    pub failed: Vec<Pair>,
    /// The nearest of those.
    pub nearest: Option<Pair>,
    /// How many it did not.
    pub failed_count: usize,
}

/// Two values that were compared.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The labels of the left side; of the right where that is a number.
    pub labels: Labels,
    /// The left value.
    pub left: f64,
    /// The right value.
    pub right: f64,
}

/// Sides of an operator that do not find each other.
#[derive(Debug, Clone)]
pub struct NoPartner {
    /// The operator.
    pub op: BinaryOp,
    /// `on` rather than `ignoring`.
    pub on: bool,
    /// The labels named in `on` or `ignoring`.
    pub labels: Vec<String>,
    /// How many series the left side has.
    pub left_count: usize,
    /// How many series the right side has.
    pub right_count: usize,
    /// How many of the left side found none.
    pub alone: usize,
    /// The left series of the nearest pair.
    pub left: Labels,
    /// The right series of the nearest pair.
    pub right: Labels,
    /// In what the pair differs, of the labels that count.
    pub differs: Vec<Differs>,
    /// What behind the operator would join the pair, if that is safe to say.
    pub suggestion: Option<String>,
}

/// A label in which two series differ.
#[derive(Debug, Clone)]
pub struct Differs {
    /// The label.
    pub label: String,
    /// Its value on the left; `None` where it is absent.
    pub left: Option<String>,
    /// Its value on the right; `None` where it is absent.
    pub right: Option<String>,
    /// What took it from the side that lacks it.
    pub dropped: Option<Dropped>,
}

/// What took a label away.
#[derive(Debug, Clone)]
pub struct Dropped {
    /// `sum by (job)`.
    pub by: String,
    /// Where it stands in the query's text.
    pub span: Span,
}

/// What `unless` removed.
#[derive(Debug, Clone)]
pub struct Removed {
    /// How many series.
    pub count: usize,
    /// Some of them, each with one that removed it.
    pub pairs: Vec<(Labels, Labels)>,
    /// `on` rather than `ignoring`.
    pub on: bool,
    /// The labels named in `on` or `ignoring`.
    pub labels: Vec<String>,
}

/// Series of one side that an operator can't tell apart.
#[derive(Debug, Clone)]
pub struct Twins {
    /// `left` or `right`.
    pub side: &'static str,
    /// Two of them.
    pub pair: (Labels, Labels),
    /// The labels in which they differ.
    pub differs: Vec<String>,
}

/// Where a NaN came from.
#[derive(Debug, Clone)]
pub struct NotANumber {
    /// The labels of one that is NaN.
    pub labels: Labels,
    /// How it came to be.
    pub source: NanSource,
}

/// How a NaN came to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NanSource {
    /// 0 divided by 0.
    ZeroByZero,
    /// A division by 0 or of infinity that has no remainder.
    NoRemainder,
    /// A quantile of buckets without an observation.
    NoObservation,
    /// A quantile of buckets without the last, `le="+Inf"`.
    NoLastBucket,
    /// A quantile of no bucket but the last.
    OneBucket,
    /// The sample is NaN.
    Sample,
    /// By what the node computes.
    Computed,
}

/// What somebody had in mind who asks why.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant<'a> {
    /// Names of series that may come to be, such as those of recording rules: a misspelt name may mean one.
    pub names: &'a [&'a str],
    /// Labels that results should have; what there is to say of series like them comes first.
    pub about: &'a [Labels],
}

impl Meant<'_> {
    /// Whether a series is like those that are meant: it shares a label with one, and contradicts it in none.
    pub fn concerns(&self, labels: &Labels) -> bool {
        self.about.iter().any(|about| {
            let mut shared = labels
                .iter()
                .filter_map(|(name, value)| Some((value, about.get(name)?)));
            let first = shared.next();
            first.is_some_and(|(a, b)| a == b) && shared.all(|(a, b)| a == b)
        })
    }
}

/// Explains what a query yields at an evaluation time, as `view` sees it.
pub fn explain(query: &Query, view: &View<'_>, time: Timestamp, meant: Meant<'_>) -> Explained {
    let explainer = Explainer {
        view,
        text: &query.text,
        meant,
    };
    let seen = explainer.look(&query.expr, time);
    let mut findings = explainer.findings(&seen);
    findings.extend(explainer.lost_labels(&seen));
    Explained {
        root: explainer.node(&seen),
        findings,
    }
}

/// What is explained, and to whom.
struct Explainer<'a> {
    view: &'a View<'a>,
    /// The query's text.
    text: &'a str,
    /// What was in mind.
    meant: Meant<'a>,
}

impl Value {
    /// Whether it has room for series, and none is there.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Vector(points) => points.is_empty(),
            Value::Windows(held) => held.is_empty(),
            Value::Scalar(_) | Value::Text(_) | Value::Failed(_) => false,
        }
    }

    /// The series of a vector; none of anything else.
    fn points(&self) -> &[Point] {
        match self {
            Value::Vector(points) => points,
            _ => &[],
        }
    }
}

impl Reading {
    /// The number, unless it is a histogram.
    pub fn float(&self) -> Option<f64> {
        match self {
            Reading::Float(value) => Some(*value),
            Reading::Histogram(_) => None,
        }
    }
}

impl Node {
    /// The node and all below it, in the order of the expression.
    pub fn each(&self) -> Vec<&Node> {
        let mut all = vec![self];
        let mut at = 0;
        while let Some(node) = all.get(at).copied() {
            all.extend(&node.children);
            at += 1;
        }
        all.sort_by_key(|node| (node.span.start, std::cmp::Reverse(node.span.end)));
        all
    }
}
