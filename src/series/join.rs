//! Joins the samples of one series that lie in several files.

use super::gather::{Rising, Value};
use super::stored::as_stored;
use crate::model::Timestamp;
use crate::store::Points;

/// Two parts of a series hold different samples of one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// When.
    pub time: Timestamp,
    /// Which parts.
    pub parts: (usize, usize),
}

/// All samples of the parts of one series in the order of time. Samples that several parts hold alike are one.
///
/// # Errors
///
/// The first time at which two parts differ.
pub fn join(mut parts: Vec<Points>) -> Result<Points, Conflict> {
    if parts.len() < 2 {
        return Ok(parts.pop().unwrap_or_default());
    }
    let mut order: Vec<(Timestamp, usize, usize)> = Vec::new();
    for (part, points) in parts.iter().enumerate() {
        order.extend((0..points.len()).map(|index| (points.time(index), part, index)));
    }
    order.sort();
    let mut joined = Rising::default();
    let mut starts = Vec::with_capacity(order.len());
    let mut last: Option<(Timestamp, usize, Value)> = None;
    for (time, part, index) in order {
        let Some(points) = parts.get(part) else {
            continue;
        };
        let value = Value::of(points, index);
        match last.as_ref().filter(|last| last.0 == time) {
            None => {
                joined.push(time, value.clone());
                starts.push(points.starts().get(index).copied().unwrap_or(0));
                last = Some((time, part, value));
            }
            Some((_, _, same)) if same.is(&value) => {}
            Some((_, before, _)) => {
                return Err(Conflict {
                    time,
                    parts: (*before, part),
                });
            }
        }
    }
    let joined = as_stored(joined.finish());
    Ok(match starts.iter().any(|&start| start != 0) {
        true => joined.with_starts(starts),
        false => joined,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(samples: &[(Timestamp, f64)]) -> Points {
        let mut points = Points::default();
        for &(time, value) in samples {
            points.push(time, value);
        }
        points
    }

    fn samples(points: &Points) -> Vec<(Timestamp, String)> {
        (0..points.len())
            .map(|index| (points.time(index), points.values()[index].to_string()))
            .collect()
    }

    #[test]
    fn parts_are_joined_by_time() {
        let nan = f64::NAN;
        let parts = vec![
            points(&[(10, 1.0), (20, nan), (50, 5.0)]),
            points(&[(0, 0.0), (20, nan), (30, 3.0)]),
            points(&[(40, 4.0), (50, 5.0)]),
        ];
        let joined = join(parts).map(|points| samples(&points));
        let times = [
            (0, "0"),
            (10, "1"),
            (20, "NaN"),
            (30, "3"),
            (40, "4"),
            (50, "5"),
        ];
        let expected = times.map(|(time, value)| (time, value.to_owned()));
        assert_eq!(joined, Ok(expected.to_vec()));
    }

    #[test]
    fn starts_are_kept() {
        let parts = vec![
            points(&[(10, 1.0), (30, 2.0)]).with_starts(vec![5, 25]),
            points(&[(20, 1.0)]),
        ];
        let joined = join(parts).map(|points| points.starts().to_vec());
        assert_eq!(joined, Ok(vec![5, 0, 25]));
    }

    #[test]
    fn different_samples_of_one_time_are_a_conflict() {
        let parts = vec![
            points(&[(10, 1.0)]),
            points(&[(0, 0.0)]),
            points(&[(10, 2.0)]),
        ];
        let conflict = Conflict {
            time: 10,
            parts: (0, 2),
        };
        assert_eq!(join(parts).map(|points| samples(&points)), Err(conflict));
    }
}
