//! The `rulecheck` binary: hands the command line to [`rulecheck::command`].

fn main() {}
