//! The only room that reads disk or terminal.

mod find;
pub mod git;
mod patience;
pub mod watch;

use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::net::TcpListener;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

pub use self::find::{
    Named, glob, glob_folders, rule_and_test_files, rule_files, rule_files_below, scripts,
    spec_files, test_files, without_templates, yaml_files,
};
pub use self::patience::Patience;
use crate::series::unpack;
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

/// What this program is called by whoever called it: by a path that begins here as such, else by its name.
pub fn program() -> String {
    let called = std::env::args_os().next().map(PathBuf::from);
    let is_relative = |path: &PathBuf| path.is_relative() && path.components().count() > 1;
    match called.filter(is_relative) {
        Some(path) => path.to_string_lossy().into_owned(),
        None => env!("CARGO_PKG_NAME").to_owned(),
    }
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
    let about = fs::metadata(&target);
    // A pipe or a device would be replaced by a file, for everybody.
    if about.as_ref().is_ok_and(|about| !about.is_file()) {
        let fault = unwritable(path, "it is no file but a pipe, a device or a folder");
        return Err(fault.help("name the file itself"));
    }
    // A file of which somebody said that it stays as it is could be replaced all the same where its folder may be written.
    if about.is_ok_and(|about| about.permissions().readonly()) {
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
