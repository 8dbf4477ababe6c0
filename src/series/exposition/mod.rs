//! Samples with timestamps in OpenMetrics text, as `promtool tsdb dump-openmetrics` writes it, or in the
//! Prometheus text format.
//!
//! A text with a line `# EOF`, which must be its last, is OpenMetrics: timestamps are seconds with a fraction. Otherwise they are
//! whole milliseconds. Neither format can express stale markers (a dump shows them as NaN) and native
//! histograms; exemplars are passed over, `_created` series are series like others.

mod labels;
mod line;

use hashbrown::HashMap;

use super::fault::Fault;
use crate::model::{Labels, Timestamp};
use crate::store::Points;
use crate::text::{Diagnostic, Source, Span};

use line::{Kind, Line, is_blank};

/// More faults than this are only counted.
const MAX_FAULTS: usize = 20;

/// Reads all series: sorted by labels, their samples by time. Equal samples of one series are one.
///
/// # Errors
///
/// Every line that can't be read, samples without timestamps, and two values of a series at one time; of
/// very many faults the first.
pub fn read(source: &Source) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    let mut reader = Reader::new(source);
    reader.read_lines();
    let series = reader.sorted();
    match reader.faults.is_empty() {
        true => Ok(series),
        false => {
            reader.count_surplus();
            Err(reader.faults)
        }
    }
}

/// Which of the two formats a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Seconds, and an end.
    OpenMetrics,
    /// Milliseconds.
    Classic,
}

/// A sample and where it stands.
#[derive(Debug, Clone, Copy)]
struct Sample {
    time: Timestamp,
    value: f64,
    offset: usize,
}

/// What has been read so far.
struct Reader<'a> {
    source: &'a Source,
    format: Format,
    /// Places in `series` by the text that stands before the value, and what the last `# TYPE` said.
    by_text: HashMap<(&'a str, Kind), usize>,
    by_labels: HashMap<Labels, usize>,
    series: Vec<(Labels, Vec<Sample>)>,
    /// What the last `# TYPE` said.
    kind: Kind,
    /// The series of the line before: the next line often has the same.
    last: Option<(&'a str, usize)>,
    faults: Vec<Diagnostic>,
    /// Faults beyond [`MAX_FAULTS`].
    surplus: usize,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source) -> Reader<'a> {
        let ended = source.text().lines().any(|line| line == "# EOF");
        Reader {
            source,
            format: match ended {
                true => Format::OpenMetrics,
                false => Format::Classic,
            },
            by_text: HashMap::new(),
            by_labels: HashMap::new(),
            series: Vec::new(),
            kind: Kind::Other,
            last: None,
            faults: Vec::new(),
            surplus: 0,
        }
    }

    fn read_lines(&mut self) {
        let text = self.source.text();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            let content = content.strip_suffix('\r').unwrap_or(content);
            if let Err(error) = self.read_line(content, offset) {
                let fault = Fault::of(error);
                let start = offset + fault.offset(content);
                let help = fault.help.into_owned();
                self.fault(
                    start,
                    offset + content.len(),
                    fault.message.into_owned(),
                    help,
                );
            }
            offset += line.len();
        }
    }

    fn read_line(&mut self, line: &'a str, offset: usize) -> Result<(), nom::Err<Fault<'a>>> {
        let known = self.last.map(|(text, _)| text);
        match line::line(line, self.format, known)?.1 {
            Line::Nothing => {}
            Line::End => self.check_end(offset + line.len()),
            Line::Kind(kind) => {
                self.kind = kind;
                self.last = None;
            }
            Line::Sample {
                series,
                value,
                time,
            } => {
                let index = self.series_index(series).map_err(|error| {
                    // The fault lies in the series; what is left of the line is longer.
                    let fault = Fault::of(error);
                    let start = match self.format {
                        Format::OpenMetrics => 0,
                        Format::Classic => line.len() - line.trim_start_matches(is_blank).len(),
                    };
                    let rest = line.get(start + fault.offset(series)..).unwrap_or_default();
                    nom::Err::Failure(Fault { rest, ..fault })
                })?;
                self.last = Some((series, index));
                if let Some((_, samples)) = self.series.get_mut(index) {
                    samples.push(Sample {
                        time,
                        value,
                        offset,
                    });
                }
            }
        }
        Ok(())
    }

    /// The place of a series, given as written.
    fn series_index(&mut self, text: &'a str) -> Result<usize, nom::Err<Fault<'a>>> {
        if let Some((last, index)) = self.last
            && last == text
        {
            return Ok(index);
        }
        if let Some(&index) = self.by_text.get(&(text, self.kind)) {
            return Ok(index);
        }
        let labels = labels::series(text, self.format, self.kind)?.1;
        let index = *self.by_labels.entry(labels.clone()).or_insert_with(|| {
            self.series.push((labels, Vec::new()));
            self.series.len() - 1
        });
        self.by_text.insert((text, self.kind), index);
        Ok(index)
    }

    /// `# EOF` ends the text.
    fn check_end(&mut self, end: usize) {
        let after = self.source.text().get(end..).unwrap_or_default();
        if !after.trim().is_empty() {
            let start = end + (after.len() - after.trim_start().len());
            let message = "unexpected text after `# EOF`".to_owned();
            let help =
                "keep one `# EOF`, as the last line: files can't simply be joined".to_owned();
            self.fault(start, start + 1, message, help);
        }
    }

    /// All series by labels, and their samples by time.
    fn sorted(&mut self) -> Vec<(Labels, Points)> {
        let mut series = std::mem::take(&mut self.series);
        series.sort_by(|(a, _), (b, _)| a.cmp(b));
        let sorted = series.into_iter().map(|(labels, mut samples)| {
            if !samples.is_sorted_by(|a, b| a.time < b.time) {
                samples.sort_by_key(|sample| sample.time);
                self.remove_duplicates(&labels, &mut samples);
            }
            (labels, points(&samples))
        });
        sorted.collect()
    }

    fn remove_duplicates(&mut self, labels: &Labels, samples: &mut Vec<Sample>) {
        let mut conflicts = Vec::new();
        samples.dedup_by(|next, kept| {
            if next.time != kept.time {
                return false;
            }
            let both_nan = next.value.is_nan() && kept.value.is_nan();
            if next.value != kept.value && !both_nan {
                conflicts.push((*kept, *next));
            }
            true
        });
        for (first, second) in conflicts {
            let line = self.source.line_column(first.offset).line;
            let message = format!(
                "{labels} has the value {} here and {} on line {line}, at the same time",
                second.value, first.value
            );
            let help = "remove one of the two samples, or give it another time".to_owned();
            let text = self.source.text().get(second.offset..).unwrap_or_default();
            let length = text.find('\n').unwrap_or(text.len());
            self.fault(second.offset, second.offset + length, message, help);
        }
    }

    fn fault(&mut self, start: usize, end: usize, message: String, help: String) {
        if self.faults.len() == MAX_FAULTS {
            self.surplus += 1;
            return;
        }
        let span = Span::new(start, end.max(start));
        let fault = Diagnostic::error(message).at(self.source, span).help(help);
        self.faults.push(fault);
    }

    fn count_surplus(&mut self) {
        if self.surplus > 0 {
            let message = format!("{} more faults in {}", self.surplus, self.source.name());
            let help = "mend the first ones: the others may have the same cause";
            self.faults.push(Diagnostic::error(message).help(help));
        }
    }
}

/// Samples in the order of time as points; equal distances are found.
fn points(samples: &[Sample]) -> Points {
    let mut points = match samples {
        [first, second, ..] => {
            let values = Vec::with_capacity(samples.len());
            Points::regular(first.time, second.time - first.time, values)
        }
        _ => Points::default(),
    };
    for sample in samples {
        points.push(sample.time, sample.value);
    }
    points
}
