//! Expectations that are not met, drawn.

use std::collections::HashMap;

use super::{Paint, Printer, shown};
use crate::model::{Duration, Labels};
use crate::promql::ast::BinaryOp;
use crate::replay::AlertState;
use crate::report::unmet::{
    amount, budget_got, budget_wanted, counted as name_of, list, plain, share, span_of_times, words,
};
use crate::suite::expect::{Curve, Picture, PictureRow, Problem, Unmet};

/// No more problems than this are told of one expectation.
const MAX_PROBLEMS: usize = 8;

/// No more instances than this are named of which the same is said.
const MAX_ALIKE: usize = 2;

/// No more labels sets than this are listed.
const MAX_OTHERS: usize = 4;

/// Values from least to greatest.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl Printer {
    /// What is not as expected, and what was seen instead.
    pub(super) fn unmet(&mut self, unmet: &Unmet) {
        let alike = alike(&unmet.problems);
        for (problem, others) in alike.iter().take(MAX_PROBLEMS) {
            self.problem(problem);
            for labels in others.iter().take(MAX_ALIKE) {
                let labels = labels.map_or_else(String::new, |labels| shown(labels).to_string());
                self.line(&format!("        the same of {labels}"));
            }
            if let Some(more) = others.len().checked_sub(MAX_ALIKE + 1) {
                self.line(&format!("        and of {} more", more + 1));
            }
        }
        let rest = alike.iter().skip(MAX_PROBLEMS);
        let more: usize = rest.map(|(_, others)| 1 + others.len()).sum();
        if more > 0 {
            self.line(&format!("    and {more} more"));
        }
        if let Some(picture) = &unmet.picture {
            self.picture(picture);
        }
    }

    fn problem(&mut self, problem: &Problem) {
        match problem {
            Problem::Windows {
                labels,
                state,
                expected,
                seen,
                ..
            } => {
                self.head("differs:", labels.as_ref());
                let verb = match state {
                    AlertState::Firing => "fires",
                    AlertState::Pending => "pending",
                };
                let windows = expected.iter().map(|window| (window.from, window.to));
                let windows: Vec<_> = windows.collect();
                self.line(&format!("        {verb:<9} expected {}", list(&windows)));
                self.line(&format!("                  observed {}", list(seen)));
                if !expected.is_empty() {
                    self.line(&format!("                  {}", words(problem)));
                }
            }
            Problem::NoInstance { others } => {
                self.bad("no instance that is meant was ever pending or firing");
                self.others("instances there are:", others);
            }
            Problem::NoSample { others, .. } => {
                self.bad(&words(problem));
                self.others("samples there are:", others);
            }
            Problem::Amount {
                what,
                labels,
                wanted,
                got,
                counted,
            } => {
                let what = name_of(*what);
                match labels {
                    Some(labels) => self.head("differs:", Some(labels)),
                    None => self.bad("differs:"),
                }
                self.line(&format!("        {what}"));
                self.line(&format!("            expected  {}", amount(wanted)));
                self.line(&format!("            got       {got}"));
                self.others("    these:", counted);
            }
            Problem::Unresolved { labels, seen, .. } => {
                self.head("differs:", labels.as_ref());
                self.line(&format!("        {}", words(problem)));
                self.line(&format!("        fires {}", list(seen)));
            }
            Problem::State { labels, .. } => {
                self.head("differs:", Some(labels));
                self.line(&format!("        {}", words(problem)));
            }
            Problem::Text {
                alert,
                labels,
                what,
                name,
                wanted,
                got,
                at,
                times,
            } => {
                let of = format!("differs: {alert}");
                self.head(&of, Some(labels));
                let often = match times {
                    (1, 1) => format!("at {}", Duration(*at)),
                    (bad, all) => format!("first at {}, in {bad} of {all}", Duration(*at)),
                };
                self.line(&format!("        {what} {name} ({often})"));
                let wanted = crate::report::unmet::text(wanted);
                self.line(&format!("            expected  {wanted}"));
                let got = got.as_deref().map_or_else(|| "(absent)".to_owned(), plain);
                self.line(&format!("            got       {got}"));
            }
            Problem::Unselected { labels, seen } => {
                self.head("fires, and no item of `expect` selects it:", Some(labels));
                self.line(&format!("        fires {}", list(seen)));
                self.line("        remedy    add an item for it, or `others: allowed` to this one");
            }
            Problem::Never {
                alert,
                labels,
                state,
                seen,
            } => {
                let head = format!("never expected: {alert}");
                self.head(&head, Some(labels));
                self.line(&format!("        {} {}", state.name(), list(seen)));
            }
            Problem::Value {
                labels,
                test,
                wanted,
                got,
                at,
                times,
            } => {
                self.head("differs:", Some(labels));
                self.line(&format!("        {test} {}", span_of_times(*at, *times)));
                let wanted = crate::report::unmet::value(wanted);
                self.line(&format!("            expected  {wanted}"));
                self.line(&format!("            got       {got}"));
            }
            Problem::Sample { labels, got, at } => {
                let head = format!("not expected, at {}:", Duration(*at));
                self.head(&head, Some(labels));
                self.line(&format!("            got       {got}"));
            }
            Problem::Budget {
                labels,
                test,
                wanted,
                got,
                at,
            } => {
                match labels {
                    Some(labels) => self.head("differs:", Some(labels)),
                    None => self.bad("differs:"),
                }
                let got = budget_got(test, got);
                let Some(wanted) = wanted else {
                    self.line(&format!("        {got}"));
                    return;
                };
                let at = at.map_or_else(String::new, |at| format!(" at {}", Duration(at)));
                self.line(&format!("        {test}{at}"));
                let wanted = budget_wanted(test, wanted);
                self.line(&format!("            expected  {wanted}"));
                self.line(&format!("            got       {got}"));
            }
            Problem::Error { message, .. } => self.error(message),
            Problem::NothingAsked { .. } | Problem::EmptySpan => self.bad(&words(problem)),
        }
    }

    fn head(&mut self, head: &str, labels: Option<&Labels>) {
        let head = self.paint(Paint::Bad, head);
        self.line(&match labels {
            None => format!("    {head} all instances together"),
            Some(labels) => format!("    {head} {}", shown(labels)),
        });
    }

    fn bad(&mut self, text: &str) {
        let text = self.paint(Paint::Bad, text);
        self.line(&format!("    {text}"));
    }

    fn others(&mut self, head: &str, others: &[Labels]) {
        if others.is_empty() {
            return;
        }
        self.line(&format!("    {head}"));
        for labels in others.iter().take(MAX_OTHERS) {
            self.line(&format!("        {}", shown(labels)));
        }
        if others.len() > MAX_OTHERS {
            self.line(&format!("        and {} more", others.len() - MAX_OTHERS));
        }
    }

    fn picture(&mut self, picture: &Picture) {
        self.line(&format!(
            "    timeline  {} to {}, a cell is {} (· inactive, p pending, F firing)",
            Duration(picture.from),
            Duration(picture.to),
            Duration(picture.step)
        ));
        for row in &picture.rows {
            self.row(row);
        }
        if picture.more > 0 {
            let more = crate::report::count(picture.more, "instance");
            self.line(&format!("      and {more} more"));
        }
    }

    fn row(&mut self, row: &PictureRow) {
        let draw = |states: &[Option<AlertState>]| -> String {
            states.iter().map(|state| super::symbol(*state)).collect()
        };
        if let Some(expected) = &row.expected {
            self.line(&format!("      expected  {}", draw(expected)));
        }
        let labels = row.labels.as_ref().map(shown);
        let labels = labels.map_or_else(String::new, |labels| format!("  {labels}"));
        if !row.observed.is_empty() {
            self.line(&format!("      observed  {}{labels}", draw(&row.observed)));
        }
        if let Some(curve) = &row.curve {
            let drawn = sparkline(curve);
            let words = curve_words(curve);
            let line = self.paint(
                Paint::Faint,
                &format!("      {:<9} {drawn}  {words}", curve.of),
            );
            self.line(&line);
        }
    }
}

/// Problems in their order, each with what later ones are about that say the same.
fn alike(problems: &[Problem]) -> Vec<(&Problem, Vec<Option<&Labels>>)> {
    let mut found: Vec<(&Problem, Vec<Option<&Labels>>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for problem in problems {
        let place = known.get(&said(problem)).copied();
        match place.and_then(|place| found.get_mut(place)) {
            Some((_, others)) => others.push(problem.labels()),
            None => {
                known.insert(said(problem), found.len());
                found.push((problem, Vec::new()));
            }
        }
    }
    found
}

/// All that is said of a problem but the labels that it is about.
fn said(problem: &Problem) -> String {
    let more = match problem {
        Problem::Windows { state, seen, .. } => format!("{} {seen:?}", state.name()),
        Problem::Unresolved { seen, .. }
        | Problem::Unselected { seen, .. }
        | Problem::Never { seen, .. } => format!("{seen:?}"),
        Problem::Text { alert, times, .. } => format!("{alert} {times:?}"),
        _ => String::new(),
    };
    let alert = match problem {
        Problem::Never { alert, .. } => alert.as_str(),
        _ => "",
    };
    format!("{} {alert} {more} {}", problem.kind(), words(problem))
}

/// The values as columns of eight heights.
fn sparkline(curve: &Curve) -> String {
    let finite = |value: &f64| value.is_finite();
    let all = curve.values.iter().flatten().copied().chain(curve.bound);
    let all = all.filter(finite);
    let (least, greatest) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| {
        (a.min(value), b.max(value))
    });
    let height = |value: f64| {
        let part = (value - least) / (greatest - least);
        match part.is_nan() {
            true => 0,
            false => (part.clamp(0.0, 1.0) * 7.0).round() as usize,
        }
    };
    let cell = |value: &Option<f64>| match value {
        None => ' ',
        Some(value) if value.is_nan() => '?',
        Some(value) => LEVELS[height(*value).min(7)],
    };
    curve.values.iter().map(cell).collect()
}

/// `0.001 to 0.12, must be > 0.05`.
fn curve_words(curve: &Curve) -> String {
    let is_share = curve.of != "value";
    let values = curve.values.iter().flatten();
    let values: Vec<f64> = values.copied().filter(|value| !value.is_nan()).collect();
    let number = |value: f64| match is_share {
        true => share(value),
        false => brief(value),
    };
    let least = values.iter().copied().reduce(f64::min);
    let greatest = values.iter().copied().reduce(f64::max);
    let range = match (least, greatest) {
        (Some(least), Some(greatest)) if least == greatest => number(least),
        (Some(least), Some(greatest)) => format!("{} to {}", number(least), number(greatest)),
        _ => "no number".to_owned(),
    };
    let op: BinaryOp = curve.op;
    match curve.bound {
        Some(bound) if is_share => format!("{range}; the item asks for {}", number(bound)),
        Some(bound) => format!(
            "{range}; the alert asks for {} {}",
            op.symbol(),
            number(bound)
        ),
        None => range,
    }
}

/// A number with four digits that count.
fn brief(value: f64) -> String {
    let text = crate::model::number::format_value(value);
    match text.len() {
        0..=8 => text,
        _ => {
            let rounded = format!("{value:.3e}").parse().unwrap_or(value);
            crate::model::number::format_value(rounded)
        }
    }
}
