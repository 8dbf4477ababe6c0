//! `rulecheck serve`: what it answers, what it refuses, and how it ends.
//!
//! The files of `fixtures/serve` hold requests behind `> ` (method, address and, of a form, its body) and below each what
//! comes back: the status with what headers say of it, and the body. With `SNAPSHOTS=overwrite` set they are written anew.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop where something is not as it should be"
)]

mod http;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use self::http::{Answer, PATIENCE};

/// A query that takes many seconds, and holds few samples at a time.
fn long() -> String {
    ["count_over_time((sin(vector(time())) > 2 or vector(1))[60d:1s])"; 50].join(" or ")
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(["--data", "fixtures/serve/data.om"])
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap().to_owned();
        Server { child, address }
    }

    fn connect(&self) -> TcpStream {
        http::connect(&self.address).unwrap()
    }

    /// `GET /path` or `POST /path a=b`.
    fn ask(&self, request: &str) -> Answer {
        let mut words = request.splitn(3, ' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        self.send(method, path, "", words.next().unwrap_or_default())
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        http::ask(&self.address, method, path, headers, body).unwrap()
    }

    fn query(&self, query: &str, more: &str) -> Answer {
        let body = format!("query={}{more}", query.replace(' ', "+"));
        self.send("POST", "/api/v1/query", "", &body)
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(status.success());
    }

    fn end(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// As the fixtures show it.
fn shown(answer: &Answer) -> String {
    let mut out = format!("= {}", answer.status);
    if let Some(kind) = answer
        .header("content-type")
        .filter(|it| *it != "application/json")
    {
        out.push_str(&format!(", {kind}"));
    }
    if let Some(methods) = answer.header("allow") {
        out.push_str(&format!(", allow: {methods}"));
    }
    out.push('\n');
    for line in answer.body.lines() {
        out.push_str(&format!("| {line}\n"));
    }
    out
}

#[test]
fn answers_are_as_written() {
    let server = Server::start(&[
        "--rules",
        "fixtures/serve/rules.yml",
        "--enable-feature=promql-experimental-functions",
    ]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/serve");
    let mut requests = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut fresh = String::new();
        for line in text.lines().filter(|line| !line.starts_with(['=', '|'])) {
            fresh.push_str(&format!("{line}\n"));
            if let Some(request) = line.strip_prefix("> ") {
                requests += 1;
                fresh.push_str(&shown(&server.ask(request)));
            }
        }
        match std::env::var_os("SNAPSHOTS") {
            Some(_) => std::fs::write(&path, fresh).unwrap(),
            None => snapbox::assert_data_eq!(fresh, snapbox::data::Data::text(text).raw()),
        }
    }
    assert!(requests > 130, "{requests} requests found");
}

#[test]
fn scripts_of_any_page_may_read_answers() {
    let server = Server::start(&[]);
    let asked = |path: &str, headers: &str| server.send("GET", path, headers, "");
    let plain = asked("/api/v1/query?query=1", "");
    assert_eq!(plain.header("vary"), Some("origin"));
    assert_eq!(plain.header("access-control-allow-origin"), None);
    let origin = "Origin: http://page.example\r\n";
    for path in ["/api/v1/query?query=1", "/api/v1/query?query=("] {
        let answer = asked(path, origin);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-expose-headers"), Some("date"));
    }
    assert_eq!(
        asked("/-/ready", origin).header("access-control-allow-origin"),
        None
    );
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let request = "GET /api/v1/query?query=1&time=7 HTTP/1.1\r\nHost: test\r\n\r\n";
    let last = request.replace("Host", "Connection: close\r\nHost");
    stream.write_all(request.repeat(3).as_bytes()).unwrap();
    stream.write_all(last.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches(r#""result":[7,"1"]"#).count(), 4, "{text}");
}

#[test]
fn what_is_too_large_is_refused() {
    let server = Server::start(&[]);
    let just_fits = format!("query=1&x={}", "x".repeat((1 << 20) - 10));
    let answer = server.send("POST", "/api/v1/query", "", &just_fits);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = server.send("POST", "/api/v1/query", "", &format!("{just_fits}y"));
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.body.contains("larger than 1 MiB"), "{}", answer.body);
    let long_path = format!("/api/v1/query?query=1&x={}", "x".repeat(70_000));
    let status = server.send("GET", &long_path, "", "").status;
    assert!([414, 431].contains(&status), "{status}");
    let deep = "(".repeat(1000);
    assert_eq!(server.query(&deep, "").status, 400);
    // Formatted, each of these operators moves all before it to the right.
    let chain = format!("query=1{}", "%2B1".repeat(100_000));
    let answer = server.send("POST", "/api/v1/format_query", "", &chain);
    assert_eq!(answer.status, 400, "{}", answer.body.len());
    let answer = server.send("POST", "/api/v1/parse_query", "", &chain);
    assert_eq!(answer.status, 200, "{}", answer.body.len());
}

#[test]
fn addresses_may_be_as_people_type_them() {
    let server = Server::start(&[]);
    let address = r#"/api/v1/query?query=label_replace(vector(1),"a","<é>","","")"#;
    let answer = server.send("GET", address, "", "");
    assert!(answer.body.contains(r#"{"a":"<é>"}"#), "{}", answer.body);
}

#[test]
fn patterns_that_take_much_together_are_refused() {
    let server = Server::start(&[]);
    let selectors: String = (0..2_000)
        .map(|index| format!("match[]=m{{a=~\"\\\\pL{{40}}{index}\"}}&"))
        .collect();
    let answer = server.send("POST", "/api/v1/series", "", &selectors);
    assert_eq!(answer.status, 400, "{}", answer.body);
    let message = "the regular expressions take more than 64 MiB together";
    assert!(answer.body.contains(message), "{}", answer.body);
}

#[test]
fn what_is_no_request_is_refused() {
    let server = Server::start(&[]);
    for text in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let mut stream = server.connect();
        stream.write_all(text.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // It answers 400, or just hangs up.
        drop(stream.read_to_end(&mut bytes));
        let answer = String::from_utf8_lossy(&bytes);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    let json = "Content-Type: application/json\r\n";
    let answer = server.send("GET", "/api/v1/query?query=1&time=1", json, "query=2");
    assert!(answer.body.contains(r#"[1,"1"]"#), "{}", answer.body);
    assert_eq!(server.ask("GET /-/ready").status, 200);
}

#[test]
fn the_slow_and_the_stuck_hold_nobody_up() {
    let server = Server::start(&[]);
    // More than run at once.
    let waiting: Vec<TcpStream> = (0..25)
        .map(|_| {
            let mut stream = server.connect();
            let body = format!("query={}&timeout=30", long().replace(' ', "+"));
            let length = body.len();
            write!(stream, "POST /api/v1/query HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
            stream
        })
        .collect();
    let stuck: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = server.connect();
            stream
                .write_all(b"POST /api/v1/query HTTP/1.1\r\nHo")
                .unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(server.ask("GET /api/v1/labels").status, 200);
    assert!(begun.elapsed() < Duration::from_secs(15));
    // Those who go away make room.
    drop(waiting);
    let answer = server.query("1", "&time=1");
    assert_eq!(answer.status, 200, "{}", answer.body);
    drop(stuck);
}

#[test]
fn queries_end_when_their_time_is_up() {
    let server = Server::start(&[]);
    let begun = Instant::now();
    let answer = server.query(&long(), "&timeout=50ms");
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(
        answer.body,
        r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#
    );
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn queries_that_are_stopped_make_room() {
    let server = Server::start(&[]);
    // One series with many large windows.
    let body = "query=stddev_over_time(vector(1)[2d:10s])&start=1700000000&end=1700010000&step=1&timeout=100ms";
    // More than run at once.
    for _ in 0..21 {
        let answer = server.send("POST", "/api/v1/query_range", "", body);
        let said = "query timed out in expression evaluation";
        assert!(answer.body.contains(said), "{}", answer.body);
    }
    assert_eq!(server.query("1", "").status, 200);
}

#[test]
fn queries_hold_no_more_samples_than_allowed() {
    let server = Server::start(&["--max-samples", "1000"]);
    let answer = server.query("count_over_time(vector(1)[5m:1s])", "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = server.query("count_over_time(vector(1)[20m:1s])", "");
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert!(answer.body.contains("too many samples"), "{}", answer.body);
    let flags = server.ask("GET /api/v1/status/flags").body;
    assert!(flags.contains(r#""query.max-samples":"1000""#), "{flags}");
}

#[test]
fn signals_end_it() {
    for name in ["-TERM", "-INT"] {
        let server = Server::start(&[]);
        assert_eq!(server.ask("GET /-/ready").status, 200);
        // One that waits for nothing does not hold the end up.
        let idle = server.connect();
        server.signal(name);
        assert_eq!(server.end().code(), Some(0), "{name}");
        drop(idle);
    }
}

#[test]
fn requests_that_run_are_answered_before_the_end() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    // The body is still to come when the signal does.
    write!(stream, "POST /api/v1/query HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\nquery=1").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(b"&time=7").unwrap();
    let answer = Answer::read(stream).unwrap();
    assert!(answer.body.contains(r#"[7,"1"]"#), "{}", answer.body);
    assert_eq!(server.end().code(), Some(0));
}

#[test]
fn what_takes_too_long_does_not_hold_the_end_up() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let body = format!("query={}", long().replace(' ', "+"));
    let length = body.len();
    write!(stream, "POST /api/v1/query HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    server.signal("-TERM");
    let begun = Instant::now();
    let answer = Answer::read(stream).unwrap();
    let said = "query was canceled in expression evaluation";
    assert!(answer.body.contains(said), "{}", answer.body);
    assert_eq!(server.end().code(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_address_that_is_taken_is_refused() {
    let server = Server::start(&[]);
    let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(["serve", "--data", "fixtures/serve/data.om", "--listen"])
        .arg(&server.address)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains(&format!("can't listen at {}", server.address)),
        "{said}"
    );
}

#[test]
fn queries_that_hold_too_many_samples_are_refused() {
    let server = Server::start(&["--max-samples", "100"]);
    let answer = server.query("count_over_time(vector(1)[100s:1s])", "&time=200");
    assert_eq!(answer.status, 422, "{}", answer.body);
    assert_eq!(
        answer.body,
        r#"{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}"#
    );
    assert_eq!(server.query("vector(1)", "&time=200").status, 200);
}
