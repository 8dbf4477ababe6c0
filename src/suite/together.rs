//! Puts the series of a test together: those that are written and those that were recorded.

use hashbrown::HashMap;

use super::file::Fixture;
use super::verdict::since;
use crate::model::{Duration, Labels, Timestamp};
use crate::series::join;
use crate::store::{Points, Series, Writer};
use crate::text::{Diagnostic, Source, Span};

/// The series of a test with the places they come from. Where two have the same labels their samples are joined.
#[derive(Debug, Default)]
pub(super) struct Together {
    series: Vec<(Labels, Vec<(Points, Origin)>)>,
    by_labels: HashMap<Labels, usize>,
}

/// Where a series comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// What it is, such as `an input series`.
    pub what: &'static str,
    /// Where it is written: the file and those that it includes.
    pub source: Source,
    /// Where in them.
    pub span: Span,
}

impl Together {
    pub fn add(&mut self, labels: Labels, points: Points, origin: Origin) {
        let index = *self.by_labels.entry(labels).or_insert_with_key(|labels| {
            self.series.push((labels.clone(), Vec::new()));
            self.series.len() - 1
        });
        if let Some((_, parts)) = self.series.get_mut(index) {
            parts.push((points, origin));
        }
    }

    /// Adds what a recording brings.
    pub fn add_fixture(&mut self, fixture: &Fixture) {
        for (labels, points) in fixture.series.iter() {
            let origin = Origin::new("a fixture", &fixture.source, fixture.file.span);
            self.add(labels.clone(), points.clone(), origin);
        }
    }

    /// All series in the order in which they came, of a test that begins at `start`.
    ///
    /// # Errors
    ///
    /// Series that have two different samples at one time: of each, where the second stands.
    pub fn finish(self, start: Timestamp) -> Result<Vec<Series>, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut all = Vec::with_capacity(self.series.len());
        for (labels, parts) in self.series {
            let (parts, origins): (Vec<Points>, Vec<Origin>) = parts.into_iter().unzip();
            match join(parts) {
                Ok(points) => all.push(Series {
                    labels,
                    points,
                    writer: Writer::INPUT,
                }),
                Err(conflict) => {
                    let (first, second) = conflict.parts;
                    // The later in the file is shown.
                    let (first, second) = (first.min(second), first.max(second));
                    let parts = (origins.get(first), origins.get(second));
                    let (Some(first), Some(second)) = parts else {
                        continue;
                    };
                    let time = since(start, conflict.time);
                    faults.push(differing(&labels, time, first, second));
                }
            }
        }
        match faults.is_empty() {
            true => Ok(all),
            false => Err(faults),
        }
    }
}

impl Origin {
    pub fn new(what: &'static str, source: &Source, span: Span) -> Origin {
        Origin {
            what,
            source: source.clone(),
            span,
        }
    }
}

fn differing(labels: &Labels, time: i64, first: &Origin, second: &Origin) -> Diagnostic {
    let source = &second.source;
    let line = source.line_seen_from(first.span.start, second.span.start);
    let message = format!(
        "{labels} has different samples {} after the test's start, here and in {} in {line}",
        Duration(time),
        first.what
    );
    let help = "give the series of one of the two other labels, select others, or let one begin after the other ends";
    Diagnostic::error(message)
        .at(source, second.span)
        .help(help)
}
