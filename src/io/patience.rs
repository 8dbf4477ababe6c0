//! A line on a terminal while something takes its time.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Says on standard error what takes so long, and how long it has, where that is a terminal and somebody may wonder; the line is gone
/// when this is.
#[derive(Debug)]
pub struct Patience {
    line: Option<(Sender<()>, JoinHandle<()>)>,
}

/// Nobody wonders before.
const AT_FIRST: Duration = Duration::from_secs(3);

/// How often the line is written anew.
const LATER: Duration = Duration::from_secs(1);

impl Patience {
    /// Begins to wait for something, such as "330 points over june.csv".
    pub fn with(what: String) -> Patience {
        let line = io::stderr().is_terminal().then(|| {
            let (end, ended) = channel();
            let tell = move || tell(&what, &mut io::stderr(), &ended, (AT_FIRST, LATER));
            (end, std::thread::spawn(tell))
        });
        Patience { line }
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some((end, line)) = self.line.take() {
            drop(end);
            // That it could not be written is nobody's concern.
            drop(line.join());
        }
    }
}

/// Writes the line after some time and then again and again, and takes it back at the end.
fn tell(
    what: &str,
    out: &mut impl Write,
    ended: &Receiver<()>,
    (at_first, later): (Duration, Duration),
) {
    let began = Instant::now();
    let mut wait = at_first;
    let mut is_shown = false;
    while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let seconds = began.elapsed().as_secs();
        drop(write!(out, "\r\u{1b}[K{what}: {seconds}s").and_then(|()| out.flush()));
        (wait, is_shown) = (later, true);
    }
    if is_shown {
        drop(write!(out, "\r\u{1b}[K").and_then(|()| out.flush()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of something that takes so many milliseconds, told after some.
    fn told(takes: u64, after: u64) -> String {
        let (end, ended) = channel();
        let work = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(takes));
            drop(end);
        });
        let mut out = Vec::new();
        let times = (Duration::from_millis(after), Duration::from_secs(60));
        tell("9 points", &mut out, &ended, times);
        work.join().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_takes_its_time_is_told_and_taken_back() {
        assert_eq!(told(0, 60_000), "");
        assert_eq!(told(300, 1), "\r\u{1b}[K9 points: 0s\r\u{1b}[K");
    }
}
