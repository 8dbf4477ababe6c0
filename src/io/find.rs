//! Which files paths and patterns name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;

use super::{clean, display, is_file, whole_path};
use crate::rules;
use crate::slo::read::looks_like_specs;
use crate::suite::file::looks_like_test_file;
use crate::text::Diagnostic;

/// A file that was named, or an argument that names none and why.
pub type Named = Result<PathBuf, (PathBuf, Diagnostic)>;

/// The test files that paths name: a file itself, the test files in a folder, the files that a pattern matches. In the
/// order of the arguments and then of names, none twice.
pub fn test_files(arguments: &[PathBuf]) -> Vec<Named> {
    files_named(arguments, is_test_file)
}

/// The same for rule files and test files.
pub fn rule_and_test_files(arguments: &[PathBuf]) -> Vec<Named> {
    files_named(arguments, |path| {
        is_yaml_with(path, |text| {
            looks_like_test_file(text) || rules::looks_like_rule_file(text)
        })
    })
}

/// The same for rule files alone.
pub fn rule_files(arguments: &[PathBuf]) -> Vec<Named> {
    files_named(arguments, is_rule_file)
}

/// The same for specifications of objectives; `-` is standard input.
pub fn spec_files(arguments: &[PathBuf]) -> Vec<Named> {
    let (input, paths): (Vec<PathBuf>, Vec<PathBuf>) = arguments
        .iter()
        .cloned()
        .partition(|path| path == Path::new("-"));
    let named = files_named(&paths, |path| is_yaml_with(path, looks_like_specs));
    input.into_iter().take(1).map(Ok).chain(named).collect()
}

/// The same for all YAML files.
pub fn yaml_files(arguments: &[PathBuf]) -> Vec<Named> {
    files_named(arguments, |path| is_yaml_with(path, |_| true))
}

/// The rule files in the folders that paths name, by the names by which test files would find them.
pub fn rule_files_below(arguments: &[PathBuf]) -> Vec<PathBuf> {
    let folders: Vec<PathBuf> = arguments.iter().filter(|it| it.is_dir()).cloned().collect();
    let named = files_named(&folders, is_rule_file);
    named.iter().flatten().map(|path| clean(path)).collect()
}

/// The scripts that paths name: a file itself, the files in a folder whose names end in `.test`, the files that a
/// pattern matches. In the order of the arguments and then of names, none twice.
pub fn scripts(arguments: &[PathBuf]) -> Vec<Named> {
    files_named(arguments, |path| {
        path.extension().is_some_and(|end| end == "test")
    })
}

fn files_named(arguments: &[PathBuf], wanted: Wanted) -> Vec<Named> {
    let mut seen = BTreeSet::new();
    let mut files = Vec::new();
    for argument in arguments {
        match files_of(argument, wanted) {
            Ok(found) => {
                let fresh = found.into_iter().filter(|file| seen.insert(clean(file)));
                files.extend(fresh.map(Ok));
            }
            Err(fault) => files.push(Err((argument.clone(), fault))),
        }
    }
    files
}

/// Takes out of files those that stand in the templates of a Helm chart, which are no rules yet, where only a folder around
/// the chart was named: who names the template itself, or a folder inside of the chart, means it.
pub fn without_templates(arguments: &[PathBuf], files: Vec<Named>) -> (Vec<Named>, Vec<PathBuf>) {
    let folders: Vec<PathBuf> = arguments
        .iter()
        .filter(|it| it.is_dir())
        .map(|it| whole_path(it))
        .collect();
    let named: BTreeSet<PathBuf> = arguments.iter().map(|it| whole_path(it)).collect();
    let is_template = |file: &Named| {
        let Ok(file) = file.as_ref().map(|file| whole_path(file)) else {
            return false;
        };
        let chart = file.ancestors().find_map(|folder| {
            let chart = folder.parent().filter(|_| folder.ends_with("templates"))?;
            is_file(&chart.join("Chart.yaml")).then(|| chart.to_owned())
        });
        let is_around = |chart: &PathBuf| folders.iter().any(|folder| chart.starts_with(folder));
        chart.as_ref().is_some_and(is_around) && !named.contains(&file)
    };
    let (templates, files): (Vec<Named>, Vec<Named>) = files.into_iter().partition(is_template);
    (files, templates.into_iter().flatten().collect())
}

/// Which files of a folder are meant.
type Wanted = fn(&Path) -> bool;

fn files_of(argument: &Path, wanted: Wanted) -> Result<Vec<PathBuf>, Diagnostic> {
    if argument.is_dir() {
        return files_below(argument, wanted);
    }
    if argument.exists() {
        return Ok(vec![argument.to_owned()]);
    }
    let pattern = display(argument);
    let fail = |reason: &str| {
        Diagnostic::error(format!("{pattern}: {reason}")).help(
            "name a file, a folder, or a pattern such as 'rules/*.yml', relative to the current folder",
        )
    };
    if !has_meta(&pattern) {
        return Err(fail("no such file or folder"));
    }
    let found = glob(Path::new(""), &pattern).map_err(|error| fail(&error))?;
    let mut files = Vec::new();
    for path in found {
        match path.is_dir() {
            true => files.extend(files_below(&path, wanted)?),
            false => files.push(path),
        }
    }
    if files.is_empty() {
        Err(fail("the pattern matches no file"))
    } else {
        Ok(files)
    }
}

/// The files below a folder that are wanted, in the order of names; hidden folders are passed over.
fn files_below(folder: &Path, wanted: Wanted) -> Result<Vec<PathBuf>, Diagnostic> {
    let walk = WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| {
            Diagnostic::error(format!("can't search {}: {error}", display(folder)))
        })?;
        if may_be_read(entry.path()) && wanted(entry.path()) {
            files.push(tidy(entry.into_path()));
        }
    }
    Ok(files)
}

/// Whether something in a folder is a file: opening a pipe or a device would wait for ever. A broken link passes,
/// so that it is reported.
fn may_be_read(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

/// Whether a YAML file holds a top-level `tests:`.
fn is_test_file(path: &Path) -> bool {
    is_yaml_with(path, looks_like_test_file)
}

/// Whether a YAML file holds a top-level `groups:`.
fn is_rule_file(path: &Path) -> bool {
    is_yaml_with(path, rules::looks_like_rule_file)
}

/// Whether a YAML file's text passes; one that can't be read is taken for one that does, so that it is not passed over
/// in silence.
fn is_yaml_with(path: &Path, passes: impl Fn(&str) -> bool) -> bool {
    let is_yaml = path
        .extension()
        .is_some_and(|end| end == "yml" || end == "yaml");
    is_yaml && fs::read(path).map_or(true, |bytes| passes(&String::from_utf8_lossy(&bytes)))
}

/// A path without `./` in front.
fn tidy(path: PathBuf) -> PathBuf {
    path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
}

/// The paths that a pattern matches as Go's `filepath.Glob` does: `*` and `?` stay within a name, there is no `**`; sorted.
/// A pattern without metacharacters is a path that may be there or not. Relative to `folder`.
///
/// # Errors
///
/// What is wrong with the pattern.
pub fn glob(folder: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![if pattern.starts_with('/') {
        PathBuf::from("/")
    } else {
        folder.to_owned()
    }];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        match has_meta(part) {
            false => next.extend(found.into_iter().map(|base| base.join(part))),
            true => {
                let matcher = matcher(part)?;
                for base in &found {
                    next.extend(
                        names_in(base)
                            .filter(|name| matcher.is_match(name))
                            .map(|name| base.join(name)),
                    );
                }
            }
        }
        found = next;
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    let mut found: Vec<PathBuf> = found.iter().map(|path| clean(path)).collect();
    found.sort();
    Ok(found)
}

/// The folders in which files that a pattern matches may come and go. Relative to `folder`.
pub fn glob_folders(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    for (end, _) in pattern.match_indices('/') {
        let part = if end == 0 { "/" } else { &pattern[..end] };
        // A pattern that makes no sense matches nothing.
        folders.extend(glob(folder, part).unwrap_or_default());
    }
    let last = pattern.rsplit_once('/');
    folders.extend(last.map(|(folders, _)| clean(&folder.join(folders))));
    folders
}

fn names_in(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

fn matcher(part: &str) -> Result<GlobMatcher, String> {
    // Braces are plain characters in Go's patterns.
    let escaped = part
        .replace('{', "\\{")
        .replace('}', "\\}")
        .replace("**", "*");
    let glob = GlobBuilder::new(&escaped)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| format!("bad pattern: {}", error.kind()))
}

/// Whether a text is a pattern rather than a path.
fn has_meta(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}
