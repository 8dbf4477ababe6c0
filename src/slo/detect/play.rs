//! The replay of one outage.

use super::alarms::{Alarm, Answer, Watch};
use super::traffic::{Outage, Scene, Traffic};
use super::{Options, Seen, counted};
use crate::model::{Millis, Timestamp};
use crate::replay::{AlertState, OnRuleError, Replay, ReplaySpec, Schedule, Stretch, replay};
use crate::rules::RuleGroup;
use crate::slo::objective::Slo;
use crate::slo::workbook::{self, Condition, Firing};

/// Outages begin at a multiple of this, so that evaluations and samples fall on their beginning.
const DAY: Millis = 86_400_000;

/// No series gets more samples than these.
const MAX_SAMPLES: Millis = 5_000_000;

/// What an alert asks for, where that is known, and whether it answers to the share of bad events.
pub(super) type Formula = (Option<Vec<Condition>>, bool);

/// An objective's traffic and the rules that look at it.
pub(super) struct Play<'a> {
    pub slo: &'a Slo,
    pub traffic: &'a Traffic,
    /// What outages happen to instead, where series of bad events begin with them.
    pub late: Option<&'a Traffic>,
    pub watch: &'a Watch,
    pub options: &'a Options,
}

/// What alerts did in an outage, in the order of the [`Watch`].
pub(super) struct Played {
    /// When they fired.
    pub seen: Vec<Option<Seen>>,
    /// Whether they fired when it began.
    pub on_before: Vec<bool>,
    /// Rules that failed.
    pub errors: Vec<String>,
}

/// What is known after a long outage of everything.
pub(super) struct Full {
    /// How each comparison of each alert answers; `None` for alerts of which they are not known.
    pub answers: Vec<Option<Vec<Vec<Answer>>>>,
}

impl Play<'_> {
    /// Lets everything fail for so long that all windows hold nothing else.
    pub(super) fn full_outage(&self) -> Result<Full, String> {
        let length = self.watch.reach + self.watch.lead + self.margin();
        let outage = self.outage_of(1.0, length);
        let groups: Vec<&RuleGroup> = self.watch.groups.iter().collect();
        let end = outage.from + length;
        let steady = self.traffic;
        let before = self.replay(steady, &groups, outage, outage.from, outage.from)?;
        let after = self.replay(steady, &groups, outage, end, end)?;
        let answer = |alarm: &Alarm| {
            let parts = alarm.parts.as_ref()?;
            let of = |replay: &Replay<'_>, moment: Timestamp| {
                let view = replay.view_after(moment);
                let values = parts.iter().map(|list| {
                    let values = list.iter().map(|part| part.at(&view, moment));
                    values.collect::<Vec<Option<f64>>>()
                });
                values.collect::<Vec<_>>()
            };
            let (quiet, full) = (of(&before, outage.from), of(&after, end));
            let lists = parts.iter().zip(quiet.iter().zip(&full));
            let answers = lists.map(|(list, (quiet, full))| {
                let values = list.iter().zip(quiet.iter().zip(full));
                let answers = values.map(|(part, (quiet, full))| part.answer(*quiet, *full));
                answers.collect::<Vec<Answer>>()
            });
            Some(answers.collect())
        };
        Ok(Full {
            answers: self.watch.alarms.iter().map(answer).collect(),
        })
    }

    /// Lets a share of events be bad for some time.
    pub(super) fn outage(
        &self,
        errors: f64,
        length: Millis,
        formulas: &[Formula],
    ) -> Result<Played, String> {
        let outage = self.outage_of(errors, length);
        match self.both_ends(outage, formulas)? {
            Some(played) => Ok(played),
            None => self.until_quiet(outage, outage.from, formulas),
        }
    }

    /// The beginning of a long outage and its end, where alerts that fire do so soon and nothing happens between; `None` where
    /// that is not certain.
    fn both_ends(&self, outage: Outage, formulas: &[Formula]) -> Result<Option<Played>, String> {
        let is_steady = self.options.rate.is_none() && !self.traffic.is_of_samples();
        if !is_steady || formulas.iter().any(|(conditions, _)| conditions.is_none()) {
            return Ok(None);
        }
        let detections = self
            .firings(outage, formulas)
            .map(|it| it.detection as Millis);
        let head = detections.max().unwrap_or(0) + self.margin();
        let tail = self.patience() + self.margin();
        if head + tail + self.watch.lead + self.margin() >= outage.length {
            return Ok(None);
        }
        let groups: Vec<&RuleGroup> = self.watch.groups.iter().collect();
        let traffic = self.late.unwrap_or(self.traffic);
        let begun = self.replay(traffic, &groups, outage, outage.from, outage.from + head)?;
        let mut played = self.played(&begun, outage);
        let ended = self.until_quiet(outage, outage.from + outage.length - tail, formulas)?;
        for (seen, last) in played.seen.iter_mut().zip(&ended.seen) {
            match (seen, last) {
                (Some(seen), Some(last)) => seen.reset = last.reset,
                (None, None) => {}
                // Something happened between.
                _ => return Ok(None),
            }
        }
        played.errors.extend(ended.errors);
        Ok(Some(played))
    }

    /// Replays the rules from a moment of an outage on until no alert is pending or firing any more.
    fn until_quiet(
        &self,
        outage: Outage,
        from: Timestamp,
        formulas: &[Formula],
    ) -> Result<Played, String> {
        let groups: Vec<&RuleGroup> = self.watch.groups.iter().collect();
        let longest = self.patience();
        let most = self.watch.reach + self.watch.lead + longest + 2 * self.margin();
        // As long as the formula says that an alert goes on, and longer where it does not end then.
        let resets = self.firings(outage, formulas).map(|it| it.reset as Millis);
        let mut wait = resets.max().unwrap_or(0) + longest + self.margin();
        loop {
            let end = outage.from + outage.length + wait.min(most);
            let traffic = self.late.unwrap_or(self.traffic);
            let replay = self.replay(traffic, &groups, outage, from, end)?;
            let played = self.played(&replay, outage);
            let is_open = replay.timeline.alerts.iter().any(|alert| {
                let mut last = alert.instances.iter().filter_map(|it| it.stretches.last());
                last.any(|stretch| stretch.to.is_none())
            });
            if !is_open || wait >= most {
                return Ok(played);
            }
            wait = wait.saturating_mul(2);
        }
    }

    /// What the formulas say of an outage.
    fn firings<'f>(
        &self,
        outage: Outage,
        formulas: &'f [Formula],
    ) -> impl Iterator<Item = Firing> + use<'f> {
        let errors = counted(self.slo, outage.errors);
        let all = formulas
            .iter()
            .filter_map(|(conditions, _)| conditions.as_ref());
        all.filter_map(move |it| workbook::firing(it, errors, outage.length as f64))
    }

    /// The longest `for` and `keep_firing_for` of an alert.
    fn patience(&self) -> Millis {
        let all = self
            .watch
            .alarms
            .iter()
            .map(|alarm| alarm.hold + alarm.keep);
        all.max().unwrap_or(0)
    }

    fn played(&self, replay: &Replay<'_>, outage: Outage) -> Played {
        let mut played = Played {
            seen: Vec::new(),
            on_before: Vec::new(),
            errors: Vec::new(),
        };
        for alarm in &self.watch.alarms {
            let alert = replay.timeline.alerts.iter().find(|it| it.rule == alarm.id);
            let instances = alert.into_iter().flat_map(|alert| &alert.instances);
            let stretches = instances.flat_map(|instance| &instance.stretches);
            let firing: Vec<&Stretch> = stretches
                .filter(|stretch| stretch.state == AlertState::Firing)
                .collect();
            let is_on = firing.iter().any(|it| it.covers(outage.from));
            let since = firing.iter().filter(|it| it.from > outage.from);
            let first = since.clone().map(|it| it.from).min();
            let ends = since.map(|it| it.to);
            // An open end is the last of all.
            let last = ends
                .reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b)))
                .flatten();
            played.seen.push(first.map(|first| Seen {
                detection: first - outage.from,
                reset: last.map(|last| (last - outage.from - outage.length).max(0)),
            }));
            played.on_before.push(is_on);
        }
        for error in &replay.errors {
            let group = self.watch.groups.get(error.rule.group);
            let rule = group.and_then(|group| group.rules.get(error.rule.rule));
            if let Some(rule) = rule {
                played
                    .errors
                    .push(format!("{}: {}", rule.name, error.message));
            }
        }
        played.errors.dedup();
        played
    }

    fn outage_of(&self, errors: f64, length: Millis) -> Outage {
        let before = self.watch.reach + self.watch.lead + self.margin();
        Outage {
            from: before.div_euclid(DAY).saturating_add(1).saturating_mul(DAY),
            length,
            errors,
        }
    }

    /// Some evaluations of the slowest group, and some samples.
    fn margin(&self) -> Millis {
        let alarms = self.watch.groups.iter();
        let slowest = alarms.filter_map(|group| group.interval).max().unwrap_or(0);
        3 * (slowest.max(self.options.interval) + self.options.scrape)
    }

    /// Replays the rules from a moment on; what they record before it is complete by then.
    fn replay<'g>(
        &self,
        traffic: &Traffic,
        groups: &'g [&'g RuleGroup],
        outage: Outage,
        from: Timestamp,
        end: Timestamp,
    ) -> Result<Replay<'g>, String> {
        let begin = from - self.watch.lead - self.margin();
        let before = begin - self.watch.reach - self.options.scrape;
        let scrape = self.options.scrape.max(1);
        let scene = Scene {
            // On the grid of the outage.
            start: outage.from - (outage.from - before).div_euclid(scrape) * scrape,
            end,
            scrape,
            rate: self.options.rate,
            outage,
        };
        let samples = (scene.end - scene.start) / scrape;
        if samples > MAX_SAMPLES {
            return Err(format!(
                "its rules look back so far that {samples} samples a series are needed: take a longer scrape interval"
            ));
        }
        let store = traffic.store(&scene);
        let mut spec = ReplaySpec::new(groups, store, begin, end, self.options.interval);
        spec.schedule = Schedule::Production;
        spec.on_error = OnRuleError::Continue;
        spec.features = self.options.features;
        replay(spec).map_err(|error| error.to_string())
    }
}
