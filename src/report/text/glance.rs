//! What a failing expectation of an alert says of its rule, and the command that says more.

use super::Printer;
use crate::model::Duration;
use crate::replay::{Section, Subject};
use crate::report::why::{Clock, all_words};
use crate::suite::{Cause, Mismatch, TestVerdict, Why};

/// No more rules of one name than this are told of.
const MAX_RULES: usize = 3;

/// No more causes of a rule than this are told of.
const MAX_CAUSES: usize = 2;

/// No more lines than this are told of a cause.
const MAX_DETAILS: usize = 3;

/// Expressions of more characters are not repeated in a command.
const MAX_EXPR: usize = 200;

/// How whoever reads a failure asks further.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the program is called.
    pub program: String,
    /// Options of this call that `why` takes, too.
    pub options: Vec<String>,
    /// Whether files may have more tests than were run.
    pub is_partial: bool,
}

impl Printer {
    /// The rules that a failure is about, and what they compared where nothing else tells it.
    pub(super) fn glance(&mut self, failure: &Mismatch) {
        let Some(why) = &failure.glance else {
            return;
        };
        let is_drawn = match &failure.cause {
            Cause::Unmet(unmet) => unmet.picture.is_some(),
            _ => false,
        };
        for section in first_sections(why).take(MAX_RULES) {
            let Subject::Alert { place, .. } = &section.subject else {
                continue;
            };
            let hold = section.state.as_ref().map_or(0, |state| state.hold);
            let hold = match hold {
                0 => String::new(),
                hold => format!(", for: {}", Duration(hold)),
            };
            self.line(&format!("    rule      {place}{hold}"));
            let Some(explained) = section.explained.as_ref().filter(|_| !is_drawn) else {
                continue;
            };
            let told = all_words(section, explained, Clock::Since(why.start));
            for (place, words) in told.iter().take(MAX_CAUSES) {
                self.line(&format!("    value     {} ({place})", words.head));
                for detail in words.details.iter().take(MAX_DETAILS) {
                    self.line(&format!("              {detail}"));
                }
            }
        }
    }

    /// The command that explains a failure.
    pub(super) fn command(
        &mut self,
        failure: &Mismatch,
        test: &TestVerdict,
        ask: (&Ask, &str, usize),
    ) {
        if failure.why.is_none()
            && let Some(command) = command(failure, test, ask)
        {
            self.line(&format!("    why       {command}"));
        }
    }
}

/// The command that explains a failure, ready to be pasted into a shell; behind the one who asks the test file and how many
/// tests it has.
pub(super) fn command(
    failure: &Mismatch,
    test: &TestVerdict,
    (ask, file, tests): (&Ask, &str, usize),
) -> Option<String> {
    let (subject, at) = match (&failure.cause, &failure.glance) {
        (Cause::Expr { .. } | Cause::ExprError(_), _) => {
            let is_short = failure.name.chars().count() <= MAX_EXPR;
            let is_line = !failure.name.contains('\n');
            let expr = (is_short && is_line).then_some(&failure.name)?;
            (vec!["--expr".to_owned(), expr.clone()], failure.eval_time)
        }
        (_, Some(why)) => {
            let section = first_sections(why).next()?;
            let Subject::Alert { name, .. } = &section.subject else {
                return None;
            };
            let name = match name.starts_with('-') {
                true => return None,
                false => name.clone(),
            };
            (vec![name], section.asked.saturating_sub(why.start))
        }
        _ => return None,
    };
    let which = match tests {
        1 if !ask.is_partial => String::new(),
        _ => format!(":{}", test.case + 1),
    };
    let mut words = vec![ask.program.clone(), "why".to_owned()];
    words.extend(subject);
    words.extend(["--test".to_owned(), format!("{file}{which}")]);
    words.extend(["--at".to_owned(), Duration(at).to_string()]);
    words.extend(ask.options.iter().cloned());
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Some(words.join(" "))
}

fn first_sections(why: &Why) -> impl Iterator<Item = &Section> {
    why.explanations.iter().filter_map(|it| it.sections.first())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "_-./:=@%+,".contains(it);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, written) in [
            ("rules/a_test.yml:2", "rules/a_test.yml:2"),
            ("up == 0", "'up == 0'"),
            ("", "''"),
            ("it's", r"'it'\''s'"),
            ("~x", "'~x'"),
        ] {
            assert_eq!(quoted(word), written);
        }
    }
}
