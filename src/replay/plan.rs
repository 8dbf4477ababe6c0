//! Which rule is evaluated when, and in which order.

use crate::model::{Millis, Timestamp};
use crate::promql::ast::ValueType;
use crate::promql::{Query, Reader, Ticks};
use crate::store::Writer;

use super::lead_in::lead_in;
use super::machine::Patience;
use super::timeline::RuleId;
use super::{ReplayError, ReplaySpec, Schedule};
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};

/// How many evaluations a rule may take in one replay.
pub const MAX_TICKS: usize = 10_000_000;

/// Stamps beyond this many milliseconds on either side of 1970 are refused.
const MAX_TIME: Timestamp = 1 << 53;

/// What a rule is that yields anything but series or a number.
pub const NO_VECTOR: &str = "rule result is not a vector or scalar";

/// A rule with its place in the order of evaluation and its times.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedRule<'a> {
    /// Which rule.
    pub id: RuleId,
    /// What it is.
    pub rule: &'a Rule,
    /// The name of its group.
    pub group: &'a str,
    /// Its place in the order, and how far back it writes.
    pub writer: Writer,
    /// When it is evaluated.
    pub moments: Ticks,
    /// How many series or alerts it may yield; 0 for any number.
    pub limit: usize,
}

/// All rules in the order of evaluation.
pub(super) fn plan<'a>(spec: &ReplaySpec<'a>) -> Result<Vec<PlannedRule<'a>>, ReplayError> {
    let mut planned = Vec::new();
    for (group, &rule_group) in spec.groups.iter().enumerate() {
        let moments = moments(spec, rule_group)?;
        let offset = rule_group.query_offset.unwrap_or(0).clamp(0, MAX_TIME);
        for (index, rule) in rule_group.rules.iter().enumerate() {
            planned.push(PlannedRule {
                id: RuleId { group, rule: index },
                rule,
                group: &rule_group.name,
                writer: Writer {
                    position: planned.len() as u32 + 1,
                    offset,
                },
                moments,
                limit: rule_group.limit,
            });
        }
    }
    if spec.history.length > 0 {
        lead_in(&mut planned, &spec.history)?;
    }
    Ok(planned)
}

/// When a group is evaluated.
fn moments(spec: &ReplaySpec<'_>, group: &RuleGroup) -> Result<Ticks, ReplayError> {
    let in_range = |time: Timestamp| (-MAX_TIME..=MAX_TIME).contains(&time);
    let begin = spec.start.saturating_sub(spec.history.length);
    if !in_range(begin) || !in_range(spec.start) || !in_range(spec.end) {
        return Err(ReplayError::OutOfRange);
    }
    let (start, step) = match spec.schedule {
        Schedule::Promtool => (spec.start, spec.interval.clamp(1, MAX_TIME)),
        Schedule::Production => {
            let step = group.interval.unwrap_or(spec.interval).clamp(1, MAX_TIME);
            let phase = group.phase.rem_euclid(step);
            let behind = (spec.start - phase).rem_euclid(step);
            (
                if behind == 0 {
                    spec.start
                } else {
                    spec.start - behind + step
                },
                step,
            )
        }
    };
    let count = match start <= spec.end {
        true => (spec.end - start) / step + 1,
        false => 0,
    };
    match usize::try_from(count) {
        Ok(count) if count <= MAX_TICKS => Ok(Ticks { start, step, count }),
        _ => Err(ReplayError::TooManyTicks {
            group: group.name.clone(),
            count: count.unsigned_abs(),
        }),
    }
}

impl<'a> PlannedRule<'a> {
    /// The rule as a reader whose evaluation times lie `query_offset` before the moments.
    pub(super) fn reader(&self) -> Reader {
        Reader::Rule {
            position: self.writer.position,
            offset: self.writer.offset,
        }
    }

    /// The rule's templates as a reader: their queries run at the moment itself.
    pub(super) fn template_reader(&self) -> Reader {
        Reader::Rule {
            position: self.writer.position,
            offset: 0,
        }
    }

    /// The evaluation times, which are the stamps of what it writes, up to a moment.
    pub(super) fn stamps(&self, until: Timestamp) -> Ticks {
        let moments = self.moments_until(until);
        Ticks {
            start: moments.start - self.writer.offset,
            ..moments
        }
    }

    /// The moments up to one.
    pub(super) fn moments_until(&self, until: Timestamp) -> Ticks {
        let count = match until < self.moments.start {
            true => 0,
            false => ((until.min(MAX_TIME) - self.moments.start) / self.moments.step) as usize + 1,
        };
        Ticks {
            count: count.min(self.moments.count),
            ..self.moments
        }
    }

    /// The tick whose moment this is.
    pub(super) fn tick_at(&self, moment: Timestamp) -> Option<usize> {
        let past = moment - self.moments.start;
        let tick = usize::try_from(past / self.moments.step).ok()?;
        (past >= 0 && past % self.moments.step == 0 && tick < self.moments.count).then_some(tick)
    }

    /// Its name.
    pub(super) fn name(&self) -> &'a str {
        &self.rule.name
    }

    /// Its query.
    pub(super) fn query(&self) -> &'a Query {
        &self.rule.expr
    }

    /// Whether its query can be the expression of a rule at all.
    pub(super) fn yields_vector(&self) -> bool {
        matches!(
            self.query().value_type(),
            ValueType::Vector | ValueType::Scalar
        )
    }

    /// What an alerting rule adds to a rule.
    pub(super) fn alert(&self) -> Option<&'a AlertRule> {
        match &self.rule.kind {
            RuleKind::Alert(alert) => Some(alert),
            RuleKind::Recording { .. } => None,
        }
    }
}

/// How long the instances of an alert wait.
pub(super) fn patience(alert: &AlertRule) -> Patience {
    let clamped = |length: Millis| length.clamp(0, MAX_TIME);
    Patience {
        hold: clamped(alert.hold),
        keep_firing_for: clamped(alert.keep_firing_for),
    }
}
