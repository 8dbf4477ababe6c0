//! Native histograms, as Prometheus's `FloatHistogram` holds them.

/// A native histogram with float counts.
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

/// Why two histograms can't be combined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistogramError {
    /// Custom and exponential buckets do not mix.
    #[error("the operation requires both histograms to have either exponential or custom buckets")]
    MixedBuckets,
}
