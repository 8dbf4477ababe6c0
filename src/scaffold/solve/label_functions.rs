//! `label_replace` and `label_join`, read backwards: from a label of the result to those that make it.

use super::{Reason, Scope, Solver, Want};
use crate::model::{Regex, texts_matching};
use crate::promql::ast::{Call, Expr, ExprKind};
use crate::scaffold::labels::default;

impl Solver<'_, '_> {
    pub(super) fn label_replace(
        &mut self,
        call: &Call,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let (argument, texts) = head(call)?;
        let &[target, replacement, source, pattern] = texts.as_slice() else {
            return Err("label_replace() without its four texts".to_owned());
        };
        let mut inner = scope.clone();
        let wanted = inner.fixed.remove(target);
        let is_needed = inner.needs.remove(target) || wanted.is_some();
        if source == target {
            inner.needs.insert(source.to_owned());
        }
        if is_needed && !source.is_empty() {
            match self.source_value(&wanted, target, replacement, source, pattern, scope) {
                Some(value) => drop(inner.fixed.insert(source.to_owned(), value)),
                // It does not match: the label stays as it is.
                None => drop(wanted.map(|value| inner.fixed.insert(target.to_owned(), value))),
            }
        }
        self.meet(argument, want, &inner)
    }

    /// The value of the source with which the target has its value.
    fn source_value(
        &self,
        wanted: &Option<String>,
        target: &str,
        replacement: &str,
        source: &str,
        pattern: &str,
        scope: &Scope,
    ) -> Option<String> {
        let regex = Regex::enclosed(pattern).ok()?;
        let usual = |label: &str| match self.background.usual(label) {
            Some(value) => value.to_owned(),
            None => default(label),
        };
        let of_target = wanted.clone().unwrap_or_else(|| usual(target));
        let is_given = scope.fixed.contains_key(source);
        let mut values: Vec<String> = scope.fixed.get(source).cloned().into_iter().collect();
        if !is_given {
            values.push(usual(source));
            values.push(of_target.clone());
            for group in 1..=4 {
                values.extend(texts_matching(pattern, &[(group, &of_target)]));
            }
            values.extend(texts_matching(pattern, &[]));
        }
        let made = |value: &String| regex.expand(value, replacement);
        let exact = values
            .iter()
            .find(|value| made(value).as_deref() == Some(&of_target));
        match (exact, wanted) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(_)) => None,
            (None, None) => {
                let mut any = values.iter();
                any.find(|value| made(value).is_some_and(|it| !it.is_empty()))
                    .cloned()
            }
        }
    }

    pub(super) fn label_join(
        &mut self,
        call: &Call,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let (argument, texts) = head(call)?;
        let [target, separator, sources @ ..] = texts.as_slice() else {
            return Err("label_join() without its texts".to_owned());
        };
        let mut inner = scope.clone();
        inner.needs.remove(*target);
        if let Some(wanted) = inner.fixed.remove(*target) {
            let parts: Vec<&str> = match sources.len() {
                1 => vec![wanted.as_str()],
                count => wanted.splitn(count, separator).collect(),
            };
            for (source, part) in sources.iter().zip(parts) {
                inner.fixed.insert((*source).to_owned(), part.to_owned());
            }
        }
        inner
            .needs
            .extend(sources.iter().map(|source| (*source).to_owned()));
        self.meet(argument, want, &inner)
    }
}

/// The vector of a call, and its texts.
fn head(call: &Call) -> Result<(&Expr, Vec<&str>), Reason> {
    let vector = call.args.first();
    let vector = vector.ok_or_else(|| format!("{}() without arguments", call.function.name))?;
    Ok((vector, call.args.iter().filter_map(text).collect()))
}

fn text(expr: &Expr) -> Option<&str> {
    match &expr.unwrap_parens().kind {
        ExprKind::String(text) => Some(text),
        _ => None,
    }
}
