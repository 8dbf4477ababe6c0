//! The names of all formats.

/// How a command prints its result; each command knows some of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For people, with commands by which GitHub annotates files.
    Github,
    /// For build servers.
    Junit,
    /// For harnesses that read the Test Anything Protocol.
    Tap,
    /// For Graphviz, which draws it.
    Dot,
    /// For pull requests.
    Markdown,
    /// A page to look at.
    Html,
}

impl Format {
    /// Those of results of tests.
    pub const OF_TESTS: [Format; 5] = [
        Format::Text,
        Format::Json,
        Format::Github,
        Format::Junit,
        Format::Tap,
    ];

    /// The word behind `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Github => "github",
            Format::Junit => "junit",
            Format::Tap => "tap",
            Format::Dot => "dot",
            Format::Markdown => "markdown",
            Format::Html => "html",
        }
    }
}
