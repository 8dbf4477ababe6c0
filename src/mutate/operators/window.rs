//! A range is twice or half as long.

use crate::model::Duration;
use crate::mutate::operator::Operator;
use crate::mutate::site::Site;
use crate::whatif::{KnobKind, worked_out};

pub(super) const ROW: Operator = Operator {
    name: "window",
    about: "a range is twice or half as long",
    by_default: true,
    make,
};

fn make(site: &mut Site<'_>) {
    for knob in site.knobs(KnobKind::Window) {
        let Some(seconds) = worked_out(&knob.value).filter(|it| it.is_finite()) else {
            continue;
        };
        for factor in [0.5, 2.0] {
            let value = Duration((seconds * factor * 1000.0).round() as i64).to_string();
            let remedy = format!(
                "a test in which what the last {} hold and what the last {value} hold differ, and {}",
                knob.value,
                site.outcome()
            );
            site.knob(knob, &value, None, remedy);
        }
    }
}
