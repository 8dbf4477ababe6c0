//! What is odd about what rules read.

use super::{
    Dependencies, DependentRule, Order, RuleRead, RuleSource, Supply, answers::Excluded,
    is_recorded_name,
};
use crate::model::{Duration, MatchOp, Matcher, Regex};
use crate::promql::selectors::Reach;
use crate::replay::alert::ALERT_NAME;
use crate::replay::synthetic::{ALERTS, ALERTS_FOR_STATE};
use crate::text::{Diagnostic, Place, closest};

/// Something odd about what rules read.
#[derive(Debug, Clone)]
pub struct DependencyFinding {
    /// What.
    pub kind: DependencyKind,
    /// The rule.
    pub rule: usize,
    /// In words, as a warning with its place.
    pub warning: Diagnostic,
}

/// What may be odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DependencyKind {
    /// A name that no rule records and that no series has.
    Missing,
    /// A selector that can't match what rules record under its name.
    Impossible,
    /// A recording rule that no alert needs.
    Unused,
    /// A rule that reads what a later one of its group records.
    Backward,
    /// Rules that read each other, or themselves.
    Cycle,
    /// A rule is evaluated too rarely for who reads it.
    Sparse,
}

impl DependencyKind {
    /// All of them, the most serious first.
    pub const ALL: [DependencyKind; 6] = [
        DependencyKind::Missing,
        DependencyKind::Impossible,
        DependencyKind::Sparse,
        DependencyKind::Cycle,
        DependencyKind::Backward,
        DependencyKind::Unused,
    ];

    /// Its name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            DependencyKind::Missing => "missing",
            DependencyKind::Impossible => "impossible",
            DependencyKind::Unused => "unused",
            DependencyKind::Backward => "backward",
            DependencyKind::Cycle => "cycle",
            DependencyKind::Sparse => "sparse",
        }
    }
}

/// No more names than this are listed.
const MAX_NAMED: usize = 3;

impl Dependencies<'_> {
    /// What is odd, by kind and then in the order of the rules. Recording rules whose names match one of `used` are read by
    /// somebody else, such as a dashboard.
    pub fn findings(&self, used: &[Regex]) -> Vec<DependencyFinding> {
        let mut found = self.unused(used);
        for (index, rule) in self.rules.iter().enumerate() {
            for read in &rule.reads {
                let of_read = [
                    self.unanswered(index, read),
                    self.backward(index, read),
                    self.sparse(index, read),
                ];
                found.extend(of_read.into_iter().flatten());
            }
        }
        found.extend(self.circles.iter().filter_map(|circle| self.cycle(circle)));
        let place = |kind| DependencyKind::ALL.iter().position(|it| *it == kind);
        found.sort_by_key(|finding| (place(finding.kind), finding.rule));
        found.dedup_by(|a, b| {
            (a.kind, a.rule, &a.warning.message) == (b.kind, b.rule, &b.warning.message)
        });
        found
    }

    fn unused(&self, used: &[Regex]) -> Vec<DependencyFinding> {
        let is_used = |rule: &DependentRule<'_>| {
            rule.is_alert() || used.iter().any(|regex| regex.is_match(&rule.rule.name))
        };
        let wanted: Vec<usize> = (0..self.rules.len())
            .filter(|&rule| is_used(&self.rules[rule]))
            .collect();
        let needs = |rule: &DependentRule<'_>| {
            super::ordered(rule.reads.iter().filter(|read| read.is_choosy()))
        };
        // Where there is no alert at all, whatever somebody reads is needed.
        let needed = match self.rules.iter().any(DependentRule::is_alert) {
            true => self.closure(&wanted, needs),
            false => {
                let mut needed = vec![false; self.rules.len()];
                wanted.iter().for_each(|&rule| needed[rule] = true);
                for (index, rule) in self.rules.iter().enumerate() {
                    let others = needs(rule).into_iter().filter(|&source| source != index);
                    others.for_each(|source| needed[source] = true);
                }
                needed
            }
        };
        let idle = (0..self.rules.len()).filter(|&rule| !needed[rule]);
        let found = idle.map(|index| {
            let readers = &self.rules[index].read_by;
            let others = readers
                .iter()
                .filter(|&&reader| reader != index && !needed[reader]);
            let others: Vec<usize> = others.copied().collect();
            let message = match others.as_slice() {
                [] => format!("no rule reads {}", self.name(index)),
                [_] => format!(
                    "only {} reads {}, which no alert needs",
                    self.names(&others),
                    self.name(index)
                ),
                _ => format!(
                    "only rules that no alert needs read {}: {}",
                    self.name(index),
                    self.names(&others)
                ),
            };
            let help = "remove it, or say with `--used REGEX` what dashboards and others read";
            self.finding(
                DependencyKind::Unused,
                index,
                self.rules[index].place(),
                message,
                help,
            )
        });
        found.collect()
    }

    /// What is to be said of something that a rule reads and that nothing answers.
    pub fn unanswered(&self, index: usize, read: &RuleRead<'_>) -> Option<DependencyFinding> {
        let matchers = read.matchers.as_deref()?;
        if !read.sources.is_empty() || read.supply == Supply::Some {
            return None;
        }
        let of = |kind, message, help: &str| {
            Some(self.finding(kind, index, read.place.clone(), message, help))
        };
        let metric = read.metric();
        let is_of_alerts = metric.is_some_and(|it| [ALERTS, ALERTS_FOR_STATE].contains(&it));
        let is_alert_name = |excluded: &Excluded| {
            matchers
                .get(excluded.matcher)
                .is_some_and(|it| it.name == ALERT_NAME)
        };
        if is_of_alerts && read.excluded.iter().all(is_alert_name) {
            let named = matchers.iter().find(|matcher| matcher.name == ALERT_NAME);
            let (what, help) = self.no_alert(named);
            return of(
                DependencyKind::Missing,
                format!("{what}{}", self.behind(index)),
                &help,
            );
        }
        if let Some(first) = read
            .excluded
            .iter()
            .find(|it| !is_of_alerts || !is_alert_name(it))
        {
            let matcher = matchers.get(first.matcher)?;
            let message = format!(
                "{matcher} matches no series of {}: {}{}",
                self.names(&[first.rule]),
                self.reason(first, matcher),
                self.behind(index)
            );
            let help = format!(
                "keep the label {} in the rule that is read, or ask for another",
                matcher.name
            );
            return of(DependencyKind::Impossible, message, &help);
        }
        let name = metric?;
        let message = match read.supply {
            Supply::NoName => format!("no rule records {name} and no series is called so"),
            Supply::Unknown if is_recorded_name(name) => {
                format!("no rule records {name}, which is a recorded name by its colon")
            }
            _ => return None,
        };
        let recorded = self.rules.iter().filter(|rule| !rule.is_alert());
        let mut known: Vec<&str> = recorded.map(|rule| rule.rule.name.as_str()).collect();
        known.extend(read.near.as_deref());
        let help = match closest(name, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => "correct the name, or add the rule file or the series that have it".to_owned(),
        };
        of(
            DependencyKind::Missing,
            format!("{message}{}", self.behind(index)),
            &help,
        )
    }

    /// What is said where no alert answers a selector of `ALERTS`.
    fn no_alert(&self, named: Option<&Matcher>) -> (String, String) {
        let alerts = self.rules.iter().filter(|rule| rule.is_alert());
        let alerts: Vec<&str> = alerts.map(|rule| rule.rule.name.as_str()).collect();
        let near = named
            .filter(|named| named.op == MatchOp::Equal)
            .and_then(|named| closest(&named.value, &alerts));
        let help = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "correct the name, or add the rule file that has the alert".to_owned(),
        };
        let what = match named {
            Some(named) => format!("there is no alert with {named}"),
            None => "there is no alert".to_owned(),
        };
        (what, help)
    }

    /// Why a rule has no series that passes a matcher.
    fn reason(&self, excluded: &Excluded, matcher: &Matcher) -> String {
        let rule = &self.rules[excluded.rule];
        let label = &matcher.name;
        let Some(by) = excluded.by else {
            return match excluded.value.as_str() {
                "" => format!("it removes the label {label} (at {})", rule.place()),
                value => format!("{label} is always {value:?} there (at {})", rule.place()),
            };
        };
        let text = &rule.rule.expr_text;
        let place = Place::new(text.source(), text.span(by));
        match excluded.value.as_str() {
            "" => format!("they have no label {label} (by what stands at {place})"),
            value => format!("{label} is always {value:?} there (by what stands at {place})"),
        }
    }

    fn backward(&self, index: usize, read: &RuleRead<'_>) -> Option<DependencyFinding> {
        let circle = self.rules[index].circle;
        let is_circle = |rule: usize| circle.is_some() && self.rules[rule].circle == circle;
        let source = read.sources.iter().find(|source| {
            let is_late = source.late.is_some_and(|late| late > 0);
            source.order == Order::Behind && is_late && !is_circle(source.rule)
        })?;
        read.metric()?;
        let message = format!(
            "{} is evaluated before {}, which it reads: it sees what was recorded one evaluation ({}) ago",
            self.name(index),
            self.names(&[source.rule]),
            Duration(source.late.unwrap_or(0))
        );
        let help = "put the rule that is read before its reader";
        Some(self.finding(
            DependencyKind::Backward,
            index,
            read.place.clone(),
            message,
            help,
        ))
    }

    /// A rule that reads what is evaluated too rarely.
    fn sparse(&self, index: usize, read: &RuleRead<'_>) -> Option<DependencyFinding> {
        let Reach::Around { oldest, newest } = read.reach else {
            return None;
        };
        read.metric()?;
        let window = oldest.saturating_sub(newest);
        let is_sparse = |source: &&RuleSource| {
            let interval = self.rules[source.rule].interval;
            source.order != Order::Before && interval > window
        };
        let source = read.sources.iter().find(is_sparse)?;
        let rule = &self.rules[source.rule];
        let message = format!(
            "{} is evaluated every {}, but {} looks back {} only: in between it sees nothing",
            self.names(&[source.rule]),
            Duration(rule.interval),
            self.name(index),
            Duration(window)
        );
        let help = "evaluate it more often, or read it with `last_over_time` over a longer window";
        Some(self.finding(
            DependencyKind::Sparse,
            index,
            read.place.clone(),
            message,
            help,
        ))
    }

    fn cycle(&self, circle: &[usize]) -> Option<DependencyFinding> {
        let &first = circle.first()?;
        let reads = self.rules[first].reads.iter();
        let read = reads.filter(|read| read.metric().is_some()).find(|read| {
            read.sources
                .iter()
                .any(|source| self.rules[source.rule].circle == self.rules[first].circle)
        })?;
        let message = match circle {
            [_] => format!(
                "{} reads itself: {}",
                self.name(first),
                self.own_age(first, read)
            ),
            _ => format!(
                "{} read each other in a circle: one of them always sees what was recorded an evaluation ago",
                self.names(circle)
            ),
        };
        let help = "if that is not meant, read the metrics that they are made of";
        Some(self.finding(
            DependencyKind::Cycle,
            first,
            read.place.clone(),
            message,
            help,
        ))
    }

    /// What a rule sees of itself.
    fn own_age(&self, index: usize, read: &RuleRead<'_>) -> String {
        match read.reach {
            Reach::Fixed => "it sees what it recorded at a fixed moment".to_owned(),
            Reach::Around { newest, .. } if newest > self.rules[index].interval => {
                format!("it sees what it recorded {} ago", Duration(newest))
            }
            Reach::Around { .. } => format!(
                "it sees what it recorded one evaluation ({}) ago",
                Duration(self.rules[index].interval)
            ),
        }
    }

    /// `; the alerts A and B need it`, where the rule is none itself.
    fn behind(&self, index: usize) -> String {
        if self.rules[index].is_alert() {
            return String::new();
        }
        let above = self.closure(&[index], |rule| rule.read_by.clone());
        let alerts: Vec<usize> = (0..self.rules.len())
            .filter(|&rule| above[rule] && self.rules[rule].is_alert())
            .collect();
        match alerts.is_empty() {
            true => String::new(),
            false => format!("; needed by {}", self.names(&alerts)),
        }
    }

    fn name(&self, index: usize) -> &str {
        &self.rules[index].rule.name
    }

    /// Some names, with how many more there are.
    fn names(&self, rules: &[usize]) -> String {
        let mut names: Vec<&str> = rules.iter().map(|&rule| self.name(rule)).collect();
        names.dedup();
        let more = names.len().saturating_sub(MAX_NAMED);
        names.truncate(MAX_NAMED);
        match more {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }

    fn finding(
        &self,
        kind: DependencyKind,
        rule: usize,
        place: Place,
        message: String,
        help: &str,
    ) -> DependencyFinding {
        let warning = Diagnostic::warning(message)
            .at(&place.source, place.span)
            .help(help);
        DependencyFinding {
            kind,
            rule,
            warning,
        }
    }
}
