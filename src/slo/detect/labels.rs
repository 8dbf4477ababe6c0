//! Which series there must be so that selectors tell events apart.

use crate::model::{Labels, METRIC_NAME, MatchOp, Matcher, metric_of, texts_matching};

/// Values for labels of which it is only said what they are not.
const OTHERS: [&str; 4] = ["200", "500", "other", ""];

/// No more label sets than this are tried for a metric.
const MAX_TRIED: usize = 20_000;

/// Series of one metric: one for each set of selectors that some series can pass while it passes no other. The one that
/// passes most comes first.
pub(super) fn series_of(metric: &str, selectors: &[&[Matcher]]) -> Vec<Labels> {
    let mut names: Vec<&str> = Vec::new();
    for matcher in selectors.iter().flat_map(|matchers| matchers.iter()) {
        if matcher.name != METRIC_NAME && !names.contains(&matcher.name.as_str()) {
            names.push(&matcher.name);
        }
    }
    let values: Vec<Vec<String>> = names.iter().map(|name| values(name, selectors)).collect();
    let mut found: Vec<(Vec<bool>, Labels)> = Vec::new();
    let mut places = vec![0; names.len()];
    for _ in 0..MAX_TRIED {
        let chosen = names.iter().zip(&places).zip(&values);
        let pairs = chosen.filter_map(|((name, &place), values)| {
            let value = values.get(place).filter(|value| !value.is_empty())?;
            Some((*name, value.as_str()))
        });
        let labels = Labels::from_pairs(pairs.chain([(METRIC_NAME, metric)]));
        let passes = |matchers: &&[Matcher]| matchers.iter().all(|it| it.matches(&labels));
        let passed: Vec<bool> = selectors.iter().map(passes).collect();
        if passed.contains(&true) && !found.iter().any(|(other, _)| *other == passed) {
            found.push((passed, labels));
        }
        if !next(&mut places, &values) {
            break;
        }
    }
    let passed = |(passed, _): &(Vec<bool>, Labels)| passed.iter().filter(|it| **it).count();
    found.sort_by_key(|it| std::cmp::Reverse(passed(it)));
    found.into_iter().map(|(_, labels)| labels).collect()
}

/// A series that passes all conditions.
pub(super) fn series_for(matchers: &[Matcher]) -> Option<Labels> {
    let metric = metric_of(matchers)?;
    series_of(metric, &[matchers]).into_iter().next()
}

/// The next choice of values, as an odometer counts; `false` after the last.
fn next(places: &mut [usize], values: &[Vec<String>]) -> bool {
    for (place, values) in places.iter_mut().zip(values) {
        *place += 1;
        if *place < values.len() {
            return true;
        }
        *place = 0;
    }
    false
}

/// What a label might be: what is asked for, what is refused, and something else.
fn values(name: &str, selectors: &[&[Matcher]]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut refused: Vec<String> = Vec::new();
    let matchers = selectors.iter().flat_map(|matchers| matchers.iter());
    for matcher in matchers.filter(|matcher| matcher.name == name) {
        match matcher.op {
            MatchOp::Equal => found.push(matcher.value.clone()),
            MatchOp::Regex => found.extend(texts_matching(&matcher.value, &[])),
            MatchOp::NotEqual => refused.push(matcher.value.clone()),
            MatchOp::NotRegex => refused.extend(texts_matching(&matcher.value, &[])),
        }
    }
    found.extend(refused);
    found.extend(OTHERS.map(str::to_owned));
    let mut distinct: Vec<String> = Vec::new();
    for value in found {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::selectors::selectors;
    use crate::promql::{Features, Query};

    #[test]
    fn each_set_of_selectors_has_a_series() {
        for (query, expected) in [
            (
                r#"m{job="a",code=~"5.."} + m{job="a"}"#,
                vec![r#"m{code="500", job="a"}"#, r#"m{code="200", job="a"}"#],
            ),
            (r#"m{code!~"4..|5.."}"#, vec![r#"m{code="200"}"#]),
            (r#"m{le="0.5"}"#, vec![r#"m{le="0.5"}"#]),
            (r#"m{a="x",a!="x"}"#, vec![]),
        ] {
            let query = Query::parse(query, &Features::default()).unwrap();
            let used = selectors(&query.expr, 0);
            let used: Vec<&[Matcher]> = used
                .iter()
                .map(|it| it.selector.matchers.as_slice())
                .collect();
            let found = series_of("m", &used);
            let found: Vec<String> = found.iter().map(Labels::to_string).collect();
            assert_eq!(found, expected);
        }
    }
}
