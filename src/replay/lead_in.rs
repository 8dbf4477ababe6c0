//! Recording rules that begin before the replay does, so that who looks back on them finds what they would have written.

use super::output::Outputs;
use super::plan::{MAX_TICKS, PlannedRule};
use super::{History, ReplayError};
use crate::model::{Matcher, Millis};
use crate::promql::selectors::{Reach, reads};
use crate::rules::RuleKind;

/// Lets recording rules begin as long before the replay as something looks back on them, but not before the history. Alerts
/// begin with the replay.
pub(super) fn lead_in(rules: &mut [PlannedRule<'_>], history: &History) -> Result<(), ReplayError> {
    let leads = Leads::of(rules, history).lengths;
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

/// How long before the replay each rule is read.
struct Leads<'r, 'a> {
    rules: &'r [PlannedRule<'a>],
    history: &'r History,
    outputs: Outputs<'a>,
    lengths: Vec<Millis>,
    /// How often each was found to be read earlier than was known.
    raised: Vec<usize>,
    /// Rules whose own reading is to be followed.
    open: Vec<usize>,
}

impl<'r, 'a> Leads<'r, 'a> {
    fn of(rules: &'r [PlannedRule<'a>], history: &'r History) -> Leads<'r, 'a> {
        let mut leads = Leads {
            rules,
            history,
            outputs: Outputs::new(rules.iter().map(|rule| rule.rule)),
            lengths: vec![0; rules.len()],
            raised: vec![0; rules.len()],
            open: (0..rules.len()).rev().collect(),
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
        let (Some(rule), Some(&lead)) = (self.rules.get(index), self.lengths.get(index)) else {
            return;
        };
        let before = lead.saturating_add(rule.writer.offset);
        for used in reads(&rule.query().expr, Reach::LOOKBACK) {
            let length = match used.reach {
                Reach::Around { oldest, .. } => oldest.saturating_add(before),
                Reach::Fixed => self.history.length,
            };
            self.read(&used.matchers, length);
        }
    }

    /// Notes that series are read from so long before the replay on.
    fn read(&mut self, matchers: &[Matcher], length: Millis) {
        let length = length.min(self.history.length);
        for output in self.outputs.matching(matchers) {
            let index = output.rule;
            let is_recording =
                |rule: &PlannedRule<'_>| matches!(rule.rule.kind, RuleKind::Recording { .. });
            let known = self.lengths.get_mut(index).filter(|known| **known < length);
            let raised = self.raised.get_mut(index);
            if let (Some(known), Some(raised), true) = (
                known,
                raised,
                self.rules.get(index).is_some_and(is_recording),
            ) {
                *raised += 1;
                // More often than there are rules: it reads itself in a circle, ever earlier.
                *known = match *raised > self.rules.len() {
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
