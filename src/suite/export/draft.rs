//! A test on its way to promtool.

use std::collections::BTreeSet;

use super::moments::{Moments, moments_of};
use super::values;
use crate::model::{Histogram, Labels, Millis};
use crate::promql::{Query, Ticks, View, evaluate};
use crate::replay::{ALERT_NAME, AlertState, Replay};
use crate::rules::{RuleGroup, RuleKind};
use crate::store::Writer;
use crate::suite::expect::{Ask, Expectation, ExpectationKind, ExprExpectation};
use crate::suite::file::{TestCase, TestFile};
use crate::suite::run::{RunOptions, replayed};
use crate::suite::verdict::SampleLine;

/// A test as promtool is to have it.
pub(super) struct Draft {
    pub title: String,
    pub name: String,
    pub interval: Millis,
    pub series: Vec<(String, String)>,
    pub alerts: Vec<AlertDraft>,
    pub exprs: Vec<ExprDraft>,
    pub external_labels: Labels,
    pub external_url: String,
    /// Whether its start is not that of 1970: exported, it is, since promtool knows other starts from 3.9 on only.
    pub starts_late: bool,
    pub left_out: Vec<String>,
}

/// What fires at a moment.
pub(super) struct AlertDraft {
    pub at: Millis,
    pub alert: String,
    pub firing: Vec<(Labels, Vec<(String, String)>)>,
}

/// What an expression yields at a moment.
pub(super) struct ExprDraft {
    pub at: Millis,
    pub expr: String,
    pub samples: Vec<SampleLine>,
}

impl Draft {
    pub fn checks(&self) -> usize {
        self.alerts.len() + self.exprs.len()
    }
}

/// What promtool can be asked of a test that passes; or why it can't be asked anything.
pub(super) fn draft(
    file: &TestFile,
    test: &TestCase,
    groups: &[&RuleGroup],
    options: &RunOptions,
    title: String,
) -> Result<Draft, String> {
    let (replay, length) = replayed(file, test, groups, options).map_err(|faults| {
        faults
            .first()
            .map_or_else(String::new, |it| it.message.clone())
    })?;
    if let Some(error) = replay.errors.first() {
        return Err(format!(
            "a rule fails, which ends a test of promtool: {}",
            error.message
        ));
    }
    let inputs = replay.store.iter().filter(|it| it.writer == Writer::INPUT);
    let inputs: Vec<_> = inputs.filter(|it| !it.points.is_empty()).collect();
    let end = test.start.saturating_add(length);
    let interval = values::interval(&inputs, test, end)?;
    let mut series = values::written(&inputs, test.start, interval, end)?;
    series.sort();
    let mut draft = Draft {
        title,
        name: test
            .name
            .as_ref()
            .map_or_else(String::new, |it| it.value.clone()),
        interval,
        series,
        alerts: Vec::new(),
        exprs: Vec::new(),
        external_labels: test.external_labels.clone(),
        external_url: test.external_url.clone(),
        starts_late: test.start != 0,
        left_out: Vec::new(),
    };
    let mut asked = Asked {
        file,
        test,
        replay: &replay,
        moments: moments_of(&replay, test.start, length, file.evaluation_interval),
        length,
        draft: &mut draft,
    };
    asked.promtools_own();
    for expectation in &test.expectations {
        asked.expectation(expectation, groups);
    }
    draft
        .alerts
        .sort_by(|a, b| (a.at, &a.alert).cmp(&(b.at, &b.alert)));
    Ok(draft)
}

/// A replay that is asked what promtool is to be asked.
struct Asked<'a> {
    file: &'a TestFile,
    test: &'a TestCase,
    replay: &'a Replay<'a>,
    moments: Moments,
    length: Millis,
    draft: &'a mut Draft,
}

impl Asked<'_> {
    /// The checks that are promtool's already.
    fn promtools_own(&mut self) {
        for check in &self.test.alert_checks {
            self.alert_at(&check.alertname.value, check.eval_time);
        }
        for check in &self.test.expr_checks {
            if let Ok(query) = &check.query {
                self.expr_at(&check.expr.text, query, check.eval_time, false);
            }
        }
    }

    fn expectation(&mut self, expectation: &Expectation, groups: &[&RuleGroup]) {
        match &expectation.kind {
            ExpectationKind::Alert(alert) => {
                let name = &alert.alert.value;
                for at in self.moments.of(name) {
                    self.alert_at(name, at);
                }
                if alert.pending.is_some() {
                    self.pending(name);
                }
                let at = alert.at.as_ref().map(|at| at.time.value);
                for at in at
                    .into_iter()
                    .chain(alert.resolves_by.as_ref().map(|by| by.value))
                {
                    self.alert_at(name, at);
                }
            }
            ExpectationKind::Alerts(every) => {
                let named: BTreeSet<&str> = self
                    .test
                    .named_alerts()
                    .map(|it| it.value.as_str())
                    .collect();
                let rules = groups.iter().flat_map(|group| group.rules.iter());
                let alerts = rules.filter(|rule| matches!(rule.kind, RuleKind::Alert(_)));
                let names: BTreeSet<&str> = alerts.map(|rule| rule.name.as_str()).collect();
                let names = names
                    .iter()
                    .filter(|name| !every.others_only || !named.contains(**name));
                for name in names {
                    for at in self.moments.of(name) {
                        self.alert_at(name, at);
                    }
                    if every.never_pending {
                        self.pending(name);
                    }
                }
            }
            ExpectationKind::Slo(slo) => {
                let name = &slo.slo.value;
                let reason = format!("objective {name}: promtool knows no error budgets");
                self.draft.left_out.push(reason);
            }
            ExpectationKind::Expr(expr) => self.expr(expr),
        }
    }

    /// What fires of an alert at a moment.
    fn alert_at(&mut self, alert: &str, at: Millis) {
        if self
            .draft
            .alerts
            .iter()
            .any(|it| it.at == at && it.alert == alert)
        {
            return;
        }
        let moment = self.test.start.saturating_add(at);
        let firing = self.replay.firing_at(alert, moment).into_iter();
        let firing = firing.map(|it| {
            (
                it.labels.filtered(|name| name != ALERT_NAME),
                it.annotations,
            )
        });
        let mut firing: Vec<_> = firing.collect();
        firing.sort();
        self.draft.alerts.push(AlertDraft {
            at,
            alert: alert.to_owned(),
            firing,
        });
    }

    /// What is pending of an alert, which promtool can be asked by the series that tells it.
    fn pending(&mut self, alert: &str) {
        let expr = format!("ALERTS{{alertname={alert:?},alertstate=\"pending\"}}");
        let query = Query::parse(&expr, &self.replay.view_live().features);
        let Ok(query) = query else {
            return;
        };
        for at in self.moments.in_state(alert, AlertState::Pending) {
            self.expr_at(&expr, &query, at, false);
        }
    }

    fn expr(&mut self, expr: &ExprExpectation) {
        let text = &expr.expr.text;
        match &expr.ask {
            Ask::At { time, .. } => self.expr_at(text, &expr.query, time.value, true),
            Ask::Over { start, end, .. } => {
                let interval = self.file.evaluation_interval.max(1);
                let first = start.div_euclid(interval) + i64::from(start.rem_euclid(interval) != 0);
                let last = end.map_or(self.length, |end| end - 1).div_euclid(interval);
                for tick in BTreeSet::from([first, first.midpoint(last), last]) {
                    self.expr_at(text, &expr.query, tick * interval, true);
                }
            }
        }
    }

    /// What an expression yields at a moment, to somebody who asks in the end; where it was asked `live`, that must be
    /// the same.
    fn expr_at(&mut self, expr: &str, query: &Query, at: Millis, live: bool) {
        if self
            .draft
            .exprs
            .iter()
            .any(|it| it.at == at && it.expr == expr)
        {
            return;
        }
        let moment = self.test.start.saturating_add(at);
        let end = self.test.start.saturating_add(self.length);
        let Some(samples) = samples(query, &self.replay.view_after(end), moment) else {
            self.draft
                .left_out
                .push(format!("{expr}: it can't be evaluated"));
            return;
        };
        if live
            && samples_text(&samples) != samples_text_of(query, &self.replay.view_live(), moment)
        {
            let reason =
                "promtool asks when everything was evaluated, and sees something else then";
            self.draft.left_out.push(format!("{expr}: {reason}"));
            return;
        }
        self.draft.exprs.push(ExprDraft {
            at,
            expr: expr.to_owned(),
            samples,
        });
    }
}

/// The samples of an expression at a moment, in the order of labels; `None` where it can't be evaluated.
fn samples(query: &Query, view: &View<'_>, moment: i64) -> Option<Vec<SampleLine>> {
    let columns = evaluate(query, view, Ticks::instant(moment)).into_columns()?;
    if !columns.errors.is_empty() {
        return None;
    }
    Some(SampleLine::all(&columns))
}

fn samples_text_of(query: &Query, view: &View<'_>, moment: i64) -> String {
    samples(query, view, moment).map_or_else(String::new, |samples| samples_text(&samples))
}

/// Samples so that NaN is equal to itself.
fn samples_text(samples: &[SampleLine]) -> String {
    let text = samples.iter().map(|sample| {
        let histogram = sample.histogram.as_ref().map(Histogram::test_expression);
        format!(
            "{} {:?} {}\n",
            sample.labels,
            sample.value,
            histogram.unwrap_or_default()
        )
    });
    text.collect()
}
