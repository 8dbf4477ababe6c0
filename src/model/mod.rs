//! The nouns of the field: labels, matchers, histograms, durations and numbers.

pub mod bytes;
pub mod date;
mod duration;
pub mod escape;
mod hash;
mod histogram;
pub mod hyperbolic;
mod labels;
pub mod logarithm;
mod matcher;
pub mod number;
pub mod power;
pub mod quantile;
mod regex;
pub mod trigonometry;
mod unicode;

pub use duration::{Duration, DurationError, Millis, Timestamp};
pub use histogram::{
    Bucket, BucketSpan, CUSTOM_BUCKETS_SCHEMA, Chunk, Combination, CounterResetHint, Histogram,
    HistogramError, NanObservations, NativeFraction, NativeQuantile, Side, Trim,
};
pub(crate) use labels::is_classic_metric;
pub use labels::{Labels, LabelsBuilder, METRIC_NAME, METRIC_TYPE, METRIC_UNIT, is_metadata};
pub use matcher::{MatchOp, Matcher, metric_of};
pub use regex::{Regex, RegexError, texts_matching};
