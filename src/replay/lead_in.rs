//! Recording rules that begin before the replay does, so that who looks back on them finds what they would have written.

use super::output::Outputs;
use super::plan::{MAX_TICKS, PlannedRule};
use super::{History, ReplayError};
use crate::model::{Matcher, Millis};
use crate::promql::selectors::{Reach, reads};
use crate::rules::{Rule, RuleGroup, RuleKind};

/// Lets recording rules begin as long before the replay as something looks back on them, but not before the history. Alerts
/// begin with the replay.
pub(super) fn lead_in(rules: &mut [PlannedRule<'_>], history: &History) -> Result<(), ReplayError> {
    let all = rules.iter().map(|rule| (rule.rule, rule.writer.offset));
    let leads = Leads::of(all.collect(), history).lengths;
    for (rule, lead) in rules.iter_mut().zip(leads) {
        let moments = &mut rule.moments;
        let whole = history.length.div_euclid(moments.step);
        let more = ((lead + moments.step - 1) / moments.step).min(whole);
        let count = more.unsigned_abs().saturating_add(moments.count as u64);
        if moments.count == 0 || more == 0 {
            continue;
        }
        match usize::try_from(count) {
            Ok(count) if count <= MAX_TICKS => moments.count = count,
            _ => {
                let group = rule.group.to_owned();
                return Err(ReplayError::TooManyTicks { group, count });
            }
        }
        moments.start -= more * moments.step;
    }
    Ok(())
}

/// How far before the start of a replay its rules read, and so those on which they look back: at most all of the history.
pub fn reach_back(groups: &[&RuleGroup], history: &History) -> Millis {
    let rules = groups.iter().flat_map(|group| {
        let offset = group.query_offset.unwrap_or(0).max(0);
        group.rules.iter().map(move |rule| (rule, offset))
    });
    let leads = Leads::of(rules.collect(), history);
    let read = leads.rules.iter().zip(&leads.lengths);
    let farthest = read.flat_map(|(&(rule, offset), lead)| {
        let templates = match &rule.kind {
            RuleKind::Alert(alert) => alert.labels.iter().chain(&alert.annotations),
            RuleKind::Recording { .. } => [].iter().chain(&[]),
        };
        let mut templates = templates.map(|(_, template)| template);
        let queries = templates
            .any(|template| template.queries())
            .then_some(history.length);
        let used = reads(&rule.expr.expr, Reach::LOOKBACK).into_iter();
        let before = lead.saturating_add(offset);
        used.map(move |used| length(used.reach, before, history.length))
            .chain(queries)
    });
    let farthest = farthest.max().unwrap_or(0);
    // Rules begin at whole intervals, so up to one earlier.
    let intervals = groups.iter().filter_map(|group| group.interval);
    let interval = intervals.max().unwrap_or(0);
    farthest.saturating_add(interval).min(history.length)
}

/// How long before the replay something reaches that is evaluated so long before it.
fn length(reach: Reach, before: Millis, all: Millis) -> Millis {
    match reach {
        Reach::Around { oldest, .. } => oldest.saturating_add(before),
        Reach::Fixed => all,
    }
}

/// How long before the replay each rule is read.
struct Leads<'r, 'a> {
    /// The rules, and how far back each writes.
    rules: Vec<(&'a Rule, Millis)>,
    history: &'r History,
    outputs: Outputs<'a>,
    lengths: Vec<Millis>,
    /// How often each was found to be read earlier than was known.
    raised: Vec<usize>,
    /// Rules whose own reading is to be followed.
    open: Vec<usize>,
}

impl<'r, 'a> Leads<'r, 'a> {
    fn of(rules: Vec<(&'a Rule, Millis)>, history: &'r History) -> Leads<'r, 'a> {
        let mut leads = Leads {
            history,
            outputs: Outputs::new(rules.iter().map(|&(rule, _)| rule)),
            lengths: vec![0; rules.len()],
            raised: vec![0; rules.len()],
            open: (0..rules.len()).rev().collect(),
            rules,
        };
        for (matchers, before) in &history.reads {
            leads.read(matchers, *before);
        }
        while let Some(index) = leads.open.pop() {
            leads.follow(index);
        }
        leads
    }

    /// Follows what a rule reads when it begins as early as is known.
    fn follow(&mut self, index: usize) {
        let (Some(&(rule, offset)), Some(&lead)) = (self.rules.get(index), self.lengths.get(index))
        else {
            return;
        };
        let before = lead.saturating_add(offset);
        for used in reads(&rule.expr.expr, Reach::LOOKBACK) {
            let length = length(used.reach, before, self.history.length);
            self.read(&used.matchers, length);
        }
    }

    /// Notes that series are read from so long before the replay on.
    fn read(&mut self, matchers: &[Matcher], length: Millis) {
        let length = length.min(self.history.length);
        for output in self.outputs.matching(matchers) {
            let index = output.rule;
            let rule = self.rules.get(index);
            let records =
                rule.is_some_and(|(rule, _)| matches!(rule.kind, RuleKind::Recording { .. }));
            let known = self.lengths.get_mut(index);
            if let Some(known) = known.filter(|known| records && **known < length) {
                let raised = self.raised.get_mut(index).map_or(0, |raised| {
                    *raised += 1;
                    *raised
                });
                // More often than there are rules: it reads itself in a circle, ever earlier.
                *known = match raised > self.rules.len() {
                    true => self.history.length,
                    false => length,
                };
                self.open.push(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ReplaySpec;
    use super::super::plan::plan;
    use crate::model::{METRIC_NAME, Matcher, Millis};
    use crate::replay::History;
    use crate::rules::{ReadOptions, RuleGroup, read};
    use crate::store::Store;
    use crate::text::Source;

    const MINUTE: Millis = 60_000;

    /// By how many minutes the rules of a group that is evaluated each minute begin before a replay with an hour of history.
    fn begun(rules: &[(&str, &str)], reads: &[(&str, Millis)]) -> Vec<Millis> {
        let lines = rules.iter().map(|(name, expr)| match name.chars().next() {
            Some('A') => format!("  - {{alert: {name}, expr: '{expr}'}}\n"),
            _ => format!("  - {{record: {name}, expr: '{expr}'}}\n"),
        });
        let text = format!(
            "groups:\n- name: g\n  rules:\n{}",
            lines.collect::<String>()
        );
        let file = read(&Source::new("rules", text), &ReadOptions::default()).unwrap();
        let groups: Vec<&RuleGroup> = file.groups.iter().collect();
        let mut spec = ReplaySpec::new(&groups, Store::default(), 0, 10 * MINUTE, MINUTE);
        spec.history = History {
            length: 60 * MINUTE,
            reads: reads
                .iter()
                .map(|(name, before)| (vec![Matcher::equal(METRIC_NAME, *name)], before * MINUTE))
                .collect(),
        };
        let rules = plan(&spec).unwrap();
        let moments = rules.iter().map(|rule| rule.moments);
        moments
            .map(|moments| {
                assert_eq!(moments.time(moments.count - 1), 10 * MINUTE);
                -moments.start / MINUTE
            })
            .collect()
    }

    #[test]
    fn rules_begin_as_early_as_they_are_read() {
        let sloth = [
            ("r5", "rate(m[5m])"),
            ("r30", "sum_over_time(r5[30m])"),
            ("Alert", "r30 > 1"),
        ];
        // r30 is looked back on as any series is: five minutes.
        assert_eq!(begun(&sloth, &[]), [35, 5, 0]);
        assert_eq!(begun(&sloth, &[("r30", 20)]), [50, 20, 0]);
        assert_eq!(begun(&sloth, &[("r30", 50)]), [60, 50, 0]);
        let unread = [("a", "m"), ("Alert", "ALERTS offset 30m")];
        assert_eq!(begun(&unread, &[]), [0, 0]);
        assert_eq!(begun(&[("a", "a offset 1m or m")], &[]), [60]);
        let at = [("a", "m"), ("b", "a @ 0"), ("c", "a offset -10m")];
        assert_eq!(begun(&at, &[]), [60, 0, 0]);
    }
}
