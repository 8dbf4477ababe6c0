//! Makes the rules that Pyrra makes, to the letter.

use std::collections::BTreeMap;

use super::increase::Parts;
use super::{Indicator, Spec, burnrate, generic, increase};
use crate::model::{Duration, Millis};
use crate::slo::generated::{Bundle, Group, Object, Rule};

/// What Pyrra's command line says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Rules under names that are the same for all objectives, as well.
    pub generic_rules: bool,
    /// Buckets are asked for as Prometheus 2 and as 3 write their bounds.
    pub prometheus3_migration: bool,
    /// Where Pyrra's pages are, for a link in annotations.
    pub external_url: Option<String>,
    /// Rules come as a `PrometheusRule` object.
    pub operator_rule: bool,
}

/// The rules of an objective.
pub fn generate(spec: &Spec, options: &Options) -> Bundle {
    let name = &spec.object.name;
    let interval = super::windows::increase_interval(spec.window);
    let Parts { short, long } = increase::rules(spec, options);
    let (first, last) = match spec.performance_over_accuracy {
        false => (
            Some(group(format!("{name}-increase"), interval, long)),
            None,
        ),
        true => {
            // The only rules of native histograms are those over the whole window.
            let has_short = !short.is_empty();
            let first = has_short.then(|| group(format!("{name}-increase"), EVERY, short));
            // Pyrra writes these into a second file, under the name of the first group.
            (
                first,
                Some(group(format!("{name}-increase-long"), interval, long)),
            )
        }
    };
    let mut groups: Vec<Group> = first.into_iter().collect();
    groups.push(group(name.clone(), EVERY, burnrate::rules(spec, options)));
    // Pyrra has none for groups, but forgets to look at those of native histograms.
    let is_native = matches!(spec.indicator, Indicator::LatencyNative { .. });
    if options.generic_rules && (spec.grouping.is_empty() || is_native) {
        let rules = generic::rules(spec, options);
        groups.push(group(format!("{name}-generic"), EVERY, rules));
    }
    groups.extend(last);
    let object = Object {
        annotations: BTreeMap::new(),
        ..spec.object.clone()
    };
    Bundle {
        object: options.operator_rule.then_some(object),
        groups,
    }
}

/// How often most rules are evaluated.
const EVERY: Millis = 30_000;

fn group(name: String, interval: Millis, rules: Vec<Rule>) -> Group {
    Group {
        name,
        interval: Some(Duration(interval).to_string()),
        rules,
    }
}
