//! The functions: a row each, in a file a family.

mod calendar;
mod extended;
mod histograms;
mod over_time;
mod pointwise;
mod rates;
mod scalars;
mod sliding;
mod starts;
mod steady;
mod uneven;
mod vectors;

pub use self::calendar::Moment;
pub(crate) use self::extended::{interpolate_gauge, interpolate_histograms, widened};
pub(crate) use self::vectors::labels_of_absence;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::{Histogram, Labels, Millis, Timestamp};

use super::annotation::{Annotations, Note, Site};
use super::ast::{Expr, Extension, ValueType};
use super::column::{Column, ColumnSeries, EvalError, Ticks};
use super::window::{Window, Windows};
use crate::text::Span;

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// As written.
    pub name: &'static str,
    /// What it yields.
    pub doc: &'static str,
    /// What it computes; its signature follows from it.
    pub body: Body,
    /// Whether the result keeps the metric name.
    pub keeps_name: bool,
    /// Which of its arguments are quantiles.
    pub quantiles: Range<usize>,
    /// What it reads of native histograms.
    pub histograms: HistogramUse,
    /// Whether it says nothing but an order.
    pub sorts: bool,
    /// Whether its argument should be a counter.
    pub wants_counter: bool,
    /// Which extended windows it takes.
    pub extensions: &'static [Extension],
    /// Whether it needs `promql-experimental-functions`.
    pub experimental: bool,
    /// Whether the result depends on the moment of evaluation beside that of the samples.
    pub depends_on_time: bool,
    /// Whether the result depends on when the query begins or ends.
    pub depends_on_query: bool,
}

/// What a function takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Types of the arguments; the last is repeated or left out as `variadic` says.
    pub params: &'static [ValueType],
    /// 0: exactly `params`. n > 0: the last may be missing, or stand up to n times.
    /// -1: the last may be missing, or stand any number of times.
    pub variadic: i32,
    /// Type of the result.
    pub returns: ValueType,
}

/// The shape of a function decides its signature.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// Every float sample by itself; histograms go: `abs(v)`.
    Pointwise(fn(f64) -> f64),
    /// Every float sample with scalars; `None` drops it: `clamp(v, min, max)`.
    PointwiseWith {
        /// The vector and its scalars.
        params: &'static [ValueType],
        /// As in [`Signature`].
        variadic: i32,
        /// Takes the sample and the scalars that were given.
        body: fn(f64, &[f64]) -> Option<f64>,
    },
    /// Every float sample taken as unix seconds, or the evaluation time: `hour(v)`.
    Calendar(fn(Moment) -> i64),
    /// Every histogram sample by itself; floats go: `histogram_count(v)`.
    HistogramPart(fn(&Histogram) -> f64),
    /// The floats of every window by themselves: `sum_over_time(m[5m])`.
    EachWindow(fn(&Window<'_>) -> f64),
    /// Every series' windows, column by column: `rate(m[5m])`.
    Window {
        /// The window and any scalars, in the order written.
        params: &'static [ValueType],
        /// What it makes of histograms.
        samples: Samples,
        /// Fills the column of one series.
        kernel: fn(&Windows<'_>, &mut Column),
        /// Looks at the scalars of a tick before anything is computed.
        validate: Option<Validate>,
    },
    /// Whole vectors: `label_replace(v, …)`.
    Vector {
        /// As in [`Signature`].
        params: &'static [ValueType],
        /// As in [`Signature`].
        variadic: i32,
        /// Series with any labels; those that turn out alike are merged, or fail where they coexist.
        body: fn(&mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError>,
    },
    /// One number a tick: `time()`.
    Scalar {
        /// As in [`Signature`].
        params: &'static [ValueType],
        /// The column, present at every tick.
        body: fn(&Arguments<'_>) -> Column,
    },
    /// The stamps of samples, which only the evaluator knows: `timestamp(v)`.
    Timestamp,
    /// When the counters of samples started, which only the evaluator knows: `start_timestamp(v)`.
    StartTimestamp,
    /// Whether any window holds a sample, which only the evaluator knows: `absent_over_time(m[5m])`.
    AbsentOverTime,
    /// Joins info metrics, which only the evaluator can select: `info(v, {…})`.
    Info,
}

/// Says what is wrong with scalar arguments.
pub type Validate = fn(&[f64]) -> Result<(), String>;

/// What a range function makes of histograms in its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// It never sees them.
    Floats,
    /// It takes samples of both kinds.
    Any,
    /// Nothing is done yet: samples of both kinds, with the hints of histograms that a subquery leaves.
    AsTheyAre,
}

/// What a function reads of native histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramUse {
    /// It does not say.
    Any,
    /// Count and sum alone.
    Totals,
    /// The buckets too.
    Buckets,
}

/// The arguments of a call, evaluated.
#[derive(Debug)]
pub struct Arguments<'a> {
    /// When.
    pub ticks: Ticks,
    /// As written, for functions that look at a selector's matchers.
    pub exprs: &'a [Expr],
    /// Where the call stands.
    pub node: Span,
    /// One for each expression.
    pub values: Vec<Argument>,
    /// Whether the order of the result counts: only one moment is evaluated.
    pub is_seen: bool,
    /// Whether metric names are dropped when the query is done rather than at once.
    pub delayed_name_removal: bool,
    /// The query that the ticks belong to; `None` where each tick is an instant query of its own.
    pub query: Option<QuerySpan>,
    /// Whether the call is the same at any tick.
    pub is_constant: bool,
    /// Errors by tick.
    pub errors: BTreeMap<usize, EvalError>,
    /// What there is to say of the call.
    pub annotations: Annotations,
}

/// When a query begins and ends, and its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySpan {
    /// Its first step.
    pub start: Timestamp,
    /// Its end; the last step is not after it.
    pub end: Timestamp,
    /// The distance of its steps; 0 for an instant query.
    pub step: Millis,
}

impl QuerySpan {
    /// An instant query.
    pub fn instant(moment: Timestamp) -> QuerySpan {
        QuerySpan {
            start: moment,
            end: moment,
            step: 0,
        }
    }
}

/// An argument, evaluated.
#[derive(Debug, Clone)]
pub enum Argument {
    /// Series.
    Vector(Vec<ColumnSeries>),
    /// One number a tick.
    Scalar(Column),
    /// A text.
    String(String),
}

const VECTOR: &[ValueType] = &[ValueType::Vector];

impl Function {
    /// What it takes and gives.
    pub fn signature(&self) -> Signature {
        let (params, variadic, returns) = match self.body {
            Body::Pointwise(_)
            | Body::HistogramPart(_)
            | Body::Timestamp
            | Body::StartTimestamp => (VECTOR, 0, ValueType::Vector),
            Body::Calendar(_) => (VECTOR, 1, ValueType::Vector),
            Body::PointwiseWith {
                params, variadic, ..
            } => (params, variadic, ValueType::Vector),
            Body::Window { params, .. } => (params, 0, ValueType::Vector),
            Body::Vector {
                params, variadic, ..
            } => (params, variadic, ValueType::Vector),
            Body::Scalar { params, .. } => (params, 0, ValueType::Scalar),
            Body::EachWindow(_) | Body::AbsentOverTime => {
                (&[ValueType::Matrix] as &[ValueType], 0, ValueType::Vector)
            }
            Body::Info => (
                &[ValueType::Vector, ValueType::Vector] as &[ValueType],
                1,
                ValueType::Vector,
            ),
        };
        Signature {
            params,
            variadic,
            returns,
        }
    }

    /// A row of a function of whole vectors.
    const fn of_vectors(
        name: &'static str,
        params: &'static [ValueType],
        variadic: i32,
        body: fn(&mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError>,
        doc: &'static str,
    ) -> Function {
        Function::new(
            name,
            Body::Vector {
                params,
                variadic,
                body,
            },
            doc,
        )
    }

    /// A row of a function of one range vector.
    const fn of_windows(
        name: &'static str,
        samples: Samples,
        kernel: fn(&Windows<'_>, &mut Column),
        doc: &'static str,
    ) -> Function {
        let body = Body::Window {
            params: &[ValueType::Matrix],
            samples,
            kernel,
            validate: None,
        };
        Function::new(name, body, doc)
    }

    const fn new(name: &'static str, body: Body, doc: &'static str) -> Function {
        Function {
            name,
            doc,
            body,
            keeps_name: false,
            quantiles: 0..0,
            histograms: HistogramUse::Any,
            sorts: false,
            wants_counter: false,
            extensions: &[],
            experimental: false,
            depends_on_time: false,
            depends_on_query: false,
        }
    }

    const fn keeping_name(self) -> Function {
        Function {
            keeps_name: true,
            ..self
        }
    }

    const fn of_quantiles(self, quantiles: Range<usize>) -> Function {
        Function { quantiles, ..self }
    }

    const fn reading(self, histograms: HistogramUse) -> Function {
        Function { histograms, ..self }
    }

    const fn sorting(self) -> Function {
        Function {
            keeps_name: true,
            sorts: true,
            ..self
        }
    }

    const fn of_counters(self) -> Function {
        Function {
            wants_counter: true,
            ..self
        }
    }

    const fn taking(self, extensions: &'static [Extension]) -> Function {
        Function { extensions, ..self }
    }

    const fn of_its_time(self) -> Function {
        Function {
            depends_on_time: true,
            ..self
        }
    }

    const fn of_its_query(self) -> Function {
        Function {
            depends_on_time: true,
            depends_on_query: true,
            ..self
        }
    }

    const fn experimental(self) -> Function {
        Function {
            experimental: true,
            ..self
        }
    }
}

impl Arguments<'_> {
    /// The series of a vector argument, taken out; none if it is not there.
    fn take_vector(&mut self, index: usize) -> Vec<ColumnSeries> {
        match self.values.get_mut(index) {
            Some(Argument::Vector(series)) => std::mem::take(series),
            _ => Vec::new(),
        }
    }

    /// The text of a string argument; empty if it is not there.
    fn string(&self, index: usize) -> &str {
        match self.values.get(index) {
            Some(Argument::String(text)) => text,
            _ => "",
        }
    }

    /// A scalar argument at a tick; NaN if it is not there.
    fn scalar(&self, index: usize, tick: usize) -> f64 {
        match self.values.get(index) {
            Some(Argument::Scalar(column)) => column.values()[tick],
            _ => f64::NAN,
        }
    }

    /// Notes something of an argument and of a metric.
    fn note(&mut self, argument: usize, metric: &str, note: Note<'_>) {
        if let Some(site) = self.site(argument, metric) {
            self.annotations.add(&site, note);
        }
    }

    /// Where an argument stands.
    fn site<'m>(&self, argument: usize, metric: &'m str) -> Option<Site<'m>> {
        let argument = self.exprs.get(argument)?.unwrap_parens();
        Some(Site::new(self.node, argument.span, metric))
    }

    /// The labels of a result that has lost its metric name, and whether it still has to.
    fn nameless(&self, labels: &Labels) -> (Labels, bool) {
        match self.delayed_name_removal {
            true => (labels.clone(), true),
            false => (labels.without_metadata(), false),
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

/// The row of a name.
pub fn lookup(name: &str) -> Option<&'static Function> {
    functions().find(|row| row.name == name)
}

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    [
        pointwise::ROWS,
        calendar::ROWS,
        rates::ROWS,
        over_time::ROWS,
        histograms::ROWS,
        vectors::ROWS,
        scalars::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Why a function does not take an extended window, in Prometheus's words; `None` where it does.
pub(crate) fn refuse_extension(function: &Function, extension: Extension) -> Option<String> {
    if function.extensions.contains(&extension) {
        return None;
    }
    let takes = |row: &&Function| row.extensions.contains(&extension);
    let mut names: Vec<&str> = functions().filter(takes).map(|row| row.name).collect();
    names.sort_unstable();
    Some(format!(
        "{} modifier can only be used with: {} - not with {}",
        extension.name(),
        names.join(", "),
        function.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_documented() {
        let mut names: Vec<_> = functions().map(|row| row.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in functions() {
            assert!(row.doc.ends_with('.'), "{}", row.name);
        }
    }
}
