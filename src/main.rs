//! The `rulecheck` binary: hands the command line to [`rulecheck::command`].

use std::process::ExitCode;

#[cfg(feature = "mimalloc")]
mod allocator;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    #[cfg(feature = "mimalloc")]
    allocator::set_up();
    rulecheck::command::main(std::env::args_os())
}
