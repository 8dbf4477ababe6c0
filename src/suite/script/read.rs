//! From the text of a script to its commands.

use super::annotated::Annotated;
use super::line::Line;
use super::loaded::Loaded;
use super::nhcb::with_custom_buckets;
use super::start::distances;
use super::{Command, Evaluation, Expected, Load, Pattern, Script, Steps, Time};
use crate::model::{Duration, Labels, Millis};
use crate::series::notation::{Item, NotationError, expand, parse_series, parse_values};
use crate::series::stored::{as_stored, refused};
use crate::store::Points;
use crate::text::{Diagnostic, Severity, Source, Span};

/// Samples of one series beyond which a script is refused.
pub(super) const MAX_SAMPLES: usize = 1_000_000;

/// Steps of one evaluation beyond which a script is refused.
const MAX_STEPS: i64 = 100_000;

/// Reads a script.
///
/// # Errors
///
/// Every line that is no part of a command.
pub fn read(source: &Source) -> Result<Script, Vec<Diagnostic>> {
    let mut reader = Reader {
        source,
        lines: Line::all(source),
        next: 0,
        loaded: Loaded::default(),
    };
    let mut commands = Vec::new();
    let mut faults = Vec::new();
    while let Some(line) = reader.take() {
        if line.text.is_empty() {
            continue;
        }
        match reader.command(line) {
            Ok(command) => commands.push(command),
            Err(fault) => {
                faults.push(fault);
                reader.skip_block();
            }
        }
    }
    match faults.is_empty() {
        true => Ok(Script {
            source: source.clone(),
            commands,
        }),
        false => Err(faults),
    }
}

/// Goes through the lines.
pub(super) struct Reader<'a> {
    pub(super) source: &'a Source,
    lines: Vec<Line<'a>>,
    next: usize,
    loaded: Loaded,
}

impl<'a> Reader<'a> {
    fn take(&mut self) -> Option<Line<'a>> {
        let line = self.lines.get(self.next).copied();
        self.next += 1;
        line
    }

    /// The next line of a command's block; `None` at the empty line that ends it.
    fn take_of_block(&mut self) -> Option<Line<'a>> {
        let line = self
            .lines
            .get(self.next)
            .filter(|line| !line.text.is_empty())
            .copied();
        self.next += usize::from(line.is_some());
        line
    }

    fn skip_block(&mut self) {
        while self.take_of_block().is_some() {}
    }

    fn command(&mut self, line: Line<'a>) -> Result<Command, Diagnostic> {
        let (word, rest) = line.split_word();
        match word {
            // Only this one may be written in capitals.
            _ if word.eq_ignore_ascii_case("clear") => {
                self.loaded = Loaded::default();
                Ok(Command::Clear)
            }
            "load" => self.load(rest, false).map(Command::Load),
            "load_with_nhcb" => self.load(rest, true).map(Command::Load),
            "eval" | "eval_fail" | "eval_warn" | "eval_info" | "eval_ordered" => {
                let mode = word.strip_prefix("eval_").unwrap_or_default();
                self.evaluation(mode, rest)
                    .map(|found| Command::Evaluate(Box::new(found)))
            }
            _ => Err(line.fault(
                self.source,
                format!("unknown command {word:?}"),
                "a script is made of `load`, `clear` and `eval`",
            )),
        }
    }

    fn load(&mut self, rest: Line<'a>, with_nhcb: bool) -> Result<Load, Diagnostic> {
        let interval = self.duration(rest, "the step of a load")?;
        let mut series: Vec<(Labels, Points)> = Vec::new();
        let mut starts: Option<(Line<'a>, Starts)> = None;
        while let Some(line) = self.take_of_block() {
            if line.split_word().0.ends_with("@st") {
                if let Some((alone, _)) = starts.replace((line, self.starts(line)?)) {
                    return Err(self.start_alone(alone));
                }
                continue;
            }
            let (labels, items, values) = self.series(line)?;
            let points = expand(&items, 0, interval, MAX_SAMPLES)
                .map_err(|error| self.notation_fault(values, error))?;
            if let Some((_, fault)) = refused(&points) {
                let help = "correct the histogram: Prometheus would not store it";
                return Err(values.fault(self.source, fault.to_string(), help));
            }
            if let Some(message) = self.loaded.refusal(&labels, &points) {
                let help = "begin later, or write `clear` before the load";
                return Err(line.fault(self.source, message, help));
            }
            let mut points = as_stored(points);
            if let Some((_, (of, distances))) = starts.take() {
                let count = items.iter().map(Item::count).sum::<u64>();
                if of != labels || distances.len() as u64 != count {
                    let help = "write it for the series below, a distance for each sample";
                    return Err(line.fault(
                        self.source,
                        "the @st line above is of another series",
                        help,
                    ));
                }
                points = started(points, &distances, interval);
            }
            match series.iter_mut().find(|(present, _)| *present == labels) {
                Some(present) => present.1 = points,
                None => series.push((labels, points)),
            }
        }
        if let Some((alone, _)) = starts {
            return Err(self.start_alone(alone));
        }
        if with_nhcb {
            let native = with_custom_buckets(&series).map_err(|message| {
                let help = "correct the classic histogram, or use `load`";
                rest.fault(self.source, message, help)
            })?;
            let stored = |(labels, points)| (labels, as_stored(points));
            series.extend(native.into_iter().map(stored));
        }
        for (labels, points) in &series {
            self.loaded.store(labels, points);
        }
        Ok(Load { series })
    }

    fn start_alone(&self, line: Line<'a>) -> Diagnostic {
        let help = "write the samples in the line below";
        line.fault(self.source, "starts without samples", help)
    }

    /// `metric@st -1m _x3`
    fn starts(&self, line: Line<'a>) -> Result<Starts, Diagnostic> {
        let (name, rest) = line.split_word();
        let name = name.strip_suffix("@st").unwrap_or(name);
        let labels = parse_series(name).map_err(|error| self.notation_fault(line, error))?;
        let distances = distances(rest.text, MAX_SAMPLES).map_err(|message| {
            rest.fault(
                self.source,
                message,
                "write `_`, `_x3`, `-1m`, `-1mx3` or `-1m+30sx3`",
            )
        })?;
        Ok((labels, distances))
    }

    fn evaluation(&mut self, mode: &str, line: Line<'a>) -> Result<Evaluation, Diagnostic> {
        let (kind, rest) = line.split_word();
        let (time, query) = match kind {
            "instant" => self.instant(rest)?,
            // The series of a range have no order of their own.
            "range" if mode != "ordered" => self.range(rest)?,
            "range" => {
                let help = "write `eval range`, or `eval_ordered instant`";
                return Err(line.fault(self.source, "a range query has no order to expect", help));
            }
            _ => {
                return Err(line.fault(
                    self.source,
                    "an evaluation is `instant` or `range`",
                    "write `eval instant at 5m QUERY` or `eval range from 0 to 5m step 1m QUERY`",
                ));
            }
        };
        let mut evaluation = Evaluation {
            span: query.span(),
            query: query.text.to_owned(),
            time,
            ordered: mode == "ordered",
            failure: (mode == "fail").then_some(Pattern::Any),
            fails_as_written: false,
            annotations: Annotated {
                some: match mode {
                    "warn" => Some(Severity::Warning),
                    "info" => Some(Severity::Info),
                    _ => None,
                },
                lines: Vec::new(),
            },
            window: None,
            expected: Expected::Series(Vec::new()),
        };
        while let Some(line) = self.take_of_block() {
            if !self.expectation(&mut evaluation, line)? {
                break;
            }
        }
        Ok(evaluation)
    }

    /// `at 5m QUERY`
    fn instant(&self, line: Line<'a>) -> Result<(Time, Line<'a>), Diagnostic> {
        let (time, query) = self.timed(line, "at")?;
        Ok((Time::Instant(time), self.query(query)?))
    }

    /// `from 0 to 5m step 1m QUERY`
    fn range(&self, line: Line<'a>) -> Result<(Time, Line<'a>), Diagnostic> {
        let (steps, query) = self.steps(line)?;
        Ok((Time::Range(steps), self.query(query)?))
    }

    fn query(&self, query: Line<'a>) -> Result<Line<'a>, Diagnostic> {
        match query.text.is_empty() {
            true => Err(query.fault(self.source, "no query", "write the query behind the time")),
            false => Ok(query),
        }
    }

    pub(super) fn steps(&self, line: Line<'a>) -> Result<(Steps, Line<'a>), Diagnostic> {
        let (start, rest) = self.timed(line, "from")?;
        let (end, rest) = self.timed(rest, "to")?;
        let (step, rest) = self.timed(rest, "step")?;
        if end < start || step <= 0 {
            return Err(line.fault(
                self.source,
                "the range ends before it starts, or its step is not above 0",
                "write `from START to END step STEP`",
            ));
        }
        if (end - start) / step > MAX_STEPS {
            let message = format!("more than {MAX_STEPS} steps");
            return Err(line.fault(self.source, message, "use a longer step"));
        }
        Ok((Steps { start, end, step }, rest))
    }

    /// A word and the duration behind it.
    fn timed(&self, line: Line<'a>, word: &str) -> Result<(Millis, Line<'a>), Diagnostic> {
        let (found, rest) = line.split_word();
        if found != word {
            let message = format!("expected `{word}` and a duration");
            return Err(line.fault(self.source, message, "write it such as `at 5m`"));
        }
        let (_, after) = rest.split_word();
        Ok((self.duration(rest, word)?, after))
    }

    fn duration(&self, line: Line<'a>, what: &str) -> Result<Millis, Diagnostic> {
        let (text, _) = line.split_word();
        Duration::parse(text)
            .map(Duration::millis)
            .map_err(|error| {
                line.fault(
                    self.source,
                    format!("{what}: {error}"),
                    "write a duration such as `5m`",
                )
            })
    }

    /// A series and its samples, and where these stand.
    pub(super) fn series(
        &self,
        line: Line<'a>,
    ) -> Result<(Labels, Vec<Item>, Line<'a>), Diagnostic> {
        let (name, rest) = line.text.split_at(end_of_series(line.text));
        let labels = parse_series(name).map_err(|error| self.notation_fault(line, error))?;
        let values = line.tail(rest);
        let items =
            parse_values(values.text).map_err(|error| self.notation_fault(values, error))?;
        Ok((labels, items, values))
    }

    pub(super) fn notation_fault(&self, line: Line<'a>, error: NotationError) -> Diagnostic {
        let start = line.span().start + error.offset;
        Diagnostic::error(error.message)
            .at(self.source, Span::new(start, start + 1))
            .help(error.help)
    }
}

/// A series, and how far from each sample its counter started.
type Starts = (Labels, Vec<Option<Millis>>);

/// Samples of a series that begins at 0, and when the counter of each started.
fn started(points: Points, distances: &[Option<Millis>], interval: Millis) -> Points {
    let starts = (0..points.len()).map(|index| {
        let time = points.time(index);
        let place = usize::try_from(time / interval).unwrap_or(usize::MAX);
        let distance = distances.get(place).copied().flatten();
        distance.map_or(0, |distance| time.saturating_add(distance))
    });
    let starts = starts.collect();
    points.with_starts(starts)
}

/// Where the name and the labels of a series end.
fn end_of_series(text: &str) -> usize {
    let is_end = |c: char| c.is_whitespace() || c == '{';
    let name = text.find(is_end).unwrap_or(text.len());
    let mut rest = text
        .char_indices()
        .skip_while(|(index, _)| *index < name)
        .peekable();
    if rest.peek().is_none_or(|(_, c)| *c != '{') {
        return name;
    }
    let mut quote = None;
    let mut escaped = false;
    for (index, c) in rest {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(open) if c == '\\' && open != '`' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            None if c == '}' => return index + 1,
            None => {}
        }
    }
    text.len()
}
