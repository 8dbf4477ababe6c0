//! `warmup`: steady traffic before a test begins, for objectives and rules that look back further than the test.
//!
//! Only series that the file's objectives read get it. Recording rules are evaluated over it as far as something looks back on
//! them; alerts begin with the test.

mod traffic;

use std::collections::HashMap;

use super::expect::ExpectationKind;
use super::file::{Spanned, TestCase, TestFile};
use super::generate::amounts;
use super::read::Reader;
use crate::model::{Matcher, Millis, Timestamp};
use crate::promql::Query;
use crate::promql::selectors::{Reach, reads};
use crate::replay::{History, reach_back};
use crate::rules::{RuleGroup, decode_duration};
use crate::slo::budget::counts_samples;
use crate::slo::objective::Slo;
use crate::store::{Lead, Points, Series, is_stale};
use crate::text::Diagnostic;
use crate::text::yaml::{Fields, Kind, Node};
use traffic::Traffic;

/// The keys of a warm-up.
pub(super) const WARMUP_FIELDS: [&str; 3] = ["for", "rate", "error_ratio"];

/// Steady traffic before a test.
#[derive(Debug, Clone)]
pub struct Warmup {
    /// How long it lasts.
    pub length: Spanned<Millis>,
    /// Events in a millisecond, of all series of an objective together; what the test has on average unless given.
    pub rate: Option<f64>,
    /// The part of them that is bad.
    pub error_ratio: f64,
}

/// No series gets more samples than these.
const MAX_SAMPLES: i64 = 10_000_000;

const DAY: f64 = 86_400_000.0;

impl<'d> Reader<'d, '_> {
    /// `warmup: 30d`, or `{for: 30d, rate: 50/s, error_ratio: 0.1%}`.
    pub(super) fn warmup(&mut self, fields: &Fields<'d>) -> Option<Warmup> {
        let node = fields.node("warmup")?;
        let Kind::Mapping(_) = node.kind() else {
            return Some(Warmup {
                length: self.warmup_length(node)?,
                rate: None,
                error_ratio: 0.0,
            });
        };
        let fields = self.fields(node, "`warmup`", &WARMUP_FIELDS)?;
        let Some(length) = fields.node("for") else {
            let help = "write `warmup: {for: 30d, rate: 50/s}`";
            let span = node.target().span();
            self.decoder.error(span, "a warm-up of no length", help);
            return None;
        };
        let length = self.warmup_length(length)?;
        let rate = match fields.node("rate") {
            None => None,
            Some(node) => Some(self.measure(node, "`rate`", amounts::some_rate)? / DAY),
        };
        let error_ratio = match fields.node("error_ratio") {
            None => 0.0,
            Some(node) => self.measure(node, "`error_ratio`", amounts::ratio)?,
        };
        Some(Warmup {
            length,
            rate,
            error_ratio,
        })
    }

    fn warmup_length(&mut self, node: Node<'d>) -> Option<Spanned<Millis>> {
        let span = node.target().span();
        let value = decode_duration(&mut self.decoder, node, "`warmup`")?;
        if value <= 0 {
            let help = "write how much came before, such as `30d`";
            self.decoder.error(span, "a warm-up of no length", help);
            return None;
        }
        Some(Spanned { value, span })
    }
}

/// Puts the warm-up of a test before its series.
///
/// # Errors
/// There is no objective, or one whose series can't be warmed up.
pub(super) fn warm_up(
    file: &TestFile,
    test: &TestCase,
    series: &mut [Series],
    seen: Millis,
) -> Result<(), Vec<Diagnostic>> {
    let (source, slos) = (&file.source, &file.slos);
    let Some(warmup) = &test.warmup else {
        return Ok(());
    };
    let span = warmup.length.span;
    let fault =
        |message: String, help: &str| vec![Diagnostic::error(message).at(source, span).help(help)];
    let step = test.interval.max(1);
    let count = warmup.length.value / step;
    if slos.is_empty() {
        let help = "name objectives under `slos:`: series that they read are warmed up";
        return Err(fault("nothing says what came before".to_owned(), help));
    }
    let mut rates: HashMap<usize, f64> = HashMap::new();
    let mut beside = Vec::new();
    // Tests of one file need not have the series of all its objectives, and some are of what rules record.
    let is_here = |slo: &&Slo| {
        let mut measures = slo.indicator.measures();
        measures.any(|measure| {
            let used = reads(&measure.query.expr, Reach::LOOKBACK);
            let mut matchers = used.iter().map(|used| &used.matchers);
            matchers.any(|all| {
                let mut labels = series.iter().map(|it| &it.labels);
                labels.any(|labels| all.iter().all(|matcher| matcher.matches(labels)))
            })
        })
    };
    let here: Vec<&Slo> = slos.iter().filter(is_here).collect();
    if here.is_empty() {
        let message = "no series of this test is read by an objective";
        return Err(fault(message.to_owned(), HELP));
    }
    for slo in here {
        let found = Traffic::of(slo, series)
            .and_then(|traffic| traffic.rates(warmup, series))
            .map_err(|reason| fault(format!("`warmup`: {}: {reason}", slo.name), HELP))?;
        for (index, rate) in found.counted {
            rates.entry(index).or_insert(rate);
        }
        beside.extend(found.beside);
    }
    // What one objective reads may lie beside what another counts.
    for (index, rate) in beside {
        rates.entry(index).or_insert(rate);
    }
    let mut warmed_up = rates.keys().filter_map(|&index| series.get(index));
    // Counting events before the samples takes that all begin with the test.
    let is_regular =
        |it: &Series| it.points.grid() == Some((test.start, step)) || it.points.is_empty();
    let laid_out = match warmed_up.all(is_regular) {
        // Some windows look at the sample before them, too.
        true => count.min(seen.saturating_add(Reach::LOOKBACK) / step + 1),
        false => count,
    };
    if laid_out > MAX_SAMPLES {
        let message = format!("a warm-up of {laid_out} samples a series");
        return Err(fault(message, "make it shorter, or `interval` longer"));
    }
    for (index, series) in series.iter_mut().enumerate() {
        if let Some(rate) = rates.get(&index) {
            let each = rate * step as f64;
            series.points = warmed(&series.points, test.start, step, (count, laid_out), each);
        }
    }
    Ok(())
}

/// What a test itself reads of the time before it, beside its rules: by its expressions, and for its objectives.
pub(super) fn looked_back(
    file: &TestFile,
    test: &TestCase,
    warmup: &Warmup,
) -> Vec<(Vec<Matcher>, Millis)> {
    let all = warmup.length.value;
    let asked = queries(test).map(|query| (query, 0));
    let measures = file.slos.iter().flat_map(|slo| slo.indicator.measures());
    let counted = measures.map(|measure| (&measure.query, all));
    let read = asked.chain(counted).flat_map(|(query, before)| {
        let used = reads(&query.expr, Reach::LOOKBACK).into_iter();
        used.map(move |used| {
            let length = reached(used.reach, all).max(before);
            (used.matchers.into_owned(), length)
        })
    });
    read.collect()
}

/// From how long before the test on its input series are looked at one by one: by rules, by its expressions, or for objectives
/// that are no sums of counters. Others are counted without that.
pub(super) fn seen(
    file: &TestFile,
    test: &TestCase,
    groups: &[&RuleGroup],
    history: &History,
) -> Millis {
    if history.length == 0 {
        return 0;
    }
    if !file.slos.iter().all(counts_samples) {
        return history.length;
    }
    let used = queries(test).flat_map(|query| reads(&query.expr, Reach::LOOKBACK));
    let asked = used.map(|used| reached(used.reach, history.length)).max();
    reach_back(groups, history).max(asked.unwrap_or(0))
}

/// The expressions of a test.
fn queries(test: &TestCase) -> impl Iterator<Item = &Query> {
    let checks = test.expr_checks.iter();
    let checks = checks.filter_map(|check| check.query.as_deref().ok());
    let expected = test.expectations.iter();
    let expected = expected.filter_map(|item| match &item.kind {
        ExpectationKind::Expr(expr) => Some(expr.query.as_ref()),
        _ => None,
    });
    checks.chain(expected)
}

/// How far before the test somebody reaches who is asked in it.
fn reached(reach: Reach, all: Millis) -> Millis {
    match reach {
        Reach::Around { oldest, .. } => oldest,
        Reach::Fixed => all,
    }
}

const HELP: &str = "leave `warmup` away, and give the test the history that its objectives need";

/// So many samples that rise evenly before a series begins, of which the last are laid out; its own lie higher by what came
/// before, up to its first reset.
fn warmed(
    points: &Points,
    start: Timestamp,
    step: Millis,
    (count, laid_out): (i64, i64),
    each: f64,
) -> Points {
    if points.is_empty() || points.has_histograms() {
        return points.clone();
    }
    let raised = each * count as f64;
    let first = points.values().first().copied().unwrap_or(0.0);
    let base = if first.is_nan() { 0.0 } else { first };
    let mut values: Vec<f64> = (count - laid_out..count)
        .map(|number| base + each * number as f64)
        .collect();
    let mut was_reset = false;
    let mut before = f64::NEG_INFINITY;
    for &value in points.values() {
        was_reset |= value < before;
        if !value.is_nan() {
            before = value;
        }
        values.push(match was_reset || is_stale(value) {
            true => value,
            false => value + raised,
        });
    }
    let begin = start.saturating_sub(laid_out.saturating_mul(step));
    if points.grid() == Some((start, step)) {
        let lead = Lead {
            count: usize::try_from(count - laid_out).unwrap_or(0),
            rise: each,
        };
        return Points::regular(begin, step, values).with_lead(lead);
    }
    let before = (0..laid_out).map(|number| begin + number * step);
    let own = (0..points.len()).map(|index| points.time(index));
    Points::listed(before.chain(own).collect(), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_go_on_from_what_came_before() {
        let points = Points::regular(0, 10, vec![5.0, 7.0, 1.0, f64::NAN, 2.0]);
        let warm = warmed(&points, 0, 10, (3, 3), 2.0);
        assert_eq!(warm.lead(), None);
        assert_eq!(warm.grid(), Some((-30, 10)));
        assert_eq!(&warm.values()[..6], [5.0, 7.0, 9.0, 11.0, 13.0, 1.0]);
        assert_eq!(warm.values()[7], 2.0);
        let listed = Points::listed(vec![3, 9], vec![0.0, 4.0]);
        let warm = warmed(&listed, 0, 10, (2, 2), 1.0);
        assert_eq!(warm.listed_times(), [-20, -10, 3, 9]);
        assert_eq!(warm.values(), [0.0, 1.0, 2.0, 6.0]);
        // The same with all but the last sample not laid out.
        let warm = warmed(&points, 0, 10, (3, 1), 2.0);
        assert_eq!(warm.grid(), Some((-10, 10)));
        assert_eq!(&warm.values()[..4], [9.0, 11.0, 13.0, 1.0]);
        let (count, rise) = (2, 2.0);
        assert_eq!(warm.lead(), Some(Lead { count, rise }));
    }
}
