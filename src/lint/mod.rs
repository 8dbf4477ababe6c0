//! What is legal in rules and hardly meant: a file a lint, and [`ALL`], the table that names them.
//!
//! A lint looks at one rule, or at all rules that are checked together. What it knows of labels is certain
//! ([`crate::promql::known`]) but for what well-known exporters are known to write; what it knows of metrics are the
//! conventions of their names.

mod lore;
mod queries;
mod reads;
mod rules;
mod silence;
mod template;
mod tree;
mod units;

mod buckets_backwards;
mod buckets_summed;
mod counter_compared;
mod delta_of_counter;
mod divided_by_itself;
mod down_unseen;
mod duplicate_rule;
mod equal_with_regex;
mod every_exporter;
mod gigabytes_of_1024;
mod gone_unseen;
mod hold_missing;
mod hold_off_interval;
mod hold_outlasts_window;
mod humanized_unit;
mod increase_above_count;
mod irate_in_alert;
mod join_never_matches;
mod label_aggregated_away;
mod le_lost;
mod lost_addend;
mod never_true;
mod no_condition;
mod not_a_template;
mod per_minute;
mod percent_of_percent;
mod printf_of_float;
mod quantile_averaged;
mod quantile_of_totals;
mod rate_equals;
mod rate_of_gauge;
mod rate_of_sum;
mod reads_impossible;
mod reads_itself;
mod reads_later;
mod reads_missing;
mod record_name;
mod record_says_window;
mod record_unread;
mod severity_missing;
mod severity_unknown;
mod share_as_percent;
mod silent_when_absent;
mod sort_in_rule;
mod topk_in_rule;
mod units_differ;
mod value_in_label;
mod whole_bound;
mod window_too_short;

use crate::rules::RuleFile;
use crate::text::{Diagnostic, closest};

pub use queries::queries;
pub use rules::Rules;
use rules::Subject;
pub use silence::{PROMETHEUS_INFO, allows};

/// Something that is legal and hardly meant.
#[derive(Debug)]
pub struct Lint {
    /// What it is called: words with hyphens.
    pub name: &'static str,
    /// Whether it speaks without being asked.
    pub level: Level,
    /// What it finds, in one line.
    pub doc: &'static str,
    /// Why that is wrong and what to do, in whole sentences.
    pub why: &'static str,
    /// Rules in which it finds something: a list in YAML.
    pub wrong: &'static str,
    /// The same rules as they should be.
    pub right: &'static str,
    look: Look,
}

/// Whether a lint speaks without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It does: what it finds is nearly always a fault.
    Warn,
    /// It does not: what it finds may well be meant.
    Pedantic,
}

/// What a lint looks at.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// One query after the other: of rules, and of tests.
    Query(fn(&Subject<'_>) -> Vec<Diagnostic>),
    /// One rule after the other.
    Rule(fn(&Subject<'_>) -> Vec<Diagnostic>),
    /// All rules that are checked together.
    Rules(fn(&Rules<'_>) -> Vec<Diagnostic>),
    /// Whoever reads the file says it.
    Reader,
}

/// Every lint, in the order of their names.
pub static ALL: [&Lint; 49] = [
    &buckets_backwards::LINT,
    &buckets_summed::LINT,
    &counter_compared::LINT,
    &delta_of_counter::LINT,
    &divided_by_itself::LINT,
    &down_unseen::LINT,
    &duplicate_rule::LINT,
    &equal_with_regex::LINT,
    &every_exporter::LINT,
    &gigabytes_of_1024::LINT,
    &gone_unseen::LINT,
    &hold_missing::LINT,
    &hold_off_interval::LINT,
    &hold_outlasts_window::LINT,
    &humanized_unit::LINT,
    &increase_above_count::LINT,
    &irate_in_alert::LINT,
    &join_never_matches::LINT,
    &label_aggregated_away::LINT,
    &le_lost::LINT,
    &lost_addend::LINT,
    &never_true::LINT,
    &no_condition::LINT,
    &not_a_template::LINT,
    &per_minute::LINT,
    &percent_of_percent::LINT,
    &printf_of_float::LINT,
    &quantile_averaged::LINT,
    &quantile_of_totals::LINT,
    &rate_equals::LINT,
    &rate_of_gauge::LINT,
    &rate_of_sum::LINT,
    &reads_impossible::LINT,
    &reads_itself::LINT,
    &reads_later::LINT,
    &reads_missing::LINT,
    &record_name::LINT,
    &record_says_window::LINT,
    &record_unread::LINT,
    &severity_missing::LINT,
    &severity_unknown::LINT,
    &share_as_percent::LINT,
    &silent_when_absent::LINT,
    &sort_in_rule::LINT,
    &topk_in_rule::LINT,
    &units_differ::LINT,
    &value_in_label::LINT,
    &whole_bound::LINT,
    &window_too_short::LINT,
];

/// The lint of a name.
pub fn lint(name: &str) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.name == name)
}

/// What the lints that are switched on say of rules, in the order of the files and their lines. What comments in the files
/// silence is left out; a comment that silences nothing is told of.
pub fn look(rules: &Rules<'_>, is_on: &dyn Fn(&Lint) -> bool) -> Vec<Diagnostic> {
    look_and_add(rules, &[], is_on)
}

/// The same, with what somebody else found in the name of lints: it counts where it lies in these files, its lint is switched on,
/// and nothing was found at its place.
pub fn look_and_add(
    rules: &Rules<'_>,
    shown: &[Diagnostic],
    is_on: &dyn Fn(&Lint) -> bool,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for lint in ALL.iter().filter(|lint| is_on(lint)) {
        let said = match lint.look {
            Look::Query(look) | Look::Rule(look) => {
                rules.subjects().flat_map(|it| look(&it)).collect()
            }
            Look::Rules(look) => look(rules),
            Look::Reader => rules.said_by_reader(lint.name),
        };
        found.extend(said.into_iter().map(|said| said.named(lint.name)));
    }
    for shown in shown {
        let Some((of, place)) = shown.lint.and_then(lint).zip(shown.place.as_ref()) else {
            continue;
        };
        let is_known = found.iter().any(|it| {
            let here = it.place.as_ref();
            it.lint == Some(of.name)
                && here.is_some_and(|here| {
                    here.source.name() == place.source.name() && here.span == place.span
                })
        });
        if is_on(of) && !is_known && rules.number(place.source.name()) != usize::MAX {
            found.push(shown.clone());
        }
    }
    let files: Vec<&RuleFile> = rules.files().collect();
    let left = silence::apply(&files, found, is_on);
    in_order(left, |name| rules.number(name))
}

/// What the lints of queries that are switched on say of the expressions of a test file, which [`queries`] yields, beside the
/// rules that it names; in the order of their lines.
pub fn look_at_queries(
    asked: &[RuleFile],
    rules: &Rules<'_>,
    is_on: &dyn Fn(&Lint) -> bool,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for lint in ALL.iter().filter(|lint| is_on(lint)) {
        let Look::Query(look) = lint.look else {
            continue;
        };
        let said = rules.subjects_of(asked).flat_map(|it| look(&it));
        found.extend(said.map(|said| said.named(lint.name)));
    }
    let files: Vec<&RuleFile> = asked.iter().collect();
    let left = silence::apply(&files, found, is_on);
    let number = |name: &str| asked.iter().position(|it| it.source.name() == name);
    in_order(left, |name| number(name).unwrap_or(usize::MAX))
}

/// What is said in the order of files and lines, nothing twice.
fn in_order(mut left: Vec<Diagnostic>, number: impl Fn(&str) -> usize) -> Vec<Diagnostic> {
    left.sort_by_key(|found| {
        let place = found.place.as_ref();
        place.map(|place| (number(place.source.name()), place.span, found.lint))
    });
    crate::text::distinct(left)
}

/// What is said of a name that no lint has; `what` is what to begin with.
pub fn unknown(what: &str, name: &str) -> Diagnostic {
    let names: Vec<&str> = ALL.iter().map(|lint| lint.name).collect();
    let fault = Diagnostic::error(format!("{what}: there is no such lint"));
    match closest(name, &names) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.help("`rulecheck explain` lists the lints"),
    }
}
