//! An alert waits one evaluation more or less.

use crate::model::{Duration, Millis};
use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::whatif::KnobKind;

pub(super) const FOR: Operator = Operator {
    name: "for",
    about: "an alert waits one evaluation more or less until it fires",
    by_default: true,
    make: hold,
};

pub(super) const KEEP_FIRING_FOR: Operator = Operator {
    name: "keep_firing_for",
    about: "an alert fires on for one evaluation more or less, where it fires on at all",
    by_default: true,
    make: keep_firing,
};

fn hold(site: &mut Site<'_>) {
    let Some(hold) = site.alert().map(|alert| alert.hold) else {
        return;
    };
    let name = &site.rule.name;
    let begun = "after its condition began to hold";
    let at_once = "at the first evaluation at which its condition holds";
    wait(site, KnobKind::For, hold, |value| match (value, hold) {
        (_, 0) => format!("a test that expects {name} to fire {at_once}"),
        (0, _) => format!("a test that expects {name} not to fire yet {at_once}"),
        (value, hold) if value > hold => {
            format!(
                "a test that expects {name} to fire {} {begun}",
                Duration(hold)
            )
        }
        (value, hold) => format!(
            "a test that expects {name} not to fire yet {} {begun}, which lasts at least {}",
            Duration(value),
            Duration(hold)
        ),
    });
}

fn keep_firing(site: &mut Site<'_>) {
    let Some(keep) = site.alert().map(|alert| alert.keep_firing_for) else {
        return;
    };
    let name = &site.rule.name;
    let gone = "after the first evaluation at which its condition no longer held";
    if keep > 0 {
        wait(site, KnobKind::KeepFiringFor, keep, |value| {
            match value > keep {
                true => format!(
                    "a test that expects {name} to be resolved {} {gone}",
                    Duration(keep)
                ),
                false => format!(
                    "a test that expects {name} to fire still {} {gone}",
                    Duration(value)
                ),
            }
        });
    }
}

fn wait(site: &mut Site<'_>, kind: KnobKind, now: Millis, remedy: impl Fn(Millis) -> String) {
    let step = site.step.max(1);
    let values = [now.saturating_sub(step).max(0), now.saturating_add(step)];
    for knob in site.knobs(kind) {
        for value in values.into_iter().filter(|&value| value != now) {
            let written = Duration(value).to_string();
            site.wait(knob, &written, remedy(value));
        }
    }
}
