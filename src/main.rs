//! The `rulecheck` binary: hands the command line to [`rulecheck::command`].

use std::process::ExitCode;

/// Many small texts are made and dropped, on all threads.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rulecheck::command::main(std::env::args_os())
}
