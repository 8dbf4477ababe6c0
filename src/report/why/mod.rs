//! Why a rule or an expression yielded what it did: its tree with what each node holds, and the causes in words.

mod joins;
mod json;
mod state;
mod words;

use anstyle::{AnsiColor, Style};

pub use self::json::{document, value};

use self::words::{number, words};

pub(super) use self::words::Words;
use super::{count, remedy, timeline};
use crate::model::{Duration, Labels, METRIC_NAME, MatchOp, Timestamp};
use crate::promql::why::{Explained, Held, Mark, Node, Point, Reading, Selects, Value};
use crate::replay::{Explanation, Section, Subject};
use crate::text::{Place, Span};

/// A line of the tree gets no longer for the sake of the series in it.
const WIDTH: usize = 120;

/// What nodes hold stands behind this column at most, and further right only behind long expressions.
const MAX_COLUMN: usize = 52;

/// An expression in a line of the tree is cut at so many characters.
const MAX_TEXT: usize = 64;

/// So many series of a node are shown.
const MAX_SERIES: usize = 3;

/// How moments are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// As time since the start of a test.
    Since(Timestamp),
    /// As dates; those of the day of this one as times of the day.
    Utc(Timestamp),
}

impl Clock {
    /// A moment in full.
    pub fn tell_all(self, time: Timestamp) -> String {
        match self {
            Clock::Utc(_) => timeline::moment(time),
            Clock::Since(_) => self.tell(time),
        }
    }

    /// A moment.
    pub fn tell(self, time: Timestamp) -> String {
        match self {
            Clock::Utc(near) => {
                let (told, near) = (timeline::moment(time), timeline::moment(near));
                match (told.split_once('T'), near.split_once('T')) {
                    (Some((day, hours)), Some((today, _))) if day == today => hours.to_owned(),
                    _ => told,
                }
            }
            Clock::Since(start) => match time.saturating_sub(start) {
                before @ ..0 => format!("{} before the start", Duration(before.saturating_neg())),
                since => Duration(since).to_string(),
            },
        }
    }
}

/// An explanation in words, every line indented by so many blanks.
pub fn text(explanation: &Explanation, clock: Clock, indent: usize, coloured: bool) -> String {
    let mut printer = Printer {
        out: String::new(),
        indent,
        clock,
        coloured,
    };
    for (index, section) in explanation.sections.iter().enumerate() {
        if index > 0 {
            printer.line("");
        }
        printer.section(section);
    }
    printer.out
}

struct Printer {
    out: String,
    indent: usize,
    clock: Clock,
    coloured: bool,
}

/// A line of the tree before its columns are aligned.
struct Row<'n> {
    /// What is drawn before the expression.
    branch: String,
    /// What is drawn before further lines of it.
    trunk: String,
    text: String,
    node: &'n Node,
}

impl Printer {
    fn line(&mut self, text: &str) {
        let text = text.trim_end();
        if !text.is_empty() {
            self.out.push_str(&" ".repeat(self.indent));
            self.out.push_str(text);
        }
        self.out.push('\n');
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.coloured {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    fn section(&mut self, section: &Section) {
        let head = self.paint(Style::new().bold(), &self.head(section));
        self.line(&head);
        if let Some(state) = &section.state {
            for line in state::lines(state, section, self.clock) {
                self.line(&format!("  {line}"));
            }
        }
        let Some(explained) = &section.explained else {
            self.line("  there was no evaluation yet");
            return;
        };
        self.line("");
        self.tree(&explained.root, section);
        let told = all_words(section, explained, self.clock);
        let is_told = |error: &&String| told.iter().any(|(_, words)| words.head == **error);
        let untold = section.error.as_ref().filter(|error| !is_told(error));
        if untold.is_some() || !told.is_empty() {
            self.line("");
        }
        if let Some(error) = untold {
            let words = format!("the rule failed: {error}");
            let painted = self.paint(AnsiColor::Red.on_default().bold(), &words);
            self.line(&format!("  {painted}"));
            if let Some(remedy) = remedy(error) {
                self.line(&format!("      remedy: {remedy}"));
            }
        }
        for (place, words) in &told {
            self.words(place, words);
        }
    }

    fn head(&self, section: &Section) -> String {
        let what = match &section.subject {
            Subject::Alert { name, place } => format!("alert {name} ({})", place),
            Subject::Recording { name, place } => {
                format!("recording rule {name} ({})", place)
            }
            Subject::Expression => "expression".to_owned(),
        };
        let asked = self.clock.tell_all(section.asked);
        match section.evaluated {
            Some(moment) if moment != section.asked => {
                format!(
                    "{what} at {asked}, last evaluated at {}",
                    self.clock.tell(moment)
                )
            }
            _ => format!("{what} at {asked}"),
        }
    }

    fn words(&mut self, place: &str, words: &Words) {
        let head = self.paint(AnsiColor::Red.on_default().bold(), &words.head);
        self.line(&format!("  {place}: {head}"));
        for detail in &words.details {
            self.line(&format!("      {detail}"));
        }
        for remedy in &words.remedies {
            self.line(&format!("      remedy: {remedy}"));
        }
    }

    fn tree(&mut self, root: &Node, section: &Section) {
        let mut rows = Vec::new();
        gather(root, "", "", &mut rows);
        let width = |row: &Row<'_>| row.branch.chars().count() + row.text.chars().count();
        let column = rows.iter().map(width).filter(|width| *width <= MAX_COLUMN);
        let column = column.max().unwrap_or(0);
        let evaluated = root.time;
        for row in &rows {
            let gap = " ".repeat(column.saturating_sub(width(row)) + 2);
            let mut line = format!("{}{}{gap}{}", row.branch, row.text, held(row.node));
            if row.node.time != evaluated {
                line.push_str(&format!(
                    " at its last step, {}",
                    self.clock.tell(row.node.time)
                ));
            }
            let (series, more) = series(row.node, self.clock);
            let inline = series.join(", ");
            let fits = line.chars().count() + inline.chars().count() + 2 <= WIDTH;
            if fits && !series.is_empty() {
                line.push_str(&format!(": {inline}"));
                if more > 0 {
                    line.push_str(&format!(", and {more} more"));
                }
            }
            line.push_str(&self.mark(row.node, section));
            self.line(&format!("  {line}"));
            if !fits {
                for one in &series {
                    let one = self.paint(Style::new().dimmed(), one);
                    self.line(&format!("  {}    {one}", row.trunk));
                }
                if more > 0 {
                    self.line(&format!("  {}    and {more} more", row.trunk));
                }
            }
        }
    }

    fn mark(&self, node: &Node, section: &Section) -> String {
        let bad = AnsiColor::Red.on_default().bold();
        let mark = match node.mark {
            Mark::None => String::new(),
            Mark::Emptied => format!("  {}", self.paint(bad, "<- empty from here on")),
            Mark::Failed => format!("  {}", self.paint(bad, "<- fails here")),
        };
        let recorded = section.recorded.iter().filter(|it| it.span == node.span);
        let recorded: Vec<String> = recorded
            .map(|recorded| {
                let before = recorded
                    .as_of
                    .filter(|as_of| Some(*as_of) != section.evaluated);
                let as_of = before.map(|as_of| format!(" as of {}", self.clock.tell(as_of)));
                format!(
                    "recorded at {}{}",
                    recorded.place,
                    as_of.unwrap_or_default()
                )
            })
            .collect();
        match recorded.is_empty() {
            true => mark,
            false => format!("{mark}  ({})", recorded.join(", ")),
        }
    }
}

/// All that there is to say of an expression, each with its place.
pub(super) fn all_words(
    section: &Section,
    explained: &Explained,
    clock: Clock,
) -> Vec<(String, Words)> {
    let findings = explained.findings.iter();
    let told = findings.map(|finding| {
        let place = place_in(section, finding.span);
        (place.to_string(), words(finding, section, clock))
    });
    told.collect()
}

/// Where a part of the expression stands.
fn place_in(section: &Section, span: Span) -> Place {
    Place::new(section.text.source(), section.text.span(span))
}

/// The lines of a tree, each node before those below it.
fn gather<'n>(node: &'n Node, branch: &str, trunk: &str, rows: &mut Vec<Row<'n>>) {
    let text = match node.is_cut {
        true => format!("{} (and more below)", cut(&node.short, MAX_TEXT)),
        false => cut(&node.short, MAX_TEXT),
    };
    let has_children = !node.children.is_empty();
    rows.push(Row {
        branch: branch.to_owned(),
        trunk: format!("{trunk}{}", if has_children { "│" } else { "" }),
        text,
        node,
    });
    let last = node.children.len().saturating_sub(1);
    for (index, child) in node.children.iter().enumerate() {
        let (branch, further) = match index == last {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        gather(
            child,
            &format!("{trunk}{branch}"),
            &format!("{trunk}{further}"),
            rows,
        );
    }
}

/// A text, cut where it is longer than so many characters.
fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(length.saturating_sub(1));
            let kept = end.and_then(|(end, _)| text.get(..end)).unwrap_or("");
            format!("{}…", kept.trim_end())
        }
    }
}

/// How much a node holds.
fn held(node: &Node) -> String {
    match &node.value {
        Value::Vector(points) => format!("{} series", points.len()),
        Value::Windows(held) => format!("{} series", held.len()),
        Value::Scalar(value) => number(*value),
        Value::Text(text) => format!("{text:?}"),
        Value::Failed(_) => "error".to_owned(),
    }
}

/// The first series of a node, and how many more there are.
fn series(node: &Node, clock: Clock) -> (Vec<String>, usize) {
    let name = node.selects.as_ref().and_then(name_of);
    let labels = |labels: &Labels| match name {
        Some(name) if labels.metric() == name => labels.without_metric(),
        _ => labels.clone(),
    };
    let (all, shown): (usize, Vec<String>) = match &node.value {
        Value::Vector(points) => {
            let point =
                |point: &Point| format!("{} {}", labels(&point.labels), read(&point.reading));
            (
                points.len(),
                points.iter().take(MAX_SERIES).map(point).collect(),
            )
        }
        Value::Windows(held) => {
            let window = |held: &Held| format!("{} {}", labels(&held.labels), samples(held, clock));
            (
                held.len(),
                held.iter().take(MAX_SERIES).map(window).collect(),
            )
        }
        Value::Scalar(_) | Value::Text(_) | Value::Failed(_) => (0, Vec::new()),
    };
    (shown, all.saturating_sub(MAX_SERIES))
}

/// The metric name that a selector fixes.
fn name_of(selects: &Selects) -> Option<&str> {
    let mut matchers = selects.matchers.iter();
    let name = matchers.find(|it| it.name == METRIC_NAME && it.op == MatchOp::Equal)?;
    Some(&name.value)
}

/// `10 samples 31m-40m`.
fn samples(held: &Held, clock: Clock) -> String {
    let samples = count(held.count, "sample");
    match held.count {
        1 => format!("{samples} at {}", clock.tell(held.last)),
        _ => format!(
            "{samples} {} to {}",
            clock.tell(held.first),
            clock.tell(held.last)
        ),
    }
}

fn read(reading: &Reading) -> String {
    match reading {
        Reading::Float(value) => number(*value),
        Reading::Histogram(histogram) => cut(&histogram.test_expression(), MAX_TEXT),
    }
}
