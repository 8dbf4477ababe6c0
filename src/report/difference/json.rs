//! A difference as JSON.

use serde_json::{Map, Value, json};

use super::{Gate, Report, Summary, WorldDiff, text_of, weekly};
use crate::model::Labels;
use crate::replay::AlertState;
use crate::report::timeline::seconds;
use crate::report::whatif::outcome_json;
use crate::whatif::diff::{
    AlertDiff, Both, BudgetDiff, Counts, InstanceDiff, RuleChange, RulePair, RuleSide,
    TimelineDiff, Window, WindowChange, WindowDiff,
};

pub(super) fn of(report: &Report<'_>) -> Value {
    let rules: Vec<Value> = report.rules.changed().map(of_rule).collect();
    let worlds: Vec<Value> = report.worlds.iter().map(of_world).collect();
    let gate =
        |gate: &Gate| json!({"name": gate.name, "passed": gate.is_passed, "says": gate.says});
    let gates: Vec<Value> = report.gates.iter().map(gate).collect();
    json!({
        "version": 1,
        "base": report.names.before,
        "head": report.names.after,
        "rules": rules,
        "summary": summary(report),
        "worlds": worlds,
        "gates": gates,
    })
}

fn both<T>(both: &Both<T>, value: impl Fn(&T) -> Value) -> Value {
    json!({"before": value(&both.before), "after": value(&both.after)})
}

fn summary(report: &Report<'_>) -> Value {
    let changes = [
        RuleChange::Same,
        RuleChange::Changed,
        RuleChange::Added,
        RuleChange::Removed,
        RuleChange::Renamed,
        RuleChange::Moved,
    ];
    let rules = changes.map(|it| (it.name().to_owned(), json!(report.rules_of(it))));
    let rules: Map<String, Value> = rules.into_iter().collect();
    let summary: Summary = report.summary();
    json!({
        "rules": rules,
        "firing": counts(summary.firing),
        "pending": counts(summary.pending),
        "relabelled": summary.relabelled,
        "failing": summary.failing,
        "pages": both(&summary.pages, |it| json!(it)),
        "pages_per_week": summary.pages_per_week().map(|it| both(&it, |it| json!(it))),
        "time_firing": both(&summary.time, |it| seconds(*it)),
    })
}

fn counts(counts: Counts) -> Value {
    let all = WindowChange::ALL.map(|it| (it.name().to_owned(), json!(counts.of(it))));
    Value::Object(all.into_iter().collect())
}

fn of_rule(pair: &RulePair) -> Value {
    let side = |side: &Option<RuleSide>| match side {
        None => Value::Null,
        Some(side) => {
            let at = side.place.source.line_column(side.place.span.start);
            json!({
                "group": side.group,
                "name": side.name,
                "file": side.place.source.name(),
                "line": at.line,
                "column": at.column,
            })
        }
    };
    let fields = pair.fields.iter();
    let fields = fields.map(|it| json!({"name": it.name, "before": it.before, "after": it.after}));
    let shown = pair.side();
    let is_alert = shown.is_some_and(|side| side.is_alert);
    json!({
        "change": pair.change().name(),
        "kind": if is_alert { "alert" } else { "record" },
        "group": shown.map(|side| &side.group),
        "name": shown.map(|side| &side.name),
        "before": side(&pair.before),
        "after": side(&pair.after),
        "fields": fields.collect::<Vec<Value>>(),
        "diff": text_of(pair),
    })
}

pub(super) fn of_world(world: &WorldDiff) -> Value {
    let diff = &world.diff;
    let (from, to) = world.span();
    let alerts: Vec<Value> = diff
        .alerts
        .iter()
        .map(|alert| of_alert(alert, diff))
        .collect();
    let failing = diff
        .failing
        .iter()
        .filter_map(|&rule| diff.rules.pairs.get(rule)?.side());
    let failing = failing.map(|side| json!({"group": side.group, "name": side.name}));
    let failing: Vec<Value> = failing.collect();
    let budgets: Vec<Value> = world.budgets.iter().map(budget).collect();
    let pages_per_week = weekly(diff.pages, world.length());
    json!({
        "name": world.name,
        "from": seconds(from),
        "to": seconds(to),
        "pages": both(&diff.pages, |it| json!(it)),
        "pages_per_week": pages_per_week.map(|it| both(&it, |it| json!(it))),
        "time_firing": both(&diff.firing, |it| seconds(*it)),
        "alerts": alerts,
        "failing": failing,
        "budgets": budgets,
    })
}

fn of_alert(alert: &AlertDiff, diff: &TimelineDiff) -> Value {
    let side = |rule: usize| diff.rules.pairs.get(rule).and_then(RulePair::side);
    let shown = side(alert.rule);
    let cause = |rule: &usize| {
        let pair = diff.rules.pairs.get(*rule)?;
        let side = pair.side()?;
        Some(json!({"group": side.group, "name": side.name, "change": pair.change().name()}))
    };
    let causes: Vec<Value> = alert.causes.iter().filter_map(cause).collect();
    let instances: Vec<Value> = alert.instances.iter().map(instance).collect();
    json!({
        "group": shown.map(|side| &side.group),
        "alert": shown.map(|side| &side.name),
        "same": alert.is_empty(),
        "before": alert.outcome.before.as_ref().map(outcome_json),
        "after": alert.outcome.after.as_ref().map(outcome_json),
        "pages": both(&alert.pages, |it| json!(it)),
        "causes": causes,
        "instances": instances,
    })
}

fn labels(labels: &Labels) -> Value {
    let pairs = labels
        .iter()
        .map(|(name, value)| (name.to_owned(), json!(value)));
    Value::Object(pairs.collect())
}

fn instance(instance: &InstanceDiff) -> Value {
    let mut windows = Vec::new();
    for state in [AlertState::Pending, AlertState::Firing] {
        let of_state = instance.windows(state).iter();
        windows.extend(of_state.map(|it| window(state, it)));
    }
    json!({
        "labels": both(&instance.labels, |it| it.as_ref().map_or(Value::Null, labels)),
        "relabelled": instance.is_relabelled(),
        "windows": windows,
    })
}

fn window(state: AlertState, diff: &WindowDiff) -> Value {
    let side = |window: &Option<Window>| match window {
        None => Value::Null,
        Some(window) => json!({"from": seconds(window.from), "to": window.to.map(seconds)}),
    };
    json!({
        "state": state.name(),
        "change": diff.change.name(),
        "before": side(&diff.windows.before),
        "after": side(&diff.windows.after),
    })
}

fn budget(budget: &BudgetDiff) -> Value {
    let burn = budget.burn.iter();
    let burn =
        burn.map(|it| json!({"over": seconds(it.over), "rate": both(&it.rate, |it| json!(it))}));
    json!({
        "objective": budget.objective,
        "labels": labels(&budget.labels),
        "left": both(&budget.left, |it| json!(it)),
        "burn": burn.collect::<Vec<Value>>(),
    })
}
