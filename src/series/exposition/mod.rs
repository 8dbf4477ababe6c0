//! Samples with timestamps in OpenMetrics text, as `promtool tsdb dump-openmetrics` writes it, or in the
//! Prometheus text format.
//!
//! A text with a line `# EOF`, which must be its last, is OpenMetrics: timestamps are seconds with a fraction. Otherwise they are
//! whole milliseconds. Neither format can express stale markers (a dump shows them as NaN) and native
//! histograms; exemplars are passed over. `_created` series are series like others, and
//! types and units are nothing, unless [`ReadOptions`] ask for more.

mod family;
mod labels;
mod line;

use std::cell::RefCell;
use std::ops::Range;

use hashbrown::HashMap;

use super::fault::Fault;
use super::gather::{Gather, Value, gather};
use crate::model::{Labels, Timestamp};
use crate::store::Points;
use crate::text::{Diagnostic, Source, Span};

pub use family::ReadOptions;

use family::Families;
use line::{Kind, Line, is_blank};

/// Reads all series: sorted by labels, their samples by time. Equal samples of one series are one.
///
/// # Errors
///
/// Every line that can't be read, samples without timestamps, and two values of a series at one time; of
/// very many faults the first.
pub fn read(
    source: &Source,
    options: ReadOptions,
) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    let families = RefCell::default();
    let series = gather(source, |gather| {
        families.replace(Reader::new(gather).read_lines());
    })?;
    Ok(families.into_inner().apply(series, options))
}

/// Which of the two formats a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Seconds, and an end.
    OpenMetrics,
    /// Milliseconds.
    Classic,
}

/// Seconds that lie between 2001 and 5138; as milliseconds, they lie between January 1970 and March 1973.
const SECONDS: Range<Timestamp> = 1_000_000_000..100_000_000_000;

/// What has been read so far.
struct Reader<'a, 'g> {
    gather: &'g mut Gather<'a>,
    format: Format,
    /// Series by the text that stands before the value, and what the last `# TYPE` said.
    by_text: HashMap<(&'a str, Kind), usize>,
    /// What the last `# TYPE` said.
    kind: Kind,
    families: Families<'a>,
    /// The series of the line before: the next line often has the same.
    last: Option<(&'a str, usize)>,
    /// The line of the earliest sample, and its time.
    earliest: Option<(Timestamp, Span)>,
    /// The time of the latest sample.
    latest: Timestamp,
}

impl<'a, 'g> Reader<'a, 'g> {
    fn new(gather: &'g mut Gather<'a>) -> Reader<'a, 'g> {
        let ended = gather.source().text().lines().any(|line| line == "# EOF");
        Reader {
            gather,
            format: match ended {
                true => Format::OpenMetrics,
                false => Format::Classic,
            },
            by_text: HashMap::new(),
            kind: Kind::Other,
            families: Families::default(),
            last: None,
            earliest: None,
            latest: Timestamp::MIN,
        }
    }

    fn read_lines(mut self) -> Families<'a> {
        let text = self.gather.source().text();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let content = line.strip_suffix('\n').unwrap_or(line);
            let content = content.strip_suffix('\r').unwrap_or(content);
            if let Err(error) = self.read_line(content, offset) {
                let fault = Fault::of(error);
                let start = offset + fault.offset(content);
                let span = Span::new(start, offset + content.len());
                self.gather.fault(span, fault.message, fault.help);
            }
            offset += line.len();
        }
        self.check_unit();
        self.families
    }

    fn read_line(&mut self, line: &'a str, offset: usize) -> Result<(), nom::Err<Fault<'a>>> {
        let known = self.last.map(|(text, _)| text);
        match line::line(line, self.format, known)?.1 {
            Line::Nothing => {}
            Line::End => self.check_end(offset + line.len()),
            Line::Type { metric, kind } => {
                self.kind = Kind::of(kind);
                self.last = None;
                self.families.has_kind(metric, kind);
            }
            Line::Unit { metric, unit } => self.families.has_unit(metric, unit),
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
                let span = Span::new(offset, offset + line.len());
                if self.earliest.is_none_or(|(earliest, _)| time < earliest) {
                    self.earliest = Some((time, span));
                }
                self.latest = self.latest.max(time);
                self.gather.push(index, time, Value::Float(value), span);
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
        let index = self.gather.series(labels);
        self.by_text.insert((text, self.kind), index);
        Ok(index)
    }

    /// Milliseconds that all lie in the early seventies are seconds of our days, and the end of the text is missing.
    fn check_unit(&mut self) {
        if let (Format::Classic, Some((earliest, span))) = (self.format, self.earliest)
            && SECONDS.contains(&earliest)
            && SECONDS.contains(&self.latest)
        {
            let help = "timestamps in seconds are OpenMetrics, which ends with a line `# EOF`: perhaps the file was cut off";
            self.gather
                .fault(span, "timestamps in milliseconds look like seconds", help);
        }
    }

    /// `# EOF` ends the text.
    fn check_end(&mut self, end: usize) {
        let after = self.gather.source().text().get(end..).unwrap_or_default();
        if !after.trim().is_empty() {
            let start = end + (after.len() - after.trim_start().len());
            let span = Span::new(start, start + 1);
            let help = "keep one `# EOF`, as the last line: files can't simply be joined";
            self.gather
                .fault(span, "unexpected text after `# EOF`", help);
        }
    }
}
