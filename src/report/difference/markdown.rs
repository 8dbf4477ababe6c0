//! A difference as a comment on a pull request: what matters first, the rest folded, and never longer than GitHub takes.

use super::words::{
    arrow, causes, length, name, percent, rate, rules, shift, totals, what, window, windows,
};
use super::{Report, WorldDiff, text_of};
use crate::replay::AlertState;
use crate::report::count;
use crate::report::markdown::{cell, code, fenced};
use crate::whatif::diff::{AlertDiff, Both, InstanceDiff, RulePair, WindowChange, WindowDiff};

/// A comment on GitHub has no more characters than this; counted in bytes, which are never fewer.
const LONGEST: usize = 65_536;

/// What is kept free for the note on what was left out.
const NOTE: usize = 400;

/// By this line a bot finds its comment again to write it anew.
const MARK: &str = "<!-- rulecheck diff -->\n";

/// A part that may be cut: what goes before its items, the items, and what goes behind.
struct Part {
    /// What its items are called: `rule`.
    noun: &'static str,
    head: String,
    items: Vec<String>,
    tail: &'static str,
}

pub(super) fn of(report: &Report<'_>) -> String {
    let mut out = head(report);
    let mut left_out: Vec<String> = Vec::new();
    for part in [
        alerts(report),
        budgets(report),
        changed(report),
        timelines(report),
    ] {
        let number = part.add_to(&mut out);
        if number > 0 {
            left_out.push(count(number, part.noun));
        }
    }
    if !left_out.is_empty() {
        out.push_str(&format!(
            "\n> Left out, as a comment has room for 65,536 characters: {}. `--format text` and `--format json` show all.\n",
            left_out.join(", ")
        ));
    }
    out
}

impl Part {
    /// Writes as many items as there is room for; how many there is none for.
    fn add_to(&self, out: &mut String) -> usize {
        let frame = self.head.len() + self.tail.len();
        let mut room = (LONGEST - NOTE).saturating_sub(out.len() + frame);
        let mut fitting = Vec::new();
        for item in &self.items {
            match room.checked_sub(item.len()) {
                Some(left) => room = left,
                None => break,
            }
            fitting.push(item);
        }
        if !fitting.is_empty() {
            out.push_str(&self.head);
            fitting.iter().for_each(|item| out.push_str(item));
            out.push_str(self.tail);
        }
        self.items.len() - fitting.len()
    }
}

/// The heading, what it comes to, and what the gates say.
fn head(report: &Report<'_>) -> String {
    let summary = report.summary();
    let (before, after) = (
        code(&short(&report.names.before)),
        code(&short(&report.names.after)),
    );
    let mut out = format!("{MARK}### Alerts: {before} → {after}\n\n");
    let failed: Vec<String> = report
        .gates
        .iter()
        .filter(|gate| !gate.is_passed)
        .map(|gate| format!("{} ({})", code(&gate.name), gate.says))
        .collect();
    if !failed.is_empty() {
        out.push_str(&format!("❌ **Failed:** {}\n\n", failed.join("; ")));
    } else if !report.gates.is_empty() {
        let names: Vec<String> = report.gates.iter().map(|gate| code(&gate.name)).collect();
        out.push_str(&format!("✅ **Passed:** {}\n\n", names.join(", ")));
    }
    let said = sentence(&rules(report));
    if report.worlds.is_empty() {
        out.push_str(&format!("{said}\n"));
        return out;
    }
    let over = match report.worlds {
        [only] => format!("{} ({})", code(&short(&only.name)), length(only.length())),
        all => count(all.len(), "test"),
    };
    let windows = windows(&summary);
    out.push_str(&format!("{said} Over {over}: **{windows}**.\n\n"));
    out.push_str("| | before | after |\n|---|---:|---:|\n");
    for [what, before, after] in totals(&summary) {
        out.push_str(&format!("| {what} | {before} | {after} |\n"));
    }
    out
}

/// A table of the alerts that do something else.
fn alerts(report: &Report<'_>) -> Part {
    let mut items = Vec::new();
    for (world, alert) in differing(report) {
        let firings = Both {
            before: alert.outcome.before.map_or(0, |it| it.firings).to_string(),
            after: alert.outcome.after.map_or(0, |it| it.firings).to_string(),
        };
        let pages = Both {
            before: alert.pages.before.to_string(),
            after: alert.pages.after.to_string(),
        };
        let counts = super::words::counts(alert.counts(AlertState::Firing), "firing");
        let counts = match (
            counts.is_empty(),
            alert.instances.iter().any(InstanceDiff::is_relabelled),
        ) {
            (_, true) => format!("{counts}; other labels")
                .trim_start_matches("; ")
                .to_owned(),
            (true, false) => "only pending".to_owned(),
            (false, false) => counts,
        };
        let because = causes(alert, &world.diff).join("; ");
        let pair = world.diff.rules.pairs.get(alert.rule);
        let (firings, pages) = (arrow(firings), arrow(pages));
        let (firings, pages) = (firings.replace("->", "→"), pages.replace("->", "→"));
        let test = match report.worlds.len() {
            1 => String::new(),
            _ => format!(" in {}", cell(&short(&world.name))),
        };
        items.push(format!(
            "| {}{test} | {firings} | {pages} | {counts} | {} |\n",
            cell(&short(&pair.map_or_else(String::new, name))),
            cell(&short(&because)),
        ));
    }
    Part {
        noun: "alert",
        head: "\n| alert | firings | pages | windows | because of |\n|---|---:|---:|---|---|\n"
            .to_owned(),
        items,
        tail: "",
    }
}

fn budgets(report: &Report<'_>) -> Part {
    let mut items = Vec::new();
    for world in report.worlds {
        for budget in &world.budgets {
            let burn: Vec<String> = budget
                .burn
                .iter()
                .map(|burn| {
                    let rates = Both {
                        before: rate(burn.rate.before),
                        after: rate(burn.rate.after),
                    };
                    format!("{}: {}", length(burn.over), arrow(rates).replace("->", "→"))
                })
                .collect();
            items.push(format!(
                "| {} | {} | {} | {} |\n",
                cell(&short(&budget.called())),
                percent(budget.left.before),
                percent(budget.left.after),
                burn.join(", "),
            ));
        }
    }
    Part {
        noun: "budget",
        head: "\n| budget left | before | after | burn rate |\n|---|---:|---:|---|\n".to_owned(),
        items,
        tail: "",
    }
}

/// The rules that say something else.
fn changed(report: &Report<'_>) -> Part {
    let items: Vec<String> = report.rules.changed().map(of_rule).collect();
    let number = count(items.len(), "rule");
    Part {
        noun: "rule",
        head: format!("\n<details>\n<summary>{number} that changed</summary>\n\n"),
        items,
        tail: "</details>\n",
    }
}

fn of_rule(pair: &RulePair) -> String {
    let text = text_of(pair);
    let heading = format!(
        "{}: {}\n",
        code(&short(&name(pair))),
        code(&short(&what(pair)))
    );
    match text.is_empty() {
        true => format!("{heading}\n"),
        false => format!("{heading}\n{}\n", fenced("diff", &text)),
    }
}

/// When instances fire.
fn timelines(report: &Report<'_>) -> Part {
    let mut items = Vec::new();
    for (world, alert) in differing(report) {
        let pair = world.diff.rules.pairs.get(alert.rule);
        let name = pair.map_or_else(String::new, name);
        for instance in alert.instances.iter().filter(|it| !it.is_empty()) {
            items.push(of_instance(&name, instance, world));
        }
    }
    let number = count(items.len(), "instance");
    Part {
        noun: "instance",
        head: format!("\n<details>\n<summary>When they fire: {number}</summary>\n\n"),
        items,
        tail: "</details>\n",
    }
}

/// So many windows of an instance are listed.
const WINDOWS: usize = 50;

fn of_instance(name: &str, instance: &InstanceDiff, world: &WorldDiff) -> String {
    let Both { before, after } = &instance.labels;
    let labels = after.as_ref().or(before.as_ref());
    let labels = labels.map_or_else(String::new, ToString::to_string);
    let mut out = code(&short(&format!("{name} {labels}")));
    if let Some(before) = before.as_ref().filter(|_| instance.is_relabelled()) {
        out.push_str(&format!(" (it was {})", code(&short(&before.to_string()))));
    }
    out.push_str("\n\n| | | when | |\n|---|---|---|---|\n");
    let mut rows = 0;
    for state in [AlertState::Firing, AlertState::Pending] {
        let changed = instance.windows(state).iter();
        for diff in changed.filter(|it| it.change != WindowChange::Kept) {
            rows += 1;
            if rows <= WINDOWS {
                out.push_str(&row(state, diff, world.span().1));
            }
        }
    }
    if rows > WINDOWS {
        out.push_str(&format!("\nand {} more\n", rows - WINDOWS));
    }
    out.push('\n');
    out
}

fn row(state: AlertState, diff: &WindowDiff, end: i64) -> String {
    let Some(shown) = diff.windows.after.or(diff.windows.before) else {
        return String::new();
    };
    let (change, state) = (diff.change.name(), state.name());
    let (when, shift) = (window(shown, end), shift(diff, end));
    format!("| {change} | {state} | {when} | {shift} |\n")
}

/// The alerts that do something else, with their worlds.
fn differing<'r>(report: &Report<'r>) -> impl Iterator<Item = (&'r WorldDiff, &'r AlertDiff)> {
    report.worlds.iter().flat_map(|world| {
        let alerts = world.diff.alerts.iter();
        let alerts = alerts.filter(|alert| !alert.is_empty());
        alerts.map(move |alert| (world, alert))
    })
}

/// `2 rules changed.`
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// No longer than a line of a comment may well be.
fn short(text: &str) -> String {
    const LONG: usize = 300;
    match text.char_indices().nth(LONG) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let part = Part {
            noun: "rule",
            head: "head".to_owned(),
            items: vec!["é".repeat(20_000); 5],
            tail: "tail",
        };
        let mut out = String::new();
        assert_eq!(part.add_to(&mut out), 4);
        assert_eq!(out.len(), 4 + 40_000 + 4);
        assert_eq!(part.add_to(&mut out), 5);
        assert!(out.ends_with("tail") && out.len() < LONGEST);
    }
}
