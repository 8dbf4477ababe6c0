//! The `rulecheck` binary: hands the command line to [`rulecheck::command`].

use std::process::ExitCode;

fn main() -> ExitCode {
    rulecheck::command::main(std::env::args_os())
}
