//! A browser without a window, asked through its driver as WebDriver says.

pub mod breaks;
pub mod deeds;
pub mod worlds;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Where the browser lies.
const BROWSERS: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/google-chrome"];

/// Demands a browser: a test that finds none fails rather than say that it was skipped.
const DEMAND: &str = "RULECHECK_BROWSER";

/// No answer takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page open.
pub struct Browser {
    driver: Child,
    address: String,
    session: String,
    profile: snapbox::dir::DirRoot,
}

impl Browser {
    /// Starts one; `None`, and a word on it, where there is none.
    pub fn start() -> Option<Browser> {
        let browser = BROWSERS.iter().find(|path| Path::new(path).exists());
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let (Some(browser), Ok(driver)) = (browser, driver) else {
            let is_demanded = std::env::var_os(DEMAND).is_some();
            assert!(
                !is_demanded,
                "{DEMAND} is set, but there is no chromium with chromedriver"
            );
            println!("skipped: there is no chromium with chromedriver; {DEMAND} demands them");
            return None;
        };
        Some(Browser::open(browser, driver))
    }

    fn open(browser: &str, mut driver: Child) -> Browser {
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        // What it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = snapbox::dir::DirRoot::mutable_temp().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1100,900",
            &format!("--user-data-dir={}", profile.path().unwrap().display()),
        ];
        let options = json!({"binary": browser, "args": arguments});
        let mut browser = Browser {
            driver,
            address: format!("127.0.0.1:{}", port.expect("a driver that starts")),
            session: String::new(),
            profile,
        };
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let session = browser.ask("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) = self.send(method, path, &body.to_string()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(status, 200, "{method} {path}: {:#}", value["value"]);
        value["value"].clone()
    }

    /// The driver knows no old version of HTTP, answers only who calls it by this name, and leaves connections open.
    fn send(&self, method: &str, path: &str, body: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let mut answer = BufReader::new(stream);
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            let line = line.trim_end().to_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|it| it.parse().ok()).unwrap_or(0);
            } else if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().unwrap_or(0);
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        answer.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    fn of_session(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// Opens an address; a page that unpacks values is ready once it has.
    pub fn visit(&self, url: &str) {
        self.of_session("/url", &json!({"url": url}));
        let is_ready = "return !document.getElementById('data') || window.rulecheck !== undefined";
        let began = Instant::now();
        while self.run(is_ready, json!([])) != json!(true) {
            assert!(began.elapsed() < PATIENCE, "{url}: the page is not ready");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs a script in the page; what it returns.
    pub fn run(&self, script: &str, arguments: Value) -> Value {
        self.of_session(
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// Types into what a selector finds; `\u{E014}` is the right arrow.
    pub fn press(&self, selector: &str, keys: &str) {
        let by = json!({"using": "css selector", "value": selector});
        let found = self.of_session("/element", &by);
        let id = found.as_object().unwrap().values().next().unwrap().clone();
        let id = id.as_str().unwrap();
        self.of_session(&format!("/element/{id}/value"), &json!({"text": keys}));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        drop(self.send("DELETE", &path, ""));
        drop(self.driver.kill());
        drop(self.driver.wait());
        drop(std::fs::remove_dir_all(self.profile.path().unwrap()));
    }
}
