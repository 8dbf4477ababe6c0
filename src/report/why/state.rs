//! Where an alert stands, in words.

use super::Clock;
use crate::model::{Duration, Labels};
use crate::replay::{ALERT_NAME, AlertState, Section, State, Stretch, Waiting};
use crate::report::count;

/// So many alerts are told of one by one.
const MAX_ALERTS: usize = 3;

/// A line for each alert that is active, or one for all that are not, and one for the schedule.
pub(super) fn lines(state: &State, section: &Section, clock: Clock) -> Vec<String> {
    let mut lines = Vec::new();
    for waiting in state.active.iter().take(MAX_ALERTS) {
        lines.push(active(waiting, state, clock));
    }
    let more = state.active.len().saturating_sub(MAX_ALERTS);
    if more > 0 {
        lines.push(format!("and {} more", count(more, "active alert")));
    }
    if state.active.is_empty() {
        lines.push(inactive(state, clock));
    }
    if state.others > 0 {
        let others = count(state.others, "other instance");
        lines.push(format!("pending or firing besides: {others}"));
    }
    let last = section.evaluated.map(|moment| {
        let next = moment.saturating_add(state.every);
        format!(": at {}, next at {}", clock.tell(moment), clock.tell(next))
    });
    lines.push(format!(
        "group {:?} is evaluated every {}{}",
        state.group,
        Duration(state.every),
        last.unwrap_or_default()
    ));
    lines
}

fn active(waiting: &Waiting, state: &State, clock: Clock) -> String {
    let stretch = &waiting.stretch;
    let labels = bare(&waiting.labels);
    let since = clock.tell(stretch.from);
    match (stretch.state, waiting.quiet_since) {
        (AlertState::Pending, _) => {
            let over = waiting
                .fires_at
                .map_or_else(String::new, |at| clock.tell(at));
            let then = match (waiting.will_fire, stretch.to) {
                (true, _) => "it fires then".to_owned(),
                (false, Some(to)) => {
                    format!("but its condition is no longer true at {}", clock.tell(to))
                }
                (false, None) => "which this replay does not reach".to_owned(),
            };
            format!(
                "pending since {since}: {labels}; `for: {}` is over at {over}, {then}",
                Duration(state.hold)
            )
        }
        (AlertState::Firing, Some(quiet)) => {
            let until = quiet.saturating_add(state.keep_firing_for);
            format!(
                "firing since {since}: {labels}; its condition is gone since {}, `keep_firing_for: {}` holds it until {}",
                clock.tell(quiet),
                Duration(state.keep_firing_for),
                clock.tell(until)
            )
        }
        (AlertState::Firing, None) => format!(
            "firing since {since}: {labels}; its condition is true since {}",
            clock.tell(stretch.active_at)
        ),
    }
}

/// When one was active last and when one will be next.
fn inactive(state: &State, clock: Clock) -> String {
    let told = |(labels, stretch): &(Labels, Stretch)| {
        let to = stretch
            .to
            .map_or_else(|| "the end".to_owned(), |to| clock.tell(to));
        format!(
            "{} {} to {to} {}",
            stretch.state.name(),
            clock.tell(stretch.from),
            bare(labels)
        )
    };
    match (&state.before, &state.after) {
        (None, None) => "inactive, and so at all other times".to_owned(),
        (Some(before), None) => format!("inactive; last {}", told(before)),
        (None, Some(after)) => format!("inactive; first {}", told(after)),
        (Some(before), Some(after)) => {
            format!("inactive; before {}, after {}", told(before), told(after))
        }
    }
}

/// The labels without the alert's name, which stands above.
fn bare(labels: &Labels) -> Labels {
    labels.filtered(|name| name != ALERT_NAME)
}
