//! Columns as short texts that hold every bit: which evaluations have a value, and the values.
//!
//! Runs are a list of lengths, of nothing and of something by turns, nothing first. Values are little-endian doubles in base64,
//! one behind the other (`{"doubles"}`); where few of them differ it is a table of these with the place of each, a byte or
//! two (`{"table", "places", "bytes"}`), whichever is shorter.

use std::collections::HashMap;

use data_encoding::BASE64;
use serde_json::{Value, json};

/// Ascending places as runs.
pub(super) fn runs(places: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut runs = Vec::new();
    // One past the last run.
    let mut end = 0;
    for place in places {
        match runs.last_mut() {
            Some(length) if place == end => *length += 1,
            _ => runs.extend([place - end, 1]),
        }
        end = place + 1;
    }
    // A first run of nothing that is empty stays, so that the turns hold.
    runs
}

/// The values of a column.
pub(super) fn column(values: &[(usize, f64)]) -> Value {
    let plain = || {
        let bytes = values.iter().flat_map(|(_, value)| value.to_le_bytes());
        json!({"doubles": BASE64.encode(&bytes.collect::<Vec<u8>>())})
    };
    let Some((table, places)) = table(values) else {
        return plain();
    };
    let width = if table.len() <= 256 { 1 } else { 2 };
    if 8 * table.len() + width * places.len() >= 8 * values.len() {
        return plain();
    }
    let table = table.iter().flat_map(|value| value.to_le_bytes());
    let places = places.iter().flat_map(|place| {
        let bytes = place.to_le_bytes();
        bytes.into_iter().take(width)
    });
    json!({
        "table": BASE64.encode(&table.collect::<Vec<u8>>()),
        "places": BASE64.encode(&places.collect::<Vec<u8>>()),
        "bytes": width,
    })
}

/// The values that differ in any bit, and which of them each is; `None` where there are too many.
fn table(values: &[(usize, f64)]) -> Option<(Vec<f64>, Vec<u16>)> {
    let mut known: HashMap<u64, u16> = HashMap::new();
    let (mut table, mut places) = (Vec::new(), Vec::with_capacity(values.len()));
    for (_, value) in values {
        let next = u16::try_from(table.len()).ok();
        let place = match known.get(&value.to_bits()) {
            Some(place) => *place,
            None => {
                let next = next?;
                known.insert(value.to_bits(), next);
                table.push(*value);
                next
            }
        };
        places.push(place);
    }
    Some((table, places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_begin_with_nothing() {
        assert_eq!(runs([0, 1, 2, 5, 7, 8].into_iter()), [0, 3, 2, 1, 1, 2]);
        assert_eq!(runs([4].into_iter()), [4, 1]);
        assert!(runs(std::iter::empty()).is_empty());
    }

    #[test]
    fn few_values_make_a_table() {
        let of = |count: usize, different: usize| -> Vec<(usize, f64)> {
            (0..count).map(|it| (it, (it % different) as f64)).collect()
        };
        assert!(column(&of(1000, 3))["table"].is_string());
        assert_eq!(column(&of(1000, 300))["bytes"], 2);
        assert!(column(&of(1000, 1000))["doubles"].is_string());
        assert!(column(&of(70_000, 70_000))["doubles"].is_string());
    }
}
