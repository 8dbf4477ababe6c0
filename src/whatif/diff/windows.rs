//! When an instance is in a state, before and after.

use super::Both;
use crate::model::{Millis, Timestamp};
use crate::replay::{AlertState, Instance};

/// A time in which an instance is in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The first evaluation that left it so.
    pub from: Timestamp,
    /// The first that did not; `None` where it lasts at the end.
    pub to: Option<Timestamp>,
}

/// What became of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WindowChange {
    /// It is as it was.
    Kept,
    /// It is only there after the change.
    Gained,
    /// It was only there before.
    Lost,
    /// It is as long as before, and partly at the same time.
    Moved,
    /// It is longer or shorter than before, and partly at the same time.
    Resized,
    /// It was only there before, and lies within a longer one that another became.
    Merged,
    /// It is only there after the change, and lies within a longer one that became another.
    Split,
}

/// A window on one side, and the one on the other that it became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowDiff {
    /// What became of it.
    pub change: WindowChange,
    /// The windows; at least one is there.
    pub windows: Both<Option<Window>>,
}

impl WindowChange {
    /// All of them.
    pub const ALL: [WindowChange; 7] = [
        WindowChange::Kept,
        WindowChange::Gained,
        WindowChange::Lost,
        WindowChange::Moved,
        WindowChange::Resized,
        WindowChange::Merged,
        WindowChange::Split,
    ];

    /// Its name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            WindowChange::Kept => "kept",
            WindowChange::Gained => "gained",
            WindowChange::Lost => "lost",
            WindowChange::Moved => "moved",
            WindowChange::Resized => "resized",
            WindowChange::Merged => "merged",
            WindowChange::Split => "split",
        }
    }
}

impl Window {
    /// Those of an instance.
    pub(super) fn of(instance: &Instance, state: AlertState) -> Vec<Window> {
        let stretches = instance.stretches.iter();
        let stretches = stretches.filter(|stretch| stretch.state == state);
        let window = |from, to| Window { from, to };
        stretches.map(|it| window(it.from, it.to)).collect()
    }

    /// How long it is, in a replay that ends at a moment.
    pub fn length(&self, end: Timestamp) -> Millis {
        self.to.unwrap_or(end).saturating_sub(self.from).max(0)
    }

    /// What lasts reaches further than what ends with the replay.
    fn reach(&self) -> Timestamp {
        self.to.unwrap_or(Timestamp::MAX)
    }

    fn overlap(&self, other: &Window) -> Millis {
        let from = self.from.max(other.from);
        self.reach().min(other.reach()).saturating_sub(from).max(0)
    }
}

/// Pairs the windows of two sides, each in order and apart from each other: those that have most time in common first. What is
/// left has no partner: it is a part of one on the other side, or there was nothing like it.
pub(super) fn compare(
    before: &[Window],
    after: &[Window],
    ends: Both<Timestamp>,
) -> Vec<WindowDiff> {
    let mut partners: Vec<Option<usize>> = vec![None; before.len()];
    let mut is_taken = vec![false; after.len()];
    for (old, new) in overlapping(before, after) {
        let (Some(partner), Some(taken)) = (partners.get_mut(old), is_taken.get_mut(new)) else {
            continue;
        };
        if partner.is_none() && !*taken {
            (*partner, *taken) = (Some(new), true);
        }
    }
    let pairs = before.iter().zip(&partners).map(|(&old, &new)| Both {
        before: Some(old),
        after: new.and_then(|new| after.get(new)).copied(),
    });
    let alone = after.iter().zip(&is_taken).filter(|(_, taken)| !**taken);
    let alone = alone.map(|(&new, _)| Both {
        before: None,
        after: Some(new),
    });
    let mut found: Vec<WindowDiff> = pairs
        .chain(alone)
        .map(|windows| WindowDiff {
            change: match (windows.before, windows.after) {
                (None, Some(new)) if is_covered(&new, before) => WindowChange::Split,
                (Some(old), None) if is_covered(&old, after) => WindowChange::Merged,
                _ => change(windows, ends),
            },
            windows,
        })
        .collect();
    let from = |window: Option<Window>| window.map_or(Timestamp::MAX, |window| window.from);
    found.sort_by_key(|it| {
        let Both { before, after } = it.windows;
        (from(before).min(from(after)), before, after)
    });
    found
}

/// Whether a window lies within one of others, which are in order and apart from each other.
fn is_covered(window: &Window, others: &[Window]) -> bool {
    let next = others.partition_point(|other| other.from <= window.from);
    let last = next.checked_sub(1).and_then(|last| others.get(last));
    last.is_some_and(|last| window.reach() <= last.reach())
}

fn change(windows: Both<Option<Window>>, ends: Both<Timestamp>) -> WindowChange {
    match (windows.before, windows.after) {
        (None, _) => WindowChange::Gained,
        (_, None) => WindowChange::Lost,
        (Some(before), Some(after)) if before == after => WindowChange::Kept,
        (Some(before), Some(after)) => {
            let is_as_long = before.length(ends.before) == after.length(ends.after);
            match is_as_long && before.from != after.from {
                true => WindowChange::Moved,
                false => WindowChange::Resized,
            }
        }
    }
}

/// The places of windows that have time in common, most of it first; of two pairs of one window with as much, the earlier
/// one. The order of the sides makes no difference.
fn overlapping(before: &[Window], after: &[Window]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut first = 0;
    for (old, window) in before.iter().enumerate() {
        let is_over = |other: &Window| other.reach() <= window.from;
        first += after
            .iter()
            .skip(first)
            .take_while(|it| is_over(it))
            .count();
        let others = after.iter().enumerate().skip(first);
        let others = others.take_while(|(_, other)| other.from < window.reach());
        found.extend(others.map(|(new, other)| {
            let overlap = window.overlap(other);
            let starts = (window.from.min(other.from), window.from.max(other.from));
            (std::cmp::Reverse(overlap), starts, old, new)
        }));
    }
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, _, old, new)| (old, new))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ENDS: Both<Timestamp> = Both {
        before: 100,
        after: 100,
    };

    /// `5-10 20-` are two windows, the second of which lasts.
    fn windows(text: &str) -> Vec<Window> {
        let words = text.split_whitespace();
        words
            .map(|word| {
                let (from, to) = word.split_once('-').unwrap();
                Window {
                    from: from.parse().unwrap(),
                    to: to.parse().ok(),
                }
            })
            .collect()
    }

    fn shown(before: &str, after: &str) -> String {
        let found = compare(&windows(before), &windows(after), ENDS);
        let words: Vec<&str> = found.iter().map(|it| it.change.name()).collect();
        words.join(" ")
    }

    #[test]
    fn windows_become_others() {
        for (before, after, expected) in [
            ("", "", ""),
            ("5-10", "5-10", "kept"),
            ("5-", "5-", "kept"),
            ("5-", "5-100", "resized"),
            ("5-100", "5-", "resized"),
            ("", "5-10", "gained"),
            ("5-10", "", "lost"),
            ("5-10", "6-11", "moved"),
            ("5-10", "7-10", "resized"),
            ("5-10", "10-15", "lost gained"),
            ("100-", "100-", "kept"),
            ("99-", "100-", "resized"),
            // A window that falls in two, and two that become one.
            ("5-20", "5-10 12-20", "split resized"),
            ("5-10 12-20", "5-20", "merged resized"),
            ("5-10 12-20 22-30", "5-", "merged resized merged"),
            ("5-10 12-", "5-", "merged resized"),
            ("0-10 12-14", "5-15", "moved merged"),
            // What sticks out on either side is not only a part.
            ("5-10 12-20", "6-20", "lost resized"),
            ("5-30 40-", "5-50", "resized lost"),
            ("5-20", "4-10 12-20", "gained resized"),
            ("5-10 20-30", "5-12 40-50", "resized lost gained"),
        ] {
            assert_eq!(shown(before, after), expected, "{before:?} and {after:?}");
        }
    }

    fn some_windows() -> impl Strategy<Value = Vec<Window>> {
        let gaps = prop::collection::vec((0i64..4, 1i64..5), 0..8);
        (gaps, any::<bool>()).prop_map(|(gaps, lasts)| {
            let (mut at, mut windows) = (0, Vec::new());
            for (gap, length) in gaps {
                // Two windows of one state never touch.
                let from = at + gap + 1;
                at = from + length;
                windows.push(Window { from, to: Some(at) });
            }
            if let Some(last) = windows.last_mut().filter(|_| lasts) {
                last.to = None;
            }
            windows
        })
    }

    proptest! {
        #[test]
        fn every_window_is_in_one_class(before in some_windows(), after in some_windows()) {
            let found = compare(&before, &after, ENDS);
            let mut old: Vec<Window> = found.iter().filter_map(|it| it.windows.before).collect();
            let mut new: Vec<Window> = found.iter().filter_map(|it| it.windows.after).collect();
            old.sort_unstable();
            new.sort_unstable();
            prop_assert_eq!(&old, &before);
            prop_assert_eq!(&new, &after);
            for it in &found {
                let both = it.windows.before.zip(it.windows.after);
                match it.change {
                    WindowChange::Gained | WindowChange::Split => prop_assert!(it.windows.before.is_none()),
                    WindowChange::Lost | WindowChange::Merged => prop_assert!(it.windows.after.is_none()),
                    WindowChange::Kept => prop_assert!(both.is_some_and(|(a, b)| a == b)),
                    _ => prop_assert!(both.is_some_and(|(a, b)| a != b && a.overlap(&b) > 0)),
                }
            }
            // Nothing is gained and lost at once that could be paired.
            for lost in found.iter().filter(|it| it.change == WindowChange::Lost) {
                for gained in found.iter().filter(|it| it.change == WindowChange::Gained) {
                    let pair = lost.windows.before.zip(gained.windows.after);
                    prop_assert!(pair.is_some_and(|(a, b)| a.overlap(&b) == 0));
                }
            }
        }

        #[test]
        fn the_mirror_shows_the_same(before in some_windows(), after in some_windows()) {
            let there = compare(&before, &after, ENDS);
            let mut back = compare(&after, &before, ENDS);
            for it in &mut back {
                it.windows = Both { before: it.windows.after, after: it.windows.before };
                it.change = match it.change {
                    WindowChange::Gained => WindowChange::Lost,
                    WindowChange::Lost => WindowChange::Gained,
                    WindowChange::Merged => WindowChange::Split,
                    WindowChange::Split => WindowChange::Merged,
                    same => same,
                };
            }
            let key = |it: &WindowDiff| (it.windows.before, it.windows.after);
            let (mut there, mut back) = (there, back);
            there.sort_by_key(key);
            back.sort_by_key(key);
            prop_assert_eq!(there, back);
        }

        #[test]
        fn nothing_changes_against_itself(windows in some_windows()) {
            let found = compare(&windows, &windows, ENDS);
            prop_assert!(found.iter().all(|it| it.change == WindowChange::Kept));
        }
    }
}
