//! Which windows Sloth's alerts look over, for each length of an objective: two built in, more from `AlertWindows` files.

use crate::model::{Duration, Millis};
use crate::slo::keys::{Keys, Reader, first_line};
use crate::text::yaml::Node;
use crate::text::{Diagnostic, Place};

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// The windows of the four alerts of objectives of one length.
#[derive(Debug, Clone)]
pub struct Windows {
    /// The length of the objective.
    pub period: Millis,
    /// A page for fast burn.
    pub page_quick: AlertWindow,
    /// A page for slower burn.
    pub page_slow: AlertWindow,
    /// A ticket for fast burn.
    pub ticket_quick: AlertWindow,
    /// A ticket for slow burn.
    pub ticket_slow: AlertWindow,
    /// Where they were read; `None` for those built in.
    pub place: Option<Place>,
}

/// When an alert fires: this share of the budget spent over the long window, and still being spent over the short one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertWindow {
    /// Per cent of the budget.
    pub budget_percent: f64,
    /// The window that ends the alert.
    pub short: Millis,
    /// The window that starts it.
    pub long: Millis,
}

/// No short window made for a short objective is shorter than this, where its long one is twice as long.
const LEAST_SHORT: Millis = 5 * MINUTE;

impl Windows {
    fn built_in(period: Millis) -> Windows {
        let window = |budget_percent, short, long| AlertWindow {
            budget_percent,
            short,
            long,
        };
        Windows {
            period,
            page_quick: window(2.0, 5 * MINUTE, HOUR),
            page_slow: window(5.0, 30 * MINUTE, 6 * HOUR),
            ticket_quick: window(10.0, 2 * HOUR, DAY),
            ticket_slow: window(10.0, 6 * HOUR, 3 * DAY),
            place: None,
        }
    }

    /// Those for an objective of any length: the windows built in from 28 days on, and for less the same parts of it in whole
    /// minutes.
    pub fn of(period: Millis) -> Windows {
        let mut windows = Windows::built_in(period);
        if period >= 28 * DAY {
            return windows;
        }
        let part = |length: Millis| {
            let minutes =
                (length as f64 / (30 * DAY) as f64 * period as f64 / MINUTE as f64).round();
            (minutes as Millis).max(1) * MINUTE
        };
        for tier in [
            &mut windows.page_quick,
            &mut windows.page_slow,
            &mut windows.ticket_quick,
            &mut windows.ticket_slow,
        ] {
            tier.long = part(tier.long);
            // Over less there are hardly samples enough for a rate, and half of the long one still ends an alert sooner.
            let least = LEAST_SHORT.min(tier.long / 2 / MINUTE * MINUTE).max(MINUTE);
            tier.short = part(tier.short).max(least);
        }
        windows
    }

    /// How many times faster than allowed the budget burns where an alert fires. In the order of Sloth's operations,
    /// which decide the last digits.
    pub fn factor(&self, window: AlertWindow) -> f64 {
        let hours = window.budget_percent * hours(self.period) / 100.0;
        hours / self::hours(window.long)
    }

    /// The four alerts with the names of their keys.
    pub fn tiers(&self) -> [(&'static str, AlertWindow); 4] {
        [
            ("page.quick", self.page_quick),
            ("page.slow", self.page_slow),
            ("ticket.quick", self.ticket_quick),
            ("ticket.slow", self.ticket_slow),
        ]
    }

    /// All windows, each once, from short to long.
    pub fn lengths(&self) -> Vec<Millis> {
        let tiers = self.tiers().into_iter();
        let mut lengths: Vec<Millis> = tiers.flat_map(|(_, it)| [it.short, it.long]).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths
    }

    /// Whether both say the same.
    fn equals(&self, other: &Windows) -> bool {
        self.period == other.period && self.tiers() == other.tiers()
    }
}

/// Hours as Go's `Duration.Hours` counts them.
pub(super) fn hours(length: Millis) -> f64 {
    let whole = (length / HOUR) as f64;
    let rest = ((length % HOUR) * 1_000_000) as f64;
    whole + rest / (60.0 * 60.0 * 1e9)
}

/// Windows by the length of the objective.
#[derive(Debug, Clone)]
pub struct Catalogue {
    windows: Vec<Windows>,
}

impl Default for Catalogue {
    /// What Sloth has built in: 30 and 28 days.
    fn default() -> Catalogue {
        Catalogue {
            windows: [30, 28].map(|days| Windows::built_in(days * DAY)).into(),
        }
    }
}

impl Catalogue {
    /// Those of files, which replace the built-in ones.
    ///
    /// # Errors
    ///
    /// Two that say different things of one length.
    pub fn new(windows: Vec<Windows>) -> Result<Catalogue, Diagnostic> {
        let mut kept: Vec<Windows> = Vec::new();
        for next in windows {
            let same = kept.iter().find(|it| it.period == next.period);
            match same {
                None => kept.push(next),
                Some(same) if same.equals(&next) => {}
                Some(_) => {
                    let period = Duration(next.period);
                    let message = format!("there are other windows for {period} already");
                    let fault = Diagnostic::error(message)
                        .help("give each length of an objective one file of windows");
                    return Err(Diagnostic {
                        place: next.place,
                        ..fault
                    });
                }
            }
        }
        Ok(Catalogue { windows: kept })
    }

    /// Those for objectives of a length.
    pub fn get(&self, period: Millis) -> Option<&Windows> {
        self.windows.iter().find(|it| it.period == period)
    }

    /// The length, if there are windows for only one.
    pub fn only_period(&self) -> Option<Millis> {
        match &*self.windows {
            [only] => Some(only.period),
            _ => None,
        }
    }

    /// The lengths there are windows for.
    pub fn periods(&self) -> impl Iterator<Item = Millis> {
        self.windows.iter().map(|it| it.period)
    }
}

/// Reads `AlertWindows`.
pub(in crate::slo) fn read_document<'d>(
    reader: &mut Reader<'d>,
    root: Node<'d>,
) -> Option<Windows> {
    let known = ["apiVersion", "kind", "metadata", "spec"];
    let keys = reader.keys(root, "AlertWindows", &known)?;
    let Some(spec) = keys.node("spec") else {
        let help = "write `sloPeriod`, `page` and `ticket` below it";
        reader.error(first_line(root), "these AlertWindows have no `spec:`", help);
        return None;
    };
    let spec = reader.keys(spec, "`spec`", &["sloPeriod", "page", "ticket"])?;
    let period = length(reader, &spec, "sloPeriod");
    let page = severity(reader, &spec, "page");
    let ticket = severity(reader, &spec, "ticket");
    let ((page_quick, page_slow), (ticket_quick, ticket_slow)) = (page?, ticket?);
    Some(Windows {
        period: period?,
        page_quick,
        page_slow,
        ticket_quick,
        ticket_slow,
        place: Some(Place::new(
            reader.decoder.source(),
            spec.key_span("sloPeriod"),
        )),
    })
}

fn severity<'d>(
    reader: &mut Reader<'d>,
    spec: &Keys<'d>,
    name: &str,
) -> Option<(AlertWindow, AlertWindow)> {
    let Some(node) = spec.node(name) else {
        let message = format!("`{name}` is missing in these AlertWindows");
        reader.error(
            spec.key_span(name),
            message,
            "write `quick` and `slow` below it",
        );
        return None;
    };
    let keys = reader.keys(node, &format!("`{name}`"), &["quick", "slow"])?;
    let (quick, slow) = (
        window(reader, &keys, "quick"),
        window(reader, &keys, "slow"),
    );
    Some((quick?, slow?))
}

fn window<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, name: &str) -> Option<AlertWindow> {
    let Some(node) = keys.node(name) else {
        let message = format!("`{name}` is missing in these AlertWindows");
        let help = "write `errorBudgetPercent`, `shortWindow` and `longWindow` below it";
        reader.error(keys.span, message, help);
        return None;
    };
    let known = ["errorBudgetPercent", "shortWindow", "longWindow"];
    let keys = reader.keys(node, &format!("`{name}`"), &known)?;
    let percent = reader.float_of(&keys, "errorBudgetPercent");
    let (short, long) = (
        length(reader, &keys, "shortWindow"),
        length(reader, &keys, "longWindow"),
    );
    let percent = percent.filter(|percent| *percent != 0.0 && percent.is_finite());
    if percent.is_none() {
        let message = "`errorBudgetPercent` is required and not 0";
        let help = "give the share of the budget at which the alert fires, such as 2";
        reader.error(keys.key_span("errorBudgetPercent"), message, help);
    }
    Some(AlertWindow {
        budget_percent: percent?,
        short: short?,
        long: long?,
    })
}

/// A length that is not 0.
fn length<'d>(reader: &mut Reader<'d>, keys: &Keys<'d>, name: &str) -> Option<Millis> {
    let given = keys.get(name).is_some();
    let length = reader.duration_of(keys, name);
    match length {
        Some(length) if length > 0 => Some(length),
        // What is wrong with it was told.
        None if given => None,
        _ => {
            let message = format!("`{name}` is required and not 0");
            reader.error(
                keys.key_span(name),
                message,
                "give a duration such as 5m or 30d",
            );
            None
        }
    }
}
