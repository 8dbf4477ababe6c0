//! Whom an alert would have called, and whether there was a reason.
//!
//! A *page* is a time during which any instance of an alert fires: instances that fire together or one right after the other
//! make one page. It is false where it overlaps no incident that names the alert. An incident is *found* where the alert fires
//! between its start and its end or the end of its grace.

use super::{Incidents, Outcome};
use crate::model::{Millis, Timestamp};
use crate::replay::{AlertState, AlertTimeline, Instance};

/// What an alert did over a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paging {
    /// Over its instances.
    pub outcome: Outcome,
    /// How many pages there were.
    pub pages: usize,
    /// How many of them overlap an incident that names the alert.
    pub justified: usize,
    /// For each incident that names the alert, in the order of the file, how long after its start the alert fired; `None` where
    /// it was missed.
    pub detected: Vec<Option<Millis>>,
}

/// The incidents that name an alert, in the order of their starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Watch {
    /// Their places among all.
    pub incidents: Vec<usize>,
    /// Their times.
    pub spans: Vec<Span>,
}

/// The time of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub start: Timestamp,
    pub end: Timestamp,
    /// The end of its grace.
    pub reach: Timestamp,
}

/// A time with the first moment after it; `None` where it lasts at the end of the data.
pub(super) type Window = (Timestamp, Option<Timestamp>);

impl Watch {
    /// What to watch for an alert.
    pub fn of(incidents: &Incidents, group: &str, alert: &str) -> Watch {
        let places = incidents.of_alert(group, alert);
        let spans = places.iter().filter_map(|place| {
            let incident = incidents.all.get(*place)?;
            Some(Span {
                start: incident.start,
                end: incident.end,
                reach: incident.end.saturating_add(incident.grace),
            })
        });
        Watch {
            spans: spans.collect(),
            incidents: places,
        }
    }

    /// Whether a page overlaps an incident.
    pub fn justifies(&self, page: &Window) -> bool {
        let next = self.spans.partition_point(|span| span.end < page.0);
        let next = self.spans.get(next);
        next.is_some_and(|span| page.1.is_none_or(|to| to > span.start))
    }
}

impl Paging {
    /// Of an alert whose replay ends at a moment.
    pub(super) fn of(alert: &AlertTimeline, end: Timestamp, watch: &Watch) -> Paging {
        let mut pages = pages(&alert.instances);
        // Nothing is known of what comes later, also where a rule that fails stopped the replay before its data ended.
        if let Some(last) = pages.last_mut() {
            last.1.get_or_insert(end.saturating_add(1));
        }
        Paging::judged(Outcome::of(alert, end), &pages, watch)
    }

    /// Of pages in the order of time.
    pub(super) fn judged(outcome: Outcome, pages: &[Window], watch: &Watch) -> Paging {
        let detected = watch.spans.iter().map(|span| {
            let later = pages.partition_point(|page| page.1.is_some_and(|to| to <= span.start));
            let first = pages.get(later).filter(|page| page.0 <= span.reach)?;
            Some((first.0 - span.start).max(0))
        });
        Paging {
            outcome,
            pages: pages.len(),
            justified: pages.iter().filter(|page| watch.justifies(page)).count(),
            detected: detected.collect(),
        }
    }
}

/// The pages of instances, in the order of time.
pub(super) fn pages<'i>(instances: impl IntoIterator<Item = &'i Instance>) -> Vec<Window> {
    let stretches = instances.into_iter().flat_map(|it| &it.stretches);
    let firing = stretches.filter(|it| it.state == AlertState::Firing);
    let mut windows: Vec<Window> = firing.map(|it| (it.from, it.to)).collect();
    windows.sort_unstable_by_key(|window| window.0);
    united(&windows)
}

/// Windows in the order of their beginnings, those that overlap or touch made one.
fn united(windows: &[Window]) -> Vec<Window> {
    let mut pages: Vec<Window> = Vec::new();
    for &(from, to) in windows {
        match pages.last_mut() {
            Some(last) if last.1.is_none_or(|end| from <= end) => {
                last.1 = last.1.and_then(|end| Some(end.max(to?)));
            }
            _ => pages.push((from, to)),
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(spans: &[(Timestamp, Timestamp, Timestamp)]) -> Watch {
        Watch {
            incidents: (0..spans.len()).collect(),
            spans: spans
                .iter()
                .map(|&(start, end, reach)| Span { start, end, reach })
                .collect(),
        }
    }

    #[test]
    fn windows_that_overlap_or_touch_are_one_page() {
        let windows = [
            (0, Some(5)),
            (2, Some(3)),
            (5, Some(7)),
            (8, Some(9)),
            (8, None),
            (20, Some(21)),
        ];
        assert_eq!(united(&windows), [(0, Some(7)), (8, None)]);
    }

    #[test]
    fn pages_are_judged_by_the_incidents_they_overlap() {
        let pages = [(10, Some(20)), (30, Some(40)), (55, Some(60)), (80, None)];
        for (spans, justified, detected) in [
            (&[(15, 18, 18)][..], 1, &[Some(0)][..]),
            (&[(20, 29, 29)], 0, &[None]),
            (&[(20, 29, 30)], 0, &[Some(10)]),
            (&[(20, 30, 30)], 1, &[Some(10)]),
            (&[(0, 10, 10), (40, 54, 55)], 1, &[Some(10), Some(15)]),
            (&[(12, 35, 35)], 2, &[Some(0)]),
            (&[(90, 99, 99)], 1, &[Some(0)]),
            (&[(61, 79, 79)], 0, &[None]),
        ] {
            let found = Paging::judged(Outcome::default(), &pages, &watch(spans));
            assert_eq!(
                (found.justified, found.detected.as_slice()),
                (justified, detected),
                "{spans:?}"
            );
        }
    }
}
