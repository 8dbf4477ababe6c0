//! What generated series are called: metrics, labels, and a series for each value of a label.

use std::collections::HashSet;

use super::Item;
use super::amounts;
use crate::model::{Labels, METRIC_NAME};
use crate::series::notation;
use crate::suite::read::{Reader, diagnose_notation};
use crate::text::Span;
use crate::text::yaml::{Field, Kind};

/// One generator makes no more series than this of its labels.
const MAX_SERIES: usize = 100_000;

impl<'d> Reader<'d, '_> {
    /// The sets of labels of an item, one or one for each value of `repeat`.
    pub(super) fn series_of(&mut self, item: &Item<'d, '_>) -> Option<Vec<Labels>> {
        let base = match item.row.name {
            "targets" => self.job(item),
            _ => self.base(item),
        };
        let mut series = vec![base?];
        let mut repeats: Vec<(String, Span, Vec<String>)> = Vec::new();
        if item.row.name == "targets" {
            let span = item.own.key_span("instances");
            repeats.push(("instance".to_owned(), span, self.instances(item)?));
        }
        if let Some(field) = item.fields.get("repeat") {
            if field.value.is_null() {
                return self.refuse(
                    field.key.span(),
                    "`repeat` is empty",
                    "name a label and its values: `{pod: 1..500}`",
                );
            }
            for entry in self.decoder.map(field, "`repeat`") {
                let values = self.label_values(&entry, &format!("`{}`", entry.name))?;
                repeats.push((entry.name.to_owned(), entry.key.span(), values));
            }
        }
        for (name, span, values) in repeats {
            self.refuse_label(&name, span, series.first())?;
            if series.len().saturating_mul(values.len()) > MAX_SERIES {
                let message = format!("{} times {} series", series.len(), values.len());
                return self.refuse(
                    span,
                    message,
                    format!("one item makes at most {MAX_SERIES} of them"),
                );
            }
            let all = series
                .iter()
                .flat_map(|series| values.iter().map(|value| series.with(&name, value)));
            series = all.collect();
        }
        Some(series)
    }

    /// `series`, or `metric` and `labels`.
    fn base(&mut self, item: &Item<'d, '_>) -> Option<Labels> {
        let (series, metric) = (item.own.get("series"), item.own.get("metric"));
        let Some(series) = series else {
            let help = "add `metric: NAME`, and `labels: {…}` if there are some; or `series: 'name{a=\"b\"}'`";
            let Some(metric) = metric else {
                let message = format!("{} without a name", item.row.called);
                return self.refuse(item.fields.key_span(item.row.name), message, help);
            };
            let name = self.text(item.own, "metric")?;
            if name.value.is_empty() {
                return self.refuse(metric.key.span(), "`metric` is empty", help);
            }
            if name.value.contains('{') {
                let help = format!("write `series: '{}'`", name.value);
                return self.refuse(name.span, "`metric` is a name without labels", help);
            }
            let base = Labels::from_pairs([(METRIC_NAME, name.value)]);
            return self.with_labels(item, base);
        };
        if let Some(other) = metric.or(item.own.get("labels")) {
            let message = format!(
                "`{}` beside `series`, which says name and labels",
                other.name
            );
            return self.refuse(other.key.span(), message, "remove one of the two");
        }
        let text = self.decoder.embedded(series.value, "`series`")?;
        match notation::parse_series(&text.text) {
            Ok(labels) if labels.metric().is_empty() => self.refuse(
                text.whole(),
                "`series` without a metric name",
                "write it before the brace: `name{a=\"b\"}`",
            ),
            Ok(labels) => Some(labels),
            Err(error) => {
                self.decoder
                    .faults
                    .push(diagnose_notation(&text, &error, ""));
                None
            }
        }
    }

    /// What `targets` have in common.
    fn job(&mut self, item: &Item<'d, '_>) -> Option<Labels> {
        self.required(item, "job", "say which job scrapes them: `job: node`")?;
        let job = self.text(item.own, "job")?;
        if job.value.is_empty() {
            return self.refuse(
                job.span,
                "`job` is empty",
                "say which job scrapes them: `job: node`",
            );
        }
        let base = Labels::from_pairs([(METRIC_NAME, "up"), ("job", job.value.as_str())]);
        self.with_labels(item, base)
    }

    /// `3` makes `node-1`, `node-2` and `node-3` of the job `node`; a list has the names themselves.
    fn instances(&mut self, item: &Item<'d, '_>) -> Option<Vec<String>> {
        let job = self
            .text(item.own, "job")
            .map(|job| job.value)
            .unwrap_or_default();
        let Some(field) = item.own.get("instances") else {
            return Some(vec![format!("{job}-1")]);
        };
        if let Kind::Sequence(_) = field.value.kind() {
            return self.label_values(field, "`instances`");
        }
        let count = self.field_measure(field, |text| match text.parse::<usize>() {
            Ok(count) if (1..=MAX_SERIES).contains(&count) => Ok(count),
            _ => amounts::wrong(
                format!("{text:?} is no number of targets"),
                "write how many there are, such as `3`, or a list of their names",
            ),
        })?;
        Some(
            (1..=count)
                .map(|number| format!("{job}-{number}"))
                .collect(),
        )
    }

    /// A set with the labels of `labels`.
    fn with_labels(&mut self, item: &Item<'d, '_>, base: Labels) -> Option<Labels> {
        let Some(field) = item.own.get("labels") else {
            return Some(base);
        };
        let mut labels = base.to_builder();
        for (name, value) in self.more_labels(field, std::slice::from_ref(&base))? {
            labels.set(&name, &value);
        }
        Some(labels.build())
    }

    /// Labels that none of some series has yet.
    pub(super) fn more_labels(
        &mut self,
        field: &Field<'d>,
        series: &[Labels],
    ) -> Option<Vec<(String, String)>> {
        let what = format!("`{}`", field.name);
        let mut pairs = Vec::new();
        for entry in self.decoder.map(field, &what) {
            self.refuse_label(entry.name, entry.key.span(), series.first())?;
            let value = self
                .decoder
                .text(entry.value, format_args!("`{}`", entry.name))?;
            pairs.push((entry.name.to_owned(), value));
        }
        Some(pairs)
    }

    /// A label that can't be given: a name for the metric, none at all, or one that is there already.
    fn refuse_label(&mut self, name: &str, span: Span, present: Option<&Labels>) -> Option<()> {
        match name {
            "" => self.refuse(
                span,
                "a label without a name",
                "write its name before the colon",
            ),
            METRIC_NAME => self.refuse(
                span,
                "`__name__` is no label here",
                "name the metric with `metric`",
            ),
            _ if present.is_some_and(|labels| labels.get(name).is_some()) => {
                let message = format!("the series have a label `{name}` already");
                self.refuse(span, message, "remove one of the two")
            }
            _ => Some(()),
        }
    }

    /// The values of a label: `1..500`, a list, or one.
    pub(super) fn label_values(&mut self, field: &Field<'d>, what: &str) -> Option<Vec<String>> {
        let help = "write a range such as `1..500`, or a list such as `[a, b]`";
        if let Kind::Sequence(nodes) = field.value.kind() {
            let mut values = Vec::new();
            let mut seen = HashSet::new();
            for node in nodes.iter() {
                let value = self.decoder.text(node, format_args!("a value of {what}"))?;
                if !seen.insert(value.clone()) {
                    let message = format!("{value:?} is given twice in {what}");
                    return self.refuse(node.target().span(), message, "remove one of the two");
                }
                if value.is_empty() {
                    return self.refuse(
                        node.span(),
                        format!("an empty value of {what}"),
                        "a label has a value",
                    );
                }
                values.push(value);
            }
            if values.is_empty() {
                return self.refuse(field.value.span(), format!("{what} has no value"), help);
            }
            return Some(values);
        }
        let text = self.decoder.text(field.value, what)?;
        let span = field.value.target().span();
        if text.is_empty() {
            return self.refuse(span, format!("{what} has no value"), help);
        }
        let Some((first, last)) = text.split_once("..") else {
            return Some(vec![text]);
        };
        let (Ok(first), Ok(last)) = (first.trim().parse::<i64>(), last.trim().parse::<i64>())
        else {
            return self.refuse(
                span,
                format!("{what}: {text:?} is no range of whole numbers"),
                help,
            );
        };
        if first > last {
            let help = format!("write `{last}..{first}`");
            return self.refuse(span, format!("{what}: the range {text} is empty"), help);
        }
        if last.abs_diff(first) >= MAX_SERIES as u64 {
            let help = format!("one item makes at most {MAX_SERIES} series");
            return self.refuse(span, format!("{what}: the range {text} is too long"), help);
        }
        Some((first..=last).map(|number| number.to_string()).collect())
    }
}
