//! `rulecheck init`: writes the first tests of alerts that have none.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Outcome, Reading, complain, load};
use crate::io;
use crate::promql::selectors::{Reach, selectors};
use crate::report::scaffold::{Written, lines};
use crate::rules::{ReadOptions, Rule, RuleFile, RuleKind};
use crate::scaffold::{Order, Scaffold, Tested, scaffold};
use crate::suite::coverage::PointKind;
use crate::suite::{RunOptions, run as run_tests};
use crate::text::{Diagnostic, Span};

/// The options of `rulecheck init`.
#[derive(Debug, Args)]
#[command(after_help = HINT)]
pub(super) struct Options {
    /// Rule files, folders that hold some, or patterns
    #[arg(value_name = "RULES", required = true)]
    paths: Vec<PathBuf>,
    /// Test files, or folders that hold some: alerts that they test are left out. Those in the folders of the rule files if
    /// none is given; may be given again
    #[arg(long, value_name = "PATH", conflicts_with = "all")]
    tests: Vec<PathBuf>,
    /// Leave no alert out, whatever tests there are
    #[arg(long)]
    all: bool,
    /// The test file, one for all rule files
    #[arg(short, long, value_name = "FILE", conflicts_with = "stdout")]
    output: Option<PathBuf>,
    /// Print the test file; what became of each alert goes to standard error
    #[arg(long)]
    stdout: bool,
    /// Write over test files that are there
    #[arg(long)]
    force: bool,
    /// Use no key that promtool does not know
    #[arg(long)]
    promtool: bool,
    #[command(flatten)]
    reading: Reading,
}

const HINT: &str = "Of rules/alerts.yml, tests are written to rules/alerts_test.yml: for each alert series with which it \
                    fires and series with which it just does not, derived from its expression and `for`. Every test that \
                    is written passes; alerts for which no series were found are listed with the reason.";

/// A test file to be written.
struct Target {
    /// Where it goes; nowhere if it is printed.
    path: Option<PathBuf>,
    /// Its rule files by their places among all; of the first ones the alerts get tests.
    rule_files: Vec<usize>,
    own: usize,
}

/// Writes tests.
pub(super) fn run(options: &Options) -> Result<Outcome, Vec<Diagnostic>> {
    let reading = options.reading.options()?;
    let (paths, files) = rule_files(options, &reading)?;
    let targets = targets(options, &paths, &files);
    if options.all {
        refuse_existing(options, &targets)?;
    }
    let tested = match options.all {
        true => BTreeMap::new(),
        false => tested(options, &paths, &reading),
    };
    let mut faults = Vec::new();
    for target in &targets {
        let of_target: Vec<RuleFile> = at(&target.rule_files, &files);
        let of_paths: Vec<PathBuf> = at(&target.rule_files, &paths);
        let folder = match &target.path {
            Some(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
            None => PathBuf::new(),
        };
        let names: Vec<String> = of_paths
            .iter()
            .map(|path| io::display(&io::relative(&folder, path)))
            .collect();
        let order = Order {
            rule_files: &of_target,
            own: target.own,
            names: &names,
            promtool: options.promtool,
            features: reading.features,
        };
        let known = |rule: &Rule| {
            let key = (rule.expr_text.source().name().to_owned(), rule.name_span);
            tested.get(&key).copied().unwrap_or_default()
        };
        let written = scaffold(&order, &known);
        // Where every alert has its tests, nothing is in the way.
        match written
            .text
            .as_ref()
            .map(|_| refuse_existing(options, std::slice::from_ref(target)))
        {
            Some(Err(there)) => faults.extend(there),
            _ => faults.extend(hand_out(options, target, &of_paths, &written).err()),
        }
    }
    match faults.is_empty() {
        true => Ok(Outcome::Success),
        false => Err(faults),
    }
}

/// Writes or prints a test file, and tells what became of each alert.
fn hand_out(
    options: &Options,
    target: &Target,
    paths: &[PathBuf],
    written: &Scaffold,
) -> Result<(), Diagnostic> {
    if let (Some(path), Some(text)) = (&target.path, &written.text) {
        io::create(path, text)?;
    }
    let own: Vec<String> = paths
        .iter()
        .take(target.own)
        .map(|path| io::display(path))
        .collect();
    let path = target.path.as_deref().map(io::display);
    let told = lines(&Written {
        rule_files: &own,
        path: path.as_deref(),
        scaffold: written,
    });
    match options.stdout {
        true => {
            io::print(written.text.as_deref().unwrap_or(""));
            io::complain(&told);
        }
        false => io::print(&told),
    }
    Ok(())
}

/// The rule files, by what they are called and what they hold.
fn rule_files(
    options: &Options,
    reading: &ReadOptions,
) -> Result<(Vec<PathBuf>, Vec<RuleFile>), Vec<Diagnostic>> {
    let paths = load::each(io::rule_files(&options.paths), Ok)?;
    let files = load::rule_files(&paths, reading)?;
    let rules = files
        .iter()
        .flat_map(|file| &file.groups)
        .flat_map(|group| group.rules.iter());
    let mut alerts = rules.filter(|rule| matches!(rule.kind, RuleKind::Alert(_)));
    if alerts.next().is_none() {
        let names: Vec<String> = options.paths.iter().map(|path| io::display(path)).collect();
        let fault = Diagnostic::error(format!("there is no alert in {}", names.join(", ")));
        return Err(vec![fault.help(
            "name files with alerting rules: a top-level `groups:` with `alert:` in it",
        )]);
    }
    Ok((paths, files))
}

/// Which test files are to be written of which rule files.
fn targets(options: &Options, paths: &[PathBuf], files: &[RuleFile]) -> Vec<Target> {
    let has_alerts = |file: &RuleFile| {
        let rules = file.groups.iter().flat_map(|group| group.rules.iter());
        rules
            .into_iter()
            .any(|rule| matches!(rule.kind, RuleKind::Alert(_)))
    };
    let owners = files
        .iter()
        .enumerate()
        .filter(|(_, file)| has_alerts(file));
    let owners: Vec<usize> = owners.map(|(place, _)| place).collect();
    if options.output.is_some() || options.stdout {
        let path = options.output.clone();
        return vec![with_records(path, owners, files)];
    }
    let each = owners.into_iter().map(|place| {
        let path = paths.get(place).map(|path| beside(path));
        with_records(path, vec![place], files)
    });
    each.collect()
}

/// `alerts_test.yml` beside `alerts.yml`.
fn beside(path: &Path) -> PathBuf {
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let end = match path.extension() {
        Some(end) if end == "yaml" => "yaml",
        _ => "yml",
    };
    path.with_file_name(format!("{stem}_test.{end}"))
}

/// With the files whose recording rules are read, directly or by others.
fn with_records(path: Option<PathBuf>, own: Vec<usize>, files: &[RuleFile]) -> Target {
    let count = own.len();
    let mut used = own;
    let mut next = 0;
    while let Some(file) = used.get(next).and_then(|&place| files.get(place)) {
        next += 1;
        for (place, other) in files.iter().enumerate() {
            if !used.contains(&place) && reads(file, other) {
                used.push(place);
            }
        }
    }
    Target {
        path,
        rule_files: used,
        own: count,
    }
}

/// Whether a file reads what another records.
fn reads(file: &RuleFile, other: &RuleFile) -> bool {
    let rules = other.groups.iter().flat_map(|group| group.rules.iter());
    let recorded: BTreeSet<&str> = rules
        .filter(|rule| matches!(rule.kind, RuleKind::Recording { .. }))
        .map(|rule| rule.name.as_str())
        .collect();
    let rules = file.groups.iter().flat_map(|group| group.rules.iter());
    let mut used = rules.flat_map(|rule| selectors(&rule.expr.expr, Reach::LOOKBACK));
    used.any(|used| {
        used.selector
            .metric()
            .is_some_and(|metric| recorded.contains(metric))
    })
}

fn refuse_existing(options: &Options, targets: &[Target]) -> Result<(), Vec<Diagnostic>> {
    if options.force {
        return Ok(());
    }
    let paths = targets.iter().filter_map(|target| target.path.as_deref());
    let there: Vec<Diagnostic> = paths
        .filter(|path| io::exists(path))
        .map(|path| {
            Diagnostic::error(format!("{} is there already", io::display(path))).help(
                "name another file with -o, print it with --stdout, or write over it with --force",
            )
        })
        .collect();
    match there.is_empty() {
        true => Ok(()),
        false => Err(there),
    }
}

/// Which alerts the tests that there are test, by file and place. Test files that can't be run are told of.
fn tested(
    options: &Options,
    paths: &[PathBuf],
    reading: &ReadOptions,
) -> BTreeMap<(String, Span), Tested> {
    let folders: BTreeSet<PathBuf> = paths
        .iter()
        .filter_map(|path| path.parent())
        .map(|folder| match folder.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => folder.to_owned(),
        })
        .collect();
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    let files = match options.tests.is_empty() {
        true => io::test_files(&folders),
        false => io::test_files(&options.tests),
    };
    // However test files spell them.
    let own: BTreeMap<PathBuf, String> = paths
        .iter()
        .map(|path| (io::relative(Path::new(""), path), io::display(path)))
        .collect();
    let mut tested: BTreeMap<(String, Span), Tested> = BTreeMap::new();
    let shelf = load::Shelf::default();
    let running = RunOptions {
        coverage: true,
        promtool_compatible: true,
        features: reading.features,
        ..RunOptions::default()
    };
    for file in files {
        let ran = match file {
            Ok(path) => load::suite(&path, reading, true, &shelf).and_then(|suite| {
                let mut named = suite.rule_files.iter();
                let is_meant = named.any(|file| {
                    own.contains_key(&io::relative(Path::new(""), Path::new(file.source.name())))
                });
                match is_meant {
                    true => run_tests(&suite, &running).map(|verdict| verdict.coverage),
                    false => Ok(None),
                }
            }),
            Err((_, fault)) => Err(vec![fault]),
        };
        let coverage = match ran {
            Ok(coverage) => coverage,
            Err(faults) => {
                for fault in faults {
                    complain(&fault.into_warning());
                }
                continue;
            }
        };
        for (file, rule) in coverage.iter().flat_map(|coverage| coverage.rules()) {
            let Some(name) = own.get(&io::relative(Path::new(""), Path::new(file))) else {
                continue;
            };
            for point in rule.points.iter().filter(|point| point.reached.counts()) {
                let of_rule = tested.entry((name.clone(), point.place.span)).or_default();
                match point.kind {
                    PointKind::Fires => of_rule.fires = true,
                    PointKind::Silent => of_rule.silent = true,
                    _ => {}
                }
            }
        }
    }
    tested
}

/// Those at some places.
fn at<T: Clone>(places: &[usize], of: &[T]) -> Vec<T> {
    places
        .iter()
        .filter_map(|&place| of.get(place).cloned())
        .collect()
}
