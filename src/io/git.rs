//! Files as they were in revisions of a git repository, read through the `git` program. The work tree, the index and all
//! branches stay as they are.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::MAX_FILE_BYTES;
use crate::text::{Diagnostic, Source, closest};

/// The repository that the current folder is in.
#[derive(Debug, Clone)]
pub struct Repository {
    /// Its topmost folder.
    top: PathBuf,
}

/// A file of a revision.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its path from the topmost folder on.
    pub path: String,
    /// Where it would lie in the work tree.
    pub place: PathBuf,
    /// The name of what it holds.
    id: String,
}

impl Repository {
    /// The one that the current folder is in.
    ///
    /// # Errors
    ///
    /// There is no git, and no repository.
    pub fn here() -> Result<Repository, Diagnostic> {
        let top = git(&["rev-parse".into(), "--show-toplevel".into()], None)?;
        let top = match top {
            Ok(bytes) => PathBuf::from(text(&bytes).trim_end_matches(['\n', '\r'])),
            // A repository without a work tree.
            Err(said) if said.contains("work tree") => PathBuf::new(),
            Err(said) => {
                let message = format!("can't read revisions here: git says: {}", first_line(&said));
                let help = match said.contains("not a git repository") {
                    true => "call rulecheck in a git repository, or name two files or folders",
                    false => "do what git asks for, or name two files or folders",
                };
                return Err(Diagnostic::error(message).help(help));
            }
        };
        Ok(Repository { top })
    }

    /// The name of the commit that a revision means.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn commit(&self, revision: &str) -> Result<String, Diagnostic> {
        let unknown = || self.unknown(revision);
        // It would be taken for an option.
        if revision.starts_with('-') {
            return Err(unknown());
        }
        let asked: OsString = format!("{revision}^{{commit}}").into();
        let arguments = [
            "rev-parse".into(),
            "--verify".into(),
            "--quiet".into(),
            asked,
        ];
        let found = git(&arguments, None)?;
        let found = found.map_err(|_| unknown())?;
        Ok(text(&found).trim().to_owned())
    }

    fn unknown(&self, revision: &str) -> Diagnostic {
        let fault = Diagnostic::error(format!(
            "there is no revision {revision:?} in this repository"
        ));
        let format: OsString = "--format=%(refname:short)".into();
        let known = git(&["for-each-ref".into(), format], None);
        let known = known.ok().and_then(Result::ok).unwrap_or_default();
        let known = text(&known);
        let names: Vec<&str> = known.lines().collect();
        let remote = names.iter().find(|name| {
            let rest = name.split_once('/').map(|(_, rest)| rest);
            rest == Some(revision)
        });
        match (remote, closest(revision, &names)) {
            (Some(remote), _) => fault.help(format!("did you mean {remote}?")),
            (None, Some(near)) => fault.help(format!("did you mean {near}?")),
            (None, None) => fault.help(
                "give a branch, a tag or a commit; what is only on the server must be fetched first \
                (`git fetch`; in GitHub Actions `fetch-depth: 0` of actions/checkout)",
            ),
        }
    }

    /// The commit from which two others grew.
    ///
    /// # Errors
    ///
    /// They have nothing in common.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, Diagnostic> {
        let found = git(&["merge-base".into(), one.into(), other.into()], None)?;
        let found = found.map_err(|_| {
            let fault = Diagnostic::error(format!("{one} and {other} have no commit in common"));
            fault.help(
                "write `..` in place of `...`, or fetch more of their history (`git fetch --unshallow`; in GitHub Actions \
                `fetch-depth: 0` of actions/checkout)",
            )
        })?;
        Ok(text(&found).trim().to_owned())
    }

    /// The files of a commit that a path means, relative to the current folder: itself, or all YAML files below it; none where
    /// there is no such path.
    ///
    /// # Errors
    ///
    /// What git says.
    pub fn files(&self, commit: &str, path: &Path) -> Result<Vec<Entry>, Diagnostic> {
        let options = ["ls-tree", "-r", "-z", "--full-name", commit, "--"];
        let mut arguments: Vec<OsString> = options.map(OsString::from).into();
        // A folder below which everything is meant has a separator at its end.
        arguments.push(path.as_os_str().to_owned());
        let listed = git(&arguments, None)?.map_err(|said| {
            if !said.contains("outside repository") {
                return failed(&said);
            }
            let (path, top) = (super::display(path), super::display(&self.top));
            let fault = Diagnostic::error(format!("{path} lies outside of the repository {top}"));
            fault.help("name what lies in it; rule files that are the same on both sides may lie anywhere, with --rules")
        })?;
        let listed = text(&listed);
        // `100644 blob ID<tab>PATH`; links and other repositories are passed over.
        let entries = listed.split('\0').filter_map(|entry| {
            let (about, path) = entry.split_once('\t')?;
            let mut about = about.split(' ');
            let (mode, _, id) = (about.next()?, about.next()?, about.next()?);
            mode.starts_with("100").then(|| Entry {
                path: path.to_owned(),
                place: self.top.join(path),
                id: id.to_owned(),
            })
        });
        let mut entries: Vec<Entry> = entries.collect();
        let is_itself = |entry: &Entry| Path::new(&entry.path).file_name() == path.file_name();
        if !matches!(entries.as_slice(), [only] if is_itself(only)) {
            entries.retain(|entry| entry.path.ends_with(".yml") || entry.path.ends_with(".yaml"));
        }
        Ok(entries)
    }

    /// What those files hold whose text passes, each named as git names it: `main:rules/api.yml`.
    ///
    /// # Errors
    ///
    /// What git says, and texts that are too large or not UTF-8.
    pub fn read(
        &self,
        revision: &str,
        entries: Vec<Entry>,
        passes: impl Fn(&str) -> bool,
    ) -> Result<Vec<(Entry, Source)>, Vec<Diagnostic>> {
        let one = |fault| vec![fault];
        let ids: String = entries
            .iter()
            .map(|entry| format!("{}\n", entry.id))
            .collect();
        let answer = git(&["cat-file".into(), "--batch".into()], Some(ids)).map_err(one)?;
        let answer = answer.map_err(|said| one(failed(&said)))?;
        let (mut rest, mut sources, mut faults) = (answer.as_slice(), Vec::new(), Vec::new());
        for entry in entries {
            let name = format!("{revision}:{}", entry.path);
            let Some((bytes, after)) = next_blob(rest) else {
                return Err(vec![failed(&format!("{name} can't be read"))]);
            };
            rest = after;
            // What is not meant may be broken.
            if !passes(&text(bytes)) {
                continue;
            }
            match bytes.len() as u64 > MAX_FILE_BYTES {
                true => faults.push(super::too_large(&name)),
                false => match Source::decode(name, bytes.to_vec()) {
                    Ok(source) => sources.push((entry, source)),
                    Err(fault) => faults.push(fault),
                },
            }
        }
        match faults.is_empty() {
            true => Ok(sources),
            false => Err(faults),
        }
    }
}

/// The next of the answers of `git cat-file --batch`, and what follows it: `ID blob SIZE`, a newline, so many bytes and
/// another newline.
fn next_blob(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let size: usize = text(head).rsplit(' ').next()?.parse().ok()?;
    let (blob, rest) = rest.get(1..)?.split_at_checked(size)?;
    Some((blob, rest.get(1..)?))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn first_line(said: &str) -> &str {
    let line = said.lines().next().unwrap_or_default();
    let line = line.trim_start_matches("fatal: ");
    line.trim_start_matches("error: ")
}

fn failed(said: &str) -> Diagnostic {
    let fault = Diagnostic::error(format!("git says: {}", first_line(said)));
    fault.help("name two files or folders if git can't read this one")
}

/// What a call of git prints, or what it says where it fails.
///
/// # Errors
///
/// There is no git.
fn git(
    arguments: &[OsString],
    input: Option<String>,
) -> Result<Result<Vec<u8>, String>, Diagnostic> {
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Diagnostic::error("can't run git: there is no such program")
            .help("install git, or name two files or folders"),
        _ => Diagnostic::error(format!("can't run git: {error}"))
            .help("see to it that git runs, or name two files or folders"),
    };
    let mut command = Command::new("git");
    command
        .args(arguments)
        // Its words are looked at; and nothing of the repository is to be refreshed.
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(cannot)?;
    let pipe = child.stdin.take().zip(input);
    let output = std::thread::scope(|scope| {
        // Git answers while it is still being asked.
        scope.spawn(move || {
            if let Some((mut pipe, input)) = pipe {
                // Where it can't be asked it has said why.
                drop(pipe.write_all(input.as_bytes()));
            }
        });
        child.wait_with_output()
    });
    let output = output.map_err(cannot)?;
    Ok(match output.status.success() {
        true => Ok(output.stdout),
        false => Err(text(&output.stderr)),
    })
}
