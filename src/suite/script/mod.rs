//! Scripts of promqltest, the language in which Prometheus tests its own engine: `load`, `clear`, `eval`.

mod annotated;
mod compare;
mod expect;
mod hints;
mod line;
mod loaded;
mod nhcb;
mod pin;
mod read;
mod run;
mod start;

use crate::model::{Labels, Millis, Regex, Timestamp};
use crate::store::Points;
use crate::text::{Source, Span};

use annotated::Annotated;
pub use read::read;
pub use run::run;

/// A script that was read.
#[derive(Debug, Clone)]
pub struct Script {
    /// The text it was read from.
    pub source: Source,
    /// Its commands, in order.
    commands: Vec<Command>,
}

impl Script {
    /// The queries that it evaluates, in order.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter_map(|command| match command {
            Command::Evaluate(evaluation) => Some(evaluation.query.as_str()),
            Command::Clear | Command::Load(_) => None,
        })
    }
}

/// What came of a script.
#[derive(Debug, Clone, Default)]
pub struct ScriptReport {
    /// How many evaluations were as expected.
    pub passed: usize,
    /// The others, in the order of the script.
    pub failures: Vec<ScriptFailure>,
}

/// An evaluation that was not as expected.
#[derive(Debug, Clone)]
pub struct ScriptFailure {
    /// Line of the evaluation in the script, from 1.
    pub line: usize,
    /// The query that was evaluated: the script's, or the same with `@` at every selector.
    pub query: String,
    /// How it was evaluated.
    pub mode: String,
    /// What the script expects.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

#[derive(Debug, Clone)]
enum Command {
    /// Forget all series.
    Clear,
    /// Store series.
    Load(Load),
    /// Evaluate a query and look at the result.
    Evaluate(Box<Evaluation>),
}

#[derive(Debug, Clone)]
struct Load {
    series: Vec<(Labels, Points)>,
}

#[derive(Debug, Clone)]
struct Evaluation {
    /// Where its line stands.
    span: Span,
    query: String,
    time: Time,
    /// Whether the series must come in the order given.
    ordered: bool,
    /// How the query must fail, if it must.
    failure: Option<Pattern>,
    /// Whether `expect fail` says so: it may only once.
    fails_as_written: bool,
    annotations: Annotated,
    /// The samples of a window that an instant query yields.
    window: Option<Steps>,
    expected: Expected,
}

#[derive(Debug, Clone, Copy)]
enum Time {
    Instant(Timestamp),
    Range(Steps),
}

/// Times at equal distances.
#[derive(Debug, Clone, Copy)]
struct Steps {
    start: Timestamp,
    end: Timestamp,
    step: Millis,
}

/// What an `expect` line says of annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    Warn,
    NoWarn,
    Info,
    NoInfo,
}

/// What a message must look like.
#[derive(Debug, Clone)]
enum Pattern {
    Any,
    Exactly(String),
    Regex(String, Box<Regex>),
}

#[derive(Debug, Clone)]
enum Expected {
    Scalar(f64),
    Text(String),
    Series(Vec<ExpectedSeries>),
}

#[derive(Debug, Clone)]
struct ExpectedSeries {
    labels: Labels,
    /// From the start of the evaluation, one a step.
    points: Points,
    /// Of each sample, whether it is a histogram whose counter reset hint was written, and so counts.
    hinted: Vec<bool>,
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Exactly(expected) => expected == text,
            Pattern::Regex(_, regex) => regex.is_match(text),
        }
    }

    fn describe(&self) -> String {
        match self {
            Pattern::Any => "any message".to_owned(),
            Pattern::Exactly(expected) => format!("{expected:?}"),
            Pattern::Regex(pattern, _) => format!("a message that matches {pattern:?}"),
        }
    }
}
