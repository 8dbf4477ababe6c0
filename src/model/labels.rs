//! Label sets.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use super::hash::xxh64;
use super::number::quote;

/// The label that holds a series' metric name.
pub const METRIC_NAME: &str = "__name__";

/// The label that holds a metric's type, with the type-and-unit feature.
pub const METRIC_TYPE: &str = "__type__";

/// The label that holds a metric's unit, with the type-and-unit feature.
pub const METRIC_UNIT: &str = "__unit__";

/// Whether a label says what a metric is: its name, or with the type-and-unit feature its type or unit.
pub fn is_metadata(name: &str) -> bool {
    matches!(name, METRIC_NAME | METRIC_TYPE | METRIC_UNIT)
}

/// How many labels a set mostly has at most.
const FEW: usize = 12;

/// How much of a text a thread keeps to write sets into, in bytes.
const SCRATCH_KEPT: usize = 4096;

/// A set of labels, sorted by name, no name twice, no empty value (an empty value is an absent label).
///
/// One shared string holds all of it, each name and value behind its length, so that clones are free
/// and equality and hashing are one pass over bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels {
    data: Arc<str>,
}

/// Collects labels in any order and yields a [`Labels`].
#[derive(Debug, Clone, Default)]
pub struct LabelsBuilder {
    pairs: Vec<(String, String)>,
}

impl Labels {
    /// No label at all.
    pub fn empty() -> Labels {
        Labels {
            data: Arc::from(""),
        }
    }

    /// A set from pairs in any order; a later pair replaces an earlier one of that name, and a pair
    /// with an empty value removes it.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels
    where
        N: AsRef<str>,
        V: AsRef<str>,
    {
        let mut pairs: SmallVec<[(N, V); FEW]> = pairs.into_iter().collect();
        // Stable: of one name the last pair stays the last.
        pairs.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
        Labels::written(|data| {
            for (index, (name, value)) in pairs.iter().enumerate() {
                let (name, value) = (name.as_ref(), value.as_ref());
                let next = pairs.get(index + 1).map(|(next, _)| next.as_ref());
                if next != Some(name) && !value.is_empty() {
                    put(data, name);
                    put(data, value);
                }
            }
        })
    }

    /// What is written into a text, which is kept for the next set of this thread: nothing is allocated but the set.
    fn written(write: impl FnOnce(&mut String)) -> Labels {
        thread_local! {
            static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
        }
        let mut data = SCRATCH.take();
        data.clear();
        write(&mut data);
        let labels = Labels {
            data: Arc::from(data.as_str()),
        };
        data.shrink_to(SCRATCH_KEPT);
        SCRATCH.set(data);
        labels
    }

    /// The value of a label; `None` where it is absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value)
    }

    /// The value of a label as a matcher sees it: an absent one is empty.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// The metric name, empty if there is none.
    pub fn metric(&self) -> &str {
        self.value(METRIC_NAME)
    }

    /// Names and values in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest: &str = &self.data;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let name = take(&mut rest);
            let value = take(&mut rest);
            Some((name, value))
        })
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The same set without the metric name.
    pub fn without_metric(&self) -> Labels {
        match self.get(METRIC_NAME) {
            None => self.clone(),
            Some(_) => self.filtered(|name| name != METRIC_NAME),
        }
    }

    /// The same set without the labels that say what the metric is, which new values no longer are: its name, type and
    /// unit.
    pub fn without_metadata(&self) -> Labels {
        match self.iter().any(|(name, _)| is_metadata(name)) {
            true => self.filtered(|name| !is_metadata(name)),
            false => self.clone(),
        }
    }

    /// Whether the type or the unit of the metric is among them.
    pub fn has_type_or_unit(&self) -> bool {
        // A quick look at all of them at once first.
        (self.data.contains(METRIC_TYPE) || self.data.contains(METRIC_UNIT))
            && self
                .iter()
                .any(|(name, _)| name != METRIC_NAME && is_metadata(name))
    }

    /// Only the labels whose name passes.
    pub fn filtered(&self, mut keep: impl FnMut(&str) -> bool) -> Labels {
        Labels::written(|data| {
            for (name, value) in self.iter().filter(|(name, _)| keep(name)) {
                put(data, name);
                put(data, value);
            }
        })
    }

    /// The same set with one label set, or removed where the value is empty.
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let others = self.iter().filter(|(present, _)| *present != name);
        Labels::from_pairs(others.chain([(name, value)]))
    }

    /// Prometheus's hash of a set, by which `limit_ratio` chooses: xxHash64 of the names and values, each behind its
    /// length (one byte, or 255 and three bytes).
    pub fn hash64(&self) -> u64 {
        let mut data = Vec::with_capacity(self.data.len());
        for text in self.iter().flat_map(|(name, value)| [name, value]) {
            match u8::try_from(text.len()) {
                Ok(length) if length < 255 => data.push(length),
                _ => {
                    data.push(255);
                    data.extend_from_slice(&(text.len() as u32).to_le_bytes()[..3]);
                }
            }
            data.extend_from_slice(text.as_bytes());
        }
        xxh64(&data)
    }

    /// As Prometheus writes a set in messages: `{__name__="name", a="b"}`.
    pub fn as_set(&self) -> String {
        let pairs = self
            .iter()
            .map(|(name, value)| match is_classic_label(name) {
                true => format!("{name}={}", quote(value)),
                false => format!("{}={}", quote(name), quote(value)),
            });
        let pairs: Vec<String> = pairs.collect();
        format!("{{{}}}", pairs.join(", "))
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder {
            pairs: self
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }
}

impl Default for Labels {
    fn default() -> Labels {
        Labels::empty()
    }
}

impl LabelsBuilder {
    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.pairs.iter().position(|(present, _)| present == name) {
            Some(index) if value.is_empty() => {
                self.pairs.swap_remove(index);
            }
            Some(index) => value.clone_into(&mut self.pairs[index].1),
            None if value.is_empty() => {}
            None => self.pairs.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) {
        self.set(name, "");
    }

    /// The value set so far.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(present, _)| present == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The finished set.
    pub fn build(self) -> Labels {
        Labels::from_pairs(self.pairs)
    }
}

/// Appends a length and a text. The length is written six bits a byte, low bits first, with 0x40 on
/// all but the last byte, so that every byte is ASCII and the whole stays valid UTF-8.
fn put(data: &mut String, text: &str) {
    let mut length = text.len();
    while length >= 0x40 {
        data.push((0x40 | (length & 0x3F)) as u8 as char);
        length >>= 6;
    }
    data.push(length as u8 as char);
    data.push_str(text);
}

/// Reads back what [`put`] wrote.
fn take<'a>(rest: &mut &'a str) -> &'a str {
    let (mut length, mut shift, mut used) = (0usize, 0, 0);
    for &byte in rest.as_bytes() {
        used += 1;
        length |= usize::from(byte & 0x3F) << shift;
        shift += 6;
        if byte & 0x40 == 0 {
            break;
        }
    }
    let (text, after) = rest[used..].split_at(length);
    *rest = after;
    text
}

impl Ord for Labels {
    /// By name and value, label by label; a prefix comes first.
    fn cmp(&self, other: &Labels) -> Ordering {
        if Arc::ptr_eq(&self.data, &other.data) {
            return Ordering::Equal;
        }
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Labels) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Labels {
    /// As Prometheus writes a series: `name{a="b", c="d"}`, `{}` for none. Names that the classic
    /// grammar does not know are quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.metric();
        let classic = is_classic_metric(metric);
        if classic {
            f.write_str(metric)?;
            if self.len() == 1 {
                return Ok(());
            }
        }
        f.write_str("{")?;
        let mut separator = "";
        if !classic && !metric.is_empty() {
            write!(f, "{}", quote(metric))?;
            separator = ", ";
        }
        for (name, value) in self.iter().filter(|(name, _)| *name != METRIC_NAME) {
            f.write_str(separator)?;
            separator = ", ";
            match is_classic_label(name) {
                true => write!(f, "{name}={}", quote(value))?,
                false => write!(f, "{}={}", quote(name), quote(value))?,
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a metric name needs no quotes: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
pub(crate) fn is_classic_metric(name: &str) -> bool {
    is_identifier(name, |byte| byte == b':')
}

/// Whether a label name needs no quotes: `[a-zA-Z_][a-zA-Z0-9_]*`.
pub(crate) fn is_classic_label(name: &str) -> bool {
    is_identifier(name, |_| false)
}

fn is_identifier(name: &str, also: impl Fn(u8) -> bool) -> bool {
    let head = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || also(byte);
    match name.as_bytes() {
        [] => false,
        [first, rest @ ..] => {
            head(*first) && rest.iter().all(|&byte| head(byte) || byte.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_sorted_and_drop_empty_values() {
        let labels = Labels::from_pairs([("b", "2"), ("__name__", "m"), ("a", ""), ("c", "é")]);
        let pairs: Vec<_> = labels.iter().collect();
        assert_eq!(pairs, [("__name__", "m"), ("b", "2"), ("c", "é")]);
        assert_eq!(labels.to_string(), r#"m{b="2", c="é"}"#);
        assert_eq!(labels.without_metric().to_string(), r#"{b="2", c="é"}"#);
        assert_eq!(labels.with("b", "").len(), 2);
    }

    #[test]
    fn long_values_round_trip() {
        for length in [0, 1, 63, 64, 65, 4095, 4096, 300_000] {
            let value = "x".repeat(length);
            let labels = Labels::from_pairs([("a", value.as_str()), ("b", "y")]);
            assert_eq!(labels.value("a"), value);
            assert_eq!(labels.value("b"), "y");
        }
    }
}
