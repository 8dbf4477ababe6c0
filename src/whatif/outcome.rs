//! What an alert did over a time, in numbers.

use crate::model::{Millis, Timestamp};
use crate::replay::{AlertState, AlertTimeline};

/// A firing that ends sooner than this is a flap: nobody could have looked at it.
pub const FLAP: Millis = 5 * 60_000;

/// What an alert did over a time, over all of its instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// How many times an instance began to fire.
    pub firings: usize,
    /// How long instances fired, added up: two that fire for an hour together count as two hours. What still fires at the end
    /// counts up to there.
    pub firing: Millis,
    /// The longest firing of one instance.
    pub longest: Millis,
    /// How many instances fired.
    pub instances: usize,
    /// Firings that ended sooner than [`FLAP`].
    pub flaps: usize,
    /// When the first began.
    pub first: Option<Timestamp>,
}

impl Outcome {
    /// Of an alert whose replay ends at a moment.
    pub fn of(alert: &AlertTimeline, end: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        for instance in &alert.instances {
            let before = outcome.firings;
            let stretches = instance.stretches.iter();
            for stretch in stretches.filter(|it| it.state == AlertState::Firing) {
                outcome.add(stretch.from, stretch.to, end);
            }
            outcome.instances += usize::from(outcome.firings > before);
        }
        outcome
    }

    /// Adds a firing; what lasts has no end of its own.
    pub fn add(&mut self, from: Timestamp, to: Option<Timestamp>, end: Timestamp) {
        let length = length(from, to, end);
        self.firings += 1;
        self.firing = self.firing.saturating_add(length);
        self.longest = self.longest.max(length);
        self.flaps += usize::from(is_flap(to, length));
        self.first = Some(self.first.map_or(from, |first| first.min(from)));
    }
}

/// How long a firing lasts that ends at a moment, or does not before the end.
pub(super) fn length(from: Timestamp, to: Option<Timestamp>, end: Timestamp) -> Millis {
    to.unwrap_or(end).saturating_sub(from).max(0)
}

/// Whether a firing of some length is a flap; one that lasts is none.
pub(super) fn is_flap(to: Option<Timestamp>, length: Millis) -> bool {
    to.is_some() && length < FLAP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Labels;
    use crate::replay::{Instance, RuleId, Stretch};

    fn instance(stretches: &[(AlertState, Millis, Option<Millis>)]) -> Instance {
        let stretches = stretches.iter().map(|&(state, from, to)| Stretch {
            state,
            from: from * 60_000,
            to: to.map(|to| to * 60_000),
            active_at: from * 60_000,
        });
        Instance {
            labels: Labels::empty(),
            stretches: stretches.collect(),
        }
    }

    #[test]
    fn firings_are_counted_over_instances() {
        use AlertState::{Firing, Pending};
        let alert = AlertTimeline {
            rule: RuleId { group: 0, rule: 0 },
            name: "A".to_owned(),
            instances: vec![
                instance(&[
                    (Pending, 1, Some(5)),
                    (Firing, 5, Some(9)),
                    (Firing, 20, Some(25)),
                ]),
                instance(&[(Pending, 0, None)]),
                instance(&[(Firing, 57, None)]),
            ],
        };
        let expected = Outcome {
            firings: 3,
            firing: (4 + 5 + 3) * 60_000,
            longest: 5 * 60_000,
            instances: 2,
            flaps: 1,
            first: Some(5 * 60_000),
        };
        assert_eq!(Outcome::of(&alert, 60 * 60_000), expected);
    }
}
