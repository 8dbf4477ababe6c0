//! `rulecheck test --export-promtool DIR`: writes what promtool can run of the tests into a folder.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::io;
use crate::report::count;
use crate::suite::export::{Exported, HEAD, export, plain_rules};
use crate::suite::{FileVerdict, RunOptions, Suite};
use crate::text::Diagnostic;

/// A folder that tests are exported into.
pub(super) struct Export {
    folder: PathBuf,
    taken: BTreeSet<PathBuf>,
}

impl Export {
    /// Makes the folder.
    pub fn new(folder: &Path) -> Result<Export, Diagnostic> {
        io::make_folder(folder)?;
        Ok(Export {
            folder: folder.to_owned(),
            taken: BTreeSet::new(),
        })
    }

    /// Whether a file was exported into the folder before.
    pub fn holds(folder: &Path, file: &Path) -> bool {
        let whole = |path: &Path| io::whole_path(path);
        whole(file).starts_with(whole(folder)) && is_exported(file)
    }

    /// Writes what promtool can run of a test file; says what that is, and what was left out.
    pub fn file(
        &mut self,
        path: &Path,
        suite: &Suite,
        verdict: &FileVerdict,
        options: &RunOptions,
    ) -> Result<String, Diagnostic> {
        let target = self.target(path);
        let from = target.parent().unwrap_or(Path::new("")).to_owned();
        let mut rule_files = Vec::with_capacity(suite.rule_files.len());
        let mut plain: Vec<(PathBuf, String)> = Vec::new();
        for file in &suite.rule_files {
            // promtool knows no wrappers: what is in one goes beside the tests.
            let seen = match file.wrappers.is_empty() {
                true => relative(&from, Path::new(file.source.name())),
                false => {
                    let stem = target.file_stem().unwrap_or_default().to_string_lossy();
                    let name = format!("{stem}.rules-{}.yml", plain.len() + 1);
                    plain.push((from.join(&name), plain_rules(file)));
                    PathBuf::from(name)
                }
            };
            rule_files.push(pattern(&seen));
        }
        let exported = export(suite, verdict, options, &rule_files);
        if exported.text.is_empty() {
            return Ok(told(path, None, &exported));
        }
        plain.push((target.clone(), exported.text.clone()));
        for (path, _) in &plain {
            refuse_foreign(path)?;
        }
        for (path, text) in &plain {
            io::write(path, text)?;
        }
        Ok(told(path, Some(&target), &exported))
    }

    /// Where the tests of a file go: below the folder as the file lies below this one.
    fn target(&mut self, path: &Path) -> PathBuf {
        let clean = io::clean(path);
        let parts = clean.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        });
        let mut target = self.folder.join(parts.collect::<PathBuf>());
        let stem = target.clone();
        let mut number = 2;
        while !self.taken.insert(target.clone()) {
            let name = stem.file_stem().unwrap_or_default().to_string_lossy();
            target = stem.with_file_name(format!("{name}-{number}.yml"));
            number += 1;
        }
        target
    }
}

/// Refuses to write over what was not exported.
fn refuse_foreign(path: &Path) -> Result<(), Diagnostic> {
    if !io::exists(path) || is_exported(path) {
        return Ok(());
    }
    let message = format!(
        "{} is there already, and was not exported",
        io::display(path)
    );
    Err(Diagnostic::error(message).help("name a folder of its own for exported tests"))
}

fn is_exported(path: &Path) -> bool {
    io::read(path).is_ok_and(|before| before.text().starts_with(HEAD))
}

/// A line for a file, and below it what was left out.
fn told(path: &Path, target: Option<&Path>, exported: &Exported) -> String {
    let (tests, all) = exported.tests;
    let path = io::display(path);
    let mut text = match target {
        None => format!("not exported: {path}\n"),
        Some(target) => {
            let extent = match tests == all {
                true => count(tests, "test"),
                false => format!("{tests} of {}", count(all, "test")),
            };
            let checks = count(exported.checks, "check");
            format!(
                "exported {path} to {} ({extent}, {checks})\n",
                io::display(target)
            )
        }
    };
    for reason in &exported.left_out {
        text.push_str(&format!("    left out: {reason}\n"));
    }
    text
}

/// A file as it is seen from a folder.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (io::whole_path(from), io::whole_path(to));
    let common = from.components().zip(to.components());
    let common = common.take_while(|(a, b)| a == b).count();
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

/// A path as a pattern that matches it alone.
fn pattern(path: &Path) -> String {
    let mut out = String::new();
    for c in path.to_string_lossy().chars() {
        if matches!(c, '*' | '?' | '[' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_a_folder() {
        for (from, to, seen) in [
            ("/a/b", "/a/c/d.yml", "../c/d.yml"),
            ("/a/b", "/a/b/d.yml", "d.yml"),
            ("/a/b/c", "/x.yml", "../../../x.yml"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(seen));
        }
        assert_eq!(pattern(Path::new("a[b]*.yml")), "a\\[b]\\*.yml");
    }
}
