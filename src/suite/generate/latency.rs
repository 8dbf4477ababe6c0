//! What a histogram is told: latencies by two quantiles, and buckets.

use super::Item;
use super::amounts::{self, observed};
use crate::model::Labels;
use crate::series::generate::{Kind, LogNormal, MAX_NATIVE_BUCKETS, native_buckets};
use crate::suite::read::Reader;
use crate::text::yaml::Field;

/// The buckets of Prometheus's client libraries.
const DEFAULT_BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The keys of `native`, where it is a mapping.
pub(in crate::suite) const NATIVE_FIELDS: [&str; 1] = ["schema"];

/// More buckets has nobody.
const MAX_BUCKETS: usize = 1_000;

const TWO: &str = "write two quantiles, such as `latency: {p50: 120ms, p95: 400ms}`";

impl<'d> Reader<'d, '_> {
    pub(super) fn histogram(&mut self, item: &Item<'d, '_>, series: &[Labels]) -> Option<Kind> {
        self.required(item, "latency", TWO)?;
        let latency = self.latency(item.own.get("latency")?)?;
        if let Some(native) = item.own.get("native") {
            if let Some(buckets) = item.own.get("buckets") {
                let message = "`buckets` beside `native`: the schema says which buckets a native histogram has";
                return self.refuse(buckets.key.span(), message, "remove one of the two");
            }
            let schema = self.schema(native)?;
            self.few_buckets(native, latency, schema)?;
            return Some(Kind::Native { latency, schema });
        }
        if let Some(labels) = series.first().filter(|labels| labels.get("le").is_some()) {
            let message = format!("{labels} has a label `le`, which tells buckets apart");
            return self.refuse(
                item.fields.key_span("histogram"),
                message,
                "remove the label",
            );
        }
        let bounds = match item.own.get("buckets") {
            Some(field) => self.bucket_bounds(field)?,
            None => DEFAULT_BUCKETS.to_vec(),
        };
        Some(Kind::Classic { latency, bounds })
    }

    /// `{p50: 120ms, p95: 400ms}`
    pub(super) fn latency(&mut self, field: &Field<'d>) -> Option<LogNormal> {
        if field.value.is_null() {
            return self.refuse(field.key.span(), format!("`{}` is empty", field.name), TWO);
        }
        if !self.is_mapping(field.value) {
            let message = format!(
                "`{}` must be a mapping, this is {}",
                field.name,
                field.value.describe()
            );
            return self.refuse(field.value.target().span(), message, TWO);
        }
        let mut quantiles = Vec::new();
        for entry in self.decoder.map(field, &format!("`{}`", field.name)) {
            let percent = entry.name.strip_prefix('p').map(amounts::number);
            let Some(percent) = percent
                .and_then(Result::ok)
                .filter(|it| 0.0 < *it && *it < 100.0)
            else {
                let message = format!("`{}` is no quantile", entry.name);
                return self.refuse(
                    entry.key.span(),
                    message,
                    "write it as in `p50`, `p95` or `p99.9`",
                );
            };
            let value = self.field_measure(&entry, observed)?;
            quantiles.push((percent, value, entry));
        }
        quantiles.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
        let [(low, low_value, low_field), (high, high_value, high_field)] = quantiles.as_slice()
        else {
            let span = field.value.target().span();
            return match quantiles.len() {
                0 => None,
                1 => self.refuse(
                    span,
                    "one quantile does not say how far latencies are spread",
                    TWO,
                ),
                count => self.refuse(
                    span,
                    format!("{count} quantiles, of which two say everything"),
                    TWO,
                ),
            };
        };
        if low_value >= high_value {
            let message = format!("`{}` is not above `{}`", high_field.name, low_field.name);
            let help = "most requests are quicker than the slow ones: swap the two, or correct one";
            return self.refuse(high_field.value.target().span(), message, help);
        }
        match LogNormal::of_quantiles((low / 100.0, *low_value), (high / 100.0, *high_value)) {
            Some(found) => Some(found),
            None => {
                let message = format!(
                    "`{}` and `{}` are too far apart",
                    low_field.name, high_field.name
                );
                self.refuse(
                    field.value.target().span(),
                    message,
                    "no average of such latencies is a number",
                )
            }
        }
    }

    fn bucket_bounds(&mut self, field: &Field<'d>) -> Option<Vec<f64>> {
        let faults = self.decoder.faults.len();
        let nodes = self.decoder.list(field.value, "`buckets`");
        if self.decoder.faults.len() > faults {
            return None;
        }
        let mut bounds: Vec<f64> = Vec::new();
        for node in nodes {
            if is_infinite(self.decoder.source().slice(node.target().span())) {
                let help = "remove it: the bucket up to +Inf is always there";
                return self.refuse(node.span(), "`buckets` has an infinite bound", help);
            }
            let bound = self.measure(node, "a bound of `buckets`", observed)?;
            if let Some(before) = bounds.last().filter(|before| **before >= bound) {
                let message =
                    format!("the bounds of `buckets` do not rise: {bound} stands behind {before}");
                return self.refuse(
                    node.target().span(),
                    message,
                    "sort them, and remove those that are there twice",
                );
            }
            bounds.push(bound);
        }
        match bounds.len() {
            0 => self.refuse(
                field.key.span(),
                "`buckets` has no bound",
                "write them as in `[0.1, 0.25, 0.5, 1]`",
            ),
            1..=MAX_BUCKETS => Some(bounds),
            many => self.refuse(
                field.key.span(),
                format!("{many} buckets"),
                format!("write at most {MAX_BUCKETS}"),
            ),
        }
    }

    /// The schema of `{schema: 3}`, or of `true`.
    pub(super) fn schema(&mut self, native: &Field<'d>) -> Option<i32> {
        let help = "write `native: {schema: 3}`: from -4 (coarse) to 8 (fine)";
        if !self.is_mapping(native.value) {
            return match self.decoder.boolean(native.value, "`native`")? {
                true => Some(3),
                false => self.refuse(
                    native.value.span(),
                    "`native: false` says nothing",
                    "remove it",
                ),
            };
        }
        let fields = self.fields(native.value, "`native`", &NATIVE_FIELDS)?;
        let Some(field) = fields.get("schema") else {
            return Some(3);
        };
        self.field_measure(field, |text| match text.parse::<i32>() {
            Ok(schema) if (-4..=8).contains(&schema) => Ok(schema),
            _ => amounts::wrong(format!("{text:?} is no schema"), help),
        })
    }

    /// Refuses latencies that need very many buckets.
    pub(super) fn few_buckets(
        &mut self,
        field: &Field<'d>,
        latency: LogNormal,
        schema: i32,
    ) -> Option<()> {
        let buckets = native_buckets(&[latency], schema);
        if buckets <= MAX_NATIVE_BUCKETS {
            return Some(());
        }
        let message = format!(
            "these latencies need {buckets} buckets of schema {schema}, more than {MAX_NATIVE_BUCKETS}"
        );
        self.refuse(
            field.key.span(),
            message,
            "write a lower `schema`, or quantiles that are not so far apart",
        )
    }
}

/// Whether a bound is written as no number at all.
fn is_infinite(written: &str) -> bool {
    let word = written.trim_matches(['+', '.', '"', '\'']);
    word.eq_ignore_ascii_case("inf")
}
