//! `rulecheck man`: prints a manual page.

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{CommandLine, Outcome};
use crate::io;
use crate::text::{Diagnostic, closest};

/// The options of `rulecheck man`.
#[derive(Debug, Args)]
#[command(after_help = HINT)]
pub(super) struct Options {
    /// The page of this command, such as `test` or `slo generate`; that of the whole program if not given
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

const HINT: &str = "Read it:    rulecheck man test | man -l -\n\
                    Install it: rulecheck man > /usr/local/share/man/man1/rulecheck.1\n            \
                    rulecheck man test > /usr/local/share/man/man1/rulecheck-test.1";

/// Prints the page.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let page = page(&options.command).map_err(|fault| vec![fault])?;
    io::print(&page);
    Ok(Outcome::Success)
}

fn page(names: &[String]) -> Result<String, Diagnostic> {
    let mut command = CommandLine::command();
    command.build();
    for name in names {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| unknown(name, &command))?;
    }
    let mut page = Vec::new();
    // Memory takes everything.
    drop(Man::new(command).render(&mut page));
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn unknown(name: &str, above: &clap::Command) -> Diagnostic {
    let known: Vec<&str> = above
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let fault = Diagnostic::error(format!("there is no command {name:?}"));
    match closest(name, &known) {
        _ if known.is_empty() => fault.help(format!("{} has no commands", above.get_name())),
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault.help(format!("the commands are {}", known.join(", "))),
    }
}
