//! Rules that stand in a wrapper, as a plain rule file.

use std::collections::BTreeSet;

use super::HEAD;
use crate::model::{Duration, Millis};
use crate::rules::{Rule, RuleFile, RuleGroup, RuleKind};
use crate::text::yaml::write_text;

/// The rules of a file without what they are wrapped in. Labels of groups stand at their rules.
pub fn plain_rules(file: &RuleFile) -> String {
    let mut out = format!("{HEAD} of {}\ngroups:\n", file.source.name());
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for one in &file.groups {
        let mut name = one.name.clone();
        while !taken.insert(name.clone()) {
            // Another document may have a group of that name.
            name.push('\'');
        }
        group(&mut out, one, &name);
    }
    out
}

fn group(out: &mut String, group: &RuleGroup, name: &str) {
    out.push_str(&format!("  - name: {}\n", write_text(name)));
    for (key, value) in [
        ("interval", group.interval),
        ("query_offset", group.query_offset),
    ] {
        if let Some(value) = value {
            out.push_str(&format!("    {key}: {}\n", Duration(value)));
        }
    }
    if group.limit > 0 {
        out.push_str(&format!("    limit: {}\n", group.limit));
    }
    out.push_str("    rules:\n");
    group.rules.iter().for_each(|one| rule(out, one));
}

fn rule(out: &mut String, rule: &Rule) {
    let kind = match rule.kind {
        RuleKind::Recording { .. } => "record",
        RuleKind::Alert(_) => "alert",
    };
    out.push_str(&format!("      - {kind}: {}\n", write_text(&rule.name)));
    out.push_str(&format!(
        "        expr: {}\n",
        write_text(&rule.expr_text.text)
    ));
    match &rule.kind {
        RuleKind::Recording { labels } => {
            let labels = labels
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str()));
            map(out, "labels", labels.collect());
        }
        RuleKind::Alert(alert) => {
            let lengths: [(&str, Millis); 2] = [
                ("for", alert.hold),
                ("keep_firing_for", alert.keep_firing_for),
            ];
            for (key, length) in lengths.into_iter().filter(|(_, length)| *length > 0) {
                out.push_str(&format!("        {key}: {}\n", Duration(length)));
            }
            for (key, texts) in [
                ("labels", &alert.labels),
                ("annotations", &alert.annotations),
            ] {
                let texts = texts
                    .iter()
                    .map(|(name, text)| (name.as_str(), text.text()));
                map(out, key, texts.collect());
            }
        }
    }
}

fn map(out: &mut String, key: &str, texts: Vec<(&str, &str)>) {
    if texts.is_empty() {
        return;
    }
    out.push_str(&format!("        {key}:\n"));
    for (name, text) in texts {
        out.push_str(&format!(
            "          {}: {}\n",
            write_text(name),
            write_text(text)
        ));
    }
}
