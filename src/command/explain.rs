//! `rulecheck explain`: what a lint finds, or what a function of the query language yields.

use clap::Args;

use super::Outcome;
use crate::io;
use crate::lint::{self, Level, Lint};
use crate::promql::aggregations::{self, AGGREGATIONS};
use crate::promql::functions;
use crate::text::{Diagnostic, closest};

/// The options of `rulecheck explain`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A lint, a function or an aggregation; all lints are listed if none is named
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Explains.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    match &options.name {
        None => io::print(&listed()),
        Some(name) => io::print(&explained(name)?),
    }
    Ok(Outcome::Success)
}

fn listed() -> String {
    let widest = lint::ALL.iter().map(|lint| lint.name.len()).max();
    let width = widest.unwrap_or(0);
    let mut out = String::new();
    for (level, head) in [
        (Level::Warn, "`rulecheck check` warns of\n"),
        (
            Level::Pedantic,
            "\nand where asked with `--warn NAME` or `--pedantic` of\n",
        ),
    ] {
        out.push_str(head);
        for lint in lint::ALL.iter().filter(|lint| lint.level == level) {
            out.push_str(&format!("  {:width$}  {}\n", lint.name, lint.doc));
        }
    }
    out
}

fn explained(name: &str) -> Result<String, Vec<Diagnostic>> {
    if let Some(lint) = lint::lint(name) {
        return Ok(of_lint(lint));
    }
    if let Some(function) = functions::lookup(name) {
        let signature = function.signature();
        let params = signature.params.iter().map(|it| it.name());
        let params: Vec<&str> = params.collect();
        let more = match signature.variadic {
            0 => "",
            _ => ", the last optional",
        };
        return Ok(format!(
            "{name}({}){more}: {}\n\n{}\n",
            params.join(", "),
            signature.returns.name(),
            function.doc
        ));
    }
    if let Some(aggregation) = aggregations::lookup(name) {
        return Ok(format!("{name}: an aggregation\n\n{}\n", aggregation.doc));
    }
    let names = lint::ALL.iter().map(|lint| lint.name);
    let names = names.chain(functions::functions().map(|it| it.name));
    let names: Vec<&str> = names
        .chain(AGGREGATIONS.iter().map(|row| row.name))
        .collect();
    let fault = Diagnostic::error(format!("no lint, function or aggregation is called {name}"));
    Err(vec![match closest(name, &names) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.help("`rulecheck explain` lists the lints"),
    }])
}

fn of_lint(lint: &Lint) -> String {
    let Lint {
        name,
        doc,
        why,
        wrong,
        right,
        ..
    } = lint;
    let level = match lint.level {
        Level::Warn => "",
        Level::Pedantic => " (pedantic: asked for with `--warn` or `--pedantic`)",
    };
    let why = wrapped(why, 100);
    let (wrong, right) = (wrong.trim(), right.trim());
    format!(
        "{name}{level}: {doc}\n\n{why}\n\nWrong:\n\n{wrong}\n\nRight:\n\n{right}\n\n\
         To let one pass, write `# rulecheck: allow({name}) why` into the rule or directly above it.\n"
    )
}

/// A text in lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let more = word.chars().count();
        if length > 0 && length + 1 + more > width {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += more;
    }
    out
}
