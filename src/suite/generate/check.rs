//! What shows only when a test has been read as a whole: its end, and what else makes the same series.

use std::collections::HashMap;

use crate::model::{Duration, Labels, Millis};
use crate::series::generate::{Change, Grid};
use crate::suite::file::{GeneratedSeries, TestCase};
use crate::text::{Diagnostic, Span};

/// At most so many samples does a test generate.
const MAX_SAMPLES: u64 = 50_000_000;

/// What keeps the series of a test from being made on a grid.
pub(in crate::suite) fn check(test: &TestCase, grid: &Grid) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let length = grid.end.saturating_sub(grid.start);
    let mut samples = 0u64;
    for generated in &test.generated {
        if length <= 0 {
            let message = "nothing says how long the test lasts, for which series are generated";
            faults.push(generated.fault(generated.span, message, "add `duration: 2h` to the test"));
            return faults;
        }
        for (event, &span) in generated
            .generator
            .events
            .iter()
            .zip(&generated.event_spans)
        {
            let at = event.window.at;
            let is_reset = event.change == Change::Reset;
            if at > length {
                let message = format!(
                    "the event at {} is after the end of the test, {}",
                    Duration(at),
                    Duration(length)
                );
                faults.push(generated.fault(
                    span,
                    message,
                    "let it happen earlier, or the test last longer",
                ));
            } else if !is_reset && is_between_samples(at, event.window.until, grid.interval) {
                let message = "no sample falls into this event";
                let help = format!(
                    "samples are {} apart: let it last that long at least",
                    Duration(grid.interval)
                );
                faults.push(generated.fault(span, message, help));
            }
        }
        samples = samples.saturating_add(generated.generator.samples(grid));
        if samples > MAX_SAMPLES {
            let message =
                format!("the test generates more than {MAX_SAMPLES} samples: {samples} up to here");
            let help = "write fewer series, a shorter `duration` or a longer `interval`";
            faults.push(generated.fault(generated.span, message, help));
            return faults;
        }
    }
    faults.dedup_by_key(|fault| {
        (
            fault.message.clone(),
            fault.place.as_ref().map(|place| place.span),
        )
    });
    if faults.is_empty() {
        faults.extend(twice(test));
    }
    faults
}

/// Whether no multiple of an interval lies in a window.
fn is_between_samples(at: Millis, until: Millis, interval: Millis) -> bool {
    let interval = interval.max(1);
    let first = at.div_euclid(interval) + Millis::from(at.rem_euclid(interval) != 0);
    first.saturating_mul(interval) >= until
}

/// Series that are made twice.
fn twice(test: &TestCase) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    // What else makes them, and where that stands.
    let mut known: HashMap<Labels, (String, usize)> = HashMap::new();
    for input in &test.input_series {
        let here = ("the input series".to_owned(), input.span.start);
        known.insert(input.labels.clone(), here);
    }
    for fixture in &test.fixtures {
        for (labels, _) in fixture.series.iter() {
            let here = ("the fixture".to_owned(), fixture.file.span.start);
            known.insert(labels.clone(), here);
        }
    }
    for generated in &test.generated {
        let (source, span) = (&generated.source, generated.span);
        let here = (format!("`{}`", source.slice(span)), span.start);
        let mut found = None;
        for series in &generated.generator.series {
            for labels in generated.generator.names(series) {
                if let Some(other) = known.get(&labels) {
                    found.get_or_insert_with(|| (labels.clone(), other.clone()));
                    continue;
                }
                known.insert(labels, here.clone());
            }
        }
        if let Some((labels, other)) = found {
            let message = match other == here {
                true => format!("this makes {labels} twice"),
                false => {
                    let (what, at) = other;
                    let line = source.line_seen_from(at, span.start);
                    format!("this makes {labels}, and so does {what} in {line}")
                }
            };
            let help = "give one of the two another label or name";
            faults.push(generated.fault(generated.span, message, help));
        }
    }
    faults
}

impl GeneratedSeries {
    fn fault(&self, span: Span, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, span).help(help)
    }
}
