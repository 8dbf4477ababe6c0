//! Native histograms, as Prometheus's `FloatHistogram` holds them.

mod arithmetic;
mod bounds;
mod buckets;
mod chunk;
mod custom;
mod layout;
mod reset;
mod restore;
mod statistics;
mod text;
mod trim;
mod validate;
mod zero;

pub use arithmetic::Combination;
pub use bounds::CUSTOM_BUCKETS_SCHEMA;
pub use buckets::Bucket;
pub use chunk::Chunk;
pub use statistics::{NanObservations, NativeFraction, NativeQuantile};
pub use trim::Trim;

/// A native histogram with float counts.
///
/// `==` compares numbers as floats; [`Histogram::equals`] is Prometheus's own equality.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Histogram {
    /// What is known about a reset between this and the sample before.
    pub counter_reset_hint: CounterResetHint,
    /// Resolution: -4 to 8 for exponential buckets (base 2^(2^-schema)), -53 for custom ones.
    pub schema: i32,
    /// Width of the zero bucket: it holds `[-zero_threshold, zero_threshold]`.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Sum of the observed values.
    pub sum: f64,
    /// Where the positive buckets lie.
    pub positive_spans: Vec<BucketSpan>,
    /// Where the negative buckets lie.
    pub negative_spans: Vec<BucketSpan>,
    /// Absolute counts of the positive buckets, one for each place in the spans.
    pub positive_buckets: Vec<f64>,
    /// Absolute counts of the negative buckets.
    pub negative_buckets: Vec<f64>,
    /// Upper bounds of custom buckets (schema -53), rising, without `+Inf`.
    pub custom_values: Vec<f64>,
}

/// A run of consecutive buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSpan {
    /// Gap to the end of the span before; for the first span the index of its first bucket.
    pub offset: i32,
    /// How many buckets follow each other.
    pub length: u32,
}

/// Whether a counter was reset before this sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CounterResetHint {
    /// Nothing is known; compare with the sample before.
    #[default]
    Unknown,
    /// It was.
    Reset,
    /// It was not.
    NotReset,
    /// No counter: a gauge, or the result of an operation that makes one.
    Gauge,
}

/// Why a histogram is none, or can't be combined with another; the texts are Prometheus's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HistogramError {
    /// Custom and exponential buckets do not mix.
    #[error(
        "cannot apply this operation on histograms with a mix of exponential and custom bucket schemas"
    )]
    MixedBuckets,
    /// Resolution can only be lost, and only between exponential schemas.
    #[error("cannot reduce resolution from schema {from} to {to}")]
    Resolution {
        /// The schema it has.
        from: i32,
        /// The schema asked for.
        to: i32,
    },
    /// A schema that Prometheus does not store.
    #[error(
        "histogram has an invalid schema, which must be between -4 and 8 for exponential buckets, \
         or -53 for custom buckets, got schema {0}"
    )]
    Schema(i32),
    /// Only the first span may start below the one before.
    #[error(
        "{side}: span number {number} with offset {offset}: histogram has a span whose offset is negative"
    )]
    NegativeOffset {
        /// Which buckets.
        side: Side,
        /// Which span, from 1.
        number: usize,
        /// Its offset.
        offset: i32,
    },
    /// The spans speak of other buckets than there are.
    #[error(
        "{side}: spans need {needed} buckets, have {present} buckets: \
         histogram spans specify different number of buckets than provided"
    )]
    SpansMismatch {
        /// Which buckets.
        side: Side,
        /// By the spans.
        needed: u64,
        /// By the counts.
        present: usize,
    },
    /// Nobody observes a negative number of times.
    #[error(
        "{side}: bucket number {number} has observation count of {count}: \
         histogram has a bucket whose observation count is negative"
    )]
    NegativeBucket {
        /// Which buckets.
        side: Side,
        /// Which bucket, from 1.
        number: usize,
        /// Its count.
        count: f64,
    },
    /// The zero bucket is negative.
    #[error(
        "zero bucket has observation count of {0}: \
         histogram has a bucket whose observation count is negative"
    )]
    NegativeZeroBucket(f64),
    /// The count is negative.
    #[error("observation count is {0}: histogram's observation count is negative")]
    NegativeCount(f64),
    /// Custom bounds must be numbers.
    #[error("custom buckets: histogram custom bounds must not be NaN")]
    BoundNan,
    /// Custom bounds must rise.
    #[error(
        "custom buckets: previous bound is {previous} and current is {current}: \
         histogram custom bounds must be in strictly increasing order"
    )]
    BoundsOrder {
        /// The bound before.
        previous: f64,
        /// The bound that is not above it.
        current: f64,
    },
    /// The last bucket needs no bound.
    #[error(
        "custom buckets: last +Inf bound must not be explicitly defined: \
         histogram custom bounds must be finite"
    )]
    BoundInfinite,
    /// More buckets than bounds.
    #[error(
        "custom buckets: only {bounds} custom bounds defined which is insufficient \
         to cover total span length of {needed}: histogram custom bounds are too few"
    )]
    BoundsTooFew {
        /// How many bounds there are.
        bounds: usize,
        /// How far the spans reach.
        needed: i64,
    },
    /// A field that a histogram with custom buckets has no use for.
    #[error("custom buckets: must not have {0}")]
    CustomBucketsHave(&'static str),
    /// Exponential buckets have their bounds by schema.
    #[error("histogram with exponential schema must not have custom bounds")]
    ExponentialHasBounds,
}

/// Which buckets an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Those of positive values.
    Positive,
    /// Those of negative values.
    Negative,
    /// Custom ones.
    Custom,
}

impl Histogram {
    /// Whether the bounds are listed in [`Histogram::custom_values`].
    pub fn uses_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }

    /// Whether both hold the same data: counts and sums to the bit (a NaN equals itself), the same
    /// buckets present, whatever the counter reset hints (Prometheus's `Equals`).
    pub fn equals(&self, other: &Histogram) -> bool {
        let bounds_match = !self.uses_custom_buckets() || self.custom_values == other.custom_values;
        self.schema == other.schema
            && same_bits(self.count, other.count)
            && same_bits(self.sum, other.sum)
            && bounds_match
            && self.zero_threshold == other.zero_threshold
            && same_bits(self.zero_count, other.zero_count)
            && layout::spans_match(&self.negative_spans, &other.negative_spans)
            && same_counts(&self.negative_buckets, &other.negative_buckets)
            && layout::spans_match(&self.positive_spans, &other.positive_spans)
            && same_counts(&self.positive_buckets, &other.positive_buckets)
    }

    /// What Prometheus takes for its size in bytes, by which it counts histograms as samples.
    pub fn size(&self) -> usize {
        const STRUCT: usize = 168;
        const ELEMENT: usize = 8;
        let spans = self.positive_spans.len() + self.negative_spans.len();
        let buckets = self.positive_buckets.len() + self.negative_buckets.len();
        STRUCT + ELEMENT * (spans + buckets + self.custom_values.len())
    }

    /// Whether a count, the sum or a bound is infinite.
    pub fn has_overflow(&self) -> bool {
        let all = [
            &self.positive_buckets,
            &self.negative_buckets,
            &self.custom_values,
        ];
        [self.zero_count, self.count, self.sum]
            .iter()
            .chain(all.into_iter().flatten())
            .any(|number| number.is_infinite())
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Positive => "positive side",
            Side::Negative => "negative side",
            Side::Custom => "custom buckets",
        })
    }
}

fn same_bits(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits()
}

fn same_counts(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| same_bits(a, b))
}
