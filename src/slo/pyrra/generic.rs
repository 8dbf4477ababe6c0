//! Rules under names that are the same for all objectives, for dashboards.

use super::increase::increase_name;
use super::query::Selector;
use super::{Indicator, Options, Spec};
use crate::model::number::{format_general, format_value};
use crate::model::{Duration, Millis};
use crate::slo::generated::Rule;

/// The rules of an objective without grouping.
pub(super) fn rules(spec: &Spec, options: &Options) -> Vec<Rule> {
    let mut labels = spec.common_labels();
    if spec.description_as_label {
        labels.insert("description".to_owned(), spec.description.clone());
    }
    let mut rows = vec![
        ("pyrra_objective", format_value(spec.fraction())),
        ("pyrra_window", (spec.window / 1000).to_string()),
    ];
    rows.extend(of_indicator(spec, options));
    let rules = rows
        .into_iter()
        .map(|(name, expr)| Rule::record(name, expr, labels.clone()));
    rules.collect()
}

const AVAILABILITY: &str = "pyrra_availability";
const REQUESTS: &str = "pyrra_requests:rate5m";
const ERRORS: &str = "pyrra_errors:rate5m";

fn of_indicator(spec: &Spec, options: &Options) -> Vec<(&'static str, String)> {
    let window = spec.window;
    let both = options.prometheus3_migration;
    let own = |selector: Selector| selector.with("slo", &spec.object.name);
    let increase = |selector: &Selector| {
        let name = increase_name(&selector.name, window);
        selector.clone().named(name)
    };
    let rate = |selector: &Selector| format!("sum(rate({}))", selector.over(FIVE_MINUTES));
    match &spec.indicator {
        Indicator::Ratio { errors, total } => {
            let (errors, total) = (Selector::of(errors), Selector::of(total));
            let bad = own(increase(&errors)).text();
            let all = own(increase(&total)).text();
            vec![
                (
                    AVAILABILITY,
                    format!("1 - sum({bad} or vector(0)) / sum({all})"),
                ),
                (REQUESTS, rate(&total)),
                (ERRORS, format!("{} or vector(0)", rate(&errors))),
            ]
        }
        Indicator::Latency { success, total } => {
            let (success, total) = (Selector::of(success), Selector::of(total));
            let all = own(increase(&total).with("le", ""));
            let all = all.for_both_bounds(both).text();
            let fast = own(increase(&success)).for_both_bounds(both).text();
            let (total, success) = (
                rate(&total.for_both_bounds(both)),
                rate(&success.for_both_bounds(both)),
            );
            vec![
                (
                    AVAILABILITY,
                    format!("sum({fast} or vector(0)) / sum({all})"),
                ),
                (REQUESTS, total.clone()),
                (ERRORS, format!("{total} - {success}")),
            ]
        }
        Indicator::LatencyNative { total, latency } => {
            let all = own(increase(&Selector::of(total)));
            let le = format_general(*latency as f64 / 1000.0);
            let fast = all.clone().with("le", &le).text();
            let all = all.with("le", "").text();
            let share = format!("sum({fast} or vector(0)) / sum({all})");
            vec![(AVAILABILITY, share)]
        }
        Indicator::BoolGauge(metric) => {
            let part = |part: &str| {
                let name = format!("{}:{part}{}", metric.name, Duration(window));
                format!("sum({})", own(Selector::of(metric).named(name)).text())
            };
            let (all, good) = (part("count"), part("sum"));
            vec![
                (AVAILABILITY, format!("{good} / {all}")),
                (REQUESTS, all.clone()),
                (ERRORS, format!("{all} - {good}")),
            ]
        }
    }
}

const FIVE_MINUTES: Millis = 5 * 60_000;
