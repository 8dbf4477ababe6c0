//! What is legal in a specification and hardly meant, for all formats: alerts that can never fire, windows that do not
//! fit.

use crate::model::number::format_digits;
use crate::model::{Duration, MatchOp, Matcher, Millis};
use crate::text::{Diagnostic, Severity, Source, Span};

/// An alert on a burn rate.
#[derive(Debug, Clone, Copy)]
pub struct Tier<'a> {
    /// What it is called in messages.
    pub name: &'a str,
    /// How many times faster than allowed the budget burns.
    pub factor: f64,
    /// The share of events that may be bad.
    pub budget: f64,
    /// The window that ends the alert; `None` for an alert of one window.
    pub short: Option<Millis>,
    /// The window that starts it.
    pub long: Millis,
    /// The window of the objective.
    pub period: Millis,
    /// The time between two samples of a series.
    pub scrape: Millis,
}

/// The time between two samples of a series where nothing else is said: Prometheus's `scrape_interval`.
pub const SCRAPE: Millis = 60_000;

/// How long Prometheus keeps samples where nothing else is said.
const RETENTION: Millis = 15 * 86_400_000;

/// What is wrong and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// Which of them it is: a short word.
    pub kind: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Trap {
    /// What is said of it, at a place.
    pub fn diagnose(&self, source: &Source, span: Span) -> Diagnostic {
        let fault = Diagnostic::warning(self.message.as_str()).at(source, span);
        let fault = fault.help(self.help.as_str());
        match self.kind {
            "gaps" | "history" => Diagnostic {
                severity: Severity::Info,
                ..fault
            },
            _ => fault,
        }
    }
}

/// A trap: its word, and what it says of a tier that it catches, with the way out.
type Row = (&'static str, fn(&Tier<'_>) -> Option<(String, String)>);

const TRAPS: [Row; 9] = [
    ("never-fires", never_fires),
    ("no-budget", no_budget),
    ("zero-window", zero_window),
    ("short-not-short", short_not_short),
    ("longer-than-objective", longer_than_objective),
    ("fires-while-kept", fires_while_kept),
    ("few-samples", few_samples),
    ("gaps", gaps),
    ("history", history),
];

/// The traps in an alert.
pub fn traps(tier: &Tier<'_>) -> Vec<Trap> {
    let found = TRAPS.iter().filter_map(|(kind, look)| {
        let (message, help) = look(tier)?;
        Some(Trap {
            kind,
            message,
            help,
        })
    });
    found.collect()
}

/// A target that was probably given in the wrong unit: a fraction where per cent are meant.
pub fn fraction_for_percent(percent: f64) -> Option<Trap> {
    let is_fraction = percent > 0.0 && percent < 1.0;
    is_fraction.then(|| Trap {
        kind: "fraction",
        message: format!(
            "a target of {percent} is read as {percent} per cent: nearly everything may fail"
        ),
        help: format!("write {} for {percent} of all events", percent_of(percent)),
    })
}

/// A bucket that is asked for by a whole number: Prometheus 3 writes the bounds of classic histograms with a point.
pub fn whole_bound(matcher: &Matcher) -> Option<Trap> {
    let is_whole = matcher.value.parse::<i64>().is_ok();
    let is_bound = matcher.name == "le" && matcher.op == MatchOp::Equal && is_whole;
    is_bound.then(|| Trap {
        kind: "whole-bound",
        message: format!(
            "le=\"{0}\" selects nothing from Prometheus 3 on, which writes this bound {0}.0",
            matcher.value
        ),
        help: format!(r#"write le=~"{}(\.0)?", which selects both"#, matcher.value),
    })
}

/// A target below the half, of which one that counts good and bad the wrong way round looks the same.
pub fn low_target(percent: f64) -> Option<Trap> {
    let is_low = (1.0..50.0).contains(&percent);
    is_low.then(|| Trap {
        kind: "low-target",
        message: format!("a target of {percent} per cent lets more than half of the events fail"),
        help: format!(
            "the target is the share of good events: write {} if {percent} per cent may be bad",
            format_digits(100.0 - percent, 15)
        ),
    })
}

fn never_fires(tier: &Tier<'_>) -> Option<(String, String)> {
    let threshold = tier.factor * tier.budget;
    (threshold >= 1.0).then(|| {
        let message = format!(
            "{} can never fire: {} times a budget of {} % asks for more than {} % bad events",
            tier.name,
            digits(tier.factor),
            percent_of(tier.budget),
            percent_of(threshold)
        );
        let most = digits(1.0 / tier.budget);
        let help = format!(
            "with this target the budget never burns faster than {most} times: raise the target, or alert on a lower \
             burn rate over a longer window"
        );
        (message, help)
    })
}

fn no_budget(tier: &Tier<'_>) -> Option<(String, String)> {
    (tier.budget <= 0.0).then(|| {
        let message = "a target of 100 % leaves no budget: alerts fire at the first bad event";
        let help =
            "nothing is always good, and no burn rate can be computed: give a target below 100";
        (message.to_owned(), help.to_owned())
    })
}

fn zero_window(tier: &Tier<'_>) -> Option<(String, String)> {
    let is_zero = tier.long == 0 || tier.short == Some(0);
    is_zero.then(|| {
        let message = format!(
            "{} looks over a window of 0s, which holds nothing",
            tier.name
        );
        let help =
            "give the objective a longer window: alert windows are parts of it, rounded to minutes";
        (message, help.to_owned())
    })
}

fn short_not_short(tier: &Tier<'_>) -> Option<(String, String)> {
    let short = tier
        .short
        .filter(|short| *short >= tier.long && tier.long > 0)?;
    let message = format!(
        "the short window of {} ({}) is not shorter than its long one ({})",
        tier.name,
        Duration(short),
        Duration(tier.long)
    );
    let help = "the short window ends the alert soon after the outage: take about a twelfth of the long one";
    Some((message, help.to_owned()))
}

fn longer_than_objective(tier: &Tier<'_>) -> Option<(String, String)> {
    (tier.long > tier.period).then(|| {
        let message = format!(
            "{} looks over {}, longer than the objective's window of {}",
            tier.name,
            Duration(tier.long),
            Duration(tier.period)
        );
        let help = "an alert window is a part of the objective's: give the objective a longer window, or the alert a \
                    shorter one";
        (message, help.to_owned())
    })
}

fn fires_while_kept(tier: &Tier<'_>) -> Option<(String, String)> {
    (tier.factor < 0.9 && tier.factor > 0.0).then(|| {
        let message = format!(
            "{} fires at a burn rate of {}, at which the objective is kept",
            tier.name,
            digits(tier.factor)
        );
        let help = "below 1 the budget lasts longer than its window: alert at 1 or more";
        (message, help.to_owned())
    })
}

/// The shortest window of an alert that holds anything.
fn shortest(tier: &Tier<'_>) -> Millis {
    tier.short.unwrap_or(tier.long).min(tier.long)
}

fn few_samples(tier: &Tier<'_>) -> Option<(String, String)> {
    let window = shortest(tier);
    (window > 0 && window < 2 * tier.scrape).then(|| {
        let message = format!(
            "{} looks over {}, which seldom holds the two samples that a rate needs at one each {}",
            tier.name,
            Duration(window),
            Duration(tier.scrape)
        );
        (message, SCRAPE_HELP.to_owned())
    })
}

fn gaps(tier: &Tier<'_>) -> Option<(String, String)> {
    let window = shortest(tier);
    (window >= 2 * tier.scrape && window < 4 * tier.scrape).then(|| {
        let message = format!(
            "{} looks over {}, which at a sample each {} a missed scrape or two leave empty",
            tier.name,
            Duration(window),
            Duration(tier.scrape)
        );
        (message, SCRAPE_HELP.to_owned())
    })
}

const SCRAPE_HELP: &str =
    "give windows of four scrapes or more, or say how often is scraped with --scrape-interval";

fn history(tier: &Tier<'_>) -> Option<(String, String)> {
    (tier.long > RETENTION).then(|| {
        let message = format!(
            "{} looks over {}, and Prometheus keeps {} unless told otherwise",
            tier.name,
            Duration(tier.long),
            Duration(RETENTION)
        );
        let help = "set --storage.tsdb.retention.time beyond it: with less history, the ratio is one over what is there";
        (message, help.to_owned())
    })
}

/// A share in per cent, without the last digits that computing it left.
pub(super) fn percent_of(share: f64) -> String {
    format_digits(share * 100.0, 12)
}

fn digits(value: f64) -> String {
    format_digits(value, 4)
}
