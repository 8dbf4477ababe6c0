//! Tells the steps of a range query from samples that were scraped.

use std::collections::BTreeSet;

use super::detect::{self, Format};
use crate::model::{Labels, Millis, Timestamp};
use crate::store::Points;
use crate::text::Source;

/// The step of what looks like the answer of `/api/v1/query_range`. Each of its samples is the last one that was at most
/// five minutes old then, so that shorter gaps don't show.
///
/// An answer of `/api/v1/query` to `metric[2h]` has the same shape, but the stamps of its samples are those of scrapes:
/// targets are scraped at different moments, and hardly on whole seconds.
pub fn steps(source: &Source, series: &[(Labels, Points)]) -> Option<Millis> {
    if detect::format(source.text()) != Format::Json {
        return None;
    }
    let mut origin = None;
    let (mut grid, mut least) = (0, Millis::MAX);
    let mut targets = BTreeSet::new();
    for (labels, points) in series {
        targets.insert((labels.value("job"), labels.value("instance")));
        let mut before = None;
        for index in 0..points.len() {
            let time = points.time(index);
            grid = common(grid, time - *origin.get_or_insert(time));
            least = least.min(before.map_or(Millis::MAX, |before| time - before));
            before = Some(time);
        }
    }
    let is_whole = origin.is_some_and(|origin: Timestamp| origin % 1000 == 0);
    // All on one grid, of which neighbours are one step apart.
    let is_grid = grid >= 1000 && grid == least;
    (is_grid && (is_whole || targets.len() > 1)).then_some(grid)
}

/// The greatest common divisor.
fn common(a: Millis, b: Millis) -> Millis {
    let (mut a, mut b) = (a.abs(), b.abs());
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Millis> {
        let source = Source::new("f", text);
        let series = crate::series::json::read(&source).unwrap_or_default();
        steps(&source, &series)
    }

    fn answer(series: &[(&str, &[&str])]) -> String {
        let series = series.iter().map(|(instance, times)| {
            let values: Vec<String> = times.iter().map(|it| format!("[{it},\"1\"]")).collect();
            let values = values.join(",");
            format!("{{\"metric\":{{\"instance\":\"{instance}\"}},\"values\":[{values}]}}")
        });
        format!("[{}]", series.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn a_range_query_is_known_by_its_steps() {
        for (series, expected) in [
            // Whole seconds, and a series that was not there all the time.
            (
                &[("a", &["60", "75", "90"][..]), ("b", &["90", "105"])][..],
                Some(15_000),
            ),
            (&[("a", &["60", "75", "105"])], Some(15_000)),
            // Two targets are not scraped at the same time.
            (
                &[("a", &["60.5", "75.5"]), ("b", &["60.5", "75.5"])],
                Some(15_000),
            ),
            // One may be scraped at any.
            (&[("a", &["60.5", "75.5", "90.5"])], None),
            (&[("a", &["60.1", "75.1"]), ("b", &["60.7", "75.7"])], None),
            (&[("a", &["60", "75", "90.002"])], None),
            (&[("a", &["60"])], None),
            (&[("a", &["60", "60.1"])], None),
            (&[], None),
        ] {
            assert_eq!(found(&answer(series)), expected, "{series:?}");
        }
        let text = Source::new("f", "m 1 60\nm 1 75\n# EOF\n");
        let series = crate::series::exposition::read(&text, Default::default());
        assert_eq!(steps(&text, &series.unwrap_or_default()), None);
    }
}
