//! `label-aggregated-away`: a template that shows a label which the alert's series can't have.

use std::collections::BTreeSet;

use super::rules::Subject;
use super::{Level, Lint, Look};
use crate::promql::LabelValue;
use crate::rules::template::Used;
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "label-aggregated-away",
    level: Level::Warn,
    doc: "a template shows a label that the alert's expression does not leave",
    why: "`$labels` holds the labels of the series that the expression yields, and neither `alertname` nor what stands under \
          the alert's own `labels:`. A label that an aggregation or a join took away renders as nothing: \"Pod  is down\". \
          Keep the label in the expression, or take it out of the text.",
    wrong: r#"
- alert: ManyErrors
  expr: sum by (job) (rate(errors_total[5m])) > 10
  annotations:
    summary: "{{ $labels.instance }} fails"
"#,
    right: r#"
- alert: ManyErrors
  expr: sum by (job, instance) (rate(errors_total[5m])) > 10
  annotations:
    summary: "{{ $labels.instance }} fails"
"#,
    look: Look::Rule(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Several texts of an alert show the same.
    let mut told = BTreeSet::new();
    for template in subject.templates() {
        for used in template.uses() {
            let Used::Label(label) = &used.what else {
                continue;
            };
            let Some(known) = subject.rules.known(subject.expr(), label) else {
                continue;
            };
            let is_gone = matches!(&known.value, LabelValue::Is(value) if value.is_empty());
            if !is_gone || !told.insert(label.clone()) {
                continue;
            }
            let own = subject
                .alert()
                .is_some_and(|alert| alert.labels.iter().any(|(name, _)| name == label));
            let help = match own {
                true => format!(
                    "the alert's own labels are not in $labels: write the value of {label} into the text"
                ),
                false => format!("keep {label} in the expression, or take it out of the text"),
            };
            let message = format!(
                "the label {label} is always empty here: no series of the alert has it, by `{}` at {}",
                subject.written(known.by),
                subject.place(known.by)
            );
            found.push(subject.warn_in(template, used.span, message).help(help));
        }
    }
    found
}
