//! Windows of time: those expected held against those seen.

use crate::model::Millis;
use crate::replay::{AlertState, Instance};
use crate::text::Span;

/// A window that is expected: from the first evaluation after which the state is there to the first after which it is not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Where it begins, after the start of the test.
    pub from: Millis,
    /// Where it ends; `None` where it lasts at the end of the test.
    pub to: Option<Millis>,
    /// Where it is written.
    pub span: Span,
}

/// A window that was seen: where it begins, and where it ends unless it lasts at the end of the test.
pub(super) type Seen = (Millis, Option<Millis>);

/// An edge of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `from`
    From,
    /// `to`
    To,
}

/// How windows differ from those expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EdgeFault {
    /// An edge lies elsewhere: how much later, negative for earlier.
    Moved {
        /// The window, counted from 0.
        window: usize,
        /// Which edge.
        side: Side,
        /// By how much.
        by: Millis,
    },
    /// It was to end, and lasts.
    Lasts {
        /// The window, counted from 0.
        window: usize,
    },
    /// It was to last, and ends.
    Ends {
        /// The window, counted from 0.
        window: usize,
        /// When.
        at: Millis,
    },
    /// It was expected and is not there.
    Missing {
        /// The window among those expected.
        window: usize,
    },
    /// It is there and was not expected.
    Extra {
        /// The window among those seen.
        window: usize,
    },
}

/// The windows of an instance in a state, `start` being the start of the test.
pub(super) fn seen(instance: &Instance, state: AlertState, start: i64) -> Vec<Seen> {
    let stretches = instance.stretches.iter();
    let windows = stretches.filter(|stretch| stretch.state == state);
    let windows = windows.map(|stretch| (stretch.from - start, stretch.to.map(|to| to - start)));
    union(windows.collect())
}

/// Windows laid over each other: where one of them is.
pub(super) fn union(mut windows: Vec<Seen>) -> Vec<Seen> {
    windows.sort_by_key(|&(from, to)| (from, to.unwrap_or(Millis::MAX)));
    let mut joined: Vec<Seen> = Vec::with_capacity(windows.len());
    for (from, to) in windows {
        match joined.last_mut() {
            Some((_, last)) if last.is_none_or(|last| from <= last) => {
                *last = last.zip(to).map(|(last, to)| last.max(to));
            }
            _ => joined.push((from, to)),
        }
    }
    joined
}

/// How windows differ; they pair in order.
pub(super) fn differences(expected: &[Window], seen: &[Seen], within: Millis) -> Vec<EdgeFault> {
    if expected.len() != seen.len() {
        return unpaired(expected, seen, within);
    }
    let pairs = expected.iter().zip(seen).enumerate();
    pairs
        .flat_map(|(window, (expected, seen))| edges(window, expected, seen, within))
        .flatten()
        .collect()
}

fn edges(window: usize, expected: &Window, seen: &Seen, within: Millis) -> [Option<EdgeFault>; 2] {
    let moved = |side, expected: Millis, seen: Millis| {
        let by = seen - expected;
        (by.abs() > within).then_some(EdgeFault::Moved { window, side, by })
    };
    let to = match (expected.to, seen.1) {
        (Some(expected), Some(seen)) => moved(Side::To, expected, seen),
        (Some(_), None) => Some(EdgeFault::Lasts { window }),
        (None, Some(at)) => Some(EdgeFault::Ends { window, at }),
        (None, None) => None,
    };
    [moved(Side::From, expected.from, seen.0), to]
}

/// Where their numbers differ: those that no window of the other side touches lack or are too many; if that explains
/// nothing, the last ones.
fn unpaired(expected: &[Window], seen: &[Seen], within: Millis) -> Vec<EdgeFault> {
    let touches = |expected: &Window, seen: &Seen| {
        let begins_before_end = expected
            .to
            .is_none_or(|to| seen.0 < to.saturating_add(within));
        let ends_after_begin = seen
            .1
            .is_none_or(|to| expected.from.saturating_sub(within) < to);
        begins_before_end && ends_after_begin
    };
    let is_touched = |it: &(usize, &Window)| seen.iter().any(|seen| touches(it.1, seen));
    let (met, missing): (Vec<_>, Vec<_>) = expected.iter().enumerate().partition(is_touched);
    let touches_any = |it: &(usize, &Seen)| expected.iter().any(|expected| touches(expected, it.1));
    let (found, extra): (Vec<_>, Vec<_>) = seen.iter().enumerate().partition(touches_any);
    let missing = missing
        .into_iter()
        .map(|(window, _)| EdgeFault::Missing { window });
    let extra = extra
        .into_iter()
        .map(|(window, _)| EdgeFault::Extra { window });
    let mut faults: Vec<EdgeFault> = missing.chain(extra).collect();
    if met.len() == found.len() {
        let pairs = met.into_iter().zip(found);
        let edges =
            pairs.flat_map(|((window, expected), (_, seen))| edges(window, expected, seen, within));
        faults.extend(edges.flatten());
    }
    if faults.is_empty() {
        let lacking = (seen.len()..expected.len()).map(|window| EdgeFault::Missing { window });
        let surplus = (expected.len()..seen.len()).map(|window| EdgeFault::Extra { window });
        faults = lacking.chain(surplus).collect();
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: Millis, to: Option<Millis>) -> Window {
        let span = Span::new(0, 0);
        Window { from, to, span }
    }

    #[test]
    fn windows_that_touch_are_one() {
        let all = vec![(5, Some(7)), (0, Some(2)), (2, Some(3)), (6, None)];
        assert_eq!(union(all), [(0, Some(3)), (5, None)]);
        assert_eq!(union(vec![(0, None), (4, Some(5))]), [(0, None)]);
    }

    #[test]
    fn each_edge_may_move_as_far_as_allowed() {
        let expected = [window(10, Some(20)), window(30, None)];
        assert!(differences(&expected, &[(9, Some(21)), (31, None)], 1).is_empty());
        assert_eq!(
            differences(&expected, &[(8, Some(20)), (30, Some(40))], 1),
            [
                EdgeFault::Moved {
                    window: 0,
                    side: Side::From,
                    by: -2
                },
                EdgeFault::Ends { window: 1, at: 40 },
            ]
        );
    }

    #[test]
    fn a_window_too_few_or_too_many_is_named() {
        let expected = [window(10, Some(20)), window(30, Some(40))];
        assert_eq!(
            differences(&expected, &[(30, Some(40))], 0),
            [EdgeFault::Missing { window: 0 }]
        );
        assert_eq!(
            differences(&expected[..1], &[(10, Some(20)), (50, None)], 0),
            [EdgeFault::Extra { window: 1 }]
        );
        assert_eq!(
            differences(&expected[..1], &[(12, Some(20)), (50, None)], 0),
            [
                EdgeFault::Extra { window: 1 },
                EdgeFault::Moved {
                    window: 0,
                    side: Side::From,
                    by: 2
                },
            ]
        );
        assert_eq!(
            differences(&expected[..1], &[(10, Some(12)), (14, Some(20))], 0),
            [EdgeFault::Extra { window: 1 }]
        );
    }
}
