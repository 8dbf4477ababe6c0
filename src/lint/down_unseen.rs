//! `down-unseen`: an alert on `up == 0` that falls silent when the target is gone altogether.

use super::silent_when_absent::Guards;
use super::tree::{comparisons, core, metric, number};
use super::{Level, Lint, Look, Rules};
use crate::model::{MatchOp, Matcher};
use crate::promql::ast::{BinaryOp, ExprKind};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "down-unseen",
    level: Level::Warn,
    doc: "an alert on `up == 0` of a job that nobody watches with `absent`",
    why: "`up` is 0 while a target is known and does not answer. When service discovery no longer lists it - the last pod is \
          deleted, the job is removed from the configuration, a label is renamed - there is no `up` at all, nothing equals \
          0, and the alert is silent. Add `or absent(up{…})`, or an alert of its own on it.",
    wrong: r#"
- alert: Down
  expr: up{job="bakery"} == 0
"#,
    right: r#"
- alert: Down
  expr: up{job="bakery"} == 0 or absent(up{job="bakery"})
"#,
    look: Look::Rules(look),
};

/// Whether a matcher names one job, or some one by one.
fn is_named(matcher: &Matcher) -> bool {
    let is_plain = |it: char| it.is_alphanumeric() || "_-|/".contains(it);
    match matcher.op {
        MatchOp::Equal => !matcher.value.is_empty(),
        MatchOp::Regex => {
            let mut parts = matcher.value.split('|');
            matcher.value.chars().all(is_plain) && parts.all(|part| !part.is_empty())
        }
        _ => false,
    }
}

fn look(rules: &Rules<'_>) -> Vec<Diagnostic> {
    let guards = Guards::of(rules);
    let mut found = Vec::new();
    for (subject, _) in rules.alerts() {
        for compared in comparisons(subject.expr()) {
            let is_down = compared.op == BinaryOp::Equal && number(compared.bound) == Some(0.0)
                || compared.op == BinaryOp::Less && number(compared.bound) == Some(1.0);
            let core = core(compared.value);
            let ExprKind::Vector(selector) = &core.kind else {
                continue;
            };
            // Of all jobs none can be missed by name.
            let is_of_job = |name: &str| {
                let mut matchers = selector.matchers.iter();
                matchers.any(|it| it.name == name && is_named(it))
            };
            if !is_down
                || metric(selector) != Some("up")
                || !is_of_job("job")
                || guards.watch(subject, "up")
            {
                continue;
            }
            let message = format!(
                "silent when the target is gone altogether: without the series `{}` nothing equals 0",
                subject.written(core.span)
            );
            let is_several = selector.matchers.iter().any(|it| it.op == MatchOp::Regex);
            let help = match is_several {
                true => {
                    "add `or absent(up{job=\"…\"})` for each of them, or alerts on them".to_owned()
                }
                false => format!(
                    "add `or absent({})`, or an alert on it",
                    subject.written(core.span)
                ),
            };
            found.push(subject.warn(compared.span, message).help(help));
        }
    }
    found
}
