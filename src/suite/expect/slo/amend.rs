//! What an item about an objective would have to say to be met.

use super::super::ValueTest;
use super::super::amend::{Amendment, BOUNDS_STAY, New, What};
use super::super::problem::Problem;
use super::{Got, SloAsk};

/// What would make an item be met that asks this and whose problems are these, of so many budgets.
pub(super) fn amend(asks: &[SloAsk], problems: &[Problem], budgets: usize) -> Amendment {
    let mut amendment = Amendment::default();
    for problem in problems {
        let Problem::Budget { test, got, .. } = problem else {
            continue;
        };
        let ask = asks.iter().find(|ask| ask.name() == *test);
        match (ask, got) {
            (_, Got::Unknown(reason)) => amendment.keep(reason.as_str()),
            _ if budgets > 1 => {
                amendment
                    .keep("the objective has a budget for each group, and one item speaks of all");
            }
            (
                Some(
                    SloAsk::Left { test, .. }
                    | SloAsk::Spent { test, .. }
                    | SloAsk::Burn { test, .. },
                ),
                Got::Value(value),
            ) => match &test.value {
                ValueTest::Bounds(_) => amendment.keep(BOUNDS_STAY),
                ValueTest::Equal { .. } => {
                    let key = ask.map_or("", SloAsk::name);
                    amendment.change(test.span, key, What::Scalar(New::Number(*value)));
                }
            },
            (Some(SloAsk::Exhausted { span, .. }), Got::Moment(moment)) => {
                let new = moment.map_or(New::Word("never"), New::Moment);
                amendment.change(*span, "exhausted_at", What::Scalar(new));
            }
            _ => amendment
                .keep("whether alerts come in time is a judgement: change the part, or the alert"),
        }
    }
    amendment
}
