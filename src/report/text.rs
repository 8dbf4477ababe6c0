//! Text for people; it may change.

mod beside;

pub(super) mod diff;

mod expect;

mod glance;

mod recap;

mod repeated;

pub use glance::Ask;
pub use recap::{Failed, recap};
pub use repeated::{Drawn, FileText};

use super::why::Clock;
use super::{FileReport, Partition, Totals, count, remedy};
use crate::model::{Duration, Labels, Millis};
use crate::promql::{TOO_MANY_SAMPLES, TOO_MANY_STEPS};
use crate::replay::{ALERT_NAME, AlertState};
use crate::suite::expect::Subject;
use crate::suite::{Cause, FileVerdict, Mismatch, Strip, StripRow, TestVerdict};

/// No more instances of an alert than this are drawn.
const MAX_ROWS: usize = 6;

/// The line of a file, and everything about what failed in it; `ask` is how to ask further.
pub fn file(file: &FileReport, ask: Option<&Ask>, coloured: bool) -> FileText {
    let mut text = FileText::default();
    if let Ok(verdict) = &file.verdict {
        for warning in &verdict.warnings {
            text.draw(&file.path, warning, coloured);
        }
    }
    let mut printer = Printer::new(coloured);
    printer.file(file, ask);
    text.push(&printer.out);
    for said in file.verdict.as_ref().err().into_iter().flatten() {
        text.draw(&file.path, said, coloured);
    }
    text
}

/// Whether there is more to say of a file than its line: an empty line then stands behind it.
pub fn has_details(file: &FileReport) -> bool {
    let is_one_line = |verdict: &FileVerdict| verdict.passed() && verdict.annotations.is_empty();
    !file.verdict.as_ref().is_ok_and(is_one_line) || !file.accepted.changes.is_empty()
}

/// The last line; details may stand before it.
pub fn summary(
    totals: &Totals,
    part: Option<Partition>,
    after_details: bool,
    coloured: bool,
) -> String {
    let mut printer = Printer::new(coloured);
    printer.summary(totals, part, after_details);
    printer.out
}

/// A failing expectation of a test without colours, its place first.
pub(super) fn failure(failure: &Mismatch, test: &str) -> String {
    let mut printer = Printer::new(false);
    printer.failure(failure, test);
    printer.out.trim_start().to_owned()
}

struct Printer {
    out: String,
    coloured: bool,
}

/// The colours in use.
#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Faint,
    Strong,
}

impl Printer {
    fn new(coloured: bool) -> Printer {
        Printer {
            out: String::new(),
            coloured,
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        let style = match paint {
            Paint::Good => anstyle::AnsiColor::Green.on_default().bold(),
            Paint::Bad => anstyle::AnsiColor::Red.on_default().bold(),
            Paint::Faint => anstyle::Style::new().dimmed(),
            Paint::Strong => anstyle::Style::new().bold(),
        };
        match self.coloured {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    fn file(&mut self, file: &FileReport, ask: Option<&Ask>) {
        match &file.verdict {
            Err(_) => {
                let head = format!("{} {}", self.paint(Paint::Bad, "ERROR"), file.path);
                self.line(&head);
                self.diff(&file.accepted.diff());
            }
            Ok(verdict) => {
                let tests = count(verdict.tests.len(), "test");
                let word = match verdict.passed() {
                    true => self.paint(Paint::Good, "ok   "),
                    false => self.paint(Paint::Bad, "FAIL "),
                };
                let failed = verdict
                    .tests
                    .iter()
                    .filter(|test| !test.failures.is_empty())
                    .count();
                let extent = match failed {
                    0 => tests,
                    _ => format!("{failed} of {tests} failed"),
                };
                let accepted = match (file.accepted.count, file.accepted.is_dry) {
                    (0, _) => String::new(),
                    (number, false) => format!(", {} accepted", count(number, "expectation")),
                    (number, true) => {
                        format!(", {} would be accepted", count(number, "expectation"))
                    }
                };
                self.line(&format!("{word} {} ({extent}{accepted})", file.path));
                self.diff(&file.accepted.diff());
                let ask = ask.map(|ask| (ask, file.path.as_str(), verdict.tests.len()));
                for test in &verdict.tests {
                    self.test(test, ask);
                }
                if !verdict.passed() && !verdict.annotations.is_empty() {
                    self.line("");
                }
                for annotation in &verdict.annotations {
                    let drawn = annotation.render(self.coloured);
                    self.out.push_str(&drawn);
                }
            }
        }
    }

    /// A unified diff.
    fn diff(&mut self, diff: &str) {
        for line in diff.split_inclusive('\n') {
            let (text, end) = match line.strip_suffix('\n') {
                Some(text) => (text, "\n"),
                None => (line, ""),
            };
            let paint = match text {
                _ if text.starts_with("+++") || text.starts_with("---") => Some(Paint::Strong),
                _ if text.starts_with("@@") => Some(Paint::Faint),
                _ if text.starts_with('+') => Some(Paint::Good),
                _ if text.starts_with('-') => Some(Paint::Bad),
                _ => None,
            };
            let drawn = paint.map_or_else(|| text.to_owned(), |paint| self.paint(paint, text));
            self.out.push_str(&drawn);
            self.out.push_str(end);
        }
    }

    fn test(&mut self, test: &TestVerdict, ask: Option<(&Ask, &str, usize)>) {
        for failure in &test.failures {
            self.failure(failure, &test.name);
            if let Some(ask) = ask {
                self.command(failure, test, ask);
            }
        }
    }

    fn failure(&mut self, failure: &Mismatch, test: &str) {
        self.line("");
        let head = format!("  {}", self.paint(Paint::Strong, &head(failure)));
        self.line(&head);
        if !test.is_empty() {
            self.line(&format!("    test      {test}"));
        }
        match &failure.cause {
            Cause::Alert {
                expected,
                got,
                strip,
            } => {
                self.alerts(expected, got);
                self.strip(strip);
            }
            Cause::Expr { expected, got } => self.samples(expected, got),
            Cause::Unreadable(faults) => {
                for fault in faults {
                    let drawn = fault.render(self.coloured);
                    self.out.push_str(&drawn);
                }
            }
            Cause::ExprError(error) => self.error(error),
            Cause::Unmet(unmet) => self.unmet(unmet),
            Cause::RuleFails { message, .. } => {
                self.error(message);
                self.line("    the test went on; `rule_errors: expected` lets such errors pass");
            }
            Cause::Rule(error) => {
                if [TOO_MANY_SAMPLES, TOO_MANY_STEPS].contains(&error.as_str()) {
                    let window = failure.place.source.slice(failure.place.span);
                    let words: Vec<&str> = window.split_whitespace().collect();
                    self.line(&format!("    window    {}", words.join(" ")));
                }
                self.error(error);
                self.line(
                    "    the test ended here: later alerts and all expressions were not checked",
                );
            }
        }
        self.glance(failure);
        self.why(failure);
    }

    fn why(&mut self, failure: &Mismatch) {
        if let Some(why) = &failure.why {
            for explanation in &why.explanations {
                self.line("    why");
                let clock = Clock::Since(why.start);
                let text = super::why::text(explanation, clock, 6, self.coloured);
                self.out.push_str(&text);
            }
        }
    }

    fn error(&mut self, error: &str) {
        self.line(&format!("    error     {error}"));
        if let Some(remedy) = remedy(error) {
            self.line(&format!("    remedy    {remedy}"));
        }
    }

    /// The states of an alert around the moment asked for, and all its stretches in words.
    fn strip(&mut self, strip: &Strip) {
        if strip.rows.is_empty() {
            self.line("    timeline  never pending or firing in this test");
            return;
        }
        let count = strip.rows.first().map_or(0, |row| row.states.len());
        let last = strip.from + strip.interval * (count.saturating_sub(1) as Millis);
        self.line(&format!(
            "    timeline  {} to {}, every {} (· inactive, p pending, F firing)",
            Duration(strip.from),
            Duration(last),
            Duration(strip.interval)
        ));
        for row in strip.rows.iter().take(MAX_ROWS) {
            let states: String = row.states.iter().map(|state| symbol(*state)).collect();
            self.line(&format!("      {states}  {}", shown(&row.labels)));
            let mark = format!("      {}^ {}", " ".repeat(strip.marked), stretches(row));
            let mark = self.paint(Paint::Faint, &mark);
            self.line(&mark);
        }
        if strip.rows.len() > MAX_ROWS {
            self.line(&format!(
                "      and {} more",
                super::count(strip.rows.len() - MAX_ROWS, "instance")
            ));
        }
    }

    fn summary(&mut self, totals: &Totals, part: Option<Partition>, after_details: bool) {
        let (failed, broken) = (totals.failed, totals.broken);
        if failed + broken > 0 || after_details {
            self.line("");
        }
        let mut words = format!(
            "{}, {}, {}: ",
            count(totals.files, "file"),
            count(totals.tests, "test"),
            count(totals.checks, "expectation")
        );
        match (failed, broken) {
            (0, 0) if totals.tests == 0 => words.push_str("nothing was run"),
            (0, 0) => words.push_str(&self.paint(Paint::Good, "all passed")),
            _ => {
                let mut parts = Vec::new();
                if failed > 0 {
                    parts.push(format!("{} failed", count(failed, "test")));
                }
                if broken > 0 {
                    parts.push(format!("{} can't be run", count(broken, "file")));
                }
                let text = self.paint(Paint::Bad, &parts.join(", "));
                words.push_str(&text);
            }
        }
        if let Some(part) = part {
            words.push_str(&format!(" ({})", part.words()));
        }
        self.line(&words);
    }
}

/// Where a failure is, and of what: its first line.
fn head(failure: &Mismatch) -> String {
    let at = failure.place.source.line_column(failure.place.span.start);
    let place = format!("{}:{}:{}", failure.place.source.name(), at.line, at.column);
    let time = Duration(failure.eval_time);
    let what = match &failure.cause {
        Cause::Alert { .. } => format!("alert {} at {time}", failure.name),
        Cause::Expr { .. } | Cause::ExprError(_) | Cause::Unreadable(_) => {
            format!("expression {} at {time}", shortened(&failure.name))
        }
        Cause::Rule(_) => format!("rule {} can't be evaluated at {time}", failure.name),
        Cause::RuleFails { last, count, .. } => match count {
            1 => format!("rule {} can't be evaluated at {time}", failure.name),
            _ => format!(
                "rule {} can't be evaluated {count} times from {time} to {}",
                failure.name,
                Duration(*last)
            ),
        },
        Cause::Unmet(unmet) => {
            let of = match unmet.subject {
                Subject::Alert => format!("alert {}", failure.name),
                Subject::Alerts => failure.name.clone(),
                Subject::Slo => format!("objective {}", failure.name),
                Subject::Expr => format!("expression {}", shortened(&failure.name)),
            };
            match unmet.moment() {
                Some(moment) => format!("{of}: not as expected at {}", Duration(moment)),
                None => format!("{of}: not as expected"),
            }
        }
    };
    format!("{place}: {what}")
}

/// What is expected of something that has a name, and what was seen.
fn symbol(state: Option<AlertState>) -> char {
    match state {
        None => '·',
        Some(AlertState::Pending) => 'p',
        Some(AlertState::Firing) => 'F',
    }
}

/// `pending 5m-7m, firing from 7m`.
fn stretches(row: &StripRow) -> String {
    const SHOWN: usize = 6;
    let mut words: Vec<String> = row
        .stretches
        .iter()
        .take(SHOWN)
        .map(|(state, from, to)| match to {
            Some(to) => format!("{} {}-{}", state.name(), Duration(*from), Duration(*to)),
            None => format!("{} from {}", state.name(), Duration(*from)),
        })
        .collect();
    if row.stretches.len() > SHOWN {
        words.push(format!("{} more", row.stretches.len() - SHOWN));
    }
    words.join(", ")
}

/// Labels without the alert's name, which stands above.
fn shown(labels: &Labels) -> Labels {
    labels.filtered(|name| name != ALERT_NAME)
}

/// An expression on one line, cut where it is long.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    let line = one_line(text);
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.trim_end_matches('\n').replace('\n', "\\n")
}
