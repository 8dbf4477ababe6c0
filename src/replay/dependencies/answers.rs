//! Which rules may write what a selector asks for, and why others that write its metric do not.
//!
//! Many rules ask for the same (`ALERTS`, say), and what is certain of a label of a rule is asked for by many: both are found
//! out once.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::model::{MatchOp, Matcher};
use crate::promql::{Fixed, fixed};
use crate::replay::output::{Output, Outputs};
use crate::rules::{Rule, RuleKind};
use crate::text::Span;

/// Why a rule is not read though it writes the metric.
#[derive(Debug)]
pub(super) struct Excluded {
    pub rule: usize,
    /// The matcher that none of its series passes.
    pub matcher: usize,
    /// What the label is in all of them.
    pub value: String,
    /// The part of its query by which it is so; `None` where its labels say so.
    pub by: Option<Span>,
}

/// What rules have for a selector.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Those that may write some of it, each once and in order.
    pub rules: Arc<[usize]>,
    /// Those that write its metric but none of it, each once and in order.
    pub excluded: Arc<[Excluded]>,
}

/// What was found out.
#[derive(Debug)]
pub(super) struct Answers<'o, 'r> {
    outputs: &'o Outputs<'r>,
    by_selector: HashMap<Vec<(String, MatchOp, String)>, Answer>,
    certain: HashMap<String, HashMap<usize, Option<Fixed>>>,
}

impl<'o, 'r> Answers<'o, 'r> {
    /// Of the outputs of rules.
    pub fn new(outputs: &'o Outputs<'r>) -> Answers<'o, 'r> {
        Answers {
            outputs,
            by_selector: HashMap::new(),
            certain: HashMap::new(),
        }
    }

    /// What rules have for matchers; `rule` gives a rule by its number.
    pub fn of(&mut self, matchers: &[Matcher], rule: &dyn Fn(usize) -> &'r Rule) -> Answer {
        let key = |matcher: &Matcher| (matcher.name.clone(), matcher.op, matcher.value.clone());
        let key: Vec<(String, MatchOp, String)> = matchers.iter().map(key).collect();
        if let Some(answer) = self.by_selector.get(&key) {
            return answer.clone();
        }
        let (mut rules, mut excluded) = (Vec::new(), Vec::new());
        let outputs = self.outputs;
        for output in outputs.matching(matchers) {
            match self.never(rule(output.rule), output, matchers) {
                None => rules.push(output.rule),
                Some(reason) => excluded.push(reason),
            }
        }
        for output in outputs.named(matchers) {
            excluded.extend(known(output, matchers));
        }
        rules.sort_unstable();
        rules.dedup();
        excluded.sort_by_key(|excluded| excluded.rule);
        excluded.dedup_by_key(|excluded| excluded.rule);
        let answer = Answer {
            rules: rules.into(),
            excluded: excluded.into(),
        };
        self.by_selector.insert(key, answer.clone());
        answer
    }

    /// By which label of its query's result a rule escapes matchers, whatever it reads.
    fn never(
        &mut self,
        rule: &Rule,
        output: &Output<'_>,
        matchers: &[Matcher],
    ) -> Option<Excluded> {
        let is_set = |label: &str| {
            output.labels.contains_key(label)
                || match &rule.kind {
                    RuleKind::Alert(alert) => alert.labels.iter().any(|(name, _)| name == label),
                    RuleKind::Recording { .. } => false,
                }
        };
        matchers.iter().enumerate().find_map(|(index, matcher)| {
            if is_set(&matcher.name) {
                return None;
            }
            let Fixed { value, by } = self.certain(rule, output.rule, &matcher.name)?;
            (!matcher.matches_value(value)).then(|| Excluded {
                rule: output.rule,
                matcher: index,
                value: value.clone(),
                by: Some(*by),
            })
        })
    }

    /// What is certain of a label of what a rule's query yields.
    fn certain(&mut self, rule: &Rule, number: usize, label: &str) -> Option<&Fixed> {
        let of_label = self.certain.entry_ref(label).or_default();
        let certain = of_label
            .entry(number)
            .or_insert_with(|| fixed(&rule.expr.expr, label));
        certain.as_ref()
    }
}

/// By which of the labels that are known before any evaluation an output escapes matchers.
fn known(output: &Output<'_>, matchers: &[Matcher]) -> Option<Excluded> {
    let escapes = |(index, matcher): (usize, &Matcher)| {
        let values = output.labels.get(matcher.name.as_str())?;
        let is_out = !values.iter().any(|value| matcher.matches_value(value));
        is_out.then(|| Excluded {
            rule: output.rule,
            matcher: index,
            value: values.first().copied().unwrap_or("").to_owned(),
            by: None,
        })
    };
    matchers.iter().enumerate().find_map(escapes)
}
