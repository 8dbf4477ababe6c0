//! The causes in words.

use std::cmp::Ordering;

use super::Clock;
use super::joins::{gone, no_partner, removed};
use crate::model::number::format_value;
use crate::model::{Duration, Labels, Timestamp};
use crate::promql::why::{
    Blamed, Cause, Compared, Dropped, FewSamples, Finding, NanSource, NoMatch, NoSample,
    NotANumber, Pair, Quiet, Twins,
};
use crate::replay::{Recorded, Section};
use crate::report::remedy;

/// What there is to say of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Words {
    /// What kind of cause it is, for programs.
    pub kind: &'static str,
    /// The cause.
    pub head: String,
    /// What belongs to it, a line each.
    pub details: Vec<String>,
    /// What to do.
    pub remedies: Vec<String>,
}

impl Words {
    pub fn new(kind: &'static str, head: impl Into<String>) -> Words {
        Words {
            kind,
            head: head.into(),
            details: Vec::new(),
            remedies: Vec::new(),
        }
    }

    pub fn details(mut self, details: impl IntoIterator<Item = String>) -> Words {
        self.details.extend(details);
        self
    }

    pub fn remedies(mut self, remedies: impl IntoIterator<Item = String>) -> Words {
        self.remedies.extend(remedies);
        self
    }
}

/// A value for people: six significant digits at most.
pub(super) fn number(value: f64) -> String {
    let rounded: Option<f64> = format!("{value:.5e}").parse().ok();
    format_value(rounded.unwrap_or(value))
}

/// A finding in words.
pub(super) fn words(finding: &Finding, section: &Section, clock: Clock) -> Words {
    let words = match &finding.cause {
        Cause::NoMetric { name, near } => no_metric(name, near),
        Cause::NoMatch(cause) => no_match(cause),
        Cause::NoSample(cause) => no_sample(cause, clock),
        Cause::FewSamples(cause) => few_samples(cause, clock),
        Cause::NoStep { range, step } => Words::new(
            "no_step",
            format!(
                "no step of the subquery lies in its window of {}: its steps are the multiples of {}",
                Duration(*range),
                Duration(*step)
            ),
        ),
        Cause::Compared(cause) => compared(cause),
        Cause::NoPartner(cause) => no_partner(cause, section),
        Cause::Removed(cause) => removed(cause),
        Cause::NothingToRemove => Words::new(
            "nothing_to_remove",
            "`unless` removes nothing: its right side is empty",
        ),
        Cause::Present {
            function,
            count: number,
            some,
        } => present(function, *number, some),
        Cause::Absent { function } => Words::new(
            "absent",
            format!("{function}() is 1 because its argument is empty"),
        ),
        Cause::NoBuckets {
            function,
            example,
            dropped,
        } => no_buckets(function, example, dropped.as_ref(), section),
        Cause::NoScalar { count: number } => no_scalar(*number),
        Cause::NotANumber(cause) => not_a_number(cause),
        Cause::LostLabel { label, dropped } => Words::new(
            "lost_label",
            format!("the result has no label {label}: `{}` drops it", dropped.by),
        )
        .remedies([format!("keep {label} in `{}`", dropped.by)]),
        Cause::Failed { message, twins } => failed(message, twins.as_ref()),
        Cause::Nothing { notes } => {
            Words::new("nothing", "nothing is left of what comes in").details(notes.iter().cloned())
        }
    };
    let is_of_selector = matches!(
        finding.cause,
        Cause::NoMetric { .. } | Cause::NoMatch(_) | Cause::NoSample(_)
    );
    let recorded = section
        .recorded
        .iter()
        .filter(|it| is_of_selector && it.span == finding.span);
    let recorded: Vec<String> = recorded.map(of_rule).collect();
    match (&finding.cause, recorded.is_empty()) {
        // A name that a rule records is not misspelt.
        (Cause::NoMetric { .. }, false) => Words {
            remedies: Vec::new(),
            ..words.details(recorded)
        },
        _ => words.details(recorded),
    }
}

/// `it is recorded by job:errors:rate5m (rules.yml:4:13), see below`.
fn of_rule(recorded: &Recorded) -> String {
    let see = match recorded.section {
        Some(_) => ": see below",
        None => "",
    };
    format!(
        "{} is written by the rule at {}{see}",
        recorded.name, recorded.place
    )
}

fn no_metric(name: &str, near: &[String]) -> Words {
    let words = Words::new("no_metric", format!("there is no series called {name}"));
    match near {
        [] => words,
        near => words.remedies([format!("did you mean {}?", near.join(" or "))]),
    }
}

fn no_match(cause: &NoMatch) -> Words {
    let called = cause.name.iter().map(|name| format!(" called {name}"));
    let called = called.collect::<String>();
    let (of, does, whose) = match cause.of_name {
        1 => (format!("the only series{called}"), "does not pass", "its"),
        all => (
            format!("none of the {all} series{called}"),
            "passes",
            "their",
        ),
    };
    let matchers: Vec<&str> = cause
        .matchers
        .iter()
        .map(|it| it.matcher.as_str())
        .collect();
    match (cause.matchers.as_slice(), cause.is_each) {
        ([], _) => Words::new(
            "no_match",
            format!("{of} {does} all matchers, though each matcher lets some through"),
        ),
        ([blamed], _) => Words::new("no_match", format!("{of} {does} {}", blamed.matcher))
            .details([values(blamed, whose)]),
        (several, true) => Words::new(
            "no_match",
            format!("{of} {does} {} at once", matchers.join(" and ")),
        )
        .details(several.iter().map(|it| {
            format!(
                "of those that pass the rest, but not {}, {}",
                it.matcher,
                values(it, "the")
            )
        })),
        (several, false) => Words::new(
            "no_match",
            format!("{of} {does} any of {}", matchers.join(" and ")),
        )
        .details(several.iter().map(|it| values(it, whose))),
    }
}

/// `their job is "api", "cart" and 3 more`.
fn values(blamed: &Blamed, whose: &str) -> String {
    if blamed.values.is_empty() {
        return format!("there is no label {}", blamed.label);
    }
    let values: Vec<String> = blamed
        .values
        .iter()
        .map(|value| format!("{value:?}"))
        .collect();
    let more = match blamed.more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{whose} {} is {}{more}", blamed.label, values.join(", "))
}

fn no_sample(cause: &NoSample, clock: Clock) -> Words {
    let reach = match cause.is_range {
        true => format!(
            "the {} up to {}",
            Duration(cause.reach),
            clock.tell(cause.end)
        ),
        false => format!(
            "the look-back of {} up to {}",
            Duration(cause.reach),
            clock.tell(cause.end)
        ),
    };
    let all = cause.series.len() + cause.more;
    let head = match all {
        1 => format!("1 series matches, but has no sample in {reach}"),
        _ => format!("{all} series match, but none has a sample in {reach}"),
    };
    let more = (cause.more > 0).then(|| format!("and {} more", cause.more));
    Words::new("no_sample", head)
        .details(
            cause
                .series
                .iter()
                .map(|quiet| silence(quiet, cause.end, clock)),
        )
        .details(more)
}

fn silence(quiet: &Quiet, end: Timestamp, clock: Clock) -> String {
    let mut parts = Vec::new();
    if let Some(last) = quiet.last {
        let before = Duration(end.saturating_sub(last));
        parts.push(format!(
            "last sample at {}, {before} before",
            clock.tell(last)
        ));
    }
    if let Some(stale) = quiet.stale {
        parts.push(format!("ended by a stale marker at {}", clock.tell(stale)));
    }
    match (quiet.next, quiet.last) {
        (Some(next), _) if next <= end => parts.push(format!(
            "its sample of {} is written after this evaluation",
            clock.tell(next)
        )),
        (Some(next), Some(_)) => parts.push(format!("next sample at {}", clock.tell(next))),
        (Some(next), None) => parts.push(format!("first sample at {}", clock.tell(next))),
        (None, None) => parts.push("it has no sample at all".to_owned()),
        (None, Some(_)) => {}
    }
    format!("{}: {}", quiet.labels, parts.join(", "))
}

fn few_samples(cause: &FewSamples, clock: Clock) -> Words {
    let window = cause.range.map_or_else(
        || "window".to_owned(),
        |range| format!("window of {}", Duration(range)),
    );
    let head = format!(
        "{} needs {} samples, and its {window} holds 1 {}",
        cause.function,
        cause.needed,
        match cause.series.len() + cause.more {
            1 => "of the series".to_owned(),
            all => format!("of each of {all} series"),
        }
    );
    let held = cause
        .series
        .iter()
        .map(|held| format!("{}: {}", held.labels, super::samples(held, clock)));
    let more = (cause.more > 0).then(|| format!("and {} more", cause.more));
    let remedy = cause.apart.map(|apart| {
        format!(
            "samples lie {} apart: a range of {} always holds two, one of {} even where one is missing",
            Duration(apart),
            Duration(apart.saturating_mul(2)),
            Duration(apart.saturating_mul(3))
        )
    });
    let words = Words::new("few_samples", head).details(held).details(more);
    match remedy {
        Some(remedy) => words.remedies([remedy]),
        None => words.details(["there is no other sample".to_owned()]),
    }
}

fn compared(cause: &Compared) -> Words {
    let all = cause.passed_count + cause.failed_count;
    if let ([one], [], verb) | ([], [one], verb) = (
        cause.passed.as_slice(),
        cause.failed.as_slice(),
        if cause.passed_count > 0 {
            "is"
        } else {
            "is not"
        },
    ) && all == 1
    {
        let labels = match one.labels.is_empty() {
            true => String::new(),
            false => format!("{}: ", one.labels),
        };
        let values = format!(
            "{} {verb} {} {}",
            number(one.left),
            cause.op.symbol(),
            number(one.right)
        );
        return Words::new("compared", format!("{labels}{values}{}", off(one)));
    }
    let against = match cause.threshold {
        Some(value) => format!("{} {}", cause.op.symbol(), number(value)),
        None => format!("{} what it is compared with", cause.op.symbol()),
    };
    let of = match (all, cause.passed_count) {
        (all, 0) => format!("none of {all} values is"),
        (all, passed) if all == passed => format!("all {all} values are"),
        (all, passed) => format!(
            "{passed} of {all} values {}",
            if passed == 1 { "is" } else { "are" }
        ),
    };
    let nearest = cause.nearest.iter().filter(|_| cause.passed_count == 0);
    let nearest: String = nearest
        .map(|pair| format!(", the nearest is {}{}", number(pair.left), off(pair)))
        .collect();
    let lists = [
        ("kept", &cause.passed, cause.passed_count),
        ("dropped", &cause.failed, cause.failed_count),
    ];
    let details = lists.into_iter().flat_map(|(verb, pairs, all)| {
        let one = pairs
            .iter()
            .map(move |pair| format!("{verb}: {} {}", pair.labels, distance(pair)));
        let more = all.saturating_sub(pairs.len());
        one.chain((more > 0).then(|| format!("and {more} more")))
    });
    Words::new("compared", format!("{of} {against}{nearest}")).details(details)
}

/// `, 10 below it`.
fn off(pair: &Pair) -> String {
    let Pair { left, right, .. } = *pair;
    match left.partial_cmp(&right) {
        None => ": NaN can't be compared".to_owned(),
        Some(Ordering::Equal) => String::new(),
        Some(Ordering::Less) => format!(", {} below", number(pair.distance())),
        Some(Ordering::Greater) => format!(", {} above", number(pair.distance())),
    }
}

/// `240, 10 below 250`.
fn distance(pair: &Pair) -> String {
    let Pair { left, right, .. } = *pair;
    if left.is_nan() || right.is_nan() {
        return format!(
            "{}, which can't be compared with {}",
            number(left),
            number(right)
        );
    }
    let off = number(pair.distance());
    // What rounds to the same is told exactly.
    let (left_text, right_text) = match number(left) == number(right) {
        true => (format_value(left), format_value(right)),
        false => (number(left), number(right)),
    };
    match left.total_cmp(&right) {
        _ if left == right => format!("{left_text}, equal to {right_text}"),
        Ordering::Less => format!("{left_text}, {off} below {right_text}"),
        _ => format!("{left_text}, {off} above {right_text}"),
    }
}

fn present(function: &str, number: usize, some: &[Labels]) -> Words {
    let head = format!("{function}() is empty because there is something: {number} series");
    let more = number.saturating_sub(some.len());
    Words::new("present", head)
        .details(some.iter().map(Labels::to_string))
        .details((more > 0).then(|| format!("and {more} more")))
}

fn no_buckets(
    function: &str,
    example: &Labels,
    dropped: Option<&Dropped>,
    section: &Section,
) -> Words {
    let head = format!("{function} needs the label le, which no series has");
    let words = Words::new("no_buckets", head).details([format!("one of them is {example}")]);
    match dropped {
        Some(dropped) => words
            .details([gone(dropped, section)])
            .remedies([format!("keep le in `{}`", dropped.by)]),
        None => words.remedies(["give it the series whose names end in _bucket".to_owned()]),
    }
}

fn no_scalar(number: usize) -> Words {
    let head = match number {
        0 => "scalar() of no series is NaN".to_owned(),
        number => format!("scalar() of {number} series is NaN: it takes exactly one"),
    };
    let words = Words::new("no_scalar", head);
    match number {
        0 => words,
        _ => words.remedies(["aggregate to one series first, such as with max()".to_owned()]),
    }
}

fn not_a_number(cause: &NotANumber) -> Words {
    let how = match cause.source {
        NanSource::ZeroByZero => "0 is divided by 0, or infinity by infinity",
        NanSource::NoRemainder => "a division by 0, or of infinity, leaves no remainder",
        NanSource::NoLastBucket => "the bucket le=\"+Inf\", which counts everything, is missing",
        NanSource::OneBucket => "there is no bucket but le=\"+Inf\"",
        NanSource::NoObservation => "the buckets hold no observation",
        NanSource::Sample => "that is the sample's value",
        NanSource::Computed => "that is what comes of its operands",
    };
    let head = format!(
        "{} is NaN, which is never above, below or equal to anything",
        cause.labels
    );
    Words::new("nan", head).details([how.to_owned()])
}

fn failed(message: &str, twins: Option<&Twins>) -> Words {
    let details = twins.map(|twins| {
        format!(
            "{} and {} on the {} differ only in {}",
            twins.pair.0,
            twins.pair.1,
            twins.side,
            twins.differs.join(", ")
        )
    });
    Words::new("failed", message)
        .details(details)
        .remedies(remedy(message).map(str::to_owned))
}
