//! Rendering the templates of alerts with what their moment could see.

use crate::model::{Labels, Millis, Timestamp};
use crate::promql::{Columns, Features, Query, Sample, Ticks, View, evaluate};
use crate::rules::template::{
    QuerySample, Template, TemplateData, TemplateValue, TemplateValueOwned,
};
use crate::store::Store;

use super::plan::{NO_VECTOR, PlannedRule};

/// What templates can see beside a sample.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Labels of the whole server.
    pub external_labels: Labels,
    /// Its address.
    pub external_url: String,
    /// Step of a subquery that names none.
    pub default_step: Millis,
    /// What is switched on.
    pub features: Features,
    /// How many samples a query may hold at once.
    pub max_samples: usize,
}

/// Renders templates over a store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renderer<'a> {
    /// What queries read.
    pub store: &'a Store,
    /// The rest.
    pub setting: &'a Setting,
}

impl Renderer<'_> {
    /// Renders a template for a sample of a rule at a moment; an error becomes text, as in Prometheus.
    pub(super) fn render(
        &self,
        rule: &PlannedRule<'_>,
        template: &Template,
        labels: &Labels,
        sample: Sample<'_>,
        now: Timestamp,
    ) -> String {
        let data = TemplateData {
            labels,
            external_labels: &self.setting.external_labels,
            external_url: &self.setting.external_url,
            value: match sample {
                Sample::Float(value) => TemplateValue::Float(value),
                Sample::Histogram(histogram) => TemplateValue::Histogram(histogram),
            },
            now,
        };
        let view = View {
            features: self.setting.features,
            max_samples: self.setting.max_samples,
            ..View::new(
                self.store,
                rule.template_reader(),
                self.setting.default_step,
            )
        };
        template.render_or_error(&data, &|text| query(&view, text, now))
    }
}

/// Runs the query of a template.
fn query(view: &View<'_>, text: &str, now: Timestamp) -> Result<Vec<QuerySample>, String> {
    let query = parse(text, view.features)?;
    let evaluated = evaluate(&query, view, Ticks::instant(now)).into_columns();
    let columns = evaluated.ok_or(NO_VECTOR)?;
    match columns.errors.get(&0) {
        Some(error) => Err(error.message.clone()),
        None => Ok(query_samples(&columns)),
    }
}

/// Reads the query of a template; an error comes in Prometheus's words, line and byte column before them.
fn parse(text: &str, features: Features) -> Result<Query, String> {
    Query::parse(text, &features).map_err(|errors| match errors.first() {
        Some(error) => {
            let before = text.get(..error.span.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |newline| newline + 1) + 1;
            format!("{line}:{column}: parse error: {}", error.message)
        }
        None => String::new(),
    })
}

fn query_samples(columns: &Columns) -> Vec<QuerySample> {
    let present = columns.series.iter().filter_map(|series| {
        let value = match series.column.get(0)? {
            Sample::Float(value) => TemplateValueOwned::Float(value),
            Sample::Histogram(histogram) => {
                TemplateValueOwned::Histogram(histogram.as_ref().clone())
            }
        };
        Some(QuerySample {
            labels: series.labels.clone(),
            value,
        })
    });
    present.collect()
}
