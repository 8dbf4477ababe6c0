//! The expressions that tests ask for, looked at as rules are: those of dashboards and runbooks are kept there.

use std::collections::HashSet;
use std::sync::Arc;

use crate::rules::{Rule, RuleFile, RuleGroup, RuleKind};
use crate::suite::expect::ExpectationKind;
use crate::suite::file::{TestCase, TestFile};
use crate::text::{Source, Span};

/// The expressions of a test file as recording rules without a name, by the files they stand in.
pub fn queries(file: &TestFile) -> Vec<RuleFile> {
    let mut files: Vec<(Source, Vec<Rule>)> = Vec::new();
    let mut known: HashSet<(String, Span, String)> = HashSet::new();
    for rule in file.tests.iter().flat_map(of_test) {
        let source = rule.expr_text.source().clone();
        // The tests of a matrix have the same expressions.
        if !known.insert((source.name().to_owned(), rule.span, rule.expr.text.clone())) {
            continue;
        }
        let mut of_source = files.iter_mut();
        match of_source.find(|(it, _)| it.name() == source.name()) {
            Some((_, rules)) => rules.push(rule),
            None => files.push((source, vec![rule])),
        }
    }
    files.into_iter().map(of_rules).collect()
}

fn of_test(test: &TestCase) -> impl Iterator<Item = Rule> {
    let checks = test.expr_checks.iter().filter_map(|check| {
        let query = check.query.as_deref().ok()?;
        Some((query, &check.expr, check.span))
    });
    let expected = test
        .expectations
        .iter()
        .filter_map(|item| match &item.kind {
            ExpectationKind::Expr(expr) => Some((expr.query.as_ref(), &expr.expr, item.span)),
            _ => None,
        });
    checks.chain(expected).map(|(query, text, span)| Rule {
        name: String::new(),
        name_span: text.whole(),
        expr: query.clone(),
        expr_text: text.clone(),
        span,
        kind: RuleKind::Recording { labels: Vec::new() },
    })
}

fn of_rules((source, rules): (Source, Vec<Rule>)) -> RuleFile {
    let group = RuleGroup {
        name: String::new(),
        name_span: Span::new(0, 0),
        interval: None,
        phase: 0,
        own_phase: None,
        query_offset: None,
        limit: 0,
        rules: Arc::from(rules),
        source: source.clone(),
    };
    RuleFile {
        source,
        groups: vec![group],
        warnings: Vec::new(),
        notes: Vec::new(),
        wrappers: Vec::new(),
    }
}
