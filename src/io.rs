//! The only room that reads disk or terminal.

pub mod watch;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpListener;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use globset::{GlobBuilder, GlobMatcher};
use ignore::WalkBuilder;

use crate::rules;
use crate::series::unpack;
use crate::slo::read::looks_like_specs;
use crate::suite::file::looks_like_test_file;
use crate::text::{Diagnostic, Source};

/// No file larger than this is read.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// Reads a text file.
///
/// # Errors
///
/// What is wrong with the file: missing, a folder, too large, not UTF-8.
pub fn read(path: &Path) -> Result<Source, Diagnostic> {
    Source::decode(display(path), bytes(path)?)
}

/// Whether a path is that of a file.
pub fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Whether there is anything at a path, be it a broken link.
pub fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Reads a file that holds series, packed with gzip or not; `-` is standard input.
///
/// # Errors
///
/// What is wrong with the file: missing, a folder, too large, broken, not UTF-8.
pub fn read_series(path: &Path) -> Result<Source, Diagnostic> {
    match path == Path::new("-") {
        true => unpack::decode("<stdin>", standard_input()?),
        false => unpack::decode(&display(path), bytes(path)?),
    }
}

/// Reads a text from standard input.
///
/// # Errors
///
/// What is wrong with it: too large, not UTF-8.
pub fn read_standard_input() -> Result<Source, Diagnostic> {
    Source::decode("<stdin>", standard_input()?)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let name = display(path);
    let metadata =
        fs::metadata(path).map_err(|error| unreadable(&name, &reason(&error), "check the path"))?;
    if metadata.is_dir() {
        return Err(unreadable(&name, "it is a folder", "name a file"));
    }
    // A pipe and a device have no length to look at before.
    if metadata.len() > MAX_FILE_BYTES {
        return Err(too_large(&name));
    }
    let file = fs::File::open(path)
        .map_err(|error| unreadable(&name, &reason(&error), "check its permissions"))?;
    all_of(file, metadata.len() as usize, &name)
}

fn standard_input() -> Result<Vec<u8>, Diagnostic> {
    all_of(io::stdin().lock(), 0, "standard input")
}

/// What there is to read, unless that is too much. `length` is how much is expected.
fn all_of(input: impl Read, length: usize, name: &str) -> Result<Vec<u8>, Diagnostic> {
    // One more, so that the end is seen without more memory.
    let mut bytes = Vec::with_capacity(length + 1);
    match input.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 > MAX_FILE_BYTES => Err(too_large(name)),
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(name, &reason(&error), "check its permissions")),
    }
}

fn too_large(name: &str) -> Diagnostic {
    unreadable(name, "it is larger than 1 GiB", "split it")
}

fn unreadable(name: &str, reason: &str, help: &str) -> Diagnostic {
    Diagnostic::error(format!("can't read {name}: {reason}")).help(help)
}

/// Replaces a file's text, or leaves it as it is: the text is written beside it first.
///
/// # Errors
///
/// Why it could not be written.
pub fn replace(path: &Path, text: &str) -> Result<(), Diagnostic> {
    // A link stays one: the file that it leads to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = target.as_os_str().to_owned();
    beside.push(".rulecheck-new");
    let beside = PathBuf::from(beside);
    // A file of which somebody said that it stays as it is could be replaced all the same where its folder may be written.
    if fs::metadata(&target).is_ok_and(|about| about.permissions().readonly()) {
        return Err(
            unwritable(path, "it is read-only").help("make it writable, or name another file")
        );
    }
    let written = fs::write(&beside, text).and_then(|()| {
        fs::set_permissions(&beside, fs::metadata(&target)?.permissions())?;
        fs::rename(&beside, &target)
    });
    if written.is_err() {
        // The new text is of no use beside the old; that it may be gone already is no news.
        drop(fs::remove_file(&beside));
    }
    written.map_err(|error| unwritable(path, &reason(&error)))
}

/// Makes a folder and those that it lies in, where they are not there yet.
///
/// # Errors
///
/// Why it could not be made.
pub fn make_folder(path: &Path) -> Result<(), Diagnostic> {
    fs::create_dir_all(path).map_err(|error| {
        let message = format!(
            "can't make the folder {}: {}",
            display(path),
            reason(&error)
        );
        Diagnostic::error(message).help("check the path and its permissions")
    })
}

/// A path from the root on, links followed as far as it exists.
pub fn whole_path(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let known = whole.ancestors().find_map(|it| {
        let known = fs::canonicalize(it).ok()?;
        let rest = whole.strip_prefix(it).ok()?;
        Some(known.join(rest))
    });
    // Joined with nothing, a path ends in a separator.
    let whole = known.unwrap_or(whole);
    whole.components().collect()
}

/// Writes a new file, or another text into one; makes the folder it lies in.
///
/// # Errors
///
/// Why it could not be written.
pub fn write(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text))
        .map_err(|error| unwritable(path, &reason(&error)))
}

/// Whether a path is one that a report may be written to: no folder, and no file that a person wrote.
///
/// # Errors
///
/// Why not.
pub fn may_be_written(path: &Path) -> Result<(), Diagnostic> {
    let is_yaml = path
        .extension()
        .is_some_and(|end| end == "yml" || end == "yaml");
    match () {
        () if path.is_dir() => Err(unwritable(path, "it is a folder")),
        () if is_yaml => Err(unwritable(path, "by its name it holds rules or tests")
            .help("name the file that the report shall be written to, before the test files")),
        () => Ok(()),
    }
}

fn unwritable(path: &Path, reason: &str) -> Diagnostic {
    Diagnostic::error(format!("can't write {}: {reason}", display(path)))
        .help("name another file, or check the permissions of its folder")
}

/// Appends Markdown to the summary of a job of GitHub Actions, if this is one.
///
/// # Errors
///
/// Why it could not be written.
pub fn append_step_summary(text: &str) -> Result<(), Diagnostic> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let path = PathBuf::from(path);
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| unwritable(&path, &reason(&error)))
}

/// A path as GitHub Actions knows the file: relative to the checkout, if this is a job and it lies there.
pub fn in_workspace(path: &str) -> String {
    let relative = || {
        let root = fs::canonicalize(std::env::var_os("GITHUB_WORKSPACE")?).ok()?;
        let here = std::env::current_dir().ok()?;
        let path = clean(&here.join(path));
        let below = path.strip_prefix(root).ok()?;
        Some(display(below))
    };
    let path = relative().unwrap_or_else(|| display(&clean(Path::new(path))));
    path.replace('\\', "/")
}

/// How many bytes a file has; 0 if there is no telling.
pub fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// When something began, and how long it took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    began: SystemTime,
    instant: Instant,
}

impl Stopwatch {
    /// Begins now.
    pub fn start() -> Stopwatch {
        Stopwatch {
            began: SystemTime::now(),
            instant: Instant::now(),
        }
    }

    /// The date and time in UTC at which it began, to the second.
    pub fn began(&self) -> String {
        let began = chrono::DateTime::<chrono::Utc>::from(self.began);
        began.format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// How long ago that was.
    pub fn seconds(&self) -> f64 {
        self.instant.elapsed().as_secs_f64()
    }
}

/// Writes a new file, whole or not at all: the text is written beside its place first.
///
/// # Errors
///
/// Why it could not be written.
pub fn create(path: &Path, text: &str) -> Result<(), Diagnostic> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".rulecheck-new");
    let beside = PathBuf::from(beside);
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The text is of no use there; that it may be gone already is no news.
        drop(fs::remove_file(&beside));
    }
    written.map_err(|error| {
        Diagnostic::error(format!("can't write {}: {}", display(path), reason(&error)))
            .help("check the folder and its permissions")
    })
}

/// How a file is named from a folder: `../rules/a.yml`.
pub fn relative(folder: &Path, path: &Path) -> PathBuf {
    let absolute =
        |path: &Path| clean(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let folder = match folder.as_os_str().is_empty() {
        true => absolute(Path::new(".")),
        false => absolute(folder),
    };
    let path = absolute(path);
    let same = folder.components().zip(path.components());
    let same = same.take_while(|(a, b)| a == b).count();
    let up = folder
        .components()
        .skip(same)
        .map(|_| std::path::Component::ParentDir);
    up.chain(path.components().skip(same)).collect()
}

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

/// A path without `.` and without folders that `..` takes back, as Go's `filepath.Clean` makes it.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// A path that two names of one file have in common.
pub fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| clean(path))
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

/// A path as people see it.
pub fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A socket that takes connections.
pub type Listener = TcpListener;

/// Listens at an address such as `127.0.0.1:9097`; port 0 is any that is free.
///
/// # Errors
///
/// The address makes no sense, or somebody else listens there.
pub fn listen(address: &str) -> Result<Listener, Diagnostic> {
    TcpListener::bind(address).map_err(|error| {
        let message = format!("can't listen at {address}: {}", reason(&error));
        Diagnostic::error(message)
            .help("give a host and a free port such as 127.0.0.1:9097, or port 0 for any")
    })
}

/// Ends with the first signal to end.
///
/// # Errors
///
/// The system lets nobody wait for signals.
pub fn asked_to_end() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate())?
    };
    #[cfg(unix)]
    let mut interrupt = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::interrupt())?
    };
    #[cfg(unix)]
    return Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    #[cfg(not(unix))]
    return Ok(async move { drop(tokio::signal::ctrl_c().await) });
}

/// Whether something that was printed is lost.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// Writes to standard output. That nobody reads on is no error; what can't be written for another reason is lost, which is
/// said once.
pub fn print(text: &str) {
    // Only escape sequences need a look: the terminal may not want them.
    let written = match text.contains('\u{1b}') {
        true => anstream::stdout().write_all(text.as_bytes()),
        false => io::stdout().write_all(text.as_bytes()),
    };
    note_lost(written);
}

/// Whether standard output took everything that was printed, as far as anybody read it.
pub fn is_all_printed() -> bool {
    note_lost(io::stdout().flush());
    !IS_LOST.load(Ordering::Relaxed)
}

fn note_lost(written: io::Result<()>) {
    let Err(error) = written else {
        return;
    };
    if error.kind() != ErrorKind::BrokenPipe && !IS_LOST.swap(true, Ordering::Relaxed) {
        let fault = Diagnostic::error(format!(
            "can't write to standard output: {}",
            reason(&error)
        ));
        let fault = fault.help("what was printed is not complete: print it to another place");
        complain(&fault.render(wants_colour()));
    }
}

/// Makes the terminal empty, and says how many characters and lines it has; `None` where standard output is no terminal.
pub fn clear_screen() -> Option<(usize, usize)> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let size = terminal_size::terminal_size_of(io::stdout());
    let (width, height) = size.map_or((80, 24), |(width, height)| (width.0, height.0));
    print("\u{1b}[H\u{1b}[2J");
    Some((usize::from(width), usize::from(height)))
}

/// Whether somebody can type.
pub fn is_typed_at() -> bool {
    io::stdin().is_terminal()
}

/// Writes to standard error.
pub fn complain(text: &str) {
    drop(anstream::stderr().write_all(text.as_bytes()));
}

/// Whether standard output is a terminal that wants colour.
pub fn wants_colour() -> bool {
    let choice = anstream::AutoStream::choice(&io::stdout());
    io::stdout().is_terminal() && choice != anstream::ColorChoice::Never
}
