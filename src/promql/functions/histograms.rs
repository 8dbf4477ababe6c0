//! Functions of histograms, native and classic.

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;

use super::{Arguments, Body, Function, HistogramUse};
use crate::model::number::{format_general, parse_float};
use crate::model::quantile::{ClassicBucket, ForcedMonotonic, bucket_fraction, bucket_quantile};
use crate::model::{Histogram, Labels, NanObservations};
use crate::promql::annotation::{Forced, Note, Remarks, Site};
use crate::promql::ast::ValueType::{Scalar, String as Text, Vector};
use crate::promql::column::{Column, ColumnSeries, EvalError, Sample};

/// Every such function.
pub(super) static ROWS: &[Function] = &[
    Function::new(
        "histogram_count",
        Body::HistogramPart(|histogram| histogram.count),
        "Number of observations.",
    )
    .reading(HistogramUse::Totals),
    Function::new(
        "histogram_sum",
        Body::HistogramPart(|histogram| histogram.sum),
        "Sum of the observations.",
    )
    .reading(HistogramUse::Totals),
    Function::new(
        "histogram_avg",
        Body::HistogramPart(Histogram::mean),
        "Mean of the observations.",
    )
    .reading(HistogramUse::Totals),
    Function::new(
        "histogram_stddev",
        Body::HistogramPart(|histogram| histogram.variance().sqrt()),
        "Estimated standard deviation of the observations.",
    ),
    Function::new(
        "histogram_stdvar",
        Body::HistogramPart(Histogram::variance),
        "Estimated variance of the observations.",
    ),
    Function::of_vectors(
        "histogram_quantile",
        &[Scalar, Vector],
        0,
        quantile,
        "The quantile φ of the observations, by interpolation in a bucket.",
    )
    .of_quantiles(0..1)
    .reading(HistogramUse::Buckets),
    Function::of_vectors(
        "histogram_fraction",
        &[Scalar, Scalar, Vector],
        0,
        fraction,
        "The estimated fraction of observations between two values.",
    )
    .reading(HistogramUse::Buckets),
    Function::of_vectors(
        "histogram_quantiles",
        &[Vector, Text, Scalar, Scalar],
        9,
        quantiles,
        "Several quantiles at once, told apart by a label.",
    )
    .of_quantiles(2..usize::MAX)
    .reading(HistogramUse::Buckets)
    .experimental(),
];

/// A histogram at a tick.
enum Found<'f> {
    Native(&'f Arc<Histogram>),
    Classic(&'f mut Vec<ClassicBucket>),
}

/// What there is to say of one histogram over the ticks.
#[derive(Default)]
struct Said {
    remarks: Remarks,
    /// Ticks at which counts of classic buckets had to be lifted.
    forced: Vec<(usize, ForcedMonotonic)>,
}

impl Said {
    fn quantile(&mut self, tick: usize, q: f64, found: Found<'_>) -> f64 {
        match found {
            Found::Native(histogram) => {
                let found = histogram.quantile(q);
                match found.nan {
                    Some(NanObservations::Result) => self.remarks.add(Note::NanResult),
                    Some(NanObservations::Skewed) => self.remarks.add(Note::NanSkew),
                    None => {}
                }
                found.value
            }
            Found::Classic(buckets) => {
                let found = bucket_quantile(q, buckets);
                self.forced
                    .extend(found.forced_monotonic.map(|forced| (tick, forced)));
                found.value
            }
        }
    }

    fn fraction(&mut self, lower: f64, upper: f64, found: Found<'_>) -> f64 {
        match found {
            Found::Native(histogram) => {
                let found = histogram.fraction(lower, upper);
                self.remarks.add_if(found.ignored_nan, Note::NanExcluded);
                found.value
            }
            Found::Classic(buckets) => bucket_fraction(lower, upper, buckets),
        }
    }
}

fn quantile(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    arguments.note_quantiles(0);
    of_each(arguments, 1, |arguments, tick, found, said| {
        said.quantile(tick, arguments.scalar(0, tick), found)
    })
}

fn fraction(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    of_each(arguments, 2, |arguments, tick, found, said| {
        let (lower, upper) = (arguments.scalar(0, tick), arguments.scalar(1, tick));
        said.fraction(lower, upper, found)
    })
}

/// Computes one number for every histogram in a vector argument at every tick.
fn of_each(
    arguments: &mut Arguments<'_>,
    vector: usize,
    body: fn(&Arguments<'_>, usize, Found<'_>, &mut Said) -> f64,
) -> Result<Vec<ColumnSeries>, EvalError> {
    let sources = sources(arguments, vector);
    let mut forced = ForcedTicks::default();
    let mut out = Vec::with_capacity(sources.len());
    for source in &sources {
        let (labels, drop_name) = arguments.nameless(source.labels());
        let mut column = Column::absent(arguments.ticks.count);
        let mut said = Said::default();
        source.each(|tick, found| column.set(tick, body(arguments, tick, found, &mut said)));
        arguments.note_histogram(vector, source.labels(), said, &mut forced);
        out.push(ColumnSeries {
            labels,
            drop_name,
            column,
        });
    }
    arguments.note_forced(vector, forced);
    Ok(out)
}

fn quantiles(arguments: &mut Arguments<'_>) -> Result<Vec<ColumnSeries>, EvalError> {
    let sources = sources(arguments, 0);
    let label = arguments.string(1).to_owned();
    let mut forced = ForcedTicks::default();
    let mut results: Vec<ColumnSeries> = Vec::new();
    // Which quantile mends the buckets of a tick: those after it find them mended.
    let mut mends: Vec<Option<usize>> = vec![None; arguments.ticks.count];
    for index in 2..arguments.values.len() {
        arguments.note_quantiles(index);
        for (tick, mends) in mends.iter_mut().enumerate() {
            let is_quantile = (0.0..=1.0).contains(&arguments.scalar(index, tick));
            *mends = mends.or(is_quantile.then_some(index));
        }
        for source in &sources {
            let (labels, drop_name) = arguments.nameless(source.labels());
            let mut by_quantile: Vec<(u64, Column)> = Vec::new();
            let mut said = Said::default();
            source.each(|tick, found| {
                let q = arguments.scalar(index, tick);
                let place = by_quantile
                    .iter()
                    .position(|(bits, _)| *bits == q.to_bits());
                let place = place.unwrap_or_else(|| {
                    by_quantile.push((q.to_bits(), Column::absent(arguments.ticks.count)));
                    by_quantile.len() - 1
                });
                let value = said.quantile(tick, q, found);
                by_quantile[place].1.set(tick, value);
            });
            said.forced.retain(|(tick, _)| mends[*tick] == Some(index));
            arguments.note_histogram(0, source.labels(), said, &mut forced);
            results.extend(by_quantile.into_iter().map(|(bits, column)| ColumnSeries {
                labels: labels.with(&label, &open_metrics(f64::from_bits(bits))),
                drop_name,
                column,
            }));
        }
    }
    arguments.note_forced(0, forced);
    Ok(results)
}

/// A number as OpenMetrics writes it in labels: with a dot or an exponent.
fn open_metrics(value: f64) -> String {
    let text = format_general(if value == 0.0 { 0.0 } else { value });
    match !value.is_finite() || text.contains(['.', 'e']) {
        true => text,
        false => text + ".0",
    }
}

/// Where histograms come from.
enum Source {
    /// A series of native histograms.
    Native(ColumnSeries),
    /// The series of one classic histogram, in the order of their bounds.
    Classic {
        labels: Labels,
        buckets: Vec<(f64, Column)>,
        /// Ticks at which a native histogram has the same labels, so that neither counts.
        hidden: Vec<bool>,
    },
}

impl Source {
    fn labels(&self) -> &Labels {
        match self {
            Source::Native(series) => &series.labels,
            Source::Classic { labels, .. } => labels,
        }
    }

    /// Hands over the histogram of every tick that has one.
    fn each(&self, mut take: impl FnMut(usize, Found<'_>)) {
        match self {
            Source::Native(series) => {
                for tick in series.column.present_ticks() {
                    if let Some(Sample::Histogram(histogram)) = series.column.get(tick) {
                        take(tick, Found::Native(histogram));
                    }
                }
            }
            Source::Classic {
                buckets, hidden, ..
            } => {
                let mut found = Vec::with_capacity(buckets.len());
                for tick in (0..hidden.len()).filter(|&tick| !hidden[tick]) {
                    found.clear();
                    found.extend(
                        buckets
                            .iter()
                            .filter_map(|(bound, column)| bucket(*bound, column, tick)),
                    );
                    if !found.is_empty() {
                        take(tick, Found::Classic(&mut found));
                    }
                }
            }
        }
    }
}

fn bucket(upper_bound: f64, column: &Column, tick: usize) -> Option<ClassicBucket> {
    match column.get(tick)? {
        Sample::Float(count) => Some(ClassicBucket { upper_bound, count }),
        Sample::Histogram(_) => None,
    }
}

/// The native histograms of a vector argument, in its order, and then its classic ones.
fn sources(arguments: &mut Arguments<'_>, vector: usize) -> Vec<Source> {
    let series = arguments.take_vector(vector);
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut classic: Vec<Source> = Vec::new();
    let mut native: Vec<ColumnSeries> = Vec::new();
    for series in series {
        if let Some(bound) = parse_float(series.labels.value("le")) {
            let labels = series.labels.filtered(|name| name != "le");
            let place = *places.entry(labels.clone()).or_insert_with(|| {
                classic.push(Source::Classic {
                    labels,
                    buckets: Vec::new(),
                    hidden: vec![false; series.column.len()],
                });
                classic.len() - 1
            });
            if let Source::Classic { buckets, .. } = &mut classic[place] {
                buckets.push((bound, series.column.clone()));
            }
        } else if series.column.has_floats() {
            let note = Note::BadBucketLabel(series.labels.value("le"));
            arguments.note_of(vector, &series.labels, note);
        }
        if series.column.has_histograms() {
            native.push(series);
        }
    }
    for series in &mut native {
        if let Some(Source::Classic {
            buckets, hidden, ..
        }) = places.get(&series.labels).map(|&place| &mut classic[place])
            && hide_both(&mut series.column, buckets, hidden)
        {
            arguments.note_of(vector, &series.labels, Note::MixedHistograms);
        }
    }
    for source in &mut classic {
        if let Source::Classic { buckets, .. } = source {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
    }
    native
        .into_iter()
        .map(Source::Native)
        .chain(classic)
        .collect()
}

/// Takes away a native and a classic histogram where they have the same labels at a tick; says whether they had at any.
fn hide_both(native: &mut Column, buckets: &[(f64, Column)], hidden: &mut [bool]) -> bool {
    let mut any = false;
    for (tick, hidden) in hidden.iter_mut().enumerate() {
        let is_native = matches!(native.get(tick), Some(Sample::Histogram(_)));
        if is_native
            && buckets
                .iter()
                .any(|(bound, column)| bucket(*bound, column, tick).is_some())
        {
            *hidden = true;
            any = true;
            native.clear(tick);
        }
    }
    any
}

/// How many histograms had their counts lifted at each tick, and how, by the metric that is named.
type ForcedTicks = BTreeMap<String, BTreeMap<usize, (i64, ForcedMonotonic)>>;

impl Arguments<'_> {
    /// Notes of a scalar argument what is no quantile.
    fn note_quantiles(&mut self, index: usize) {
        let mut noted = None;
        for tick in 0..self.ticks.count {
            let q = self.scalar(index, tick);
            if !(0.0..=1.0).contains(&q) && noted.replace(q.to_bits()) != Some(q.to_bits()) {
                self.note(index, "", Note::InvalidQuantile(q));
            }
        }
    }

    /// Notes something of a series of a vector argument; its metric is named only where names go late.
    fn note_of(&mut self, vector: usize, labels: &Labels, note: Note<'_>) {
        let metric = self.named_metric(labels).to_owned();
        self.note(vector, &metric, note);
    }

    fn named_metric<'l>(&self, labels: &'l Labels) -> &'l str {
        match self.delayed_name_removal {
            true => labels.metric(),
            false => "",
        }
    }

    fn note_histogram(
        &mut self,
        vector: usize,
        labels: &Labels,
        said: Said,
        forced: &mut ForcedTicks,
    ) {
        for note in said.remarks.iter() {
            self.note_of(vector, labels, note);
        }
        if said.forced.is_empty() {
            return;
        }
        let ticks = forced
            .entry(self.named_metric(labels).to_owned())
            .or_default();
        for (tick, found) in said.forced {
            ticks
                .entry(tick)
                .and_modify(|(count, all)| {
                    *count += 1;
                    all.join(found);
                })
                .or_insert((1, found));
        }
    }

    fn note_forced(&mut self, vector: usize, forced: ForcedTicks) {
        let Some(site) = self.site(vector, "") else {
            return;
        };
        for (metric, ticks) in forced {
            let metric = metric.as_str();
            if let Some(found) = self.forced(ticks) {
                self.annotations.add_forced(&Site { metric, ..site }, found);
            }
        }
    }

    /// What had to be lifted at some ticks, with the samples that Prometheus counts: in a query of several steps it
    /// merges what it has with itself at every step after the first, and so doubles it.
    fn forced(&self, ticks: BTreeMap<usize, (i64, ForcedMonotonic)>) -> Option<Forced> {
        let (first, last) = match (ticks.first_key_value(), ticks.last_key_value()) {
            (Some((&first, _)), Some(_)) if self.is_constant => (first, first),
            (Some((&first, _)), Some((&last, _))) => (first, last),
            _ => return None,
        };
        let mut all = ticks.get(&first)?.1;
        let mut samples = 0i64;
        for (_, (count, found)) in ticks.range(first..=last) {
            all.join(*found);
            samples = samples.wrapping_add(*count);
        }
        if self.query.is_some() && !self.is_constant {
            samples = 0;
            for tick in first..self.ticks.count {
                let count = ticks.get(&tick).map_or(0, |(count, _)| *count);
                let factor = if tick == first { 1 } else { 2 };
                samples = samples.wrapping_add(count).wrapping_mul(factor);
            }
        }
        Some(Forced {
            lifted: all,
            first: self.ticks.time(first),
            last: self.ticks.time(last),
            samples,
        })
    }
}
