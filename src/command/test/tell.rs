//! Prints what came of test files, in any format, as soon as it is known.

use clap::ValueEnum;

use super::super::complain;
use super::Options;
use crate::io;
use crate::report::coverage::{self, Reached};
use crate::report::{FileReport, Format, Partition, Totals, github, json, junit, tap, text};
use crate::text::Diagnostic;

/// What came of one file, written down.
pub(super) struct Written {
    /// For people.
    text: text::FileText,
    json: String,
    has_details: bool,
    points: Vec<tap::Point>,
    suite: String,
    annotations: Vec<github::Annotation>,
    failed: text::Failed,
}

/// How results are printed.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    format: Format,
    has_junit: bool,
    coloured: bool,
    /// How to ask further, where that is told.
    ask: Option<text::Ask>,
}

impl Manner {
    pub fn new(options: &Options) -> Manner {
        Manner {
            format: options.format,
            has_junit: options.format == Format::Junit || options.junit.is_some(),
            coloured: options.format == Format::Text && io::wants_colour(),
            ask: ask(options),
        }
    }

    /// Writes down what came of the file of that number, from 0.
    pub fn write(
        &self,
        number: usize,
        report: &FileReport,
        times: Option<&junit::Times>,
    ) -> Written {
        Written {
            text: match self.format {
                Format::Text | Format::Github => {
                    text::file(report, self.ask.as_ref(), self.coloured)
                }
                _ => text::FileText::default(),
            },
            json: match self.format {
                Format::Json => json::file(report),
                _ => String::new(),
            },
            has_details: self.format == Format::Json || text::has_details(report),
            points: match self.format {
                Format::Tap => tap::points(report),
                _ => Vec::new(),
            },
            suite: match self.has_junit {
                true => junit::suite(number, report, times),
                false => String::new(),
            },
            annotations: match self.format {
                Format::Github => github::annotations(report, &io::in_workspace),
                _ => Vec::new(),
            },
            failed: match &self.ask {
                Some(ask) => text::Failed::of(report, ask),
                None => text::Failed::default(),
            },
        }
    }
}

/// How to ask why something failed: as this call asked. What promtool prints has no place for it.
pub(super) fn ask(options: &Options) -> Option<text::Ask> {
    let schedule = options.schedule.and_then(|it| it.to_possible_value());
    let schedule = schedule.map(|it| ["--schedule".to_owned(), it.get_name().to_owned()]);
    let features = options.reading.enable_feature.iter();
    let features = features.flat_map(|it| ["--enable-feature".to_owned(), it.clone()]);
    let ignored = options.reading.ignore_unknown_fields;
    let words = schedule.into_iter().flatten();
    let words = words.chain(options.phases.words()).chain(features);
    (!options.promtool_compatible).then(|| text::Ask {
        program: io::program(),
        options: words
            .chain(ignored.then(|| "--ignore-unknown-fields".to_owned()))
            .collect(),
        is_partial: !options.run.is_empty(),
    })
}

/// Prints one file after the other.
pub(super) struct Teller {
    manner: Manner,
    after_details: bool,
    drawn: text::Drawn,
    points: usize,
    /// All suites, where they go to a file.
    junit: Option<String>,
    annotations: Vec<github::Annotation>,
    failed: text::Failed,
}

impl Teller {
    /// Prints what stands before the files.
    pub fn begin(options: &Options) -> Teller {
        let manner = Manner::new(options);
        match manner.format {
            Format::Json => io::print(json::HEAD),
            Format::Junit => io::print(&junit::head()),
            Format::Tap => io::print(tap::HEAD),
            _ => {}
        }
        Teller {
            manner,
            after_details: false,
            drawn: text::Drawn::default(),
            points: 0,
            junit: options.junit.is_some().then(junit::head),
            annotations: Vec::new(),
            failed: text::Failed::default(),
        }
    }

    /// Prints what came of the next file.
    pub fn tell(&mut self, file: Written) {
        let between = if self.after_details { "\n" } else { "" };
        match self.manner.format {
            Format::Json if self.after_details => io::print(&format!(",{}", file.json)),
            Format::Json => io::print(&file.json),
            Format::Github => {
                let text = self.drawn.next(file.text);
                io::print(&format!("{between}{}", github::plain(&text)));
            }
            Format::Junit => io::print(&file.suite),
            Format::Tap => io::print(&tap::file(&file.points, &mut self.points)),
            _ => io::print(&format!("{between}{}", self.drawn.next(file.text))),
        }
        if let Some(junit) = &mut self.junit {
            junit.push_str(&file.suite);
        }
        self.after_details = file.has_details;
        self.annotations.extend(file.annotations);
        self.failed.merge(file.failed);
    }

    /// Prints what is to be said of all files together.
    ///
    /// # Errors
    ///
    /// Why the file for JUnit can't be written.
    pub fn end(self, end: &End<'_>, options: &Options) -> Result<(), Diagnostic> {
        match self.manner.format {
            Format::Json => io::print(&json::tail(end.of_all, end.reached, end.part)),
            Format::Tap => {
                io::print(&tap::tail(self.points, end.of_all, end.totals, end.part));
                end.complain();
            }
            Format::Junit => {
                io::print(&junit::tail());
                end.complain();
            }
            Format::Github => {
                let words = self.last_words(end);
                io::print(&github::plain(&words));
                let mut all = self.annotations;
                all.extend(github::findings(end.of_all, "", &io::in_workspace));
                let reached = end.reached.map_or_else(String::new, coverage::text);
                let summary = github::summary(&all, end.totals, end.part, &reached);
                if let Err(fault) = io::append_step_summary(&summary) {
                    io::complain(&fault.into_warning().render(false));
                }
                io::print(&github::commands(&all));
            }
            _ => io::print(&self.last_words(end)),
        }
        match (&options.junit, self.junit) {
            (Some(path), Some(suites)) => io::write(path, &(suites + &junit::tail())),
            _ => Ok(()),
        }
    }

    /// The end of a text for people.
    fn last_words(&self, end: &End<'_>) -> String {
        let coloured = self.manner.coloured;
        let mut out = String::new();
        if self.after_details && !end.of_all.is_empty() {
            out.push('\n');
        }
        for told in end.of_all {
            out.push_str(&told.render(coloured));
        }
        out.push_str(&text::recap(&self.failed, end.totals, coloured));
        let after_details = self.after_details || !end.of_all.is_empty();
        out.push_str(&text::summary(
            end.totals,
            end.part,
            after_details,
            coloured,
        ));
        out.push_str(&end.reached.map_or_else(String::new, coverage::text));
        out
    }
}

/// What is to be said of all files together.
pub(super) struct End<'e> {
    pub totals: &'e Totals,
    pub of_all: &'e [Diagnostic],
    pub reached: Option<&'e Reached>,
    pub part: Option<Partition>,
}

impl End<'_> {
    /// Says on standard error what the format has no place for.
    fn complain(&self) {
        for told in self.of_all {
            complain(told);
        }
        if let Some(reached) = self.reached {
            io::complain(coverage::text(reached).trim_start());
        }
    }
}
