//! The first row of a table.

use super::Row;
use super::time::Clock;
use crate::model::METRIC_NAME;
use crate::series::gather::Gather;
use crate::series::notation::parse_series;
use crate::text::Span;

/// What cells may be separated by, the likeliest first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// What the columns of a table mean.
pub(super) struct Header {
    /// How many there are.
    pub columns: usize,
    /// Which holds the time.
    pub time: usize,
    /// How times are written.
    pub clock: Clock,
    pub form: Form,
}

pub(super) enum Form {
    /// A sample a row.
    Long {
        value: usize,
        /// The name of the metric.
        name: Option<usize>,
        labels: Vec<(usize, String)>,
    },
    /// Columns with their series.
    Wide(Vec<(usize, usize)>),
}

const EXAMPLE: &str =
    "begin with a row of heads: time,metric,job,value or \"time\",\"up{job=\"\"x\"\"}\"";

/// What separates the cells, and where the table begins.
pub(super) fn delimiter(text: &str) -> (u8, usize) {
    let first = text.trim_start_matches(['\r', '\n']);
    let start = text.len() - first.len();
    let line = first.lines().next().unwrap_or_default();
    if let Some(&[delimiter]) = line.strip_prefix("sep=").map(str::as_bytes) {
        return (delimiter, start + line.len());
    }
    let contained = || {
        DELIMITERS
            .into_iter()
            .find(|it| line.as_bytes().contains(it))
    };
    let delimiter = delimiter_of_time(line).or_else(contained);
    (delimiter.unwrap_or(b','), start)
}

/// What separates the cells of a line of which one names the time.
pub(in crate::series) fn delimiter_of_time(line: &str) -> Option<u8> {
    DELIMITERS.into_iter().find(|&delimiter| {
        line.split(char::from(delimiter))
            .any(|cell| is_time(cell.trim().trim_matches('"')))
    })
}

/// Whether a head names the column of times.
fn is_time(head: &str) -> bool {
    is_one_of(head, &["time", "timestamp"]) || is_millis(head)
}

fn is_millis(head: &str) -> bool {
    is_one_of(head, &["time_ms", "timestamp_ms"])
}

fn is_one_of(head: &str, names: &[&str]) -> bool {
    names.iter().any(|name| head.eq_ignore_ascii_case(name))
}

impl Header {
    /// Reads the first row. Without one whose every head makes sense nothing below it does.
    pub(super) fn read(gather: &mut Gather<'_>, row: &Row) -> Option<Header> {
        let heads: Vec<&str> = (0..row.cells.len())
            .map(|column| row.text(column).trim())
            .collect();
        let time = only(gather, row, &heads, "time", is_time)?;
        let Some(time) = time else {
            let help = "name one column `time` or `timestamp`; the first row holds the names of the columns";
            gather.fault(row.trimmed(gather), "no column is named `time`", help);
            return None;
        };
        let clock = match heads.get(time).is_some_and(|head| is_millis(head)) {
            true => Clock::Millis,
            false => Clock::Unknown,
        };
        let value = only(gather, row, &heads, "value", |head| {
            is_one_of(head, &["value"])
        })?;
        let form = match value {
            Some(value) => long(gather, row, &heads, time, value),
            None => wide(gather, row, &heads, time),
        };
        Some(Header {
            columns: heads.len(),
            time,
            clock,
            form: form?,
        })
    }
}

/// The only column whose head passes, if there is one; nothing where there are several.
fn only(
    gather: &mut Gather<'_>,
    row: &Row,
    heads: &[&str],
    what: &str,
    passes: impl Fn(&str) -> bool,
) -> Option<Option<usize>> {
    let mut found =
        (0..heads.len()).filter(|&column| heads.get(column).is_some_and(|it| passes(it)));
    let first = found.next();
    match found.next() {
        None => Some(first),
        Some(second) => {
            let span = row.cell(gather, second);
            let message = format!("two columns hold the {what}");
            gather.fault(span, message, "remove or rename one of them");
            None
        }
    }
}

/// A column of values beside columns of labels.
fn long(
    gather: &mut Gather<'_>,
    row: &Row,
    heads: &[&str],
    time: usize,
    value: usize,
) -> Option<Form> {
    let position = |passes: &dyn Fn(&str) -> bool| heads.iter().position(|head| passes(head));
    let name = position(&|head| head == METRIC_NAME)
        .or_else(|| position(&|head| is_one_of(head, &["metric"])));
    let mut labels: Vec<(usize, String)> = Vec::new();
    let mut good = true;
    for (column, head) in heads.iter().enumerate() {
        if [Some(time), Some(value), name].contains(&Some(column)) {
            continue;
        }
        let fault = match *head {
            "" => Some(NO_HEAD),
            head if labels.iter().any(|(_, known)| known == head) => Some((
                "two columns hold the same label",
                "remove or rename one of them",
            )),
            _ => None,
        };
        if let Some((message, help)) = fault {
            gather.fault(row.cell(gather, column), message, help);
            good = false;
        }
        labels.push((column, (*head).to_owned()));
    }
    if name.is_none() && labels.is_empty() {
        let help = "add a column `metric` or columns of labels, or name this column by its series: up{job=\"x\"}";
        gather.fault(row.cell(gather, value), "values without a series", help);
        good = false;
    }
    good.then_some(Form::Long {
        value,
        name,
        labels,
    })
}

const NO_HEAD: (&str, &str) = ("a column without a head", "name the column, or remove it");

/// A column a series.
fn wide(gather: &mut Gather<'_>, row: &Row, heads: &[&str], time: usize) -> Option<Form> {
    let mut columns = Vec::new();
    let mut good = true;
    for (column, head) in heads
        .iter()
        .enumerate()
        .filter(|(column, _)| *column != time)
    {
        match series(gather, head) {
            Ok(series) => columns.push((column, series)),
            Err((message, help)) => {
                let span: Span = row.cell(gather, column);
                gather.fault(span, message, help);
                good = false;
            }
        }
    }
    if heads.len() == 1 {
        gather.fault(row.trimmed(gather), "a table of times alone", EXAMPLE);
        good = false;
    }
    good.then_some(Form::Wide(columns))
}

/// The series that a head names, or what is wrong with it and what to do.
fn series(gather: &mut Gather<'_>, head: &str) -> Result<usize, (String, String)> {
    if head.is_empty() {
        return Err((NO_HEAD.0.to_owned(), NO_HEAD.1.to_owned()));
    }
    match parse_series(head) {
        Ok(labels) if labels.is_empty() => Err((
            "a series without labels".to_owned(),
            "name it: no selector finds a series without a name and labels".to_owned(),
        )),
        Ok(labels) => Ok(gather.series(labels)),
        Err(error) => {
            // What was hardly meant to be a series wants another hint than a series with a fault.
            let is_meant = error.offset == 0 || (head.contains('{') && head.ends_with('}'));
            let help = match is_meant {
                true => error.help,
                false => NAME_IT.to_owned(),
            };
            Err((format!("{head:?} names no series: {}", error.message), help))
        }
    }
}

const NAME_IT: &str = "name a column by its series, as \"up{job=\"\"x\"\"}\" (in Grafana leave the legend to itself), \
                       or put the samples into one column `value` beside columns of labels";
