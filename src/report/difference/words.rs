//! What texts and Markdown say alike.

use super::{Report, Summary, per_week};
use crate::model::{Duration, Millis, Timestamp};
use crate::report::count;
use crate::report::unmet::{digits, share};
use crate::series::time::show;
use crate::whatif::diff::{
    AlertDiff, Both, Counts, FieldChange, RuleChange, RulePair, TimelineDiff, Window, WindowChange,
    WindowDiff,
};

/// The changes of rules that are counted, in this order.
const RULES: [RuleChange; 5] = [
    RuleChange::Changed,
    RuleChange::Added,
    RuleChange::Removed,
    RuleChange::Renamed,
    RuleChange::Moved,
];

/// `2 rules changed, 1 added, 14 as before`.
pub(super) fn rules(report: &Report<'_>) -> String {
    let same = report.rules_of(RuleChange::Same);
    let counted = RULES.map(|change| (report.rules_of(change), change));
    let mut counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let Some((number, change)) = counted.next() else {
        return format!("no rule changed: {} as before", count(same, "rule"));
    };
    let mut words = vec![format!("{} {}", count(number, "rule"), change.name())];
    words.extend(counted.map(|(number, change)| format!("{number} {}", change.name())));
    if same > 0 {
        words.push(format!("{same} as before"));
    }
    words.join(", ")
}

/// `1 firing gained, 2 lost, 5 kept`; nothing where nothing fires on either side.
pub(super) fn counts(counts: Counts, noun: &str) -> String {
    let changes = [
        WindowChange::Gained,
        WindowChange::Lost,
        WindowChange::Moved,
        WindowChange::Resized,
        WindowChange::Merged,
        WindowChange::Split,
        WindowChange::Kept,
    ];
    let counted = changes.map(|change| (counts.of(change), change));
    let mut counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let Some((number, change)) = counted.next() else {
        return String::new();
    };
    let mut words = vec![format!("{} {}", count(number, noun), change.name())];
    words.extend(counted.map(|(number, change)| format!("{number} {}", change.name())));
    words.join(", ")
}

/// What alerts do, in a line: firings, pending times, other labels.
pub(super) fn windows(summary: &Summary) -> String {
    if summary.is_empty() {
        return match summary.firing.kept {
            0 => "no difference: nothing fires before or after".to_owned(),
            kept => format!("no difference: {} kept", count(kept, "firing")),
        };
    }
    let relabelled = match summary.relabelled {
        0 => String::new(),
        number => format!("{} with other labels", count(number, "instance")),
    };
    let words = [
        counts(summary.firing, "firing"),
        counts(summary.pending, "pending time"),
        relabelled,
    ];
    let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
    words.join("; ")
}

/// `2 -> 1`, or `2` where nothing changes.
pub(super) fn arrow(both: Both<String>) -> String {
    match both.before == both.after {
        true => both.after,
        false => format!("{} -> {}", both.before, both.after),
    }
}

/// The rows that say how much there is of everything: what, before, after.
pub(super) fn totals(summary: &Summary) -> Vec<[String; 3]> {
    let mut rows = vec![[
        "pages".to_owned(),
        summary.pages.before.to_string(),
        summary.pages.after.to_string(),
    ]];
    if let Some(weekly) = summary.pages_per_week() {
        rows.push([
            "pages a week".to_owned(),
            per_week(weekly.before),
            per_week(weekly.after),
        ]);
    }
    rows.push([
        "time firing".to_owned(),
        length(summary.time.before),
        length(summary.time.after),
    ]);
    rows
}

pub(super) fn length(length: Millis) -> String {
    Duration(length).to_string()
}

/// `ovens/OvenTooHot`, as it is then.
pub(super) fn name(pair: &RulePair) -> String {
    pair.side()
        .map_or_else(String::new, |side| format!("{}/{}", side.group, side.name))
}

/// What became of a rule: `changed: expr, for`, `renamed from ovens/Hot`.
pub(super) fn what(pair: &RulePair) -> String {
    what_of(pair, |_| true)
}

/// The same of some of its fields.
fn what_of(pair: &RulePair, keep: impl Fn(&FieldChange) -> bool) -> String {
    let fields = pair.fields.iter().filter(|field| keep(field));
    let fields: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
    let change = pair.change();
    let from = pair.before.as_ref();
    let from = || from.map_or_else(String::new, |side| format!("{}/{}", side.group, side.name));
    match change {
        RuleChange::Changed => {
            let is_elsewhere = fields.iter().any(|it| ["group", "name"].contains(it));
            let was = match is_elsewhere {
                true => format!(" (it was {})", from()),
                false => String::new(),
            };
            format!("changed: {}{was}", fields.join(", "))
        }
        RuleChange::Renamed | RuleChange::Moved => format!("{} from {}", change.name(), from()),
        RuleChange::Same | RuleChange::Added | RuleChange::Removed => change.name().to_owned(),
    }
}

/// The rules for which an alert does something else: `ovens/burnt:ratio (changed: expr)`.
pub(super) fn causes(alert: &AlertDiff, diff: &TimelineDiff) -> Vec<String> {
    let pairs = alert.causes.iter();
    let pairs = pairs.filter_map(|&rule| Some((rule, diff.rules.pairs.get(rule)?)));
    let causes: Vec<String> = pairs
        .map(|(rule, pair)| match rule == alert.rule {
            true => what_of(pair, FieldChange::matters),
            false => format!("{} {}", name(pair), what_of(pair, FieldChange::matters)),
        })
        .collect();
    match causes.is_empty() {
        true => vec!["the order of the rules".to_owned()],
        false => causes,
    }
}

/// `2026-01-05T08:03:00Z to 2026-01-05T08:05:00Z  2m`.
pub(super) fn window(window: Window, end: Timestamp) -> String {
    let to = window
        .to
        .map_or_else(|| "the end of the data".to_owned(), show);
    let lasted = length(window.length(end));
    format!("{} to {to}  {lasted}", show(window.from))
}

/// What became of a window that moved or changed its length: `starts 2m later, ends 1m earlier`; of what a part of one is.
pub(super) fn shift(window: &WindowDiff, end: Timestamp) -> String {
    match window.change {
        WindowChange::Merged => return "now within a longer one".to_owned(),
        WindowChange::Split => return "before within a longer one".to_owned(),
        _ => {}
    }
    let (Some(before), Some(after)) = (window.windows.before, window.windows.after) else {
        return String::new();
    };
    let by = |verb: &str, from: Timestamp, to: Timestamp| match to.saturating_sub(from) {
        0 => None,
        by if by > 0 => Some(format!("{verb} {} later", length(by))),
        by => Some(format!("{verb} {} earlier", length(by.saturating_neg()))),
    };
    let ends = match (before.to, after.to) {
        (Some(from), Some(to)) => by("ends", from, to),
        (None, Some(to)) => Some(format!("ends {} before the data does", length(end - to))),
        (Some(_), None) => Some("lasts until the end of the data".to_owned()),
        (None, None) => None,
    };
    let words: Vec<String> = [by("starts", before.from, after.from), ends]
        .into_iter()
        .flatten()
        .collect();
    words.join(", ")
}

/// A share in percent, or that it is not known.
pub fn percent(left: Option<f64>) -> String {
    left.map_or_else(|| "unknown".to_owned(), share)
}

/// A burn rate, or that it is not known.
pub(super) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(|| "unknown".to_owned(), digits)
}
