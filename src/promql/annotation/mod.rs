//! What Prometheus says of a query beside its result: info and warning annotations.

mod note;

use std::cmp::Reverse;

use crate::model::Timestamp;
use crate::model::number::{format_digits, format_general, quote};
use crate::model::quantile::ForcedMonotonic;
use crate::text::yaml::Embedded;
use crate::text::{Diagnostic, Severity, Span};

use self::note::with_metric;
use super::functions::Moment;

pub(crate) use self::note::Remarks;
pub use self::note::{Note, Operation};

/// The annotations of one query, over all its ticks: no two with the same message. Takes no memory while there is none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Annotations {
    /// Warnings before infos, each in the order of messages.
    list: Vec<Annotation>,
}

/// One annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Warning or info.
    pub severity: Severity,
    /// What it says, in Prometheus's words, without what is counted over the ticks: [`Annotation::words`] has that too.
    pub message: String,
    /// Which part of the query it speaks of.
    pub span: Span,
    /// What to do about it.
    pub help: &'static str,
    /// Where Prometheus says that this part begins.
    position: usize,
    /// The node of the tree that noted it.
    node: Span,
    tally: Tally,
}

/// What is counted over all that share a message.
#[derive(Debug, Clone, PartialEq)]
enum Tally {
    Nothing,
    Occurrences(u64),
    Forced(Forced),
}

/// Falling counts of classic histograms that had to be lifted before a quantile could be told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forced {
    /// Which buckets, and by how much.
    pub lifted: ForcedMonotonic,
    /// When that was first so.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How many histograms had it, by Prometheus's count.
    pub samples: i64,
}

/// Where something is noted.
#[derive(Debug, Clone, Copy)]
pub struct Site<'s> {
    /// The node of the tree that notes it.
    pub node: Span,
    /// The part of the query that is spoken of.
    pub span: Span,
    /// Where Prometheus says that this part begins.
    pub position: usize,
    /// The metric that is spoken of; empty where there is none to name.
    pub metric: &'s str,
}

impl Annotations {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Warnings before infos, each in the order of messages.
    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.list.iter()
    }

    /// The warnings or the infos as Prometheus's API shows them, in order; `query` is the text that was evaluated.
    pub fn texts(&self, severity: Severity, query: &str) -> Vec<String> {
        let of_severity = self.iter().filter(|found| found.severity == severity);
        of_severity.map(|found| found.text(query)).collect()
    }

    /// Notes something.
    pub fn add(&mut self, site: &Site<'_>, note: Note<'_>) {
        self.put(Annotation {
            severity: note.severity(),
            message: note.message(site.metric),
            span: site.span,
            help: note.help(),
            position: site.position,
            node: site.node,
            tally: Tally::Nothing,
        });
    }

    /// Notes windows in which a sample's counter started before the sample before it was taken.
    pub fn add_overlaps(&mut self, site: &Site<'_>, windows: u64) {
        self.put(Annotation {
            severity: Severity::Warning,
            message: format!(
                "sample has start time that overlaps with previous sample timestamp for metric {}",
                quote(site.metric)
            ),
            span: site.span,
            help: "mend the start times where the samples are taken",
            position: site.position,
            node: site.node,
            tally: Tally::Occurrences(windows),
        });
    }

    /// Notes counts that had to be lifted.
    pub fn add_forced(&mut self, site: &Site<'_>, forced: Forced) {
        let message = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
        self.put(Annotation {
            severity: Severity::Info,
            message: with_metric(message.to_owned(), site.metric),
            span: site.span,
            help: "a bucket counts less than a smaller one: aggregate all buckets of a histogram alike, from the same scrapes",
            position: site.position,
            node: site.node,
            tally: Tally::Forced(forced),
        });
    }

    /// Whether something is noted, of no metric.
    pub(crate) fn mentions(&self, note: Note<'_>) -> bool {
        self.place(note.severity(), &note.message("")).is_ok()
    }

    /// Takes over the annotations of another part of the query, or of other ticks.
    pub fn merge(&mut self, other: Annotations) {
        match self.is_empty() {
            true => *self = other,
            false => other.list.into_iter().for_each(|found| self.put(found)),
        }
    }

    /// Of two with the same message the one is kept whose node is evaluated last. Where something is counted it is the
    /// first, as in Prometheus.
    fn put(&mut self, new: Annotation) {
        match self.place(new.severity, &new.message) {
            Err(place) => self.list.insert(place, new),
            Ok(place) => self.list[place].join(new),
        }
    }

    /// Where a message is, or where it belongs.
    fn place(&self, severity: Severity, message: &str) -> Result<usize, usize> {
        let key = (severity, message);
        self.list
            .binary_search_by(|found| (found.severity, found.message.as_str()).cmp(&key))
    }
}

impl Annotation {
    /// The whole message, with what was counted.
    pub fn words(&self) -> String {
        let message = &self.message;
        match &self.tally {
            Tally::Occurrences(count @ 2..) => format!("{message} ({count} occurrences)"),
            Tally::Nothing | Tally::Occurrences(_) => message.clone(),
            Tally::Forced(forced) => format!(
                "{message}, from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
                format_general(forced.lifted.min_bucket),
                format_general(forced.lifted.max_bucket),
                format_digits(forced.lifted.max_diff, 2),
                forced.samples,
                Moment::of_time(forced.first).rfc3339(),
                Moment::of_time(forced.last).rfc3339(),
            ),
        }
    }

    /// What Prometheus's API shows: `PromQL info: … (1:6)`. Line and column count from 1, columns in bytes; `query` is
    /// the text that was evaluated.
    pub fn text(&self, query: &str) -> String {
        let before = query.as_bytes();
        let before = before.get(..self.position).unwrap_or(before);
        let breaks = before.iter().filter(|&&byte| byte == b'\n');
        let line = breaks.count() + 1;
        let last_break = before.iter().rposition(|&byte| byte == b'\n');
        let column = before.len() - last_break.map_or(0, |at| at + 1) + 1;
        let name = self.severity.name();
        format!("PromQL {name}: {} ({line}:{column})", self.words())
    }

    /// At its place in the file that holds the query.
    pub fn diagnose(&self, query: &Embedded) -> Diagnostic {
        let mut diagnostic = Diagnostic::warning(self.words())
            .at(query.source(), query.span(self.span))
            .help(self.help);
        diagnostic.severity = self.severity;
        diagnostic
    }

    fn join(&mut self, new: Annotation) {
        let order = |found: &Annotation| (found.node.end, Reverse(found.node.start));
        let is_later = order(&new) >= order(self);
        let counts = self.tally != Tally::Nothing;
        match (&mut self.tally, &new.tally) {
            (Tally::Occurrences(count), Tally::Occurrences(more)) => *count += more,
            (Tally::Forced(forced), Tally::Forced(more)) => forced.join(more),
            _ => {}
        }
        if is_later != counts {
            (self.span, self.position, self.node) = (new.span, new.position, new.node);
        }
    }
}

impl Forced {
    fn join(&mut self, other: &Forced) {
        self.lifted.join(other.lifted);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.samples = self.samples.wrapping_add(other.samples);
    }
}

impl<'s> Site<'s> {
    /// A place that Prometheus shows where it is.
    pub fn new(node: Span, span: Span, metric: &'s str) -> Site<'s> {
        Site {
            node,
            span,
            position: span.start,
            metric,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of what nodes at some places note of their first bytes, in this order.
    fn noted(nodes: &[(usize, usize)]) -> String {
        let mut notes = Annotations::default();
        for &(start, end) in nodes {
            let node = Span::new(start, end);
            notes.add(&Site::new(node, node, ""), Note::SortInRange);
        }
        let texts = notes.texts(Severity::Warning, "a +\nb * c");
        assert_eq!(texts.len(), 1);
        texts.concat()
    }

    #[test]
    fn the_node_evaluated_last_is_shown() {
        // An inner node is evaluated before the one around it, the left before the right.
        for (nodes, place) in [
            (&[(0, 1), (4, 5)][..], "(2:1)"),
            (&[(4, 5), (0, 1)], "(2:1)"),
            (&[(4, 9), (4, 5)], "(2:1)"),
            (&[(8, 9), (0, 9)], "(1:1)"),
            (&[(0, 9), (8, 9), (4, 5)], "(1:1)"),
            (&[(4, 5), (8, 9), (0, 1)], "(2:5)"),
        ] {
            assert!(noted(nodes).ends_with(place), "{nodes:?}");
        }
    }

    #[test]
    fn what_is_counted_stays_at_the_first_node() {
        let site = |start, end| {
            let node = Span::new(start, end);
            Site::new(node, node, "m")
        };
        let forced = |bucket, time| Forced {
            lifted: ForcedMonotonic {
                min_bucket: bucket,
                max_bucket: bucket,
                max_diff: 123.4 * bucket,
            },
            first: time,
            last: time,
            samples: 1,
        };
        let (mut notes, mut others) = (Annotations::default(), Annotations::default());
        notes.add_forced(&site(4, 5), forced(2.0, 60_000));
        others.add_forced(&site(0, 1), forced(0.5, 0));
        others.add_forced(&site(8, 9), forced(1.0, 120_500));
        notes.merge(others);
        notes.add_overlaps(&site(8, 9), 1);
        let texts = |severity| notes.texts(severity, "a + b * c");
        assert_eq!(
            texts(Severity::Warning),
            [
                "PromQL warning: sample has start time that overlaps with previous sample timestamp for metric \"m\" (1:9)"
            ]
        );
        let [info] = &texts(Severity::Info)[..] else {
            panic!("one info");
        };
        let counted = "for metric name \"m\", from buckets 0.5 to 2, with a max diff of 2.5e+02, over 3 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z (1:1)";
        assert!(info.ends_with(counted), "{info}");
    }
}
