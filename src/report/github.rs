//! What GitHub Actions understands: commands in the log that annotate files, and a summary in Markdown.
//!
//! Commands are `::error file=…,line=…::message`. GitHub shows ten errors, ten warnings and ten notices of a step, so what
//! is said of one place is one annotation, and the last of too many says how many more there are.

use super::case::{Came, Case, cases};
use super::{FileReport, Partition, Totals, count};
use crate::text::{Diagnostic, Place, Severity};

/// How many annotations of a level GitHub shows of a step.
const SHOWN: usize = 10;

/// No longer texts than so many characters stand in an annotation; GitHub takes 64 KiB.
const LONG: usize = 8_000;

/// No longer summaries than so many bytes are written; GitHub takes 1 MiB a step.
const LONG_SUMMARY: usize = 900_000;

/// The levels, the worst first.
const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Notice];

/// Something to show beside a line of a file.
#[derive(Debug, Clone)]
pub struct Annotation {
    level: Level,
    /// Whether a whole file can't be used because of it.
    is_broken: bool,
    spot: Option<Spot>,
    title: String,
    message: String,
    /// What is shown where there is space.
    drawn: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
    Notice,
}

/// Lines of a file, and the columns if it is one line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Spot {
    file: String,
    line: usize,
    end_line: usize,
    columns: Option<(usize, usize)>,
}

/// What is to be shown of a test file. `place_of` makes of a path what GitHub knows the file as.
pub fn annotations(file: &FileReport, place_of: &dyn Fn(&str) -> String) -> Vec<Annotation> {
    let cases = cases(file);
    let mut all: Vec<Annotation> = Vec::new();
    for case in &cases {
        match &case.came {
            Came::Passed | Came::Skipped => {}
            Came::Broken(faults) => all.extend(findings(faults, &file.path, place_of)),
            _ => all.push(of_case(case, place_of)),
        }
    }
    if let Ok(verdict) = &file.verdict {
        let said = verdict.warnings.iter().chain(&verdict.annotations);
        let said: Vec<Diagnostic> = said.cloned().collect();
        all.extend(findings(&said, &file.path, place_of));
    }
    all
}

fn of_case(case: &Case<'_>, place_of: &dyn Fn(&str) -> String) -> Annotation {
    Annotation {
        level: Level::Error,
        is_broken: false,
        spot: case.place.map(|place| Spot::new(place, place_of)),
        title: format!("{}: {}", case.class, case.name),
        message: case.came.message(),
        drawn: case.came.drawn(),
    }
}

/// Diagnostics of a file, which those are about that name no place.
pub fn findings(
    found: &[Diagnostic],
    path: &str,
    place_of: &dyn Fn(&str) -> String,
) -> Vec<Annotation> {
    let of_file = || Spot {
        file: place_of(path),
        line: 1,
        end_line: 1,
        columns: None,
    };
    let annotation = |found: &Diagnostic| Annotation {
        level: match found.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Info => Level::Notice,
        },
        is_broken: found.severity == Severity::Error,
        spot: match &found.place {
            Some(place) => Some(Spot::new(place, place_of)),
            None if path.is_empty() => None,
            None => Some(of_file()),
        },
        title: match found.lint {
            Some(lint) => format!("{} [{lint}]", found.message),
            None => found.message.clone(),
        },
        message: found
            .help
            .clone()
            .unwrap_or_else(|| "see the log".to_owned()),
        drawn: found.render(false),
    };
    found.iter().map(annotation).collect()
}

impl Spot {
    fn new(place: &Place, place_of: &dyn Fn(&str) -> String) -> Spot {
        let text = place.source.slice(place.span);
        let last = place.span.start + text.trim_end().len();
        let (from, to) = (
            place.source.line_column(place.span.start),
            place.source.line_column(last),
        );
        let is_one_line = from.line == to.line;
        Spot {
            file: place_of(place.source.name()),
            line: from.line,
            end_line: to.line.max(from.line),
            // GitHub refuses columns of several lines.
            columns: is_one_line.then_some((from.column, to.column.max(from.column))),
        }
    }
}

/// The commands: files that can't be used first, then the order in which they came; those of one place are one.
pub fn commands(all: &[Annotation]) -> String {
    let mut out = String::new();
    for level in LEVELS {
        let of_level = all.iter().filter(|it| it.level == level);
        let mut folded = folded(of_level.collect());
        folded.sort_by_key(|(first, _)| !first.is_broken);
        let shown = match folded.len() {
            few @ ..=SHOWN => few,
            _ => SHOWN - 1,
        };
        for (first, others) in folded.iter().take(shown) {
            out.push_str(&command(first, others));
        }
        let rest = folded.iter().skip(shown);
        let more: usize = rest.map(|(_, others)| 1 + others.len()).sum();
        if more > 0 {
            let title = format!("{} more", count(more, level.name()));
            let message =
                "GitHub shows ten of a step; all are in the log and in the summary of the job";
            let properties = format!("title={}", property(&title));
            out.push_str(&format!("::{} {properties}::{message}\n", level.name()));
        }
    }
    out
}

/// Annotations with those that stand at the same place and say the same, in the order of the first.
fn folded(all: Vec<&Annotation>) -> Vec<(&Annotation, Vec<&Annotation>)> {
    let mut folded: Vec<(&Annotation, Vec<&Annotation>)> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for one in all {
        let key = one
            .spot
            .as_ref()
            .map(|spot| (spot.file.as_str(), spot.line, spot.columns));
        let place = *known.entry(key).or_insert(folded.len());
        match folded.get_mut(place) {
            // What many test files read is said with each.
            Some((first, others)) if key.is_some() => {
                let is_new =
                    first.drawn != one.drawn && others.iter().all(|it| it.drawn != one.drawn);
                others.extend(is_new.then_some(one));
            }
            _ => folded.push((one, Vec::new())),
        }
    }
    folded
}

fn command(first: &Annotation, others: &[&Annotation]) -> String {
    let mut properties = Vec::new();
    if let Some(spot) = &first.spot {
        properties.push(format!("file={}", property(&spot.file)));
        properties.push(format!("line={}", spot.line));
        properties.push(format!("endLine={}", spot.end_line));
        if let Some((from, to)) = spot.columns {
            properties.push(format!("col={from}"));
            properties.push(format!("endColumn={to}"));
        }
    }
    properties.push(format!("title={}", property(&first.title)));
    let mut message = format!("{}\n{}", first.message, first.drawn);
    if let Some((end, _)) = message.char_indices().nth(LONG) {
        message.truncate(end);
        message.push_str("…\n");
    }
    if let [other, more @ ..] = others {
        message.push_str(&format!("also here: {}\n", other.title));
        if !more.is_empty() {
            message.push_str(&format!("and {} more here\n", more.len()));
        }
    }
    let (level, properties) = (first.level.name(), properties.join(","));
    format!("::{level} {properties}::{}\n", data(message.trim_end()))
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
    }
}

/// A text as the message of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A text as the value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// A text for the log with nothing in it that GitHub takes for a command: what rules and tests hold is not to be obeyed.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        let start = line.len() - line.trim_start().len();
        let (blanks, rest) = line.split_at(start);
        out.push_str(blanks);
        match rest.strip_prefix("::") {
            Some(rest) => {
                out.push_str(": :");
                out.push_str(&rest.replace("##[", "## ["));
            }
            None => out.push_str(&rest.replace("##[", "## [")),
        }
    }
    out
}

/// The summary of the job: how many, and each failure.
///
/// `more` stands before them as it is.
pub fn summary(all: &[Annotation], totals: &Totals, part: Option<Partition>, more: &str) -> String {
    let verdict = match (totals.failed, totals.broken) {
        (0, 0) => "all passed".to_owned(),
        (failed, 0) => format!("{failed} of {} failed", count(totals.tests, "test")),
        (0, broken) => format!("{} can't be run", count(broken, "file")),
        (failed, broken) => format!(
            "{failed} of {} failed, {} can't be run",
            count(totals.tests, "test"),
            count(broken, "file")
        ),
    };
    let part = part.map_or_else(String::new, |part| format!(" ({})", part.words()));
    let mut out = format!("### rulecheck: {verdict}{part}\n\n");
    out.push_str(
        "| files | tests | expectations | failed tests | warnings |\n|--:|--:|--:|--:|--:|\n",
    );
    out.push_str(&format!(
        "| {} | {} | {} | {} | {} |\n\n",
        totals.files, totals.tests, totals.checks, totals.failed, totals.warnings
    ));
    if !more.is_empty() {
        out.push_str(&fenced(more));
    }
    let told = all.iter().filter(|it| it.level != Level::Notice);
    let mut told: Vec<&Annotation> = told.collect();
    told.sort_by_key(|it| (it.level, !it.is_broken));
    for (index, one) in told.iter().enumerate() {
        let item = format!(
            "<details><summary>{}: <code>{}</code></summary>\n\n{}</details>\n\n",
            one.level.name(),
            in_html(&one.title),
            fenced(&one.drawn)
        );
        if out.len() + item.len() > LONG_SUMMARY {
            let left = told.len() - index;
            out.push_str(&format!("{left} more: see the log\n\n"));
            break;
        }
        out.push_str(&item);
    }
    out
}

/// A text as it is, behind a fence that it does not hold.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n\n", text.trim_end())
}

fn in_html(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
