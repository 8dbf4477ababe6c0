//! Whatever somebody asks for, `rulecheck query` answers or refuses it soon and in little memory.

#![expect(
    clippy::unwrap_used,
    reason = "a program that can't be started should stop the test"
)]

use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Optimised it takes less than a second; unoptimised and beside other tests it may take some.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });

/// No query here needs more memory, in KiB.
const MEMORY: u64 = 200 << 10;

/// The length of a query that is long, in bytes.
const LONG: usize = 250_000;

/// No query so long takes more memory, in KiB: 23 MiB that any command takes unoptimised, and about 300 bytes a byte.
const MEMORY_OF_LONG: u64 = 100 << 10;

const DATA: &str =
    "m{i=\"1\"} 1 1700000000\nm{i=\"1\"} 2 1700000060\nm{i=\"2\"} 3 1700000060\n# EOF\n";

/// How a run ended.
struct Ended {
    status: ExitStatus,
    stderr: String,
    took: Duration,
    /// The most memory seen, in KiB; 0 where nobody can tell.
    memory: u64,
}

/// A file in a folder of its own, which goes with it.
struct Data {
    path: PathBuf,
    _folder: snapbox::dir::DirRoot,
}

impl Data {
    fn new(name: &str, bytes: &[u8]) -> Data {
        let folder = snapbox::dir::DirRoot::mutable_temp().unwrap();
        let path = folder.path().unwrap().join(name);
        std::fs::write(&path, bytes).unwrap();
        Data {
            path,
            _folder: folder,
        }
    }

    fn query(&self, expr: impl AsRef<OsStr>, more: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecheck"));
        command
            .arg("query")
            .arg("--data")
            .arg(&self.path)
            .args(more);
        run(command.arg("--").arg(expr))
    }
}

/// Runs a command, and ends it where it takes too long.
fn run(command: &mut Command) -> Ended {
    let mut child = command
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let begun = Instant::now();
    let mut most = 0;
    let status = loop {
        most = most.max(memory(&child));
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                child.kill().unwrap();
                break child.wait().unwrap();
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    Ended {
        status,
        stderr: reader.join().unwrap(),
        took: begun.elapsed(),
        memory: most,
    }
}

/// The most memory that a running program has held, in KiB, as Linux tells it.
fn memory(child: &Child) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.map(|line| line.trim().trim_end_matches(" kB"));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Ended {
    /// It ended by itself, soon, in little memory and in order: with a result, or with an error and what to do about it.
    fn check(&self, what: &str) {
        let what: String = what.chars().take(100).collect();
        assert!(self.took < PATIENCE, "{what}: {:?}", self.took);
        assert!(self.memory < MEMORY, "{what}: {} KiB", self.memory);
        match self.status.code() {
            Some(0) => {}
            Some(2) => {
                let stderr: String = self.stderr.chars().take(500).collect();
                assert!(self.stderr.contains("error: "), "{what}: {stderr}");
            }
            code => panic!("{what}: ended with {code:?}: {}", self.stderr),
        }
    }

    fn refuses(&self, what: &str, reason: &str) {
        self.check(what);
        let what: String = what.chars().take(100).collect();
        assert_eq!(self.status.code(), Some(2), "{what}");
        assert!(self.stderr.contains(reason), "{what}: {}", self.stderr);
    }
}

const TOO_MANY: &str =
    "query processing would load too many samples into memory in query execution";

const TOO_MANY_STEPS: &str = "the subquery takes more than 8000000 steps";

#[test]
fn queries_of_too_many_samples_are_refused() {
    let data = Data::new("data.om", DATA.as_bytes());
    for expr in [
        "sum_over_time(m[100y:1ms])",
        "sum_over_time(m[100y:1s])",
        "sum_over_time(sum_over_time(m[100y:1s])[100y:1s])",
        "max_over_time(m[1h:1s]) + max_over_time(sum_over_time(m[5m])[290y:1ms])",
        "m[290y:1ms]",
    ] {
        data.query(expr, &[]).refuses(expr, TOO_MANY);
    }
    for expr in ["vector(1)[1y:1s]", "absent_over_time(m[1y:1s])"] {
        data.query(expr, &[]).refuses(expr, TOO_MANY_STEPS);
    }
    let range = ["--start", "0", "--end", "11000", "--step", "1"];
    for expr in [
        "sum_over_time(m[100y:1s])",
        "sum_over_time(vector(1)[290y:1ms] @ end())",
    ] {
        data.query(expr, &range).refuses(expr, TOO_MANY);
    }
    let range = ["--start", "-1e12", "--end", "1e12", "--step", "1ms"];
    let reason = "exceeded maximum resolution of 11,000 points per timeseries";
    data.query("m", &range).refuses("billions of steps", reason);
    let allowed = ["--max-samples", "10000000000"];
    data.query("m[100y:1s]", &allowed)
        .refuses("more steps than memory holds", TOO_MANY_STEPS);
}

#[test]
fn long_windows_of_few_samples_are_answered() {
    let data = Data::new("data.om", DATA.as_bytes());
    for expr in [
        "max_over_time(m[60d:1s])",
        "sum_over_time(m[290y])",
        "max_over_time(sum_over_time(m[10d:1s])[10d:1s])",
        "m offset 290y",
        "m @ -9007199254740",
        "topk(1e18, m)",
        "predict_linear(m[5m], 1e300)",
        "label_join(m, 'x', ',', 'i', 'i')",
    ] {
        let ended = data.query(expr, &[]);
        ended.check(expr);
        assert_eq!(ended.status.code(), Some(0), "{expr}: {}", ended.stderr);
    }
}

/// Pieces of queries, again and again, as long as an argument can be.
#[test]
fn endless_queries_end() {
    let data = Data::new("data.om", DATA.as_bytes());
    for piece in [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "-",
        "+",
        "!",
        "@",
        "#",
        "\"",
        "'",
        "`",
        "\\",
        "\n",
        " ",
        "é",
        "\u{1F600}",
        "1 ",
        "1+",
        "5m",
        "1e",
        "0x",
        "m+",
        "m or ",
        "m and on(i) ",
        "m^",
        "(m)+",
        "sum(",
        "sum by (i) (",
        "rate(",
        "max_of(",
        "m[",
        "m[5m:",
        "m[5m:1m]",
        "m{",
        "m{i=\"1\",",
        "m{i=~\"(",
        "m offset ",
        "m offset 5m ",
        " offset 5m",
        " @ 5",
        "foo()+",
        "abs(1)+",
        "{}+",
        "m{i=~\"(\"}+",
        "bool ",
        "by (",
        "on ",
        "m smoothed ",
        "_",
        "a:",
    ] {
        let repeated = piece.repeat(100_000 / piece.len());
        data.query(&repeated, &[]).check(&repeated);
        let closed = format!("m{repeated}m");
        data.query(&closed, &[]).check(&closed);
    }
}

/// Each byte of a query costs memory in the grammar and in the tree.
#[test]
fn long_queries_take_little_memory() {
    let chain = |piece: &str, operator: &str| {
        let number = (LONG - piece.len()) / (piece.len() + operator.len());
        format!("{piece}{}", format!("{operator}{piece}").repeat(number))
    };
    for expr in [
        chain("1", "+"),
        chain("m", "+"),
        chain("m", "*m+"),
        chain("-m", ">"),
        chain("up", " or "),
        chain("m", "+on()"),
        chain("m{i=\"1\"}", " unless "),
        chain("(1)", "+"),
        chain("5m", "-"),
        chain("rate(m[5m])", "/"),
        chain(&format!("1{}", "^1".repeat(190)), "+"),
        chain(&format!("{}m{}", "abs(".repeat(190), ")".repeat(190)), "+"),
        format!("sum({})", chain("m", "+")),
        format!("label_join(m,\"a\",\"\",{})", chain("\"\"", ",")),
        format!("sum by ({}) (m)", chain("i", ",")),
        format!("m{{{}}}", chain("i=\"\"", ",")),
    ] {
        let rules = format!("groups: [{{name: g, rules: [{{record: r, expr: '{expr}'}}]}}]");
        let file = Data::new("rules.yml", rules.as_bytes());
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecheck"));
        let ended = run(command.arg("check").arg(&file.path));
        ended.check(&expr);
        assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
        let what: String = expr.chars().take(20).collect();
        assert!(ended.memory < MEMORY_OF_LONG, "{what}: {}", ended.memory);
    }
}

#[test]
fn patterns_and_lists_without_end_are_answered_or_refused() {
    let data = Data::new("data.om", DATA.as_bytes());
    let list = |entry: &dyn Fn(usize) -> String, count: usize| {
        (0..count).map(entry).collect::<Vec<_>>().join(",")
    };
    for expr in [
        format!("m{{i=~\"{}\"}}", "(a|b)*".repeat(16_000)),
        format!("m{{i=~\"{}\"}}", ".*".repeat(30_000)),
        format!("m{{i=~\"{}a\"}}", "a|".repeat(50_000)),
        "m{i=~\"((a{1,30}){1,30}){1,30}\"}".to_owned(),
        format!("m{{{}}}", list(&|i| format!("i!=\"{i}\""), 9_000)),
        format!("absent(m{{{}}})", list(&|i| format!("a{i}=\"x\""), 7_000)),
        format!("sum by ({}) (m)", list(&|i| format!("a{i}"), 14_000)),
        format!("sort_by_label(m,{})", list(&|_| "\"i\"".to_owned(), 20_000)),
        format!(
            "label_replace(m,\"a\",\"{}\",\"i\",\"(.*)\")",
            "$1".repeat(30_000)
        ),
        format!("m{}", "[1m:1s]".repeat(50)),
        format!(
            "{}m{}",
            "max_over_time(".repeat(100),
            "[1m:1s])".repeat(100)
        ),
        format!("{}m{}", "sum(".repeat(195), ")".repeat(195)),
    ] {
        data.query(&expr, &[]).check(&expr);
    }
}

#[test]
fn label_values_that_double_are_refused() {
    let data = Data::new("data.om", DATA.as_bytes());
    let doubled = |times: usize| {
        let (before, behind) = ("label_join(", ",\"i\",\"\",\"i\",\"i\")");
        format!("{}m{}", before.repeat(times), behind.repeat(times))
    };
    data.query(format!("count({})", doubled(12)), &[])
        .check("12 times");
    data.query(format!("count({})", doubled(34)), &[]).refuses(
        "34 times",
        "label_join() makes label values of more than 16 MiB together",
    );
    let references = "$1".repeat(30_000);
    let expr = format!(
        "count(label_replace({}, \"i\", \"{references}\", \"i\", \"(.*)\"))",
        doubled(12)
    );
    data.query(expr, &[]).refuses(
        "references",
        "label_replace() makes label values of more than 16 MiB together",
    );
}

#[test]
fn patterns_that_take_much_together_are_refused() {
    let data = Data::new("data.om", DATA.as_bytes());
    let matchers: Vec<String> = (0..2_000)
        .map(|i| format!("i!~\"\\\\pL{{40}}{i}\""))
        .collect();
    data.query(format!("m{{{}}}", matchers.join(",")), &[])
        .refuses(
            "2,000 patterns",
            "the regular expressions of the query take more than 64 MiB together",
        );
}

#[test]
fn every_beginning_of_a_query_is_answered_or_refused() {
    let data = Data::new("data.om", DATA.as_bytes());
    let query = "sum by (i) (rate(m{i=~\"1|\\u0032\", j!='é'}[5m:30s] offset -1m)) / on (i) group_left (x) \
                 quantile_over_time(0.5, {\"m\"}[1h] @ 1.7e9) > bool -0x1F ^ 2 # why";
    let ends = (0..=query.len()).filter(|&end| query.is_char_boundary(end));
    for beginning in ends.map(|end| &query[..end]) {
        data.query(beginning, &[]).check(beginning);
    }
}

#[test]
fn broken_bytes_are_refused_where_they_stand() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let data = Data::new("data.om", DATA.as_bytes());
        let expr = OsStr::from_bytes(b"m{i=\"\xff\xfe\"}");
        data.query(expr, &[]).refuses("not UTF-8", "invalid UTF-8");
        let time = ["--time", "1700000060"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_rulecheck"));
        command.args(["query", "m", "--data"]).args(time);
        run(command.arg(OsStr::from_bytes(b"\xff"))).check("a file's name");
    }
    for (name, before) in [
        ("data.om", "m 1 1000\nm{a=\""),
        ("data.csv", "time,m\n1,2\n3,"),
        (
            "data.json",
            "{\"resultType\":\"vector\",\n\"result\":[{\"metric\":{\"a\":\"",
        ),
    ] {
        let bytes = [before.as_bytes(), b"\xe9\"} 1 2000\n"].concat();
        let ended = Data::new(name, &bytes).query("m", &[]);
        ended.refuses(name, "the file is not UTF-8");
        let line = before.lines().count();
        assert!(
            ended.stderr.contains(&format!("{name}:{line}:")),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn endless_files_are_refused() {
    for piece in [
        "[",
        "{",
        "{\"data\":",
        "[[",
        "\"",
        ",",
        "m",
        "m ",
        "m{",
        "m 1 1\n",
        "# TYPE m counter\n",
        "time,",
        "time,value,metric\n",
        "time\n",
        "{\"metric\":{},\"values\":[[",
        "\0",
        "\n",
        "é,",
    ] {
        let bytes = piece.repeat((1 << 20) / piece.len());
        Data::new("data", bytes.as_bytes())
            .query("m", &[])
            .check(piece);
    }
    let values = "[1,\"x\"],".repeat(100_000);
    let answer = format!("[{{\"metric\":{{}},\"values\":[{values}[1,\"x\"]]}}]");
    let ended = Data::new("data", answer.as_bytes()).query("m", &[]);
    ended.refuses("faults without end", "99981 more faults");
}
