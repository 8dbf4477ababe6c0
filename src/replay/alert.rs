//! Alerting rules over columns.

use hashbrown::HashMap;

use crate::model::{Labels, METRIC_NAME};
use crate::promql::{Column, Columns, Sample, Ticks};
use crate::rules::template::Template;

use super::bits::{Bits, last_until, ticks_of};
use super::machine::{Patience, TickStretch, Track, walk};
use super::plan::{PlannedRule, patience};
use super::record::{Failures, Outcome, errors, failed_bits};
use super::render::Renderer;
use super::synthetic::Synthetic;
use crate::rules::AlertRule;

/// The label that names an alert.
pub const ALERT_NAME: &str = "alertname";

/// What Prometheus says where two series of a result become one alert.
pub(super) const DUPLICATE: &str =
    "vector contains metrics with the same labelset after applying alert labels";

/// What is kept of an alerting rule: its instances, and the samples that made them.
#[derive(Debug, Default)]
pub(super) struct AlertRecord {
    /// In the order of labels.
    pub instances: Vec<InstanceRecord>,
    /// What the rule's expression returned.
    pub samples: Vec<(Labels, Column)>,
    /// Ticks at which the rule failed.
    pub failed: Bits,
}

/// One label set of an alert.
#[derive(Debug)]
pub(super) struct InstanceRecord {
    /// Its labels, `alertname` among them.
    pub labels: Labels,
    /// When it was active.
    pub stretches: Vec<TickStretch>,
    /// The samples behind it.
    pub sources: Vec<Source>,
}

/// A column that stands for an instance from one tick to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    /// Index among the samples.
    pub column: usize,
    /// The first tick.
    pub from: usize,
    /// One past the last tick.
    pub to: usize,
}

impl Source {
    /// Notes the column of a tick, after those of the ticks before.
    pub(super) fn note(sources: &mut Vec<Source>, column: usize, tick: usize) {
        match sources.last_mut() {
            Some(last) if last.column == column && last.to == tick => last.to = tick + 1,
            _ => sources.push(Source {
                column,
                from: tick,
                to: tick + 1,
            }),
        }
    }
}

impl AlertRecord {
    /// The last sample of an instance at or before a tick: its tick, its labels and its value.
    pub(super) fn last_sample(
        &self,
        instance: &InstanceRecord,
        tick: usize,
    ) -> Option<(usize, &Labels, Sample<'_>)> {
        let candidates = instance.sources.iter().filter(|source| source.from <= tick);
        let last = candidates.filter_map(|source| {
            let (_, column) = self.samples.get(source.column)?;
            let present = column.presence();
            let words =
                |index: usize| present.get(index).copied().unwrap_or(0) & !self.failed.word(index);
            let found = last_until(words, tick.min(source.to.checked_sub(1)?))?;
            (found >= source.from).then_some((found, source.column))
        });
        let (tick, column) = last.max()?;
        let (labels, column) = self.samples.get(column)?;
        Some((tick, labels, column.get(tick)?))
    }
}

/// What an alerting rule writes and what is kept of it.
pub(super) fn alert(
    rule: &PlannedRule<'_>,
    alert: &AlertRule,
    stamps: Ticks,
    columns: Columns,
    renderer: &Renderer<'_>,
) -> (Outcome, AlertRecord) {
    let mut failures = errors(&columns);
    let samples: Vec<(Labels, Column)> = columns
        .series
        .into_iter()
        .map(|series| (series.labels, series.column))
        .collect();
    let moments = Ticks {
        start: stamps.start + rule.writer.offset,
        ..stamps
    };
    let mut found = Instances::new(moments.count);
    let evaluated = failed_bits(moments.count, &failures);
    for (column, (labels, samples)) in samples.iter().enumerate() {
        let naming = Naming {
            rule,
            alert,
            renderer,
            moments,
        };
        naming.assign(
            column,
            labels,
            samples,
            &evaluated,
            &mut found,
            &mut failures,
        );
    }
    let mut instances = found.into_sorted();
    let stretches = match rule.limit {
        0 => each_alone(&instances, moments, &failures, patience(alert)),
        limit => within_limit(limit, &instances, moments, &mut failures, patience(alert)),
    };
    let failed = failed_bits(moments.count, &failures);
    let mut series = Synthetic::new(rule.name(), alert, moments.count);
    let mut kept = Vec::with_capacity(instances.len());
    for (instance, stretches) in instances.drain(..).zip(stretches) {
        if stretches.is_empty() {
            continue;
        }
        series.add(&instance.labels, &stretches);
        let InstanceTicks {
            labels, sources, ..
        } = instance;
        kept.push(InstanceRecord {
            labels,
            stretches,
            sources,
        });
    }
    let outcome = Outcome {
        series: series.written(stamps, &failed),
        failures,
    };
    (
        outcome,
        AlertRecord {
            instances: kept,
            samples,
            failed,
        },
    )
}

/// The labels of the alert that a sample makes: the sample's without its name, then the rule's.
pub(super) fn alert_labels(
    name: &str,
    alert: &AlertRule,
    sample: &Labels,
    mut expand: impl FnMut(&Template) -> String,
) -> Labels {
    let mut builder = sample.to_builder();
    builder.remove(METRIC_NAME);
    for (label, template) in &alert.labels {
        match template.is_literal() {
            true => builder.set(label, template.text()),
            false => builder.set(label, &expand(template)),
        }
    }
    builder.set(ALERT_NAME, name);
    builder.build()
}

/// What Prometheus says where too many alerts are active.
pub(super) fn exceeded(limit: usize, count: usize) -> String {
    format!("exceeded limit of {limit} with {count} alerts")
}

/// An instance while its ticks are collected.
struct InstanceTicks {
    labels: Labels,
    present: Bits,
    sources: Vec<Source>,
}

/// The instances of a rule by their labels.
struct Instances {
    count: usize,
    places: HashMap<Labels, usize>,
    all: Vec<InstanceTicks>,
}

impl Instances {
    fn new(count: usize) -> Instances {
        Instances {
            count,
            places: HashMap::new(),
            all: Vec::new(),
        }
    }

    fn get(&mut self, labels: Labels) -> &mut InstanceTicks {
        let place = *self.places.entry(labels).or_insert_with_key(|labels| {
            self.all.push(InstanceTicks {
                labels: labels.clone(),
                present: Bits::new(self.count),
                sources: Vec::new(),
            });
            self.all.len() - 1
        });
        &mut self.all[place]
    }

    fn into_sorted(self) -> Vec<InstanceTicks> {
        let mut all = self.all;
        all.sort_by(|a, b| a.labels.cmp(&b.labels));
        all
    }
}

impl InstanceTicks {
    /// Takes the ticks of a word; those that it had already fail.
    fn take(&mut self, index: usize, word: u64, failures: &mut Failures) {
        let twice = self.present.add_word(index, word);
        for tick in ticks_of(index, twice) {
            failures.entry(tick).or_insert_with(|| DUPLICATE.to_owned());
        }
    }
}

/// How the samples of a rule become instances.
struct Naming<'a> {
    rule: &'a PlannedRule<'a>,
    alert: &'a AlertRule,
    renderer: &'a Renderer<'a>,
    moments: Ticks,
}

impl Naming<'_> {
    /// Gives the ticks of a column to the instances they make.
    fn assign(
        &self,
        column: usize,
        labels: &Labels,
        samples: &Column,
        failed: &Bits,
        found: &mut Instances,
        failures: &mut Failures,
    ) {
        let present = |index: usize, word: u64| word & !failed.word(index);
        let words = samples
            .presence()
            .iter()
            .enumerate()
            .map(|(index, &word)| (index, present(index, word)));
        let Some(first) = samples.present_ticks().find(|&tick| !failed.get(tick)) else {
            return;
        };
        let templates = || self.alert.labels.iter().map(|(_, template)| template);
        if let (true, Some(sample)) = (templates().all(names_once), samples.get(first)) {
            let instance = found.get(self.render(labels, sample, first));
            instance.sources.push(Source {
                column,
                from: 0,
                to: self.moments.count,
            });
            words.for_each(|(index, word)| instance.take(index, word, failures));
            return;
        }
        let mut cache = LabelCache::new(self.alert);
        for tick in words.flat_map(|(index, word)| ticks_of(index, word)) {
            let Some(sample) = samples.get(tick) else {
                continue;
            };
            let named = cache.get(sample, || self.render(labels, sample, tick));
            let instance = found.get(named);
            Source::note(&mut instance.sources, column, tick);
            instance.take(tick / 64, 1 << (tick % 64), failures);
        }
    }

    fn render(&self, labels: &Labels, sample: Sample<'_>, tick: usize) -> Labels {
        let now = self.moments.time(tick);
        alert_labels(self.rule.name(), self.alert, labels, |template| {
            self.renderer
                .render(self.rule, template, labels, sample, now)
        })
    }
}

/// The labels of the alerts that the series of a result make; `None` where a label may depend on a sample's value or its
/// moment.
pub(super) fn fixed_labels(
    rule: &PlannedRule<'_>,
    alert: &AlertRule,
    columns: &Columns,
    renderer: &Renderer<'_>,
) -> Option<Vec<Labels>> {
    let mut templates = alert.labels.iter().map(|(_, template)| template);
    if !templates.all(names_once) {
        return None;
    }
    let naming = Naming {
        rule,
        alert,
        renderer,
        moments: rule.moments,
    };
    let series = columns.series.iter();
    let named = series.map(|series| naming.render(&series.labels, Sample::Float(0.0), 0));
    Some(named.collect())
}

/// Whether a template comes out the same for all samples of a series: it has no action, or sees only labels.
fn names_once(template: &Template) -> bool {
    template.is_literal() || sees_only_labels(template.text())
}

/// Whether a template can see nothing but the labels of its sample and of the server. Rather no than yes: any
/// dot that does not follow a name, and any variable that is not known to be labels, could be the value.
fn sees_only_labels(text: &str) -> bool {
    const CHANGING: [&str; 3] = ["alue", "query", "now"];
    const FIXED: [&str; 3] = ["$labels", "$externalLabels", "$externalURL"];
    let after_name = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    };
    let fixed = |at: usize| {
        let rest = text.get(at..).unwrap_or("");
        FIXED.iter().any(|variable| rest.starts_with(variable))
    };
    CHANGING.iter().all(|word| !text.contains(word))
        && text.match_indices('.').all(|(at, _)| after_name(at))
        && text.match_indices('$').all(|(at, _)| fixed(at))
}

/// The labels of the sample before: most templates depend on nothing but labels and value.
struct LabelCache {
    usable: bool,
    last: Option<(u64, Labels)>,
}

impl LabelCache {
    fn new(alert: &AlertRule) -> LabelCache {
        let timeless =
            |template: &Template| !template.queries() && !template.text().contains("now");
        LabelCache {
            usable: alert.labels.iter().all(|(_, template)| timeless(template)),
            last: None,
        }
    }

    fn get(&mut self, sample: Sample<'_>, render: impl FnOnce() -> Labels) -> Labels {
        let Sample::Float(value) = sample else {
            return render();
        };
        match &self.last {
            Some((bits, labels)) if self.usable && *bits == value.to_bits() => labels.clone(),
            _ => {
                let labels = render();
                self.last = Some((value.to_bits(), labels.clone()));
                labels
            }
        }
    }
}

/// The stretches of instances that know nothing of each other.
fn each_alone(
    instances: &[InstanceTicks],
    moments: Ticks,
    failures: &Failures,
    patience: Patience,
) -> Vec<Vec<TickStretch>> {
    let failed = failed_bits(moments.count, failures);
    instances
        .iter()
        .map(|instance| walk(&instance.present, &failed, moments, patience))
        .collect()
}

/// The stretches of instances of a rule with a limit: above it the rule fails and forgets them all.
fn within_limit(
    limit: usize,
    instances: &[InstanceTicks],
    moments: Ticks,
    failures: &mut Failures,
    patience: Patience,
) -> Vec<Vec<TickStretch>> {
    let mut tracks = vec![Track::default(); instances.len()];
    for tick in 0..moments.count {
        if failures.contains_key(&tick) {
            continue;
        }
        for (instance, track) in instances.iter().zip(&mut tracks) {
            track.advance(
                tick,
                moments.time(tick),
                instance.present.get(tick),
                patience,
            );
        }
        let active = tracks.iter().filter(|track| track.is_active()).count();
        if active > limit {
            failures.insert(tick, exceeded(limit, active));
            tracks.iter_mut().for_each(|track| track.clear(tick));
        }
    }
    tracks.into_iter().map(Track::into_stretches).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_are_seen() {
        for text in [
            "{{ $labels.job }}",
            "{{ $labels.instance | toUpper }}-{{ $externalLabels.cluster }} v1.2",
            "{{ if eq $labels.job \"a\" }}x{{ else }}y{{ end }}",
        ] {
            assert!(sees_only_labels(text), "{text}");
        }
        for text in [
            "{{ $value }}",
            "{{ .Value }}",
            "{{ . }}",
            "{{ $ }}",
            "{{ $.Value }}",
            "{{ $x := 1 }}{{ $x }}",
            "{{ with query \"m\" }}{{ len . }}{{ end }}",
            "{{ now }}",
            "{{ index . \"V\" }}",
            "{{ .Labels.job }}",
        ] {
            assert!(!sees_only_labels(text), "{text}");
        }
    }
}
