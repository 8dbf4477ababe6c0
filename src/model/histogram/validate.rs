//! What Prometheus stores and what it refuses.

use super::bounds::EXPONENTIAL_SCHEMAS;
use super::{BucketSpan, Histogram, HistogramError, Side};

impl Histogram {
    /// Checks what Prometheus checks when a sample is appended: the schema, that spans and buckets agree,
    /// that no count is negative, that custom bounds rise, and that no field is set which the schema has
    /// no use for. The count is not compared with the sum of the buckets.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn validate(&self) -> Result<(), HistogramError> {
        if self.uses_custom_buckets() {
            self.check_bounds()?;
            self.check_no_exponential_fields()?;
        } else if EXPONENTIAL_SCHEMAS.contains(&self.schema) {
            check_spans(
                Side::Positive,
                &self.positive_spans,
                self.positive_buckets.len(),
            )?;
            check_spans(
                Side::Negative,
                &self.negative_spans,
                self.negative_buckets.len(),
            )?;
            check_counts(Side::Negative, &self.negative_buckets)?;
            if self.zero_count < 0.0 {
                return Err(HistogramError::NegativeZeroBucket(self.zero_count));
            }
            if !self.custom_values.is_empty() {
                return Err(HistogramError::ExponentialHasBounds);
            }
        } else {
            return Err(HistogramError::Schema(self.schema));
        }
        if self.count < 0.0 {
            return Err(HistogramError::NegativeCount(self.count));
        }
        check_counts(Side::Positive, &self.positive_buckets)
    }

    fn check_bounds(&self) -> Result<(), HistogramError> {
        let mut previous = f64::NEG_INFINITY;
        for (position, &current) in self.custom_values.iter().enumerate() {
            if current.is_nan() {
                return Err(HistogramError::BoundNan);
            }
            if position > 0 && current <= previous {
                return Err(HistogramError::BoundsOrder { previous, current });
            }
            previous = current;
        }
        if previous == f64::INFINITY {
            return Err(HistogramError::BoundInfinite);
        }
        if let Some(first) = self.positive_spans.first().filter(|first| first.offset < 0) {
            return Err(HistogramError::NegativeOffset {
                side: Side::Custom,
                number: 1,
                offset: first.offset,
            });
        }
        check_spans(
            Side::Custom,
            &self.positive_spans,
            self.positive_buckets.len(),
        )?;
        let reach = |span: &BucketSpan| i64::from(span.offset) + i64::from(span.length);
        let needed: i64 = self.positive_spans.iter().map(reach).sum();
        match i64::try_from(self.custom_values.len()).is_ok_and(|bounds| bounds + 1 < needed) {
            true => Err(HistogramError::BoundsTooFew {
                bounds: self.custom_values.len(),
                needed,
            }),
            false => Ok(()),
        }
    }

    fn check_no_exponential_fields(&self) -> Result<(), HistogramError> {
        let surplus = if self.zero_count != 0.0 {
            "a zero count"
        } else if self.zero_threshold != 0.0 {
            "a zero threshold"
        } else if !self.negative_spans.is_empty() {
            "negative spans"
        } else if !self.negative_buckets.is_empty() {
            "negative buckets"
        } else {
            return Ok(());
        };
        Err(HistogramError::CustomBucketsHave(surplus))
    }
}

fn check_spans(side: Side, spans: &[BucketSpan], present: usize) -> Result<(), HistogramError> {
    let later = spans.iter().enumerate().skip(1);
    if let Some((position, span)) = later.into_iter().find(|(_, span)| span.offset < 0) {
        return Err(HistogramError::NegativeOffset {
            side,
            number: position + 1,
            offset: span.offset,
        });
    }
    let needed: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    match needed == present as u64 {
        true => Ok(()),
        false => Err(HistogramError::SpansMismatch {
            side,
            needed,
            present,
        }),
    }
}

fn check_counts(side: Side, counts: &[f64]) -> Result<(), HistogramError> {
    match counts.iter().position(|&count| count < 0.0) {
        None => Ok(()),
        Some(position) => Err(HistogramError::NegativeBucket {
            side,
            number: position + 1,
            count: counts.get(position).copied().unwrap_or_default(),
        }),
    }
}
