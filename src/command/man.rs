//! `rulecheck man`: prints a manual page.

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{CommandLine, Outcome, load};
use crate::io;
use crate::text::{Diagnostic, closest};

/// The options of `rulecheck man`.
#[derive(Debug, Args)]
#[command(after_help = HINT)]
pub(super) struct Options {
    /// The page of this command; that of the whole program if not given
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

const HINT: &str = "Read it:    rulecheck man test | man -l -\n\
                    Install it: rulecheck man > /usr/local/share/man/man1/rulecheck.1\n            \
                    rulecheck man test > /usr/local/share/man/man1/rulecheck-test.1";

/// Prints the page.
pub(super) fn run(options: &Options) -> Outcome {
    match page(options.command.as_deref()) {
        Ok(page) => {
            io::print(&page);
            Outcome::Success
        }
        Err(fault) => load::refuse(&[fault]),
    }
}

fn page(name: Option<&str>) -> Result<String, Diagnostic> {
    let mut program = CommandLine::command();
    program.build();
    let command = match name {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            found.ok_or_else(|| unknown(name, &program))?
        }
    };
    let mut page = Vec::new();
    // Memory takes everything.
    drop(Man::new(command).render(&mut page));
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn unknown(name: &str, program: &clap::Command) -> Diagnostic {
    let known: Vec<&str> = program
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let fault = Diagnostic::error(format!("there is no command {name:?}"));
    match closest(name, &known) {
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault.help(format!("the commands are {}", known.join(", "))),
    }
}
