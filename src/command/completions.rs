//! `rulecheck completions`: prints what makes a shell complete calls.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Outcome};
use crate::io;
use crate::text::Diagnostic;

/// The options of `rulecheck completions`.
#[derive(Debug, Args)]
#[command(after_help = HINT)]
pub(super) struct Options {
    /// Which shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

const HINT: &str = "bash: rulecheck completions bash > ~/.local/share/bash-completion/completions/rulecheck\n\
                    zsh:  rulecheck completions zsh > ~/.zfunc/_rulecheck (a folder of $fpath)\n\
                    fish: rulecheck completions fish > ~/.config/fish/completions/rulecheck.fish";

/// Prints them.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(options.shell, &mut command, "rulecheck", &mut script);
    io::print(&String::from_utf8_lossy(&script));
    Ok(Outcome::Success)
}
