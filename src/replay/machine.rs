//! How one alert instance goes from inactive over pending to firing and back.

use crate::model::{Millis, Timestamp};
use crate::promql::Ticks;

use super::bits::Bits;
use super::timeline::{AlertState, Stretch};

/// How long an alert waits before it fires, and before it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// `for`: how long the condition must have been true.
    pub hold: Millis,
    /// `keep_firing_for`: how long it fires on, counted from the first evaluation without the condition.
    pub keep_firing_for: Millis,
}

/// Where an instance stands after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Standing {
    /// Never active, or resolved.
    #[default]
    Inactive,
    /// The condition came true at `since`.
    Pending { since: Timestamp },
    /// The condition came true at `since`; where it is gone, `quiet_since` is the first evaluation without.
    Firing {
        since: Timestamp,
        quiet_since: Option<Timestamp>,
    },
}

impl Standing {
    /// Where it stands after an evaluation at `now` that returned it or not.
    pub(super) fn next(self, present: bool, now: Timestamp, patience: Patience) -> Standing {
        match (self, present) {
            (Standing::Inactive, true) => Standing::waiting(now, now, patience),
            (Standing::Pending { since }, true) => Standing::waiting(since, now, patience),
            (Standing::Firing { since, .. }, true) => Standing::Firing {
                since,
                quiet_since: None,
            },
            (Standing::Firing { since, quiet_since }, false) if patience.keep_firing_for > 0 => {
                let quiet = quiet_since.unwrap_or(now);
                match now - quiet < patience.keep_firing_for {
                    true => Standing::Firing {
                        since,
                        quiet_since: Some(quiet),
                    },
                    false => Standing::Inactive,
                }
            }
            (_, false) => Standing::Inactive,
        }
    }

    /// Pending, or firing where it has waited long enough.
    fn waiting(since: Timestamp, now: Timestamp, patience: Patience) -> Standing {
        match now - since >= patience.hold {
            true => Standing::Firing {
                since,
                quiet_since: None,
            },
            false => Standing::Pending { since },
        }
    }

    /// The state with the time it has been active since; `None` where it is not.
    fn active(self) -> Option<(AlertState, Timestamp)> {
        match self {
            Standing::Inactive => None,
            Standing::Pending { since } => Some((AlertState::Pending, since)),
            Standing::Firing { since, .. } => Some((AlertState::Firing, since)),
        }
    }
}

/// The way of one instance: where it stands, and the stretches behind it. Counts in ticks.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    standing: Standing,
    stretches: Vec<TickStretch>,
}

/// A stretch in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TickStretch {
    /// Pending or firing.
    pub state: AlertState,
    /// The first tick.
    pub from: usize,
    /// The first tick after it; `None` where it lasts.
    pub to: Option<usize>,
    /// When the condition came true.
    pub active_at: Timestamp,
}

impl Track {
    /// Takes the result of a tick's evaluation.
    pub(super) fn advance(
        &mut self,
        tick: usize,
        now: Timestamp,
        present: bool,
        patience: Patience,
    ) {
        let before = self.standing.active();
        self.standing = self.standing.next(present, now, patience);
        let after = self.standing.active();
        if before == after {
            return;
        }
        if before.is_some() {
            self.close(tick);
        }
        if let Some((state, active_at)) = after {
            self.stretches.push(TickStretch {
                state,
                from: tick,
                to: None,
                active_at,
            });
        }
    }

    /// Forgets the instance at a tick, as a rule does that exceeds its limit.
    pub(super) fn clear(&mut self, tick: usize) {
        if self.is_active() {
            self.close(tick);
        }
        self.standing = Standing::Inactive;
    }

    /// Its state with the time it has been active since; `None` where it is neither pending nor firing.
    pub(super) fn active(&self) -> Option<(AlertState, Timestamp)> {
        self.standing.active()
    }

    /// Whether it is pending or firing.
    pub(super) fn is_active(&self) -> bool {
        self.standing != Standing::Inactive
    }

    /// The stretches so far.
    pub(super) fn into_stretches(self) -> Vec<TickStretch> {
        self.stretches
    }

    /// Whether a word of 64 evaluations changes nothing.
    fn stays(&self, present: u64, failed: u64) -> bool {
        match self.standing {
            Standing::Inactive => present & !failed == 0,
            Standing::Firing {
                quiet_since: None, ..
            } => present | failed == u64::MAX,
            _ => false,
        }
    }

    /// Ends the last stretch; one that was opened at this very tick never was.
    fn close(&mut self, tick: usize) {
        if let Some(last) = self.stretches.last_mut() {
            last.to = Some(tick);
            if last.from == tick {
                self.stretches.pop();
            }
        }
    }
}

/// Walks an instance through all ticks; failed ones leave it as it is.
pub(super) fn walk(
    present: &Bits,
    failed: &Bits,
    moments: Ticks,
    patience: Patience,
) -> Vec<TickStretch> {
    let mut track = Track::default();
    let span = present.span();
    for index in span.start..moments.count.div_ceil(64) {
        if index >= span.end && !track.is_active() {
            break;
        }
        let (word, failed_word) = (present.word(index), failed.word(index));
        if track.stays(word, failed_word) {
            continue;
        }
        let first = index * 64;
        for tick in first..(first + 64).min(moments.count) {
            let bit = 1 << (tick - first);
            if failed_word & bit == 0 {
                track.advance(tick, moments.time(tick), word & bit != 0, patience);
            }
        }
    }
    track.into_stretches()
}

impl TickStretch {
    /// The same in time.
    pub(super) fn in_time(self, moments: Ticks) -> Stretch {
        Stretch {
            state: self.state,
            from: moments.time(self.from),
            to: self.to.map(|tick| moments.time(tick)),
            active_at: self.active_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prometheus's bookkeeping, field by field, one evaluation after the other.
    #[derive(Default)]
    struct Entry {
        state: Option<AlertState>,
        active_at: Timestamp,
        keep_firing_since: Option<Timestamp>,
    }

    impl Entry {
        fn active(&self) -> Option<(AlertState, Timestamp)> {
            self.state.map(|state| (state, self.active_at))
        }

        fn evaluate(&mut self, now: Timestamp, present: bool, patience: Patience) {
            if present && self.state.is_none() {
                *self = Entry {
                    state: Some(AlertState::Pending),
                    active_at: now,
                    keep_firing_since: None,
                };
            }
            if self.state.is_none() {
                return;
            }
            if present {
                self.keep_firing_since = None;
            } else {
                let mut keep = false;
                if self.state == Some(AlertState::Firing) && patience.keep_firing_for > 0 {
                    let since = *self.keep_firing_since.get_or_insert(now);
                    keep = now - since < patience.keep_firing_for;
                }
                if !keep {
                    self.state = None;
                    return;
                }
            }
            if self.state == Some(AlertState::Pending) && now - self.active_at >= patience.hold {
                self.state = Some(AlertState::Firing);
            }
        }
    }

    fn bits(flags: &[bool]) -> Bits {
        let mut bits = Bits::new(flags.len());
        for tick in (0..flags.len()).filter(|&tick| flags[tick]) {
            bits.set(tick);
        }
        bits
    }

    proptest! {
        #[test]
        fn walks_as_the_naive_model(
            runs in prop::collection::vec((any::<bool>(), prop::bool::weighted(0.1), 1usize..90), 1..12),
            step in prop::sample::select(vec![15i64, 30, 60]),
            hold in prop::sample::select(vec![0i64, 1, 60, 90, 300]),
            keep_firing_for in prop::sample::select(vec![0i64, 1, 60, 100, 300]),
        ) {
            let ticks: Vec<(bool, bool)> = runs
                .iter()
                .flat_map(|&(present, failed, length)| std::iter::repeat_n((present, failed), length))
                .collect();
            let moments = Ticks { start: -90, step, count: ticks.len() };
            let patience = Patience { hold, keep_firing_for };
            let present: Vec<bool> = ticks.iter().map(|tick| tick.0).collect();
            let failed: Vec<bool> = ticks.iter().map(|tick| tick.1).collect();
            let stretches = walk(&bits(&present), &bits(&failed), moments, patience);
            let mut model = Entry::default();
            let expected = (0..ticks.len()).map(|tick| {
                if !failed[tick] {
                    model.evaluate(moments.time(tick), present[tick], patience);
                }
                model.active()
            });
            agree(&stretches, moments, &expected.collect::<Vec<_>>())?;
        }

        #[test]
        fn advances_and_is_cleared_as_the_naive_model(
            runs in prop::collection::vec((any::<bool>(), prop::bool::weighted(0.1), 1usize..9), 1..20),
            hold in prop::sample::select(vec![0i64, 1, 60, 90, 300]),
            keep_firing_for in prop::sample::select(vec![0i64, 1, 60, 100, 300]),
        ) {
            // Only the last tick of a run is cleared after its evaluation.
            let ticks: Vec<(bool, bool)> = runs
                .iter()
                .flat_map(|&(present, cleared, length)| (1..=length).map(move |tick| (present, cleared && tick == length)))
                .collect();
            let moments = Ticks { start: -90, step: 30, count: ticks.len() };
            let patience = Patience { hold, keep_firing_for };
            let (mut track, mut model) = (Track::default(), Entry::default());
            let mut expected = Vec::new();
            for (tick, &(present, cleared)) in ticks.iter().enumerate() {
                let now = moments.time(tick);
                track.advance(tick, now, present, patience);
                model.evaluate(now, present, patience);
                if cleared {
                    track.clear(tick);
                    model = Entry::default();
                }
                prop_assert_eq!(track.active(), model.active());
                expected.push(model.active());
            }
            agree(&track.into_stretches(), moments, &expected)?;
        }
    }

    /// Stretches say of every tick what the model says, and come one after the other.
    fn agree(
        stretches: &[TickStretch],
        moments: Ticks,
        expected: &[Option<(AlertState, Timestamp)>],
    ) -> Result<(), TestCaseError> {
        for (tick, &expected) in expected.iter().enumerate() {
            let in_time = stretches.iter().map(|stretch| stretch.in_time(moments));
            let mut here = in_time.filter(|stretch| stretch.covers(moments.time(tick)));
            let found = here.next().map(|found| (found.state, found.active_at));
            prop_assert_eq!(found, expected);
            prop_assert!(here.next().is_none());
        }
        for pair in stretches.windows(2) {
            prop_assert!(pair[0].to.is_some_and(|to| to <= pair[1].from));
        }
        let is_empty = |stretch: &TickStretch| stretch.to.is_some_and(|to| to <= stretch.from);
        prop_assert!(!stretches.iter().any(is_empty));
        Ok(())
    }

    #[test]
    fn hold_rounds_up_and_keeping_counts_from_the_first_absence() {
        let moments = Ticks {
            start: 0,
            step: 60,
            count: 10,
        };
        let patience = Patience {
            hold: 90,
            keep_firing_for: 180,
        };
        let stretches = walk(&bits(&[true; 5]), &Bits::new(10), moments, patience);
        let seen: Vec<_> = stretches
            .iter()
            .map(|stretch| (stretch.state, stretch.from, stretch.to))
            .collect();
        // Present to tick 4, absent from 5: fires on at 5, 6 and 7.
        assert_eq!(
            seen,
            [
                (AlertState::Pending, 0, Some(2)),
                (AlertState::Firing, 2, Some(8))
            ]
        );
    }

    #[test]
    fn an_instance_that_is_cleared_starts_anew() {
        let patience = Patience {
            hold: 60,
            keep_firing_for: 0,
        };
        let mut track = Track::default();
        track.advance(0, 0, true, patience);
        track.advance(1, 60, true, patience);
        track.clear(1);
        track.advance(2, 120, true, patience);
        let seen: Vec<_> = track
            .into_stretches()
            .iter()
            .map(|stretch| (stretch.state, stretch.from, stretch.to, stretch.active_at))
            .collect();
        assert_eq!(
            seen,
            [
                (AlertState::Pending, 0, Some(1), 0),
                (AlertState::Pending, 2, None, 120)
            ]
        );
    }
}
