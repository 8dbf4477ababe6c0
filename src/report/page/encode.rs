//! Columns as one short text that holds every bit: which evaluations have a value, and the values.
//!
//! Runs are a list of lengths, of nothing and of something by turns, nothing first. Values are doubles; where few of them
//! differ, a table of these with the place of each, a byte or two (`{"runs", "table", "width"}`, how many and how wide); and
//! where all are whole numbers divided by a power of ten, as decimals of few digits are, the ways from each such number to
//! the next, twice their length and one less where they go down (`{"runs", "scale", "width"}`); whichever is shortest. Numbers
//! are written byte by byte: the first bytes of all of them, then the second ones, and so on, since these are alike. The
//! columns stand one behind the other, in all packed as deflate does it, and written as base64.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::io::Write;

use data_encoding::BASE64;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

/// All columns of a page, each once.
#[derive(Default)]
pub(super) struct Columns<'c> {
    known: HashMap<Bits<'c>, usize>,
    heads: Vec<Value>,
    bytes: Vec<u8>,
}

/// A column, which is another one where every bit is.
struct Bits<'c>(&'c [(usize, f64)]);

impl Bits<'_> {
    fn all(&self) -> impl Iterator<Item = (usize, u64)> {
        self.0.iter().map(|(tick, value)| (*tick, value.to_bits()))
    }
}

impl PartialEq for Bits<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for Bits<'_> {}

impl Hash for Bits<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.all().for_each(|it| it.hash(state));
    }
}

impl<'c> Columns<'c> {
    /// The place of a column, which is added where it is new.
    pub fn place(&mut self, values: &'c [(usize, f64)]) -> usize {
        if let Some(place) = self.known.get(&Bits(values)) {
            return *place;
        }
        self.known.insert(Bits(values), self.heads.len());
        let mut head = json!({"runs": runs(values.iter().map(|(tick, _)| *tick))});
        let table = table(values);
        let decimals = decimals(values).filter(|it| match &table {
            Some((table, places)) => {
                it.width * values.len() < 8 * table.len() + width(table) * places.len()
            }
            None => it.width < 8,
        });
        match (decimals, table) {
            (Some(decimals), _) => {
                head["scale"] = json!(decimals.scale);
                head["width"] = json!(decimals.width);
                let ways = decimals.ways.iter().map(|way| way.to_le_bytes());
                self.planes(ways, decimals.width);
            }
            (None, Some((table, places))) => {
                let width = width(&table);
                head["table"] = json!(table.len());
                head["width"] = json!(width);
                self.doubles(table.into_iter());
                self.planes(places.iter().map(|place| place.to_le_bytes()), width);
            }
            (None, None) => self.doubles(values.iter().map(|(_, value)| *value)),
        }
        self.heads.push(head);
        self.heads.len() - 1
    }

    fn doubles(&mut self, values: impl Iterator<Item = f64> + Clone) {
        self.planes(values.map(f64::to_le_bytes), 8);
    }

    fn planes<const N: usize>(
        &mut self,
        numbers: impl Iterator<Item = [u8; N]> + Clone,
        width: usize,
    ) {
        for plane in 0..width {
            let bytes = numbers.clone();
            self.bytes
                .extend(bytes.filter_map(|bytes| bytes.get(plane).copied()));
        }
    }

    /// What there is to know of each column, and all values.
    pub fn finish(self) -> (Vec<Value>, String) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        // Nothing fails that writes to memory.
        let written = encoder.write_all(&self.bytes);
        let packed = written.and_then(|()| encoder.finish()).unwrap_or_default();
        (self.heads, BASE64.encode(&packed))
    }
}

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

/// How many bytes a place in a table takes.
fn width(table: &[f64]) -> usize {
    if table.len() <= 256 { 1 } else { 2 }
}

/// The values that differ in any bit, and which of them each is; `None` where that is no shorter.
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
    let is_shorter = 8 * table.len() + width(&table) * places.len() < 8 * values.len();
    is_shorter.then_some((table, places))
}

/// Numbers of few digits.
struct Decimals {
    /// The power of ten that divides them.
    scale: f64,
    /// How many bytes each way takes.
    width: usize,
    ways: Vec<u64>,
}

/// The greatest whole number that is taken for one: the ways between any two are doubles, too.
const GREATEST: f64 = 1e15;

/// Values as whole numbers divided by a power of ten; `None` where some are no such numbers to the last bit.
fn decimals(values: &[(usize, f64)]) -> Option<Decimals> {
    let scales = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];
    let whole = |value: f64, scale: f64| {
        let whole = (value * scale).round();
        // A whole number has no zero below zero.
        let is_whole = whole.abs() <= GREATEST && (whole != 0.0 || whole.is_sign_positive());
        let is_same = is_whole && (whole / scale).to_bits() == value.to_bits();
        is_same.then_some(whole as i64)
    };
    let all = |scale: f64| -> Option<Vec<i64>> {
        values
            .iter()
            .map(|(_, value)| whole(*value, scale))
            .collect()
    };
    let (scale, numbers) = scales
        .into_iter()
        .find_map(|scale| Some((scale, all(scale)?)))?;
    let mut last = 0;
    let ways = numbers.into_iter().map(|number| {
        let way = number - std::mem::replace(&mut last, number);
        ((way << 1) ^ (way >> 63)) as u64
    });
    let ways: Vec<u64> = ways.collect();
    let most = ways.iter().copied().max().unwrap_or_default();
    let width = (1..8).find(|width| most >> (8 * width) == 0)?;
    Some(Decimals { scale, width, ways })
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
        // None of them is a decimal of few digits.
        let of = |count, different| -> Vec<(usize, f64)> {
            let all = of(count, different).into_iter();
            all.map(|(tick, value)| (tick, value / 3.0 + 1e-9))
                .collect()
        };
        let cases = [
            (1000, 3, json!(3), json!(1)),
            (1000, 300, json!(300), json!(2)),
            (1000, 1000, Value::Null, Value::Null),
            (70_000, 70_000, Value::Null, Value::Null),
        ];
        let values: Vec<_> = cases.iter().map(|case| of(case.0, case.1)).collect();
        let again = of(1000, 300);
        let mut columns = Columns::default();
        for (values, (_, _, table, width)) in values.iter().zip(cases) {
            let place = columns.place(values);
            assert_eq!(columns.heads[place]["table"], table);
            assert_eq!(columns.heads[place]["width"], width);
        }
        assert_eq!(columns.place(&again), 1, "a column stands once");
        assert_eq!(
            columns.bytes.len(),
            24 + 1000 + 2400 + 2000 + 8000 + 560_000
        );
    }

    #[test]
    fn decimals_are_ways_between_whole_numbers() {
        let of = |values: &[f64]| {
            let values: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
            decimals(&values).map(|it| (it.scale, it.width, it.ways))
        };
        assert_eq!(of(&[3.0, 5.0, 4.0]), Some((1.0, 1, vec![6, 4, 1])));
        assert_eq!(of(&[0.1, 200.2]), Some((10.0, 2, vec![2, 4002])));
        assert_eq!(of(&[1e15, -1e15]).map(|it| it.1), Some(7));
        for value in [f64::NAN, f64::INFINITY, -0.0, 0.1 + 0.2, 1e300, 2e15, 1e-7] {
            assert_eq!(of(&[1.0, value]), None, "{value}");
        }
    }
}
