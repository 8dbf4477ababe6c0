//! Native histograms: `{"count", "sum", "buckets": [[boundaries, lower, upper, count], …]}`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::Fault;
use crate::model::number::format_value;
use crate::model::{Bucket, Histogram};
use crate::series::decimal::number;

const HELP: &str = "write {\"count\": \"3\", \"sum\": \"4.5\", \"buckets\": [[0, \"1\", \"2\", \"3\"]]}: which of its bounds belong to a \
                    bucket, its bounds, its count";

const UNREADABLE: &str = "record it as text with classic buckets, or query for what is needed of it: histogram_quantile(…), histogram_count(…)";

/// A histogram as an answer tells it.
pub(super) struct Sketch {
    count: f64,
    sum: f64,
    buckets: Vec<Bucket>,
}

/// What the histograms of a series have in common.
pub(super) enum Shape {
    Exponential,
    /// Custom buckets, and their bounds where they are known.
    Custom(Result<Vec<f64>, String>),
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    count: Cow<'a, str>,
    #[serde(borrow)]
    sum: Cow<'a, str>,
    #[serde(borrow, default)]
    buckets: Vec<WrittenBucket<'a>>,
}

/// Which bounds belong to it, its bounds, its count.
type WrittenBucket<'a> = (u8, Cow<'a, str>, Cow<'a, str>, Cow<'a, str>);

impl Sketch {
    pub(super) fn read(raw: &str) -> Result<Sketch, Fault> {
        if !raw.starts_with('{') {
            return Err(("no native histogram".into(), HELP));
        }
        let written: Written<'_> = serde_json::from_str(raw).map_err(|error| {
            let message = error.to_string();
            let reason = message.split(" at line ").next().unwrap_or_default();
            (format!("no native histogram: {reason}").into(), HELP)
        })?;
        let buckets: Result<Vec<Bucket>, Fault> = written
            .buckets
            .iter()
            .map(|(boundaries, lower, upper, count)| {
                let (lower_inclusive, upper_inclusive) = match boundaries {
                    0 => (false, true),
                    1 => (true, false),
                    2 => (false, false),
                    3 => (true, true),
                    _ => {
                        return Err((
                            format!("{boundaries} says nothing of the bounds of a bucket").into(),
                            HELP,
                        ));
                    }
                };
                Ok(Bucket {
                    lower: float(lower)?,
                    upper: float(upper)?,
                    lower_inclusive,
                    upper_inclusive,
                    count: float(count)?,
                    index: 0,
                })
            })
            .collect();
        Ok(Sketch {
            count: float(&written.count)?,
            sum: float(&written.sum)?,
            buckets: buckets?,
        })
    }

    /// The histogram that was told of.
    pub(super) fn histogram(&self, shape: &Shape) -> Result<Arc<Histogram>, Fault> {
        let (count, sum) = (self.count, self.sum);
        let restored = match shape {
            Shape::Exponential => Histogram::from_exponential_buckets(count, sum, &self.buckets),
            Shape::Custom(Ok(bounds)) => {
                Histogram::from_custom_buckets(count, sum, &self.buckets, bounds)
            }
            Shape::Custom(Err(reason)) => return Err((reason.clone().into(), UNREADABLE)),
        };
        let Some(histogram) = restored else {
            let message = "its buckets are those of no exponential resolution, and custom ones can't be told \
                           where any is empty";
            return Err((message.into(), UNREADABLE));
        };
        match histogram.validate() {
            Ok(()) => Ok(Arc::new(histogram)),
            Err(error) => Err((
                error.to_string().into(),
                "Prometheus stores no such histogram",
            )),
        }
    }
}

fn float(text: &str) -> Result<f64, Fault> {
    number(text).ok_or_else(|| {
        (
            format!("{text:?} is not a number, or too large for one").into(),
            HELP,
        )
    })
}

/// What the histograms of a series have in common. Only custom buckets reach down to `-Inf`, or up to `+Inf` from less
/// than the largest number.
pub(super) fn shape<'k>(all: impl Iterator<Item = &'k Sketch> + Clone) -> Shape {
    let mut buckets = all.flat_map(|sketch| &sketch.buckets);
    let is_custom = |bucket: &Bucket| {
        let (lower, upper) = (bucket.lower, bucket.upper);
        lower == f64::NEG_INFINITY && upper != -f64::MAX
            || upper == f64::INFINITY && lower != f64::MAX
    };
    match buckets.clone().any(is_custom) {
        false => Shape::Exponential,
        true => Shape::Custom(bounds(&mut buckets)),
    }
}

/// The bounds of custom buckets that leave no gap between them.
fn bounds(buckets: &mut dyn Iterator<Item = &Bucket>) -> Result<Vec<f64>, String> {
    // The bits of a float, so that they come in its order.
    let ordered = |value: f64| {
        let bits = value.to_bits().cast_signed();
        bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
    };
    let mut known = BTreeSet::new();
    let mut places: Vec<(f64, f64)> = buckets
        .filter(|bucket| known.insert((ordered(bucket.lower), ordered(bucket.upper))))
        .map(|bucket| (bucket.lower, bucket.upper))
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut bounds = Vec::new();
    let mut end = f64::NEG_INFINITY;
    for (lower, upper) in places.into_iter().chain([(f64::INFINITY, f64::NAN)]) {
        if lower > end {
            return Err(format!(
                "custom buckets between {} and {} are empty, and so the answer does not tell their bounds",
                format_value(end),
                format_value(lower)
            ));
        }
        if lower < end {
            return Err("the custom buckets of the series have different bounds".to_owned());
        }
        bounds.push(upper);
        end = upper;
    }
    // The last two are +Inf and the end of the list.
    bounds.truncate(bounds.len().saturating_sub(2));
    Ok(bounds)
}
