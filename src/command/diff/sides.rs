//! The rules before and after a change: files, folders, or revisions of a git repository.

use std::path::{Path, PathBuf};

use super::Options;
use crate::command::load::{self, each};
use crate::command::schedule::Phases;
use crate::io;
use crate::io::git::{Entry, Repository};
use crate::model::Millis;
use crate::rules::{self, ReadOptions, RuleFile};
use crate::text::{Diagnostic, Source, distinct};
use crate::whatif::RuleSet;
use crate::whatif::diff::Both;

/// The rules on both sides.
pub(super) struct Sides {
    /// What people call them.
    pub names: Both<String>,
    /// The rules.
    pub rules: Both<RuleSet>,
    /// Which file each is, in the order of the rules' files.
    pub files: Both<Vec<Known>>,
    /// The revisions, where such are compared.
    pub revisions: Option<Revisions>,
}

/// Two revisions of a repository.
pub(super) struct Revisions {
    /// Where they are.
    pub repository: Repository,
    /// The one before the change.
    pub before: Named,
    /// The one after it.
    pub after: Named,
}

/// A revision.
pub(super) struct Named {
    /// What people call it.
    pub name: String,
    /// The commit.
    pub commit: String,
}

/// Which file one is.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Its name within its side; that of two files that are compared is nothing, as they are one.
    pub key: PathBuf,
    /// Where it lies, or would.
    pub place: PathBuf,
    /// Whether it is on both sides.
    pub is_common: bool,
}

/// A file of a side.
type Found = (Known, RuleFile);

/// What people call both sides, and their files.
type Pair = (Both<String>, Both<Vec<Found>>);

impl Sides {
    /// Reads both.
    ///
    /// # Errors
    ///
    /// Every fault of the files and of git.
    pub fn read(options: &Options, reading: &ReadOptions) -> Result<Sides, Vec<Diagnostic>> {
        let (names, mut found, revisions) = match &options.git {
            Some(range) => {
                let revisions = Revisions::read(range)?;
                let (names, found) = of_git(&revisions, &options.paths, reading)?;
                (names, found, Some(revisions))
            }
            None => {
                let (names, found) = of_paths(&options.paths, reading)?;
                (names, found, None)
            }
        };
        if !options.rules.is_empty() {
            let common = common(&options.rules, reading)?;
            found.before.extend(common.iter().cloned());
            found.after.extend(common);
        }
        let sides = Both {
            before: apart(found.before, reading),
            after: apart(found.after, reading),
        };
        let mut warnings = Vec::new();
        for file in sides.before.1.files.iter().chain(&sides.after.1.files) {
            warnings.extend(file.warnings.iter().cloned());
        }
        distinct(warnings).iter().for_each(crate::command::complain);
        Ok(Sides {
            names,
            revisions,
            files: Both {
                before: sides.before.0,
                after: sides.after.0,
            },
            rules: Both {
                before: sides.before.1,
                after: sides.after.1,
            },
        })
    }
}

impl Sides {
    /// Tells all groups when they are evaluated. Servers know a file by its path within its side, and two files that are compared
    /// by the name of the later one.
    ///
    /// # Errors
    ///
    /// Those of [`Phases::set`], and groups that are on neither side.
    pub fn set_phases(&mut self, phases: &Phases, interval: Millis) -> Result<(), Vec<Diagnostic>> {
        let Both { before, after } = &mut self.rules;
        let before = self.files.before.iter().zip(&mut before.files);
        let after = self.files.after.iter().zip(&mut after.files);
        let mut faults = Vec::new();
        for (known, file) in before.chain(after) {
            let name = match (known.is_common, known.key == Path::new("")) {
                (true, _) => file.source.name().to_owned(),
                (false, true) => self.names.after.clone(),
                (false, false) => io::display(&known.key),
            };
            let found = phases.set_as(&name, file, interval);
            faults.extend(found.err().unwrap_or_default());
        }
        faults.extend(phases.unknown());
        match faults.is_empty() {
            true => Ok(()),
            false => Err(distinct(faults)),
        }
    }
}

fn apart(found: Vec<Found>, reading: &ReadOptions) -> (Vec<Known>, RuleSet) {
    let (known, files) = found.into_iter().unzip();
    let rules = RuleSet {
        files,
        specs: None,
        reading: *reading,
    };
    (known, rules)
}

fn common(paths: &[PathBuf], reading: &ReadOptions) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let files = each(named(paths)?, |path| load::rule_files(&[path], reading))?;
    let files = files.into_iter().flatten();
    Ok(files.map(|file| (Known::common(&file), file)).collect())
}

impl Known {
    /// A file that is on both sides.
    pub fn common(file: &RuleFile) -> Known {
        let place = io::identity(Path::new(file.source.name()));
        Known {
            key: place.clone(),
            place,
            is_common: true,
        }
    }
}

fn named(paths: &[PathBuf]) -> Result<Vec<io::Named>, Vec<Diagnostic>> {
    let named = io::rule_files(paths);
    match named.is_empty() {
        true => Err(vec![no_rules(paths)]),
        false => Ok(named),
    }
}

fn no_rules(paths: &[PathBuf]) -> Diagnostic {
    let names: Vec<String> = paths.iter().map(|path| io::display(path)).collect();
    let fault = Diagnostic::error(format!("no rule file in {}", names.join(", ")));
    fault.help("a rule file is a YAML file with a top-level `groups:`")
}

/// Two files or two folders.
fn of_paths(paths: &[PathBuf], reading: &ReadOptions) -> Result<Pair, Vec<Diagnostic>> {
    let [base, head] = paths else {
        let message = format!(
            "two files or folders are compared, not {}",
            crate::report::count(paths.len(), "path")
        );
        let help = "write `rulecheck diff BASE HEAD`, or `--git BASE..HEAD` for revisions";
        return Err(vec![Diagnostic::error(message).help(help)]);
    };
    let names = Both {
        before: io::display(base),
        after: io::display(head),
    };
    let (before, after) = (of_path(base, reading), of_path(head, reading));
    match (before, after) {
        (Ok(before), Ok(after)) if before.is_empty() && after.is_empty() => {
            Err(vec![no_rules(paths)])
        }
        (Ok(before), Ok(after)) => Ok((names, Both { before, after })),
        (before, after) => {
            let faults = [before.err(), after.err()];
            Err(faults.into_iter().flatten().flatten().collect())
        }
    }
}

/// The rule files of a side; a folder may have none.
fn of_path(path: &Path, reading: &ReadOptions) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let files = each(io::rule_files(&[path.to_owned()]), |file| {
        Ok((file.clone(), load::rule_files(&[file], reading)?))
    })?;
    let files = files.into_iter().flat_map(|(file, read)| {
        let key = io::clean(&file);
        let key = key.strip_prefix(io::clean(path)).unwrap_or(&key).to_owned();
        let known = Known {
            key,
            place: io::identity(&file),
            is_common: false,
        };
        read.into_iter().map(move |read| (known.clone(), read))
    });
    Ok(files.collect())
}

impl Revisions {
    /// Those that a range names.
    fn read(range: &str) -> Result<Revisions, Vec<Diagnostic>> {
        let one = |fault| vec![fault];
        let (base, head, from_fork) = revisions(range).map_err(one)?;
        let repository = Repository::here().map_err(one)?;
        let (old, new) = match (repository.commit(base), repository.commit(head)) {
            (Ok(old), Ok(new)) => (old, new),
            (old, new) => return Err([old.err(), new.err()].into_iter().flatten().collect()),
        };
        let fork = match from_fork {
            true => repository.merge_base(&old, &new).map_err(one)?,
            false => old.clone(),
        };
        if fork == new {
            return Err(vec![one_commit((base, &old), (head, &new))]);
        }
        let named = |name: &str, commit| Named {
            name: name.to_owned(),
            commit,
        };
        Ok(Revisions {
            repository,
            before: named(base, fork),
            after: named(head, new),
        })
    }
}

/// The rules of two revisions.
fn of_git(
    revisions: &Revisions,
    paths: &[PathBuf],
    reading: &ReadOptions,
) -> Result<Pair, Vec<Diagnostic>> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let repository = &revisions.repository;
    let before = of_revision(repository, &revisions.before, paths, reading);
    let after = of_revision(repository, &revisions.after, paths, reading);
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => {
            let faults = [before.err(), after.err()];
            return Err(distinct(faults.into_iter().flatten().flatten().collect()));
        }
    };
    let (base, head) = (&revisions.before.name, &revisions.after.name);
    for path in paths {
        let is_in = |found: &Revision| found.paths.contains(path);
        if !is_in(&before) && !is_in(&after) {
            let name = io::display(path);
            let message = format!("there is no rule file {name} in {base} and none in {head}");
            let help = "name a file or a folder by its path from here on, as it is in one of the revisions";
            return Err(vec![Diagnostic::error(message).help(help)]);
        }
    }
    let names = Both {
        before: base.clone(),
        after: head.clone(),
    };
    let found = Both {
        before: before.files,
        after: after.files,
    };
    Ok((names, found))
}

/// What is told where a commit would be compared with itself: every gate would hold, whatever was changed.
fn one_commit((base, old): (&str, &str), (head, new): (&str, &str)) -> Diagnostic {
    let commit = new.get(..12).unwrap_or(new);
    let help = "name the revision before the change, such as main..HEAD or HEAD~1..HEAD; what is not committed yet is compared by \
                naming two files or folders";
    let message = match (base == head, old == new) {
        (true, _) => format!("{base} is compared with itself, commit {commit}"),
        (false, true) => format!("{base} and {head} are one commit, {commit}"),
        (false, false) => {
            let message = format!(
                "{head} has changed nothing since it left {base}: it is commit {commit}, which {base} holds"
            );
            let help = format!(
                "write {head}...{base} for what {base} changed since, or name a later revision than {head}"
            );
            return Diagnostic::error(message).help(help);
        }
    };
    Diagnostic::error(message).help(help)
}

/// `main..HEAD`; whether what HEAD changed since it left main is meant. A revision that is left away is HEAD, as in git.
fn revisions(range: &str) -> Result<(&str, &str, bool), Diagnostic> {
    let (base, head, from_fork) = match range.split_once("...") {
        Some((base, head)) => (base, head, true),
        None => match range.split_once("..") {
            Some((base, head)) => (base, head, false),
            None => {
                let fault = Diagnostic::error(format!("--git {range}: two revisions are compared"));
                return Err(fault.help(format!("write BASE..HEAD, such as {range}..HEAD")));
            }
        },
    };
    let base = if base.is_empty() { "HEAD" } else { base };
    let head = if head.is_empty() { "HEAD" } else { head };
    Ok((base, head, from_fork))
}

/// The rules of a revision.
struct Revision {
    files: Vec<Found>,
    /// The paths that mean something in it.
    paths: Vec<PathBuf>,
}

fn of_revision(
    repository: &Repository,
    revision: &Named,
    paths: &[PathBuf],
    reading: &ReadOptions,
) -> Result<Revision, Vec<Diagnostic>> {
    let one = |fault| vec![fault];
    let (mut files, mut found_paths) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for path in paths {
        let mut entries: Vec<Entry> = repository.files(&revision.commit, path).map_err(one)?;
        // A file that is named is read, whatever it holds.
        let is_named = matches!(entries.as_slice(), [only] if only.place.ends_with(path));
        let mut holds_rules = false;
        entries.retain(|entry| seen.insert(entry.path.clone()) || paths.len() == 1);
        let passes = |text: &str| is_named || rules::looks_like_rule_file(text);
        for (entry, source) in repository.read(&revision.name, entries, passes)? {
            holds_rules = true;
            match read(entry, &source, reading) {
                Ok(file) => files.push(file),
                Err(found) => faults.extend(found),
            }
        }
        if holds_rules {
            found_paths.push(path.clone());
        }
    }
    match faults.is_empty() {
        true => Ok(Revision {
            files,
            paths: found_paths,
        }),
        false => Err(faults),
    }
}

fn read(entry: Entry, source: &Source, reading: &ReadOptions) -> Result<Found, Vec<Diagnostic>> {
    let file = rules::read(source, reading)?;
    let known = Known {
        key: PathBuf::from(&entry.path),
        place: io::identity(&entry.place),
        is_common: false,
    };
    Ok((known, file))
}
