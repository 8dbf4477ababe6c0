//! `equal-with-regex`: a pattern behind `=`, or a shell's `*` in a regular expression.

use super::rules::Subject;
use super::tree::{nodes, selector};
use super::{Level, Lint, Look};
use crate::model::{MatchOp, Matcher};
use crate::text::Diagnostic;

pub(super) const LINT: Lint = Lint {
    name: "equal-with-regex",
    level: Level::Warn,
    doc: "a pattern behind `=`, which compares letter by letter, or a shell's `*` behind `=~`",
    why: "`=` and `!=` compare with the text itself: `code=\"5..\"` selects the code 5.. with two points, which there is not. \
          Behind `=~` a `*` repeats what stands before it: `pod=~\"web-*\"` selects web, web- and web--, but not web-1.",
    wrong: r#"
- alert: ManyErrors
  expr: sum(rate(requests_total{code="5.."}[5m])) > 10
"#,
    right: r#"
- alert: ManyErrors
  expr: sum(rate(requests_total{code=~"5.."}[5m])) > 10
"#,
    look: Look::Query(look),
};

fn look(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for node in nodes(subject.expr()) {
        let Some(selector) =
            selector(node).filter(|_| !matches!(node.kind, crate::promql::ast::ExprKind::Paren(_)))
        else {
            continue;
        };
        for matcher in &selector.matchers {
            if let Some((message, help)) = judge(matcher) {
                found.push(subject.warn(node.span, message).help(help));
            }
        }
    }
    found
}

fn judge(matcher: &Matcher) -> Option<(String, String)> {
    let value = matcher.value.as_str();
    match matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => {
            let signs = [".*", ".+", "5..", "4..", "[0-9]", "(.", ")$"];
            let is_pattern = signs.iter().any(|sign| value.contains(sign))
                || (value.contains('|') && matcher.name != "query");
            is_pattern.then(|| {
                let op = matcher.op.symbol();
                let message = format!(
                    "{matcher} compares letter by letter, and {value:?} looks like a pattern"
                );
                let help = match matcher.op {
                    MatchOp::Equal => "=~",
                    _ => "!~",
                };
                (message, format!("write `{help}` instead of `{op}`"))
            })
        }
        MatchOp::Regex | MatchOp::NotRegex => {
            let before = value.split('*').next().filter(|_| value.contains('*'))?;
            let mut letters = before.chars().rev();
            let (last, escape) = (letters.next()?, letters.next());
            let is_plain = last.is_ascii_alphanumeric() || ['-', '_', '/', ':'].contains(&last);
            (is_plain && escape != Some('\\')).then(|| {
                let message = format!(
                    "the * in {matcher} repeats {last:?}, as it does in regular expressions"
                );
                (message, "write `.*` for any text".to_owned())
            })
        }
    }
}
