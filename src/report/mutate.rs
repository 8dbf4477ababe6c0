//! What became of mutants.
//!
//! JSON: `{"version": 1, "mutants", "killed", "score", "operators": [{"operator", "mutants", "killed"}], "files": [{"file",
//! "mutants", "killed"}], "survivors": [{"operator", "rule", "file", "line", "column", "from", "to", "remedy"}]}`, `score` of a
//! hundred and null where there is no mutant, `to` null where something is not there any more.

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::count;
use crate::mutate::{Fate, Judged, Mutant, operators};

/// How many mutants there are, and how many were killed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// All of them.
    pub mutants: usize,
    /// Those that a test fails for.
    pub killed: usize,
}

impl Score {
    /// Of mutants.
    pub fn of<'j>(judged: impl IntoIterator<Item = &'j Judged>) -> Score {
        let mut score = Score::default();
        for one in judged {
            score.mutants += 1;
            score.killed += usize::from(one.fate == Fate::Killed);
        }
        score
    }

    /// Of a hundred; `None` where there is none.
    pub fn percent(&self) -> Option<f64> {
        match self.mutants {
            0 => None,
            mutants => Some(self.killed as f64 * 100.0 / mutants as f64),
        }
    }

    /// `98.3 %`, never rounded to a hundred.
    pub fn words(&self) -> String {
        self.percent().map_or_else(
            || "none".to_owned(),
            |percent| format!("{:.1} %", (percent * 10.0).floor() / 10.0),
        )
    }
}

/// Survivors, tables and the score, for people.
pub fn text(judged: &[Judged]) -> String {
    let mut out = String::new();
    for one in survivors(judged) {
        out.push_str(&survivor(one));
    }
    let all = Score::of(judged);
    let mut rows = Builder::default();
    rows.push_record(["operator", "mutants", "killed", "survived", "score"]);
    for (name, score) in by_operator(judged) {
        rows.push_record(row(name, score));
    }
    out.push_str(&table(rows));
    out.push('\n');
    let mut rows = Builder::default();
    rows.push_record(["file", "mutants", "killed", "survived", "score"]);
    for (name, score) in by(judged, |mutant| mutant.place.source.name()) {
        rows.push_record(row(name, score));
    }
    out.push_str(&table(rows));
    out.push_str(&format!(
        "\n{} of {} killed, {} survived: {}\n",
        all.killed,
        count(all.mutants, "mutant"),
        all.mutants - all.killed,
        all.words()
    ));
    out
}

/// The same for programs.
pub fn json(judged: &[Judged]) -> String {
    let all = Score::of(judged);
    let scores = |scores: Vec<(&str, Score)>, key: &str| -> Vec<Value> {
        let value = |(name, score): (&str, Score)| json!({key: name, "mutants": score.mutants, "killed": score.killed});
        scores.into_iter().map(value).collect()
    };
    let survivors = survivors(judged).map(|mutant| {
        let at = mutant.place.source.line_column(mutant.place.span.start);
        json!({
            "operator": mutant.operator.name,
            "rule": mutant.name,
            "file": mutant.place.source.name(),
            "line": at.line,
            "column": at.column,
            "from": mutant.from,
            "to": mutant.to,
            "remedy": mutant.remedy,
        })
    });
    let value = json!({
        "version": 1,
        "mutants": all.mutants,
        "killed": all.killed,
        "score": all.percent(),
        "operators": scores(by_operator(judged), "operator"),
        "files": scores(by(judged, |mutant| mutant.place.source.name()), "file"),
        "survivors": survivors.collect::<Vec<Value>>(),
    });
    format!("{value:#}\n")
}

fn survivors(judged: &[Judged]) -> impl Iterator<Item = &Mutant> {
    let survivors = judged.iter().filter(|it| it.fate == Fate::Survived);
    survivors.map(|it| &it.mutant)
}

/// Where it is, what is otherwise, the line, and what would kill it.
fn survivor(mutant: &Mutant) -> String {
    let (place, name) = (&mutant.place, &mutant.name);
    let what = match &mutant.to {
        Some(to) => format!("{name}: `{}` to `{to}`", mutant.from),
        None => format!("{name}: without `{}`", mutant.from),
    };
    let at = place.source.line_column(place.span.start);
    let line = place.source.line_start(at.line).unwrap_or_default();
    let rest = place.source.text().get(line..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default().trim();
    format!(
        "{place}: {}: {what}\n    {}\n    to kill it: {}\n\n",
        mutant.operator.name,
        cut(line),
        mutant.remedy
    )
}

/// The beginning of a line that is too long to be read.
fn cut(line: &str) -> String {
    const MOST: usize = 160;
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// The scores of operators that made mutants, in the order of their table.
fn by_operator(judged: &[Judged]) -> Vec<(&str, Score)> {
    let mut scores = by(judged, |mutant| mutant.operator.name);
    scores.sort_by_key(|(name, _)| operators().iter().position(|it| it.name == *name));
    scores
}

/// The scores of mutants that have something in common, in the order in which it is met first.
fn by<'j>(judged: &'j [Judged], key: impl Fn(&'j Mutant) -> &'j str) -> Vec<(&'j str, Score)> {
    let mut scores: Vec<(&str, Score)> = Vec::new();
    for one in judged {
        let name = key(&one.mutant);
        let own = Score::of([one]);
        match scores.iter_mut().find(|(it, _)| *it == name) {
            Some((_, score)) => {
                score.mutants += own.mutants;
                score.killed += own.killed;
            }
            None => scores.push((name, own)),
        }
    }
    scores
}

fn row(name: &str, score: Score) -> [String; 5] {
    [
        name.to_owned(),
        score.mutants.to_string(),
        score.killed.to_string(),
        (score.mutants - score.killed).to_string(),
        score.words(),
    ]
}

/// Rows as lines without blanks at either end, numbers to the right.
fn table(rows: Builder) -> String {
    let mut drawn = rows.build();
    drawn.with(Style::blank());
    drawn.modify(Columns::new(1..), Alignment::right());
    let drawn = drawn.to_string();
    let line = |line: &str| format!("{}\n", line.strip_prefix(' ').unwrap_or(line).trim_end());
    drawn.lines().map(line).collect()
}
