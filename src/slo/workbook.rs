//! The formulas of chapter 5, "Alerting on SLOs", of Google's SRE Workbook.
//!
//! Shares are parts of 1. Lengths of time are in any one unit, and results in the same. Traffic is steady, and an outage
//! turns the same share of all events bad from its beginning to its end; before and after it all are good. A window then
//! holds a share that rises from 0 to that of the outage, evenly, and falls as evenly behind it.

/// How many times faster than allowed the budget burns: the share of bad events over the share that may be bad. No budget
/// burns infinitely fast.
pub fn burn_rate(errors: f64, budget: f64) -> f64 {
    errors / budget
}

/// The share of bad events at a burn rate.
pub fn error_ratio(burn: f64, budget: f64) -> f64 {
    burn * budget
}

/// How long a whole budget lasts at a burn rate; `period` is the window of the objective. Forever at none.
pub fn exhaustion(burn: f64, period: f64) -> f64 {
    period / burn
}

/// The part of the budget that is spent in some time at a burn rate.
pub fn spent(burn: f64, time: f64, period: f64) -> f64 {
    burn * time / period
}

/// The burn rate at which a part of the budget is spent within a window.
pub fn factor(part: f64, window: f64, period: f64) -> f64 {
    part * period / window
}

/// The smallest part of the budget to alert on over a window: for less, the alert fires while the objective is kept.
pub fn least_part(window: f64, period: f64) -> f64 {
    window / period
}

/// The burn rate of an outage in which every event is bad: no budget burns faster, and no alert on this or more fires.
pub fn fastest_burn(budget: f64) -> f64 {
    1.0 / budget
}

/// Whether an alert that asks for more than a burn rate can't fire, whatever happens: more than all events would have to be
/// bad.
pub fn never_fires(factor: f64, budget: f64) -> bool {
    factor * budget >= 1.0
}

/// The short window that the book pairs with a long one: a twelfth.
pub fn short_window(long: f64) -> f64 {
    long / 12.0
}

/// How many events a window must hold at least so that this many bad ones are not more than an alert asks for.
pub fn quiet_traffic(bad: f64, threshold: f64) -> f64 {
    bad / threshold
}

/// How much of the budget some bad events are, of all events in the objective's window.
pub fn part_of_budget(bad: f64, events: f64, budget: f64) -> f64 {
    bad / (events * budget)
}

/// How many bad events the budget has room for.
pub fn allowed(events: f64, budget: f64) -> f64 {
    events * budget
}

/// One comparison of an alert: the share of bad events over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The window.
    pub window: f64,
    /// The share that must be exceeded.
    pub threshold: f64,
    /// Whether it is enough to reach the share.
    pub or_equal: bool,
}

impl Test {
    /// How long after the beginning of an outage that goes on the test holds; never for too small a share.
    pub fn detection(&self, errors: f64) -> Option<f64> {
        let is_enough = errors > self.threshold || (self.or_equal && errors == self.threshold);
        (is_enough && errors > 0.0).then(|| self.threshold.max(0.0) / errors * self.window)
    }

    /// How long after the end of an outage it ceases to hold, where it held.
    pub fn reset(&self, errors: f64) -> Option<f64> {
        Some(self.window - self.detection(errors)?)
    }
}

/// An alert on one burn rate: all its tests must hold, at once and for some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Its tests: one, or one with a long window and one with a short.
    pub tests: Vec<Test>,
    /// `for`: how long they must hold.
    pub hold: f64,
    /// How long it fires when they no longer hold.
    pub keep: f64,
}

/// When an alert fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Firing {
    /// How long after the beginning of the outage it fires.
    pub detection: f64,
    /// How long after the end of the outage it ceases to.
    pub reset: f64,
}

impl Condition {
    /// When it fires in an outage of a share of bad events and a length; `None` where it doesn't.
    pub fn firing(&self, errors: f64, length: f64) -> Option<Firing> {
        let mut begin: f64 = 0.0;
        let mut reset = f64::INFINITY;
        for test in &self.tests {
            begin = begin.max(test.detection(errors)?);
            reset = reset.min(test.reset(errors)?);
        }
        let fires = length > begin && length + reset - begin > self.hold && reset.is_finite();
        fires.then_some(Firing {
            detection: begin + self.hold,
            reset: reset + self.keep,
        })
    }
}

/// When the first of several conditions fires, and the last ceases to.
pub fn firing(conditions: &[Condition], errors: f64, length: f64) -> Option<Firing> {
    let all = conditions
        .iter()
        .filter_map(|condition| condition.firing(errors, length));
    all.reduce(|a, b| Firing {
        detection: a.detection.min(b.detection),
        reset: a.reset.max(b.reset),
    })
}

/// The smallest share of bad events at which an outage of a length makes any of some conditions fire, to a part in a
/// million; `None` where not even all being bad does.
pub fn smallest_outage(conditions: &[Condition], length: f64) -> Option<f64> {
    let fires = |errors: f64| firing(conditions, errors, length).is_some();
    if !fires(1.0) {
        return None;
    }
    let (mut silent, mut loud) = (0.0, 1.0);
    // Halving until the least double that anybody means.
    for _ in 0..60 {
        if loud - silent <= loud * 1e-6 {
            break;
        }
        let middle = (silent + loud) / 2.0;
        match fires(middle) {
            true => loud = middle,
            false => silent = middle,
        }
    }
    Some(loud)
}

/// A rule of the book's six ways to alert, for an objective's window.
#[derive(Debug, Clone, PartialEq)]
pub struct Approach {
    /// Its number in the book.
    pub number: usize,
    /// What it is.
    pub name: &'static str,
    /// What it asks for.
    pub condition: Condition,
}

/// The book's six ways to alert, from the first idea to the recommended one, for a budget and an objective's window in
/// hours. Those that the book derives from parts of the budget are derived for this window.
pub fn approaches(budget: f64, period: f64) -> Vec<Approach> {
    let test = |window: f64, burn: f64| Test {
        window,
        threshold: error_ratio(burn, budget),
        or_equal: false,
    };
    let part = |window: f64, part: f64| test(window, factor(part, window, period));
    let paired = |window: f64, share: f64| {
        let long = part(window, share);
        let short = Test {
            window: short_window(window),
            ..long
        };
        vec![long, short]
    };
    let at_once = |tests: Vec<Test>| Condition {
        tests,
        hold: 0.0,
        keep: 0.0,
    };
    let or_equal = Test {
        or_equal: true,
        ..test(1.0 / 6.0, 1.0)
    };
    let held = Condition {
        hold: 1.0,
        ..at_once(vec![test(1.0 / 60.0, 1.0)])
    };
    let all = [
        (1, "more bad than allowed, 10m", at_once(vec![or_equal])),
        (
            2,
            "the same over a long window",
            at_once(vec![test(period * 0.05, 1.0)]),
        ),
        (3, "the same over 1m, `for: 1h`", held),
        (4, "5% of the budget in 1h", at_once(vec![part(1.0, 0.05)])),
        (5, "2% of the budget in 1h", at_once(vec![part(1.0, 0.02)])),
        (5, "5% of the budget in 6h", at_once(vec![part(6.0, 0.05)])),
        (5, "10% of the budget in 3d", at_once(vec![part(72.0, 0.1)])),
        (6, "2% in 1h, and 5m", at_once(paired(1.0, 0.02))),
        (6, "5% in 6h, and 30m", at_once(paired(6.0, 0.05))),
        (6, "10% in 3d, and 6h", at_once(paired(72.0, 0.1))),
    ];
    all.map(|(number, name, condition)| Approach {
        number,
        name,
        condition,
    })
    .into()
}
