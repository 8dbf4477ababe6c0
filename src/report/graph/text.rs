//! A tree of rules for people: below each rule what it reads.

use super::{Child, View, kind, titled, written};
use crate::model::Duration;
use crate::replay::{DependencyKind, DependentRule, Order, RuleRead, RuleSource};
use crate::report::count;

/// So many levels are drawn below a rule; what lies deeper begins anew.
const MAX_LEVELS: usize = 16;

/// No more rules than this are named for one selector.
const MAX_NAMED: usize = 5;

/// The rules by file and group, below each what it reads; then what is odd, and how many there are.
pub fn text(view: &View<'_>) -> String {
    let mut drawing = Drawing {
        view,
        is_drawn: vec![false; view.dependencies.rules.len()],
        file: "",
        out: String::new(),
    };
    let mut heading = (None, None);
    for root in roots(view) {
        let rule = &view.dependencies.rules[root];
        let file = rule.group.source.name();
        if heading.0 != Some(file) {
            let blank = if heading.0.is_some() { "\n" } else { "" };
            drawing.out.push_str(&format!("{blank}{file}\n"));
            drawing.file = file;
        }
        if heading != (Some(file), Some(rule.id.group)) {
            let every = Duration(rule.interval);
            drawing
                .out
                .push_str(&format!("  group {:?}, every {every}\n", rule.group.name));
        }
        heading = (Some(file), Some(rule.id.group));
        let name = format!("{} {}", kind(rule), titled(rule));
        let place = drawing.place(rule);
        drawing
            .out
            .push_str(&format!("    {name}  {place}{}\n", sum(rule)));
        drawing.below(root, "    ", &mut vec![root]);
    }
    let mut out = drawing.out;
    out.push_str(&findings(view));
    out.push_str(&format!("\n{}\n", summary(view)));
    out
}

/// The rules at which trees begin: those that nobody reads by name, then those that are left because they stand in a
/// circle or too deep; in the order of the files.
fn roots(view: &View<'_>) -> Vec<usize> {
    let followed = |index: usize| -> Vec<usize> {
        let children = view.children(index).into_iter();
        let rules = children.filter_map(|child| match child {
            // An alert has a tree of its own, whoever reads `ALERTS`.
            Child::Rule(source) if view.dependencies.rules[source.rule].is_alert() => None,
            Child::Rule(source) => Some(source.rule),
            Child::Several(_) | Child::Metric(..) => None,
        });
        rules.collect()
    };
    let edges: Vec<Vec<usize>> = (0..view.rules.len())
        .map(|index| match view.rules[index] {
            true => followed(index),
            false => Vec::new(),
        })
        .collect();
    let mut is_read = vec![false; view.rules.len()];
    for (reader, edges) in edges.iter().enumerate() {
        edges
            .iter()
            .filter(|&&rule| rule != reader)
            .for_each(|&rule| is_read[rule] = true);
    }
    let shown = || (0..view.rules.len()).filter(|&rule| view.rules[rule]);
    let mut drawn = vec![false; view.rules.len()];
    let mut roots = Vec::new();
    for root in shown().filter(|&rule| !is_read[rule]).chain(shown()) {
        if drawn[root] {
            continue;
        }
        roots.push(root);
        let mut level = vec![root];
        for _ in 0..=MAX_LEVELS {
            level.retain(|&rule| !std::mem::replace(&mut drawn[rule], true));
            level = level.iter().flat_map(|&rule| edges[rule].clone()).collect();
        }
    }
    roots.sort_unstable();
    roots
}

/// A tree that is being drawn.
struct Drawing<'v, 'd> {
    view: &'v View<'d>,
    /// Whether what a rule reads was drawn.
    is_drawn: Vec<bool>,
    /// The file of the heading.
    file: &'v str,
    out: String,
}

impl Drawing<'_, '_> {
    /// Draws what a rule reads. `path` are the rules above, and itself.
    fn below(&mut self, rule: usize, trunk: &str, path: &mut Vec<usize>) {
        self.is_drawn[rule] = true;
        let children = self.view.children(rule);
        let last = children.len().saturating_sub(1);
        for (index, child) in children.iter().enumerate() {
            let (branch, further) = match index == last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            self.out.push_str(&format!("{trunk}{branch}"));
            match child {
                Child::Metric(name, is_unanswered) => {
                    let note = if *is_unanswered { "  (nothing)" } else { "" };
                    self.out.push_str(&format!("{}{note}\n", written(name)));
                }
                Child::Several(read) => self.out.push_str(&self.several(read)),
                Child::Rule(source) => self.source(source, &format!("{trunk}{further}"), path),
            }
        }
    }

    fn source(&mut self, source: &RuleSource, trunk: &str, path: &mut Vec<usize>) {
        let rule = &self.view.dependencies.rules[source.rule];
        let alert = if rule.is_alert() { "alert " } else { "" };
        let line = format!(
            "{alert}{}  {}{}",
            titled(rule),
            self.place(rule),
            age(source)
        );
        let reads = !rule.is_alert() && !self.view.children(source.rule).is_empty();
        let more = match () {
            () if path.contains(&source.rule) => "  (a circle)",
            () if self.is_drawn[source.rule] && reads => "  (see above)",
            () if path.len() > MAX_LEVELS && reads => "  (goes on)",
            () => "",
        };
        self.out.push_str(&format!("{line}{more}\n"));
        if reads && more.is_empty() {
            path.push(source.rule);
            self.below(source.rule, trunk, path);
            path.pop();
        }
    }

    /// `rules.yml:12:15`, or `line 12` where that is the file of the heading.
    fn place(&self, rule: &DependentRule<'_>) -> String {
        let place = rule.place();
        match place.source.name() == self.file {
            true => {
                let at = place.source.line_column(place.span.start);
                format!("line {}", at.line)
            }
            false => place.to_string(),
        }
    }

    /// `{__name__=~"x:.*"}  may read 3 rules: a, b, c`
    fn several(&self, read: &RuleRead<'_>) -> String {
        let mut names: Vec<&str> = read
            .sources
            .iter()
            .filter(|source| self.view.rules[source.rule])
            .map(|source| self.view.dependencies.rules[source.rule].rule.name.as_str())
            .collect();
        let number = count(names.len(), "rule");
        names.sort_unstable();
        names.dedup();
        let more = names.len().saturating_sub(MAX_NAMED);
        names.truncate(MAX_NAMED);
        let more = match more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "{}  may read {number}: {}{more}\n",
            read.text,
            names.join(", ")
        )
    }
}

/// How old what is read may be.
fn age(source: &RuleSource) -> String {
    match (source.order, source.late) {
        (Order::Before, _) | (_, None | Some(0)) => String::new(),
        (Order::Behind, Some(late)) => format!(", one evaluation late ({})", Duration(late)),
        (Order::Apart, Some(late)) => format!(", up to {} late", Duration(late)),
    }
}

/// How late metrics come over several rules.
fn sum(rule: &DependentRule<'_>) -> String {
    match rule.late {
        Some(late) if late > 0 && rule.depth > 1 => {
            format!(", sees metrics up to {} late", Duration(late))
        }
        _ => String::new(),
    }
}

/// What is odd, with headings.
fn findings(view: &View<'_>) -> String {
    let mut out = String::new();
    for kind in DependencyKind::ALL {
        let of_kind: Vec<_> = view
            .findings
            .iter()
            .filter(|finding| finding.kind == kind)
            .collect();
        if of_kind.is_empty() {
            continue;
        }
        let heading = match kind {
            DependencyKind::Missing => "names that nothing provides",
            DependencyKind::Impossible => "selectors that can't match what they read",
            DependencyKind::Sparse => "rules that are evaluated too rarely for who reads them",
            DependencyKind::Cycle => "rules that read themselves",
            DependencyKind::Backward => "rules that read what is recorded behind them",
            DependencyKind::Unused => "recording rules that no alert needs",
        };
        out.push_str(&format!(
            "\n{}: {heading}: {}\n",
            kind.name(),
            of_kind.len()
        ));
        for (index, finding) in of_kind.iter().enumerate() {
            if let Some(place) = &finding.warning.place {
                out.push_str(&format!("  {place}: {}\n", finding.warning.message));
            }
            // A row of the same advice is given once.
            let help = finding.warning.help.as_deref();
            let next = of_kind
                .get(index + 1)
                .and_then(|next| next.warning.help.as_deref());
            if let Some(words) = help.filter(|_| next != help) {
                out.push_str(&format!("      {words}\n"));
            }
        }
    }
    out
}

/// `3 files, 4 groups, 12 rules: …`
fn summary(view: &View<'_>) -> String {
    let rules: Vec<_> = view.rules().map(|(_, rule)| rule).collect();
    let mut files: Vec<&str> = rules.iter().map(|rule| rule.group.source.name()).collect();
    files.dedup();
    let mut groups: Vec<usize> = rules.iter().map(|rule| rule.id.group).collect();
    groups.dedup();
    let alerts = rules.iter().filter(|rule| rule.is_alert()).count();
    let depth = rules.iter().map(|rule| rule.depth).max().unwrap_or(0);
    let found: Vec<String> = DependencyKind::ALL
        .iter()
        .map(|kind| {
            (
                kind,
                view.findings.iter().filter(|it| it.kind == *kind).count(),
            )
        })
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| format!("{number} {}", kind.name()))
        .collect();
    let found = match found.is_empty() {
        true => "nothing odd".to_owned(),
        false => found.join(", "),
    };
    format!(
        "{}, {}, {} and {} that read {}, at most {} in a row: {found}",
        count(files.len(), "file"),
        count(groups.len(), "group"),
        count(alerts, "alert"),
        count(rules.len() - alerts, "recording rule"),
        count(view.metrics().len(), "metric"),
        depth + usize::from(!rules.is_empty()),
    )
}
