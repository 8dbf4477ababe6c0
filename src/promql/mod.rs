//! The query language: `ast <- parse, print, check`; `functions, aggregations <- query <- check, eval`;
//! parsing and evaluation never meet. What there is to say of a query beside its result is noted where it is evaluated
//! ([`Annotations`]). `why` stands above them all and evaluates every part of a query by itself.

pub mod ast;

mod annotation;

mod column;

mod histograms;

mod numeric;

mod window;

pub mod functions;

pub mod aggregations;

mod letters;

mod query;

pub mod selectors;

mod set_operations;

mod threshold;

mod times;

mod duration;

mod labels;

mod pretty;

mod print;

mod check;

pub mod parse;

pub mod eval;

pub mod why;

pub use annotation::{Annotation, Annotations, Note, Operation, Site};
pub use column::{Column, ColumnSeries, Columns, EvalError, Sample, Ticks};
pub use eval::{
    Evaluated, Horizon, Reader, Repeated, TOO_MANY_SAMPLES, TOO_MANY_STEPS, View, Windowed,
    annotations_without_data, evaluate, evaluate_range, evaluate_windows, signature,
};
pub use labels::{Fixed, Known, LabelValue, Lore, fixed, known, known_before};
pub use letters::{letters, one_line};
pub use parse::MAX_PATTERNS;
pub use query::{Features, Query, QueryError, UnknownFeature};
pub use set_operations::{SetOperation, set_operations};
pub use threshold::{Threshold, threshold};
pub use times::Times;
pub use window::{Contents, Ends, Notes, Window, Windows};
