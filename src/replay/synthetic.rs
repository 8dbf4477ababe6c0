//! The series that an alert itself makes: `ALERTS` and `ALERTS_FOR_STATE`.

use hashbrown::HashMap;

use crate::model::{Labels, METRIC_NAME, Timestamp};
use crate::promql::{Column, Ticks};
use crate::rules::AlertRule;
use crate::store::Points;

use super::alert::ALERT_NAME;
use super::append::Written;
use super::bits::Bits;
use super::machine::TickStretch;
use super::runs::column_points;
use super::timeline::AlertState;

/// The series that shows which alerts are active.
pub const ALERTS: &str = "ALERTS";

/// The series that shows since when.
pub const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";

/// The label of [`ALERTS`] that is `pending` or `firing`.
pub const ALERT_STATE: &str = "alertstate";

/// The labels of [`ALERTS`], or of [`ALERTS_FOR_STATE`] where no state is given. They start from the rule's
/// labels as written, so that a label whose template comes out empty shows its template here.
pub(super) fn synthetic_labels(
    name: &str,
    alert: &AlertRule,
    instance: &Labels,
    state: Option<AlertState>,
) -> Labels {
    let mut builder = instance.to_builder();
    for (label, template) in &alert.labels {
        if builder.get(label).is_none() {
            builder.set(label, template.text());
        }
    }
    builder.set(ALERT_NAME, name);
    match state {
        Some(state) => {
            builder.set(METRIC_NAME, ALERTS);
            builder.set(ALERT_STATE, state.name());
        }
        None => builder.set(METRIC_NAME, ALERTS_FOR_STATE),
    }
    builder.build()
}

/// The value of [`ALERTS_FOR_STATE`]: whole seconds.
pub(super) fn for_state_value(active_at: Timestamp) -> f64 {
    active_at.div_euclid(1000) as f64
}

/// [`ALERTS`] and [`ALERTS_FOR_STATE`].
pub(super) struct Synthetic<'a> {
    name: &'a str,
    alert: &'a AlertRule,
    count: usize,
    places: HashMap<Labels, usize>,
    series: Vec<(Labels, Vec<Piece>)>,
}

/// A value at some ticks.
#[derive(Clone, Copy)]
struct Piece {
    from: usize,
    to: usize,
    value: f64,
}

impl<'a> Synthetic<'a> {
    pub fn new(name: &'a str, alert: &'a AlertRule, count: usize) -> Synthetic<'a> {
        Synthetic {
            name,
            alert,
            count,
            places: HashMap::new(),
            series: Vec::new(),
        }
    }

    /// Adds an instance. Where two instances share a series, the first one's values stay.
    pub fn add(&mut self, instance: &Labels, stretches: &[TickStretch]) {
        for state in [Some(AlertState::Pending), Some(AlertState::Firing), None] {
            let fitting = |stretch: &&TickStretch| state.is_none_or(|state| stretch.state == state);
            if !stretches.iter().any(|stretch| fitting(&stretch)) {
                continue;
            }
            let labels = synthetic_labels(self.name, self.alert, instance, state);
            let count = self.count;
            let pieces = stretches.iter().filter(fitting).map(|stretch| Piece {
                from: stretch.from,
                to: stretch.to.unwrap_or(count),
                value: match state {
                    Some(_) => 1.0,
                    None => for_state_value(stretch.active_at),
                },
            });
            self.pieces_of(labels).extend(pieces);
        }
    }

    fn pieces_of(&mut self, labels: Labels) -> &mut Vec<Piece> {
        let series = &mut self.series;
        let place = *self.places.entry(labels).or_insert_with_key(|labels| {
            series.push((labels.clone(), Vec::new()));
            series.len() - 1
        });
        &mut series[place].1
    }

    /// What is written at the ticks that did not fail.
    pub fn written(self, stamps: Ticks, failed: &Bits) -> Vec<Written> {
        let series = self.series.into_iter();
        series
            .map(|(labels, pieces)| Written {
                labels,
                points: piece_points(&pieces, stamps, failed),
            })
            .collect()
    }
}

/// The points of some pieces; the first piece of a tick counts. Only ticks from the first piece to the stale marker behind
/// the last are looked at: where labels hold the value there may be a series for every tick.
fn piece_points(pieces: &[Piece], stamps: Ticks, failed: &Bits) -> Points {
    let from = pieces.iter().map(|piece| piece.from).min().unwrap_or(0);
    let to = pieces.iter().map(|piece| piece.to).max().unwrap_or(0);
    let after = (to..stamps.count).find(|&tick| !failed.get(tick));
    let words = from / 64..after.map_or(stamps.count, |tick| tick + 1).div_ceil(64);
    let before = words.start * 64;
    let near = Ticks {
        start: stamps.time(before),
        count: (words.end * 64).min(stamps.count) - before,
        ..stamps
    };
    let mut column = Column::absent(near.count);
    for piece in pieces {
        for tick in piece.from - before..piece.to - before {
            if !column.is_present(tick) {
                column.set(tick, piece.value);
            }
        }
    }
    column_points(near, column, &failed.part(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::stale_marker;

    /// Pieces are written as if all ticks had been looked at, wherever they lie.
    #[test]
    fn pieces_are_written_where_they_are() {
        let stamps = Ticks {
            start: -120_000,
            step: 60_000,
            count: 200,
        };
        for (from, to) in [
            (0, 1),
            (0, 200),
            (63, 64),
            (64, 65),
            (70, 128),
            (127, 199),
            (130, 200),
        ] {
            for failing in [0..0, 60..66, 128..131, to..200, 199..200] {
                let mut failed = Bits::new(stamps.count);
                failing.clone().for_each(|tick| failed.set(tick));
                let piece = |from, to, value| Piece { from, to, value };
                let points = piece_points(
                    &[piece(from, to, 1.0), piece(from, (to + 1).min(200), 2.0)],
                    stamps,
                    &failed,
                );
                let mut expected = Vec::new();
                let mut returned = false;
                for tick in (0..stamps.count).filter(|tick| !failing.contains(tick)) {
                    let value = match tick {
                        _ if (from..to).contains(&tick) => Some(1.0),
                        _ if tick == to => Some(2.0),
                        _ => None,
                    };
                    let written = value.or(returned.then_some(stale_marker()));
                    returned = value.is_some();
                    expected.extend(written.map(|value| (stamps.time(tick), value.to_bits())));
                }
                let found = (0..points.len())
                    .map(|index| (points.time(index), points.values()[index].to_bits()));
                assert_eq!(
                    found.collect::<Vec<_>>(),
                    expected,
                    "{from}..{to} {failing:?}"
                );
            }
        }
    }
}
