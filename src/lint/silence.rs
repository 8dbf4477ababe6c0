//! Comments that silence lints: `# rulecheck: allow(NAME) reason`, in or directly above a rule, or at the head of a file.

use super::{ALL, Lint, lint};
use crate::rules::RuleFile;
use crate::text::{Diagnostic, Place, Severity, Source, Span, closest};

/// What a comment begins with.
const MARK: &str = "# rulecheck: allow(";

/// The name under which a comment silences what Prometheus says of a query beside its result, where that is an info: it may
/// know less of a metric than its author.
pub const PROMETHEUS_INFO: &str = "prometheus-info";

/// A name in a comment.
struct Allowed {
    source: Source,
    name: String,
    /// Where the name stands.
    span: Span,
    /// What it silences; the whole file if nothing is given.
    scope: Option<Span>,
    is_used: bool,
}

/// Takes away what comments silence, and adds what there is to say of comments.
pub(super) fn apply(
    files: &[&RuleFile],
    found: Vec<Diagnostic>,
    is_on: &dyn Fn(&Lint) -> bool,
) -> Vec<Diagnostic> {
    let mut allowed: Vec<Allowed> = Vec::new();
    for file in files {
        allowed.extend(in_text(&file.source, &spans(file)));
    }
    let mut left = Vec::new();
    for found in found {
        let mut is_silenced = false;
        for fitting in allowed.iter_mut().filter(|it| it.silences(&found)) {
            (fitting.is_used, is_silenced) = (true, true);
        }
        if !is_silenced {
            left.push(found);
        }
    }
    left.extend(allowed.iter().filter_map(|it| it.complaint(is_on)));
    left
}

/// Whether comments silence an info of Prometheus about a query of one of these files.
pub fn allows(files: &[RuleFile], said: &Diagnostic) -> bool {
    let Some(place) = &said.place else {
        return false;
    };
    let of_source = files
        .iter()
        .filter(|file| file.source.name() == place.source.name());
    let allowed = of_source.flat_map(|file| in_text(&file.source, &spans(file)));
    said.severity == Severity::Info && { allowed }
        .any(|it| it.name == PROMETHEUS_INFO && it.covers(place))
}

/// The spans of the rules of a file.
fn spans(file: &RuleFile) -> Vec<Span> {
    let groups = file.groups.iter();
    let of_file = groups.filter(|group| group.source.name() == file.source.name());
    let rules = of_file.flat_map(|group| group.rules.iter());
    rules.map(|rule| rule.span).collect()
}

impl Allowed {
    fn covers(&self, place: &Place) -> bool {
        let is_inside =
            |scope: Span| scope.start <= place.span.start && place.span.start < scope.end;
        place.source.name() == self.source.name() && self.scope.is_none_or(is_inside)
    }

    fn silences(&self, found: &Diagnostic) -> bool {
        let Some(place) = &found.place else {
            return false;
        };
        found.lint == Some(&self.name) && self.covers(place)
    }

    fn complaint(&self, is_on: &dyn Fn(&Lint) -> bool) -> Option<Diagnostic> {
        let at = |message: String| Diagnostic::warning(message).at(&self.source, self.span);
        match lint(&self.name) {
            None if self.name == PROMETHEUS_INFO => None,
            None => {
                let names: Vec<&str> = ALL.iter().map(|lint| lint.name).collect();
                let help = match closest(&self.name, &names) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "`rulecheck explain` lists the lints".to_owned(),
                };
                Some(at(format!("there is no lint {:?}", self.name)).help(help))
            }
            Some(lint) if !self.is_used && is_on(lint) => {
                let message = format!("{} finds nothing here to be allowed", lint.name);
                Some(
                    at(message)
                        .help("remove the comment, or put it into the rule or directly above it"),
                )
            }
            Some(_) => None,
        }
    }
}

/// The names in the comments of a text. `rules` are the spans of its rules.
fn in_text(source: &Source, rules: &[Span]) -> Vec<Allowed> {
    let text = source.text();
    if !text.contains(MARK) {
        return Vec::new();
    }
    let (mut found, mut at, mut is_head) = (Vec::new(), 0, true);
    // Comments that may turn out to stand directly above a rule.
    let mut waiting: Vec<Allowed> = Vec::new();
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let is_comment = line.trim_start().starts_with('#');
        is_head &= is_comment || ["", "---"].contains(&line.trim());
        let mut names = names(source, line, at);
        if !is_comment {
            let rule = rules
                .iter()
                .find(|rule| at <= rule.start && rule.start < end);
            for mut above in waiting.drain(..) {
                above.scope = rule.copied().or(above.scope);
                found.push(above);
            }
        }
        let inside = rules.iter().find(|rule| rule.start < end && at < rule.end);
        for name in &mut names {
            // A comment that belongs to nothing silences nothing.
            let scope = inside.copied().unwrap_or(Span::new(at, at));
            name.scope = (!is_head).then_some(scope);
        }
        match is_comment {
            true if inside.is_none() => waiting.extend(names),
            _ => found.extend(names),
        }
        at = end;
    }
    found.extend(waiting);
    found
}

/// The names that a line allows. `at` is where the line begins.
fn names(source: &Source, line: &str, at: usize) -> Vec<Allowed> {
    let Some(mark) = line.find(MARK) else {
        return Vec::new();
    };
    let before = line.get(..mark).unwrap_or_default();
    let begin = mark + MARK.len();
    let rest = line.get(begin..).unwrap_or_default();
    if !(before.is_empty() || before.ends_with([' ', '\t'])) {
        return Vec::new();
    }
    let list = rest.split(')').next().unwrap_or_default();
    let (mut found, mut offset) = (Vec::new(), at + begin);
    for part in list.split(',') {
        let start = offset + part.len() - part.trim_start().len();
        let name = part.trim();
        found.push(Allowed {
            source: source.clone(),
            name: name.to_owned(),
            span: Span::new(start, start + name.len()),
            scope: None,
            is_used: false,
        });
        offset += part.len() + 1;
    }
    found
}
