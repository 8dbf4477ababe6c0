//! `rulecheck schema`: prints the JSON Schema of a kind of file, for editors.

use clap::{Args, ValueEnum};

use super::Outcome;
use crate::io;
use crate::suite::schema;
use crate::text::Diagnostic;

/// The options of `rulecheck schema`.
#[derive(Debug, Args)]
#[command(after_help = HINT)]
pub(super) struct Options {
    /// Which files
    #[arg(value_name = "KIND")]
    kind: Kind,
}

const HINT: &str = "Keep it in a file, and name it in the first line of a test file: editors with a YAML language server \
                    then complete and check keys.\n\n  rulecheck schema test > rulecheck-test.schema.json\n  \
                    # yaml-language-server: $schema=rulecheck-test.schema.json";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Test files, and files that they include
    Test,
}

/// Prints the schema.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let schema = match options.kind {
        Kind::Test => schema::test_file(),
    };
    io::print(&format!("{schema:#}\n"));
    Ok(Outcome::Success)
}
