//! JUnit's XML for build servers: a suite a file, a case an expectation.
//!
//! There is no one JUnit format. What is written is valid by the schema of Jenkins (`junit-10.xsd` of its xUnit plugin)
//! and, where times are asked for, by that of Ant too (`JUnit.xsd` of Windy Road), which insists on them. Without times
//! the same input yields the same bytes. A case has no `file` and no `line`, which both schemas refuse: the place is the
//! first line of the text of a failure.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::FileReport;
use super::case::{Came, Case, cases};
use crate::text::Diagnostic;

/// When a file was run, and for how long.
#[derive(Debug, Clone)]
pub struct Times {
    /// Date and time in UTC, such as `2026-01-05T08:00:00`.
    pub began: String,
    /// Seconds.
    pub took: f64,
}

/// What stands before the suites.
pub fn head() -> String {
    written(|writer| {
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        writer.write_event(Event::Text(BytesText::new("\n")))?;
        writer.write_event(Event::Start(BytesStart::new("testsuites")))
    }) + "\n"
}

/// What stands behind the suites; a suite of what is to be said of all files together, if there is something.
pub fn tail() -> String {
    written(|writer| writer.write_event(Event::End(BytesEnd::new("testsuites")))) + "\n"
}

/// The suite of a file, which is the one of that number, from 0.
pub fn suite(number: usize, file: &FileReport, times: Option<&Times>) -> String {
    let cases = cases(file);
    let is = |wanted: fn(&Came<'_>) -> bool| cases.iter().filter(|it| wanted(&it.came)).count();
    let numbers = [
        ("id", number),
        ("tests", cases.len()),
        ("failures", is(|came| matches!(came, Came::Failed(..)))),
        (
            "errors",
            is(|came| matches!(came, Came::RuleFailed(..) | Came::Broken(_))),
        ),
        ("skipped", is(|came| matches!(came, Came::Skipped))),
    ];
    let mut start = BytesStart::new("testsuite");
    start.push_attribute(("name", &*legal(&file.path)));
    start.push_attribute(("package", ""));
    start.push_attribute(("hostname", "localhost"));
    for (name, value) in numbers {
        start.push_attribute((name, &*value.to_string()));
    }
    let share = times.map(|times| times.took / cases.len().max(1) as f64);
    if let Some(times) = times {
        start.push_attribute(("timestamp", &*times.began));
        start.push_attribute(("time", &*seconds(times.took)));
    }
    written(|writer| {
        writer.write_event(Event::Start(start))?;
        empty(writer, "properties")?;
        for one in &cases {
            write_case(writer, one, share)?;
        }
        empty(writer, "system-out")?;
        output(writer, "system-err", &warnings(file))?;
        writer.write_event(Event::End(BytesEnd::new("testsuite")))
    }) + "\n"
}

fn write_case(writer: &mut Writer<Vec<u8>>, case: &Case<'_>, time: Option<f64>) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("classname", &*legal(&case.class)));
    start.push_attribute(("name", &*legal(&case.name)));
    if let Some(time) = time {
        start.push_attribute(("time", &*seconds(time)));
    }
    let (tag, kind) = match &case.came {
        Came::Passed => return writer.write_event(Event::Empty(start)),
        // Ant's schema knows no type of what is skipped.
        Came::Skipped => ("skipped", None),
        Came::Failed(_, failure) => ("failure", Some(failure.kind())),
        Came::RuleFailed(..) => ("error", Some("rule")),
        Came::Broken(_) => ("error", Some("file")),
    };
    writer.write_event(Event::Start(start))?;
    let mut came = BytesStart::new(tag);
    if let Some(kind) = kind {
        came.push_attribute(("type", kind));
    }
    came.push_attribute(("message", &*legal(&case.came.message())));
    writer.write_event(Event::Start(came))?;
    let drawn = legal(&case.came.drawn());
    writer.write_event(Event::Text(BytesText::new(&drawn)))?;
    writer.write_event(Event::End(BytesEnd::new(tag)))?;
    writer.write_event(Event::End(BytesEnd::new("testcase")))
}

/// The warnings of a file, drawn.
fn warnings(file: &FileReport) -> String {
    let verdict = file.verdict.as_ref();
    let warnings = verdict.map_or(&[] as &[Diagnostic], |verdict| &verdict.warnings);
    warnings.iter().map(|it| it.render(false)).collect()
}

fn empty(writer: &mut Writer<Vec<u8>>, tag: &str) -> io::Result<()> {
    writer.write_event(Event::Empty(BytesStart::new(tag)))
}

fn output(writer: &mut Writer<Vec<u8>>, tag: &str, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return empty(writer, tag);
    }
    writer.write_event(Event::Start(BytesStart::new(tag)))?;
    writer.write_event(Event::Text(BytesText::new(&legal(text))))?;
    writer.write_event(Event::End(BytesEnd::new(tag)))
}

/// What is written, indented; nothing inside of elements that hold text is.
fn written(write: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Memory takes everything.
    drop(write(&mut writer));
    String::from_utf8(writer.into_inner()).unwrap_or_default()
}

/// With three digits behind the point, as both schemas take them.
fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

/// A text with a replacement for each character that XML 1.0 can't hold, not even escaped.
fn legal(text: &str) -> String {
    let is_legal = |c: char| !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let characters = text.chars();
    let legal = characters.map(|c| {
        if is_legal(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    });
    legal.collect()
}
