//! The text of a test file for promtool.

use std::collections::BTreeSet;

use super::draft::{AlertDraft, Draft, ExprDraft};
use crate::model::{Duration, Labels, Millis};
use crate::rules::RuleGroup;
use crate::suite::file::TestFile;
use crate::text::yaml::{write_float, write_text};

/// What stands before the tests.
pub(super) struct Header<'h> {
    /// The test file that it comes of.
    pub of: &'h str,
    pub rule_files: &'h [String],
    pub interval: Millis,
    pub order: Vec<String>,
    pub fuzzy: bool,
}

/// The order of groups, which promtool would choose by chance: that of the run, where names tell groups apart.
pub(super) fn order(file: &TestFile, groups: &[&RuleGroup]) -> Vec<String> {
    let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
    let distinct: BTreeSet<&String> = names.iter().collect();
    match distinct.len() == names.len() && names.len() > 1 {
        true => names,
        false => file
            .group_eval_order
            .iter()
            .map(|it| it.value.clone())
            .collect(),
    }
}

/// A test file.
pub(super) fn file(header: &Header<'_>, tests: &[Draft], left_out: &[String]) -> String {
    let mut out = format!("{} of {}\n", super::HEAD, one_line(header.of));
    if !left_out.is_empty() {
        out.push_str("#\n# Left out:\n");
        for reason in left_out {
            out.push_str(&format!("# - {}\n", one_line(reason)));
        }
    }
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| write_text(name)).collect();
        format!("[{}]", names.join(", "))
    };
    out.push_str(&format!("rule_files: {}\n", list(header.rule_files)));
    out.push_str(&format!(
        "evaluation_interval: {}\n",
        Duration(header.interval)
    ));
    if !header.order.is_empty() {
        out.push_str(&format!("group_eval_order: {}\n", list(&header.order)));
    }
    if header.fuzzy {
        out.push_str("fuzzy_compare: true\n");
    }
    out.push_str("tests:\n");
    for one in tests {
        test(&mut out, one);
    }
    out
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control())
        .collect::<Vec<_>>()
        .join(" ")
}

fn test(out: &mut String, test: &Draft) {
    out.push_str(&format!("  - interval: {}\n", Duration(test.interval)));
    if !test.name.is_empty() {
        out.push_str(&format!("    name: {}\n", write_text(&test.name)));
    }
    if !test.external_labels.is_empty() {
        out.push_str(&format!(
            "    external_labels: {}\n",
            pairs(label_pairs(&test.external_labels))
        ));
    }
    if !test.external_url.is_empty() {
        out.push_str(&format!(
            "    external_url: {}\n",
            write_text(&test.external_url)
        ));
    }
    if !test.series.is_empty() {
        out.push_str("    input_series:\n");
        for (name, values) in &test.series {
            out.push_str(&format!("      - series: {}\n", write_text(name)));
            out.push_str(&format!("        values: {}\n", write_text(values)));
        }
    }
    if !test.alerts.is_empty() {
        out.push_str("    alert_rule_test:\n");
        test.alerts.iter().for_each(|check| alert(out, check));
    }
    if !test.exprs.is_empty() {
        out.push_str("    promql_expr_test:\n");
        test.exprs.iter().for_each(|check| expr(out, check));
    }
}

fn alert(out: &mut String, check: &AlertDraft) {
    out.push_str(&format!("      - eval_time: {}\n", Duration(check.at)));
    out.push_str(&format!(
        "        alertname: {}\n",
        write_text(&check.alert)
    ));
    if check.firing.is_empty() {
        out.push_str("        exp_alerts: []\n");
        return;
    }
    out.push_str("        exp_alerts:\n");
    for (labels, annotations) in &check.firing {
        out.push_str(&format!(
            "          - exp_labels: {}\n",
            pairs(label_pairs(labels))
        ));
        if !annotations.is_empty() {
            out.push_str("            exp_annotations:\n");
            for (name, text) in annotations {
                let text = write_text(text);
                out.push_str(&format!("              {}: {text}\n", write_text(name)));
            }
        }
    }
}

fn expr(out: &mut String, check: &ExprDraft) {
    out.push_str(&format!("      - eval_time: {}\n", Duration(check.at)));
    out.push_str(&format!("        expr: {}\n", write_text(&check.expr)));
    if check.samples.is_empty() {
        out.push_str("        exp_samples: []\n");
        return;
    }
    out.push_str("        exp_samples:\n");
    for sample in &check.samples {
        let labels = write_text(&sample.labels.to_string());
        out.push_str(&format!("          - labels: {labels}\n"));
        let value = match &sample.histogram {
            None => format!("value: {}", write_float(sample.value)),
            Some(histogram) => format!("histogram: {}", write_text(&histogram.test_expression())),
        };
        out.push_str(&format!("            {value}\n"));
    }
}

fn label_pairs(labels: &Labels) -> impl Iterator<Item = (&str, &str)> {
    labels.iter()
}

fn pairs<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let pairs = pairs.map(|(name, value)| format!("{}: {}", write_text(name), write_text(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}
