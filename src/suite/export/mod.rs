//! Test files that promtool runs: what tests of ours expect over time, asked at the moments that matter.
//!
//! Series are written out, alerts are checked just before, at, within and just after each of their windows, expressions at
//! the ends and in the middle of their spans. What comes out is run once more as promtool would: what fails then is left
//! out, with the reason.

mod draft;
mod moments;
mod rules;
mod values;
mod write;

use std::collections::BTreeMap;

use super::Suite;
use super::order::groups_in_order;
use super::read::read;
use super::run::{RunOptions, run};
use super::schedules::apart;
use super::verdict::{Cause, FileVerdict, TestVerdict};
use crate::replay::Schedule;
use crate::rules::ReadOptions;
use crate::text::Source;
use draft::Draft;
pub use rules::plain_rules;

/// So many samples may a query of promtool hold at once.
const PROMTOOL_MAX_SAMPLES: usize = 10_000;

/// The first words of every exported file.
pub const HEAD: &str = "# Written by `rulecheck test --export-promtool`";

/// A test file for promtool.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    /// Its text; empty where no test can be expressed.
    pub text: String,
    /// How many tests it holds, and how many there were.
    pub tests: (usize, usize),
    /// How many checks it holds.
    pub checks: usize,
    /// What was left out and why, in the order of tests.
    pub left_out: Vec<String>,
}

/// Writes the tests of a file that ran for promtool. `rule_files` are the paths of its rule files as seen from the new file.
pub fn export(
    suite: &Suite,
    verdict: &FileVerdict,
    options: &RunOptions,
    rule_files: &[String],
) -> Exported {
    let groups = groups_in_order(&suite.file, &suite.rule_files);
    let schedule = options.schedule(&suite.file);
    let is_apart = schedule == Schedule::Production && !apart(&suite.file, &groups).is_empty();
    let mut left_out: Vec<String> = Vec::new();
    let mut drafts: Vec<Draft> = Vec::new();
    for (case, test) in suite.file.tests.iter().enumerate() {
        let Some(came) = verdict.tests.iter().find(|it| it.case == case) else {
            continue;
        };
        let title = title(came);
        let reason = match came.failures.is_empty() {
            false => Some("it fails".to_owned()),
            true if is_apart => Some(
                "its groups have intervals of their own, and promtool evaluates all at one"
                    .to_owned(),
            ),
            true => None,
        };
        let draft = match reason {
            Some(reason) => Err(reason),
            None => draft::draft(&suite.file, test, &groups, options, title.clone()),
        };
        match draft {
            Ok(draft) => drafts.push(draft),
            Err(reason) => left_out.push(format!("{title}: {reason}")),
        }
    }
    let header = write::Header {
        of: suite.file.source.name(),
        rule_files,
        interval: suite.file.evaluation_interval,
        order: write::order(&suite.file, &groups),
        fuzzy: suite.file.fuzzy_compare,
    };
    drop_failing(suite, options, &header, &mut drafts, &mut left_out);
    for draft in &drafts {
        left_out.extend(
            draft
                .left_out
                .iter()
                .map(|it| format!("{}: {it}", draft.title)),
        );
    }
    let checks = drafts.iter().map(Draft::checks).sum();
    Exported {
        text: match drafts.is_empty() {
            true => String::new(),
            false => write::file(&header, &drafts, &left_out),
        },
        tests: (drafts.len(), verdict.tests.len()),
        checks,
        left_out,
    }
}

fn title(test: &TestVerdict) -> String {
    match test.name.is_empty() {
        true => format!("test {}", test.case + 1),
        false => format!("test {:?}", test.name),
    }
}

/// Runs what was written as promtool would, and takes out what fails.
fn drop_failing(
    suite: &Suite,
    options: &RunOptions,
    header: &write::Header<'_>,
    drafts: &mut Vec<Draft>,
    left_out: &mut Vec<String>,
) {
    let running = RunOptions {
        names: Vec::new(),
        schedule: Some(Schedule::Promtool),
        max_samples: PROMTOOL_MAX_SAMPLES,
        promtool_compatible: true,
        why: false,
        glance: false,
        coverage: false,
        features: options.features,
    };
    let mut index = 0;
    while let Some(draft) = drafts.get_mut(index) {
        let text = write::file(header, std::slice::from_ref(draft), &[]);
        let reading = ReadOptions {
            features: options.features,
            ..ReadOptions::default()
        };
        let file = read(&Source::new(suite.file.source.name(), text), &reading);
        let ran = file.and_then(|file| {
            let suite = Suite {
                file: file.into(),
                rule_files: suite.rule_files.clone(),
            };
            run(&suite, &running)
        });
        let failed = match &ran {
            Err(faults) => faults.first().map(|fault| fault.message.clone()),
            Ok(verdict) => failing(draft, verdict),
        };
        match failed {
            None if draft.checks() > 0 => index += 1,
            None => {
                let reasons = std::mem::take(&mut draft.left_out);
                let reason = match reasons.is_empty() {
                    true => "it asks nothing that promtool could be asked".to_owned(),
                    false => reasons.join("; "),
                };
                left_out.push(format!("{}: {reason}", draft.title));
                drafts.remove(index);
            }
            Some(reason) => {
                left_out.push(format!("{}: {reason}", draft.title));
                drafts.remove(index);
            }
        }
    }
}

/// Takes the checks that fail out of a test; a reason where the test as a whole can't be run.
fn failing(draft: &mut Draft, verdict: &FileVerdict) -> Option<String> {
    let failures = verdict.tests.iter().flat_map(|test| &test.failures);
    let (mut alerts, mut exprs) = (Vec::new(), Vec::new());
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for failure in failures {
        match &failure.cause {
            Cause::Alert { .. } => alerts.push(failure.check),
            Cause::Expr { .. } | Cause::ExprError(_) | Cause::Unreadable(_) => {
                exprs.push(failure.check);
            }
            Cause::Rule(message) | Cause::RuleFails { message, .. } => {
                return Some(format!(
                    "rule {} fails in promtool: {message}",
                    failure.name
                ));
            }
            Cause::Unmet(_) => continue,
        }
        *names.entry(failure.name.clone()).or_default() += 1;
    }
    let mut index = 0;
    draft.alerts.retain(|_| {
        index += 1;
        !alerts.contains(&(index - 1))
    });
    index = 0;
    draft.exprs.retain(|_| {
        index += 1;
        !exprs.contains(&(index - 1))
    });
    for (name, count) in names {
        let checks = match count {
            1 => "1 check".to_owned(),
            _ => format!("{count} checks"),
        };
        let why = match draft.starts_late {
            true => "promtool would see otherwise in a test that starts in 1970",
            false => "promtool would see otherwise",
        };
        draft
            .left_out
            .push(format!("{checks} of {name} that {why}"));
    }
    None
}
