//! Tables with a header, as Grafana, spreadsheets, databases and people write them.
//!
//! One column is named `time` or `timestamp` (in any case of letters). It holds seconds since 1970, perhaps with a
//! fraction; or milliseconds (numbers from 100,000,000,000 on, or any in a column named `time_ms` or `timestamp_ms`); or
//! dates: RFC 3339, or `2026-03-02 09:00:00`, which is UTC. All in one of these ways: the first decides. Samples come in
//! one of two forms:
//!
//! * **long**: a column named `value` holds a sample a row. A column named `__name__`, or else `metric`, holds the name of
//!   the metric, or a whole series such as `up{job="x"}`; all other columns are labels, named by their heads. An empty
//!   cell is an absent label.
//! * **wide**: every other column is a series, named by its head as in a test file: `http_requests_total{job="x"}`,
//!   `{job="x"}`. This is how Grafana exports a graph whose legend shows series.
//!
//! In both an empty cell is no sample; samples are decimal numbers, `NaN`, `+Inf` or `-Inf`. Cells are separated by commas,
//! or else semicolons or tabs, which a first line `sep=;` may say; a cell with separators in it stands in double quotes,
//! and quotes within it are doubled. Stale markers and native histograms can't be expressed.

mod cell;
pub(super) mod header;
mod time;

use ::csv::{ByteRecord, ReaderBuilder};
use hashbrown::HashMap;

use self::header::{Form, Header};
use self::time::Clock;
use super::decimal::{number, plain};
use super::gather::{Gather, Value, gather};
use super::notation::parse_series;
use crate::model::{Labels, LabelsBuilder, METRIC_NAME, Timestamp};
use crate::store::Points;
use crate::text::{Diagnostic, Source, Span};

/// Reads all series: sorted by labels, their samples by time. Equal samples of one series are one.
///
/// # Errors
///
/// Every cell that can't be read, and two values of a series at one time; of very many faults the first.
pub fn read(source: &Source) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    gather(source, |gather| {
        let text = gather.source().text();
        let (delimiter, start) = header::delimiter(text);
        let body = text.get(start..).unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(body.as_bytes());
        let mut row = Row {
            cells: ByteRecord::new(),
            span: Span::new(start, start),
            delimiter,
        };
        let mut table = None;
        // Nothing can fail where a text in memory is read into rows of any length.
        while matches!(reader.read_byte_record(&mut row.cells), Ok(true)) {
            row.span = Span::new(row.span.end, start + reader.position().byte() as usize);
            if let Some(quote) = row.open_quote(text) {
                let help = "close it; a quote within quotes is written twice";
                gather.fault(quote, "a quote that is never closed", help);
                return;
            }
            match &mut table {
                Some(table) => Table::row(table, gather, &row),
                None => match Header::read(gather, &row) {
                    Some(header) => table = Some(Table::new(header)),
                    None => return,
                },
            }
        }
    })
}

/// A row as it was read, and where.
struct Row {
    cells: ByteRecord,
    span: Span,
    delimiter: u8,
}

/// What is known from the rows so far.
struct Table {
    header: Header,
    clock: Clock,
    /// In the long form: series by the cells that name them, `None` for those with faults.
    by_cells: HashMap<Vec<u8>, Option<usize>>,
    /// The same cells of this row.
    key: Vec<u8>,
}

impl Table {
    fn new(header: Header) -> Table {
        Table {
            clock: header.clock,
            header,
            by_cells: HashMap::new(),
            key: Vec::new(),
        }
    }

    fn row(&mut self, gather: &mut Gather<'_>, row: &Row) {
        let (count, wanted) = (row.cells.len(), self.header.columns);
        if count != wanted {
            let message = format!("{count} cells in a table of {wanted} columns");
            let help = "give each column a cell, if an empty one; cells that hold separators stand in quotes";
            return gather.fault(row.trimmed(gather), message, help);
        }
        let Some(time) = self.time(gather, row) else {
            return;
        };
        let span = row.trimmed(gather);
        match &self.header.form {
            Form::Wide(columns) => {
                for &(column, series) in columns {
                    if let Some(value) = row.value(gather, column) {
                        gather.push(series, time, Value::Float(value), span);
                    }
                }
            }
            Form::Long { value, .. } => {
                let value = row.value(gather, *value);
                if let (Some(value), Some(series)) = (value, self.series(gather, row)) {
                    gather.push(series, time, Value::Float(value), span);
                }
            }
        }
    }

    fn time(&mut self, gather: &mut Gather<'_>, row: &Row) -> Option<Timestamp> {
        let column = self.header.time;
        match self.clock.read(row.text(column).trim()) {
            Ok(time) => Some(time),
            Err((message, help)) => {
                gather.fault(row.cell(gather, column), message, help);
                None
            }
        }
    }

    /// The series of a row in the long form.
    fn series(&mut self, gather: &mut Gather<'_>, row: &Row) -> Option<usize> {
        let Form::Long { name, labels, .. } = &self.header.form else {
            return None;
        };
        self.key.clear();
        for column in name.iter().chain(labels.iter().map(|(column, _)| column)) {
            self.key.extend_from_slice(row.bytes(*column));
            // No text holds this byte.
            self.key.push(0xFF);
        }
        if let Some(&series) = self.by_cells.get(self.key.as_slice()) {
            return series;
        }
        let series = row
            .labels(gather, *name, labels)
            .map(|labels| gather.series(labels));
        self.by_cells.insert(self.key.clone(), series);
        series
    }
}

impl Row {
    fn bytes(&self, column: usize) -> &[u8] {
        self.cells.get(column).unwrap_or_default()
    }

    fn text(&self, column: usize) -> &str {
        // The whole text is UTF-8, and separators and quotes cut no character.
        std::str::from_utf8(self.bytes(column)).unwrap_or_default()
    }

    /// A sample, `None` where there is none.
    fn value(&self, gather: &mut Gather<'_>, column: usize) -> Option<f64> {
        let bytes = self.bytes(column);
        if let Some((value, length)) = plain(bytes)
            && length == bytes.len()
        {
            return Some(value);
        }
        let text = self.text(column).trim();
        if text.is_empty() {
            return None;
        }
        let value = number(text);
        if value.is_none() {
            let message = format!("{text:?} is not a number, or too large for one");
            let help = "write a decimal number such as 1, 0.25 or 1e3, or NaN, +Inf or -Inf, and leave the cell empty \
                        where there is no sample; of Grafana ask for data that is not formatted";
            gather.fault(self.cell(gather, column), message, help);
        }
        value
    }

    /// The labels of a row in the long form.
    fn labels(
        &self,
        gather: &mut Gather<'_>,
        name: Option<usize>,
        columns: &[(usize, String)],
    ) -> Option<Labels> {
        let mut labels = LabelsBuilder::default();
        if let Some(column) = name {
            let text = self.text(column).trim();
            match text.contains('{') {
                false => labels.set(METRIC_NAME, text),
                true => match parse_series(text) {
                    Ok(series) => labels = series.to_builder(),
                    Err(error) => {
                        gather.fault(self.cell(gather, column), error.message, error.help);
                        return None;
                    }
                },
            }
        }
        for (column, label) in columns {
            let value = self.text(*column);
            if !value.is_empty() && labels.get(label).is_some() {
                let message = format!("the label {label:?} is given twice");
                let help = "remove it from the series, or leave the cell empty";
                gather.fault(self.cell(gather, *column), message, help);
                return None;
            }
            if !value.is_empty() {
                labels.set(label, value);
            }
        }
        let labels = labels.build();
        if labels.is_empty() {
            let help = "fill in the metric or a label: no selector finds a series without";
            gather.fault(self.trimmed(gather), "a sample without a series", help);
            return None;
        }
        Some(labels)
    }
}
