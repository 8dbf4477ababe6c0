//! When promtool is to ask what an alert does.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Millis, Timestamp};
use crate::replay::{AlertState, Replay};

/// At so many moments of a test an alert is asked for at most.
const MAX_MOMENTS: usize = 48;

/// The same where it does nothing meanwhile.
const MAX_SILENT: usize = 12;

/// The moments of a test at which something changes, after its start.
pub(super) struct Moments {
    interval: Millis,
    length: Millis,
    /// By the alert: the stretches of its instances.
    stretches: BTreeMap<String, Vec<(AlertState, Millis, Option<Millis>)>>,
}

/// What changes in a replay.
pub(super) fn moments_of(
    replay: &Replay<'_>,
    start: Timestamp,
    length: Millis,
    interval: Millis,
) -> Moments {
    let mut stretches: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for alert in &replay.timeline.alerts {
        let of = stretches.entry(alert.name.clone()).or_default();
        let all = alert
            .instances
            .iter()
            .flat_map(|instance| &instance.stretches);
        of.extend(all.map(|stretch| {
            let to = stretch.to.map(|to| to - start);
            (stretch.state, stretch.from - start, to)
        }));
    }
    Moments {
        interval: interval.max(1),
        length,
        stretches,
    }
}

impl Moments {
    /// Just before, at, within and just after each window in which an alert fires or is pending, and at the end; where it
    /// does neither, when others change.
    pub fn of(&self, alert: &str) -> Vec<Millis> {
        let own = self.stretches.get(alert).filter(|own| !own.is_empty());
        let (mut moments, most) = match own {
            Some(own) => (self.around(own.iter()), MAX_MOMENTS),
            None => {
                let others = self.stretches.values().flatten();
                let firing = others.filter(|stretch| stretch.0 == AlertState::Firing);
                (self.around(firing), MAX_SILENT)
            }
        };
        moments.insert(self.last());
        thinned(moments, most)
    }

    /// The same for one state of an alert.
    pub fn in_state(&self, alert: &str, state: AlertState) -> Vec<Millis> {
        let own = self.stretches.get(alert).into_iter().flatten();
        let mut moments = self.around(own.filter(|stretch| stretch.0 == state));
        moments.insert(self.last());
        thinned(moments, MAX_MOMENTS)
    }

    /// The last evaluation.
    fn last(&self) -> Millis {
        self.length.div_euclid(self.interval) * self.interval
    }

    fn around<'s>(
        &self,
        stretches: impl Iterator<Item = &'s (AlertState, Millis, Option<Millis>)>,
    ) -> BTreeSet<Millis> {
        let mut moments = BTreeSet::new();
        for &(_, from, to) in stretches {
            let after = to.unwrap_or(self.length);
            let middle = from.midpoint(after).div_euclid(self.interval) * self.interval;
            for moment in [
                from - self.interval,
                from,
                middle,
                after - self.interval,
                after,
            ] {
                if (0..=self.length).contains(&moment) {
                    moments.insert(moment);
                }
            }
        }
        moments
    }
}

/// Not more than enough: the earliest, and the last.
fn thinned(moments: BTreeSet<Millis>, most: usize) -> Vec<Millis> {
    let last = moments.last().copied();
    let first = moments.into_iter().take(most);
    let all: BTreeSet<Millis> = first.chain(last).collect();
    all.into_iter().collect()
}
