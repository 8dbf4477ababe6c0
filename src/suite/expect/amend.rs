//! What an item of `expect` would have to say to be met, as far as that is a matter of what was seen: bounds and patterns
//! are judgements, and stay.

use super::windows::{Seen, differences};
use super::{Window, Windows};
use crate::model::{Duration, Labels, Millis};
use crate::text::Span;

/// No more instances than this are named in a reason.
const MAX_NAMED: usize = 3;

/// Why bounds are not rewritten.
pub(super) const BOUNDS_STAY: &str = "bounds say what is allowed, which what was seen does not tell: widen them by hand if it should be";

/// What would make an item be met.
#[derive(Debug, Clone, Default)]
pub struct Amendment {
    /// What to write.
    pub changes: Vec<Change>,
    /// What can't be written, and why.
    pub kept: Vec<String>,
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The value that it is about, or the one that names the item's subject.
    pub at: Span,
    /// The key that it is about.
    pub key: &'static str,
    /// What changes.
    pub what: What,
}

/// What to change.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The windows are these; none for `never`.
    Windows(Vec<NewWindow>),
    /// The value is this.
    Scalar(New),
    /// The key gives way to another one with a value.
    Swap(&'static str, New),
    /// The key goes, if it is there.
    Remove,
    /// More items follow.
    Add(Vec<NewItem>),
}

/// A window to write.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWindow {
    /// The written window that it comes of, by its place.
    pub old: Option<usize>,
    /// Where it begins; `None` leaves what is written.
    pub from: Option<Millis>,
    /// Where it ends, `None` in it for the end of the test; `None` leaves what is written.
    pub to: Option<Option<Millis>>,
}

/// A scalar to write.
#[derive(Debug, Clone, PartialEq)]
pub enum New {
    /// A moment after the start of the test.
    Moment(Millis),
    /// A number.
    Number(f64),
    /// How many.
    Amount(u64),
    /// A word of the format.
    Word(&'static str),
    /// A text.
    Text(String),
}

/// An item about an instance that no item is about yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewItem {
    /// The alert.
    pub alert: String,
    /// The instance.
    pub labels: Labels,
    /// When it fires.
    pub fires: Vec<(Millis, Option<Millis>)>,
    /// When it is pending, where that is to be said.
    pub pending: Option<Vec<(Millis, Option<Millis>)>>,
}

impl Amendment {
    pub(super) fn change(&mut self, at: Span, key: &'static str, what: What) {
        let change = Change { at, key, what };
        if !self.changes.contains(&change) {
            self.changes.push(change);
        }
    }

    pub(super) fn keep(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if !self.kept.contains(&reason) {
            self.kept.push(reason);
        }
    }
}

/// The windows that all instances have, edges within the tolerance as they are written; `None` where they differ.
pub(super) fn common_windows(
    wanted: &Windows,
    parts: &[&[Seen]],
    within: Millis,
) -> Option<Vec<NewWindow>> {
    let old: &[Window] = match wanted {
        Windows::Never => &[],
        Windows::Listed(list) => list,
    };
    let listed = |seen: &[Seen]| -> Vec<Window> {
        let window = |&(from, to): &Seen| Window {
            from,
            to,
            span: Span::default(),
        };
        seen.iter().map(window).collect()
    };
    let holds = |windows: &[Window]| {
        parts
            .iter()
            .all(|part| differences(windows, part, within).is_empty())
    };
    let chosen = parts
        .iter()
        .map(|part| listed(part))
        .find(|part| holds(part))?;
    let mut windows = exact(old, &chosen);
    let written = windows.clone();
    for (place, window) in windows.iter_mut().enumerate() {
        let Some(old) = window.old.and_then(|index| old.get(index)) else {
            continue;
        };
        let seen = || parts.iter().filter_map(|part| part.get(place));
        if seen().all(|seen| (seen.0 - old.from).abs() <= within) {
            window.from = None;
        }
        let is_near = |seen: &Seen| match (old.to, seen.1) {
            (Some(old), Some(seen)) => (seen - old).abs() <= within,
            (old, seen) => old == seen,
        };
        if seen().all(is_near) {
            window.to = None;
        }
    }
    // What stays and what is new may not go together.
    let all = windows.iter().zip(&chosen).map(|(window, chosen)| {
        let old = window.old.and_then(|index| old.get(index));
        Window {
            from: window.from.or(old.map(|it| it.from)).unwrap_or(chosen.from),
            to: match (window.to, old) {
                (Some(to), _) => to,
                (None, Some(old)) => old.to,
                (None, None) => chosen.to,
            },
            span: Span::default(),
        }
    });
    let all: Vec<Window> = all.collect();
    match holds(&all) && is_in_order(&all) {
        true => Some(windows),
        false => Some(written),
    }
}

/// New windows with all their edges, each beside the written one that it overlaps.
fn exact(old: &[Window], new: &[Window]) -> Vec<NewWindow> {
    let mut next = 0;
    let mut windows = Vec::with_capacity(new.len());
    for (place, window) in new.iter().enumerate() {
        let overlaps = |old: &Window| {
            old.to.is_none_or(|to| window.from < to) && window.to.is_none_or(|to| old.from < to)
        };
        let partner = match old.len() == new.len() {
            true => Some(place),
            false => (next..old.len()).find(|&index| old.get(index).is_some_and(overlaps)),
        };
        next = partner.map_or(next, |index| index + 1);
        windows.push(NewWindow {
            old: partner,
            from: Some(window.from),
            to: Some(window.to),
        });
    }
    windows
}

fn is_in_order(windows: &[Window]) -> bool {
    let is_long = |window: &Window| window.to.is_none_or(|to| window.from < to);
    let is_before = |pair: &[Window]| match pair {
        [first, second] => first.to.is_some_and(|to| to < second.from),
        _ => true,
    };
    windows.iter().all(is_long) && windows.windows(2).all(is_before)
}

/// What instances do, where one text can't say it for all.
pub(super) fn differing(state: &str, parts: &[(Option<Labels>, &[Seen])]) -> String {
    let told = parts.iter().take(MAX_NAMED).map(|(labels, seen)| {
        let labels = labels
            .as_ref()
            .map_or_else(String::new, |it| format!("{it} "));
        format!("{labels}{state} {}", spoken(seen))
    });
    let told: Vec<String> = told.collect();
    let more = match parts.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let what = "its instances differ, and need an item each (`labels`) or `across: any`";
    format!("{what}: {}{more}", told.join("; "))
}

/// `5m to 11m, 20m to the end`, or `never`.
pub(super) fn spoken(seen: &[Seen]) -> String {
    if seen.is_empty() {
        return "never".to_owned();
    }
    let window = |&(from, to): &Seen| match to {
        Some(to) => format!("{} to {}", Duration(from), Duration(to)),
        None => format!("{} to the end", Duration(from)),
    };
    let windows: Vec<String> = seen.iter().map(window).collect();
    windows.join(", ")
}

/// Labels of a few instances.
pub(super) fn named<'l>(labels: impl ExactSizeIterator<Item = &'l Labels>) -> String {
    let more = labels.len().saturating_sub(MAX_NAMED);
    let named: Vec<String> = labels.take(MAX_NAMED).map(Labels::to_string).collect();
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    }
}
