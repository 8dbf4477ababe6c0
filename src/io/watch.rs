//! Notices that files changed.
//!
//! What the system tells of changes differs from one to the next, and editors save files in many ways. So it only wakes
//! us: what changed is found by looking at the files. Folders are watched, not files, since an editor may put a new file in
//! the place of the old.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::Hasher;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use ignore::WalkBuilder;
use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use twox_hash::XxHash64;

use crate::text::Diagnostic;

/// Files are looked at when nothing happened for so long: to save one often takes several steps.
const QUIET: Duration = Duration::from_millis(10);

/// However much happens, files are looked at after so long.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a file held at some time; `None` where it could not be read.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    hash: Option<u64>,
    /// When it was written and how long it is: as long as both stay, it is not read again.
    face: Option<(SystemTime, u64)>,
}

impl Stamp {
    /// What a file holds now.
    pub fn of(path: &Path) -> Stamp {
        let face = face(path);
        let bytes = face.and_then(|_| fs::read(path).ok());
        Stamp {
            hash: bytes.map(|bytes| {
                let mut hash = XxHash64::with_seed(0);
                hash.write(&bytes);
                hash.finish()
            }),
            face,
        }
    }

    /// What it holds now, if this is what it held before.
    pub fn renewed(self, path: &Path) -> Stamp {
        match face(path) {
            face if face == self.face => self,
            _ => Stamp::of(path),
        }
    }

    /// Whether the file held the same both times.
    pub fn is_same(self, other: Stamp) -> bool {
        self.hash == other.hash
    }
}

fn face(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    // To open a pipe would wait for ever.
    let modified = metadata.is_file().then(|| metadata.modified().ok())??;
    Some((modified, metadata.len()))
}

/// The folders among arguments, and those below them that are not hidden.
pub fn folders_below(arguments: &[PathBuf]) -> Vec<PathBuf> {
    let folders = arguments.iter().filter(|path| path.is_dir());
    let below = folders.flat_map(|folder| {
        let walk = WalkBuilder::new(folder)
            .standard_filters(false)
            .hidden(true)
            .build();
        let entries = walk.filter_map(Result::ok);
        let folders = entries.filter(|entry| entry.file_type().is_some_and(|it| it.is_dir()));
        folders.map(ignore::DirEntry::into_path)
    });
    below.collect()
}

/// Why a watch woke.
#[derive(Debug)]
pub enum Woken {
    /// Something in the folders changed, that long ago.
    Changed(Instant),
    /// Somebody typed a line.
    Typed(String),
    /// Nobody will type any more, or the system will tell of no change any more.
    Ended,
}

enum Signal {
    Changed,
    Typed(String),
    Ended,
}

/// Watches folders and the terminal.
pub struct Watch {
    watcher: RecommendedWatcher,
    signals: Receiver<Signal>,
    /// The folders, and which each is: a new one may have come in its place.
    folders: BTreeMap<PathBuf, u64>,
    /// Whether some are watched since the last wait only: what was saved there before woke nobody.
    has_new: bool,
}

impl Watch {
    /// Watches nothing yet but, if that is a terminal, standard input.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn start() -> Result<Watch, Diagnostic> {
        let (sender, signals) = channel();
        let typed = sender.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| !is_mere_look(&event)) {
                drop(sender.send(Signal::Changed));
            }
        });
        if io::stdin().is_terminal() {
            thread::spawn(move || send_lines(&typed));
        }
        Ok(Watch {
            watcher: watcher.map_err(|error| unwatchable(Path::new(""), &error))?,
            signals,
            folders: BTreeMap::new(),
            has_new: false,
        })
    }

    /// Watches these folders and no others; in place of one that is not there, the next above it that is.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn follow(&mut self, folders: impl IntoIterator<Item = PathBuf>) -> Result<(), Diagnostic> {
        let wanted: BTreeSet<PathBuf> = folders.into_iter().map(existing).collect();
        let gone = self.folders.keys().filter(|path| !wanted.contains(*path));
        let gone: Vec<PathBuf> = gone.cloned().collect();
        for path in gone {
            self.folders.remove(&path);
            // It may be gone from the disk too, and so from the watch.
            drop(self.watcher.unwatch(&path));
        }
        for path in wanted {
            let now = identity(&path);
            if self.folders.get(&path) == Some(&now) {
                continue;
            }
            drop(self.watcher.unwatch(&path));
            let watched = self.watcher.watch(&path, RecursiveMode::NonRecursive);
            watched.map_err(|error| unwatchable(&path, &error))?;
            self.folders.insert(path, now);
            self.has_new = true;
        }
        Ok(())
    }

    /// Waits until something happens, and then until nothing happens any more for a moment. Does not wait
    /// where folders are watched anew.
    pub fn wait(&mut self) -> Woken {
        if std::mem::take(&mut self.has_new) {
            return Woken::Changed(Instant::now());
        }
        match self.signals.recv() {
            Ok(Signal::Changed) => {}
            Ok(Signal::Typed(line)) => return Woken::Typed(line),
            Ok(Signal::Ended) | Err(_) => return Woken::Ended,
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.signals.recv_timeout(QUIET) {
                Ok(Signal::Changed) => {}
                Ok(Signal::Typed(line)) => return Woken::Typed(line),
                Ok(Signal::Ended) => return Woken::Ended,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        Woken::Changed(began)
    }
}

/// Whether somebody only opened or read a file, as we do ourselves.
fn is_mere_look(event: &Event) -> bool {
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    matches!(event.kind, EventKind::Access(_)) && event.kind != written
}

fn send_lines(signals: &Sender<Signal>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if signals.send(Signal::Typed(line)).is_err() {
            return;
        }
    }
    drop(signals.send(Signal::Ended));
}

fn existing(path: PathBuf) -> PathBuf {
    let mut path = path.as_path();
    while !path.is_dir() {
        match path.parent() {
            Some(above) => path = above,
            None => return PathBuf::from("."),
        }
    }
    match path.as_os_str().is_empty() {
        true => PathBuf::from("."),
        false => path.to_owned(),
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map_or(0, |metadata| metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Path) -> u64 {
    0
}

fn unwatchable(path: &Path, error: &notify::Error) -> Diagnostic {
    let help = match error.kind {
        ErrorKind::MaxFilesWatch => {
            "the system watches no more folders: name the folders that hold tests, or raise fs.inotify.max_user_watches"
        }
        _ => "run it without --watch",
    };
    let message = format!("can't watch {}: {error}", super::display(path));
    Diagnostic::error(message).help(help)
}

/// Ends the program with this code as soon as somebody asks it to end: Ctrl-C, SIGTERM.
///
/// # Errors
///
/// The system does not let us.
pub fn end_when_asked(code: Arc<AtomicU8>) -> Result<(), Diagnostic> {
    let fail = |error: io::Error| Diagnostic::error(format!("can't wait for signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(fail)?;
    let asked = {
        let _inside = runtime.enter();
        super::asked_to_end().map_err(fail)?
    };
    thread::spawn(move || {
        runtime.block_on(asked);
        std::process::exit(i32::from(code.load(Ordering::Relaxed)));
    });
    Ok(())
}
