//! How histograms are written: as query results and in the notation of tests.

use std::fmt::{self, Write};

use super::{Bucket, BucketSpan, CounterResetHint, Histogram};
use crate::model::number::format_general;

impl fmt::Display for Histogram {
    /// As Prometheus prints a sample: `{count:3, sum:7.5, [-1,1]:1, (1,2]:2}`, empty buckets left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, sum) = (format_general(self.count), format_general(self.sum));
        write!(f, "{{count:{count}, sum:{sum}")?;
        let zero = (self.zero_count != 0.0).then(|| self.zero_bucket());
        let buckets = self.negative_reverse().chain(zero).chain(self.positive());
        for bucket in buckets.filter(|bucket| bucket.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        f.write_char('}')
    }
}

impl fmt::Display for Bucket {
    /// Bounds and count: `(1,2]:3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let (lower, upper) = (format_general(self.lower), format_general(self.upper));
        write!(
            f,
            "{open}{lower},{upper}{close}:{}",
            format_general(self.count)
        )
    }
}

impl CounterResetHint {
    /// The word of the series notation.
    pub fn name(self) -> &'static str {
        match self {
            CounterResetHint::Unknown => "unknown",
            CounterResetHint::Reset => "reset",
            CounterResetHint::NotReset => "not_reset",
            CounterResetHint::Gauge => "gauge",
        }
    }
}

impl Histogram {
    /// The histogram in the notation of test files, `{{schema:1 count:3 buckets:[1 2]}}`, with one run of
    /// buckets a side; what is zero is left out. Prometheus's `TestExpression`.
    pub fn test_expression(&self) -> String {
        let mut out = String::from("{{");
        let mut compact = self.clone();
        if self.uses_custom_buckets() {
            // Whatever these hold, custom buckets have no use for it.
            compact.zero_count = 0.0;
            compact.zero_threshold = 0.0;
            compact.negative_spans.clear();
            compact.negative_buckets.clear();
        }
        compact.compact(usize::MAX);
        if self.schema != 0 {
            field(&mut out, "schema", &self.schema.to_string());
        }
        for (name, number) in [
            ("count", self.count),
            ("sum", self.sum),
            ("z_bucket", compact.zero_count),
            ("z_bucket_w", compact.zero_threshold),
        ] {
            if number != 0.0 {
                field(&mut out, name, &format_general(number));
            }
        }
        if self.uses_custom_buckets() {
            field(&mut out, "custom_values", &list(&self.custom_values));
        }
        if self.counter_reset_hint != CounterResetHint::Unknown {
            field(
                &mut out,
                "counter_reset_hint",
                self.counter_reset_hint.name(),
            );
        }
        let positive = (&compact.positive_spans, &compact.positive_buckets);
        side(&mut out, ["offset", "buckets"], positive);
        let negative = (&compact.negative_spans, &compact.negative_buckets);
        side(&mut out, ["n_offset", "n_buckets"], negative);
        out.push_str("}}");
        out
    }
}

fn side(out: &mut String, names: [&str; 2], (spans, counts): (&Vec<BucketSpan>, &Vec<f64>)) {
    let offset = spans.first().map_or(0, |span| span.offset);
    if offset != 0 {
        field(out, names[0], &offset.to_string());
    }
    if !counts.is_empty() {
        field(out, names[1], &list(counts));
    }
}

fn field(out: &mut String, name: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(' ');
    }
    out.push_str(name);
    out.push(':');
    out.push_str(value);
}

fn list(numbers: &[f64]) -> String {
    let numbers: Vec<String> = numbers
        .iter()
        .map(|&number| format_general(number))
        .collect();
    format!("[{}]", numbers.join(" "))
}
