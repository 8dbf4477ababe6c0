//! The windows of Pyrra's alerts: parts of the objective's, rounded to minutes.

use crate::model::Millis;

const NANOS: i64 = 1_000_000;
const MINUTE: i64 = 60_000 * NANOS;

/// One of the four burn rates that Pyrra alerts on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tier {
    /// What Pyrra calls it among severities.
    pub name: &'static str,
    /// How many times faster than allowed the budget burns.
    pub factor: f64,
    /// Its severity where the objective says nothing.
    pub severity: &'static str,
    /// How long it must burn so.
    pub hold: Millis,
    /// The window that starts the alert.
    pub long: Millis,
    /// The window that ends it.
    pub short: Millis,
}

/// The four burn rates for an objective's window, from fast to slow.
pub fn tiers(window: Millis) -> [Tier; 4] {
    /// A day in a window of 28, an hour of it, and parts of an hour.
    const DAY: i64 = 28;
    const HOUR: i64 = 28 * 24;
    let part = |divisor| rounded(window, divisor);
    let tier = |name, factor, severity, divisors: [i64; 3]| Tier {
        name,
        factor,
        severity,
        hold: part(divisors[0]),
        long: part(divisors[1]),
        short: part(divisors[2]),
    };
    [
        tier("fastBurn", 14.0, "critical", [HOUR * 30, HOUR, HOUR * 12]),
        tier("mediumBurn", 7.0, "critical", [HOUR * 4, DAY * 4, HOUR * 2]),
        tier("slowBurn", 2.0, "warning", [HOUR, DAY, DAY * 12]),
        tier("longTermBurn", 1.0, "warning", [DAY * 8, 7, DAY * 4]),
    ]
}

/// A part of a window, rounded to whole minutes, halves up.
fn rounded(window: Millis, divisor: i64) -> Millis {
    round(window.saturating_mul(NANOS) / divisor) / NANOS
}

/// A number of nanoseconds rounded to whole minutes, halves away from zero.
fn round(nanos: i64) -> i64 {
    let rest = nanos % MINUTE;
    let down = nanos - rest;
    match rest.saturating_mul(2) < MINUTE {
        true => down,
        false => down.saturating_add(MINUTE),
    }
}

/// How long a metric must be gone: as long as the fastest burn rate takes to fire where everything is bad.
pub(super) fn absent_hold(window: Millis, budget: f64) -> Millis {
    let [fastest, ..] = tiers(window);
    let seconds = fastest.factor * budget * (fastest.long as f64 / 1000.0);
    let hold = (seconds as i64).saturating_mul(1_000) + fastest.hold;
    round(hold.saturating_mul(NANOS)) / NANOS
}

/// In which time the budget is gone at a burn rate, in whole seconds.
pub(super) fn exhaustion(window: Millis, factor: f64) -> Millis {
    ((window as f64 / 1000.0 / factor) as i64).saturating_mul(1000)
}

/// All windows of the alerts, each once, from short to long.
pub(super) fn lengths(window: Millis) -> Vec<Millis> {
    let tiers = tiers(window).into_iter();
    let mut lengths: Vec<Millis> = tiers.flat_map(|tier| [tier.short, tier.long]).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// How often the rules over the whole window are evaluated: every 30 seconds, and as much more for each week.
pub(super) fn increase_interval(window: Millis) -> Millis {
    const WEEK: Millis = 7 * 86_400_000;
    (1 + window / WEEK).clamp(1, 8) * 30_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Duration;

    /// For, long and short of the four burn rates.
    fn table(window: &str) -> String {
        let window = Duration::parse(window).unwrap().millis();
        let rows = tiers(window).map(|tier| {
            let lengths = [tier.hold, tier.long, tier.short];
            lengths.map(|it| Duration(it).to_string()).join("/")
        });
        rows.join(" ")
    }

    #[test]
    fn windows_are_those_of_pyrra() {
        for (window, expected) in [
            ("28d", "2m/1h/5m 15m/6h/30m 1h/1d/2h 3h/4d/6h"),
            (
                "30d",
                "2m/1h4m/5m 16m/6h26m/32m 1h4m/1d1h43m/2h9m 3h13m/4d6h51m/6h26m",
            ),
            ("14d", "1m/30m/3m 8m/3h/15m 30m/12h/1h 1h30m/2d/3h"),
            ("7d", "1m/15m/1m 4m/1h30m/8m 15m/6h/30m 45m/1d/1h30m"),
            ("1d", "0s/2m/0s 1m/13m/1m 2m/51m/4m 6m/3h26m/13m"),
        ] {
            assert_eq!(table(window), expected, "{window}");
        }
    }

    #[test]
    fn metrics_are_gone_for_minutes() {
        let window = Duration::parse("28d").unwrap().millis();
        let hold = absent_hold(window, 1.0 - 0.99);
        assert_eq!(Duration(hold).to_string(), "10m");
        let intervals = ["6d", "7d", "14d", "28d", "30d", "42d", "90d"]
            .map(|window| increase_interval(Duration::parse(window).unwrap().millis()) / 1000);
        assert_eq!(intervals, [30, 60, 90, 150, 150, 210, 240]);
    }
}
