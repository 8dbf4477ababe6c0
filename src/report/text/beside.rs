//! What is expected beside what was seen: alerts and samples, each with the one that it is most like.

use std::collections::BTreeMap;

use similar::{ChangeTag, TextDiff};

use super::{Paint, Printer, one_line, shown};
use crate::model::Labels;
use crate::report::count;
use crate::suite::{AlertLine, SampleLine};

impl Printer {
    /// Alerts of which not those fire that are expected to.
    pub(super) fn alerts(&mut self, expected: &[AlertLine], got: &[AlertLine]) {
        let firing = match got.len() {
            0 => "none is firing".to_owned(),
            1 => "1 is firing".to_owned(),
            number => format!("{number} are firing"),
        };
        self.line(&format!(
            "    expected {}, {firing}",
            count(expected.len(), "firing alert")
        ));
        let pairs = pair(expected, got, |a, b| {
            let common = in_common(&a.labels, &b.labels);
            (common * 2, usize::from(a.annotations == b.annotations))
        });
        for pair in pairs {
            match pair {
                (Some(expected), Some(got)) if expected == got => {}
                (Some(expected), Some(got)) => self.differing_alert(expected, got),
                (Some(missing), None) => {
                    self.whole_alert("expected, not firing:", Paint::Bad, missing)
                }
                (None, Some(extra)) => self.whole_alert("firing, not expected:", Paint::Bad, extra),
                (None, None) => {}
            }
        }
    }

    fn whole_alert(&mut self, head: &str, paint: Paint, alert: &AlertLine) {
        let line = format!("    {} {}", self.paint(paint, head), shown(&alert.labels));
        self.line(&line);
        for name in &alert.empty_labels {
            self.line(&format!(
                "        label {name} is expected to be empty, which is no label at all: remove it"
            ));
        }
        for (name, value) in &alert.annotations {
            self.line(&format!("        {name}: {value}"));
        }
    }

    /// Heads a difference with the labels that both sides share.
    fn differs(&mut self, expected: &Labels, got: &Labels) {
        let common = shown(got).filtered(|name| expected.get(name) == got.get(name));
        let head = self.paint(Paint::Bad, "differs:");
        self.line(&match common.is_empty() {
            true => format!("    {head}"),
            false => format!("    {head} {common}"),
        });
    }

    fn differing_alert(&mut self, expected: &AlertLine, got: &AlertLine) {
        self.differs(&expected.labels, &got.labels);
        for name in &expected.empty_labels {
            self.line(&format!(
                "        label {name} is expected to be empty, which is no label at all: remove it"
            ));
        }
        for (name, sides) in merge_pairs(expected.labels.iter(), got.labels.iter()) {
            self.sides("label", name, sides);
        }
        let (left, right) = (texts(&expected.annotations), texts(&got.annotations));
        for (name, sides) in merge_pairs(left, right) {
            self.sides("annotation", name, sides);
        }
    }

    /// What is expected of a label or an annotation, and what was seen, unless they agree.
    fn sides(&mut self, noun: &str, name: &str, sides: Sides<'_>) {
        let (expected, got) = sides;
        if expected == got {
            return;
        }
        self.line(&format!("        {noun} {name}"));
        let (expected, got) = match (expected, got) {
            (Some(expected), Some(got)) => self.emphasised(expected, got),
            (expected, got) => (expected.map(str::to_owned), got.map(str::to_owned)).into_text(),
        };
        self.line(&format!("            expected  {expected}"));
        self.line(&format!("            got       {got}"));
    }

    /// Both sides with the characters that differ painted.
    fn emphasised(&self, expected: &str, got: &str) -> (String, String) {
        let (expected, got) = (one_line(expected), one_line(got));
        if !self.coloured {
            return (expected, got);
        }
        let (mut left, mut right) = (String::new(), String::new());
        for change in TextDiff::from_words(expected.as_str(), got.as_str()).iter_all_changes() {
            let text = change.value();
            match change.tag() {
                ChangeTag::Equal => {
                    left.push_str(text);
                    right.push_str(text);
                }
                ChangeTag::Delete => left.push_str(&self.paint(Paint::Bad, text)),
                ChangeTag::Insert => right.push_str(&self.paint(Paint::Good, text)),
            }
        }
        (left, right)
    }

    /// Samples that are not those expected.
    pub(super) fn samples(&mut self, expected: &[SampleLine], got: &[SampleLine]) {
        self.line(&format!(
            "    expected {}, got {}",
            count(expected.len(), "sample"),
            got.len()
        ));
        let pairs = pair(expected, got, |a, b| {
            let common = in_common(&a.labels, &b.labels);
            let same_size = usize::from(a.labels == b.labels);
            (
                common * 2 + same_size + 1,
                usize::from(a.value_text() == b.value_text()),
            )
        });
        for pair in pairs {
            match pair {
                (Some(expected), Some(got)) if expected == got => {}
                (Some(expected), Some(got)) => self.differing_sample(expected, got),
                (Some(missing), None) => self.whole_sample("expected, not there:", missing),
                (None, Some(extra)) => self.whole_sample("there, not expected:", extra),
                (None, None) => {}
            }
        }
    }

    fn whole_sample(&mut self, head: &str, sample: &SampleLine) {
        let line = format!(
            "    {} {} {}",
            self.paint(Paint::Bad, head),
            sample.labels,
            sample.value_text()
        );
        self.line(&line);
    }

    fn differing_sample(&mut self, expected: &SampleLine, got: &SampleLine) {
        self.differs(&expected.labels, &got.labels);
        for (name, sides) in merge_pairs(expected.labels.iter(), got.labels.iter()) {
            self.sides("label", name, sides);
        }
        let (expected, got) = (expected.value_text(), got.value_text());
        if expected != got || expected == "NaN" {
            self.line("        value");
            self.line(&format!("            expected  {expected}"));
            self.line(&format!("            got       {got}"));
            if expected == "NaN" && got == "NaN" {
                self.line("            NaN never equals anything, itself included, as in promtool");
            }
        }
    }
}

/// What is expected, and what was seen; where there is any.
type Sides<'a> = (Option<&'a str>, Option<&'a str>);

/// Turns absent sides into words.
trait IntoText {
    fn into_text(self) -> (String, String);
}

impl IntoText for (Option<String>, Option<String>) {
    fn into_text(self) -> (String, String) {
        let absent = || "(absent)".to_owned();
        (
            self.0.map_or_else(absent, |text| one_line(&text)),
            self.1.map_or_else(absent, |text| one_line(&text)),
        )
    }
}

/// How many labels two sets share.
fn in_common(a: &Labels, b: &Labels) -> usize {
    let shared = |&(name, value): &(&str, &str)| b.get(name) == Some(value);
    a.iter().filter(shared).count()
}

fn texts(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
}

/// The names of two sorted lists of pairs, with the value on either side.
fn merge_pairs<'a>(
    left: impl Iterator<Item = (&'a str, &'a str)>,
    right: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(&'a str, Sides<'a>)> {
    let mut merged: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for (name, value) in left {
        merged.entry(name).or_default().0 = Some(value);
    }
    for (name, value) in right {
        merged.entry(name).or_default().1 = Some(value);
    }
    merged.into_iter().collect()
}

/// Pairs what is expected with what was seen: equals first, then by likeness, best first.
fn pair<'a, T: PartialEq>(
    expected: &'a [T],
    got: &'a [T],
    likeness: impl Fn(&T, &T) -> (usize, usize),
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    const MAX_COMPARED: usize = 250_000;
    if expected.len() * got.len() > MAX_COMPARED {
        // Too many to look for the likest: both are sorted, so equals fall together more often than not.
        let count = expected.len().max(got.len());
        return (0..count)
            .map(|index| (expected.get(index), got.get(index)))
            .collect();
    }
    let mut candidates = Vec::new();
    for (i, a) in expected.iter().enumerate() {
        for (j, b) in got.iter().enumerate() {
            candidates.push((a != b, std::cmp::Reverse(likeness(a, b)), i, j));
        }
    }
    candidates.sort();
    let mut partner: Vec<Option<usize>> = vec![None; expected.len()];
    let mut taken = vec![false; got.len()];
    for (_, _, i, j) in candidates {
        if partner[i].is_none() && !taken[j] {
            partner[i] = Some(j);
            taken[j] = true;
        }
    }
    let matched = expected
        .iter()
        .zip(&partner)
        .map(|(a, j)| (Some(a), j.map(|j| &got[j])));
    let extra = got
        .iter()
        .zip(&taken)
        .filter(|(_, taken)| !**taken)
        .map(|(b, _)| (None, Some(b)));
    matched.chain(extra).collect()
}
