//! A difference as text.

use tabled::builder::Builder;
use tabled::settings::Style;

use super::words::{
    arrow, causes, counts, length, name, percent, rate, rules, shift, totals, what, window, windows,
};
use super::{Listed, Report, WorldDiff, text_of};
use crate::replay::AlertState;
use crate::report::count;
use crate::series::time::show;
use crate::whatif::diff::{
    AlertDiff, Both, Counts, InstanceDiff, RulePair, WindowChange, WindowDiff,
};

/// So many windows of an instance are listed.
const WINDOWS: usize = 20;

/// So many budgets are in the table at the end.
const BUDGETS: usize = 20;

pub(super) fn of(report: &Report<'_>, listed: Listed) -> String {
    let mut out = format!(
        "{} -> {}: {}\n",
        report.names.before,
        report.names.after,
        rules(report)
    );
    for pair in report.rules.changed() {
        out.push_str(&of_rule(pair));
    }
    for world in report.worlds.iter().filter(|world| !world.is_empty()) {
        out.push_str(&of_world(world, listed));
    }
    if !report.worlds.is_empty() {
        out.push_str(&end(report));
    }
    for gate in &report.gates {
        let verdict = if gate.is_passed { "ok    " } else { "FAILED" };
        out.push_str(&format!("{verdict} {}: {}\n", gate.name, gate.says));
    }
    out
}

fn of_rule(pair: &RulePair) -> String {
    let place = pair
        .side()
        .map_or_else(String::new, |side| side.place.to_string());
    let mut out = format!("\n{} {}  {place}\n", name(pair), what(pair));
    let of_group = ["interval", "query_offset", "limit"];
    for field in pair
        .fields
        .iter()
        .filter(|it| of_group.contains(&it.name.as_str()))
    {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let values = Both {
            before: shown(&field.before),
            after: shown(&field.after),
        };
        out.push_str(&format!(
            "  {} of the group: {}\n",
            field.name,
            arrow(values)
        ));
    }
    out.extend(text_of(pair).lines().map(|line| format!("  {line}\n")));
    out
}

fn of_world(world: &WorldDiff, listed: Listed) -> String {
    let (from, to) = world.span();
    let mut out = format!(
        "\n{}, {} to {} ({}):\n",
        world.name,
        show(from),
        show(to),
        length(world.length())
    );
    out.push_str(&alerts(world, listed));
    for budget in world.budgets.iter().filter(|budget| !budget.is_empty()) {
        let left = Both {
            before: percent(budget.left.before),
            after: percent(budget.left.after),
        };
        let mut words = vec![format!("{} left", arrow(left))];
        words.extend(budget.burn.iter().map(|burn| {
            let rates = Both {
                before: rate(burn.rate.before),
                after: rate(burn.rate.after),
            };
            format!("burn rate over {} {}", length(burn.over), arrow(rates))
        }));
        let words = words.join(", ");
        out.push_str(&format!("budget of {}: {words}\n", budget.called()));
    }
    out
}

/// What its alerts do.
pub(super) fn alerts(world: &WorldDiff, listed: Listed) -> String {
    let alerts = world.diff.alerts.iter().filter(|it| !it.is_empty());
    alerts.map(|alert| of_alert(alert, world, listed)).collect()
}

fn of_alert(alert: &AlertDiff, world: &WorldDiff, listed: Listed) -> String {
    let pair = world.diff.rules.pairs.get(alert.rule);
    let firings = Both {
        before: alert.outcome.before.map_or(0, |it| it.firings).to_string(),
        after: alert.outcome.after.map_or(0, |it| it.firings).to_string(),
    };
    let pages = Both {
        before: alert.pages.before.to_string(),
        after: alert.pages.after.to_string(),
    };
    let mut out = format!(
        "{} ({})  firings {}, pages {}\n",
        pair.map_or_else(String::new, name),
        causes(alert, &world.diff).join("; "),
        arrow(firings),
        arrow(pages)
    );
    for instance in alert.instances.iter().filter(|it| !it.is_empty()) {
        out.push_str(&of_instance(instance, world, listed));
    }
    let pending = Counts {
        kept: 0,
        ..alert.counts(AlertState::Pending)
    };
    if listed == Listed::Firing && pending.changed() > 0 {
        out.push_str(&format!("  {}\n", counts(pending, "pending time")));
    }
    out
}

/// Nothing where all that differs is not listed.
fn of_instance(instance: &InstanceDiff, world: &WorldDiff, listed: Listed) -> String {
    let states = match listed {
        Listed::Firing => &[AlertState::Firing][..],
        Listed::All => &[AlertState::Pending, AlertState::Firing],
    };
    let mut lines: Vec<(AlertState, &WindowDiff)> = Vec::new();
    for &state in states {
        let windows = instance.windows(state).iter();
        let windows = windows.filter(|it| it.change != WindowChange::Kept);
        lines.extend(windows.map(|window| (state, window)));
    }
    if lines.is_empty() && !instance.is_relabelled() {
        return String::new();
    }
    let Both { before, after } = &instance.labels;
    let labels = after.as_ref().or(before.as_ref());
    let mut out = format!("  {}", labels.map_or_else(String::new, ToString::to_string));
    if let Some(before) = before.as_ref().filter(|_| instance.is_relabelled()) {
        out.push_str(&format!(" relabelled, it was {before}"));
    }
    out.push('\n');
    let from = |window: &WindowDiff| {
        let windows = [window.windows.before, window.windows.after];
        windows
            .into_iter()
            .flatten()
            .map(|window| window.from)
            .min()
    };
    lines.sort_by_key(|(state, window)| (from(window), *state));
    for (state, window) in lines.iter().take(WINDOWS) {
        out.push_str(&line(*state, window, world.span().1));
    }
    if let more @ 1.. = lines.len().saturating_sub(WINDOWS) {
        out.push_str(&format!("    and {more} more (--format json has all)\n"));
    }
    out
}

/// `    resized  firing   2026-01-05T08:03:00Z to 2026-01-05T08:05:00Z  2m  (starts 1m later)`.
fn line(state: AlertState, diff: &WindowDiff, end: i64) -> String {
    let Some(shown) = diff.windows.after.or(diff.windows.before) else {
        return String::new();
    };
    let shift = match shift(diff, end) {
        shift if shift.is_empty() => shift,
        shift => format!("  ({shift})"),
    };
    let (change, state) = (diff.change.name(), state.name());
    format!("    {change:<8} {state:<8} {}{shift}\n", window(shown, end))
}

/// What it comes to in all worlds.
fn end(report: &Report<'_>) -> String {
    let summary = report.summary();
    let same = report
        .worlds
        .iter()
        .filter(|world| world.is_empty())
        .count();
    let over = match report.worlds {
        [only] => format!("over {} ({})", only.name, length(only.length())),
        all if same == all.len() => format!("over {}", count(all.len(), "test")),
        all => format!(
            "over {}, {same} of which as before",
            count(all.len(), "test")
        ),
    };
    let mut out = format!("\n{over}: {}\n", windows(&summary));
    let mut rows = Builder::default();
    rows.push_record(["", "before", "after"]);
    totals(&summary)
        .into_iter()
        .for_each(|row| rows.push_record(row));
    let budgets = || report.worlds.iter().flat_map(|world| &world.budgets);
    for budget in budgets().take(BUDGETS) {
        let (before, after) = (percent(budget.left.before), percent(budget.left.after));
        rows.push_record([format!("budget left of {}", budget.called()), before, after]);
    }
    if let more @ 1.. = budgets().count().saturating_sub(BUDGETS) {
        let rest = format!("{} more (--format json has all)", count(more, "budget"));
        rows.push_record([rest, String::new(), String::new()]);
    }
    let drawn = rows.build().with(Style::blank()).to_string();
    let line = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
    out.extend(drawn.lines().map(line));
    out
}
