//! One request to a server on this machine, and its answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer takes longer, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
pub struct Answer {
    pub status: u16,
    headers: String,
    pub body: String,
}

/// A connection to `127.0.0.1:9097`.
pub fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a request and reads all that comes back; a body is one of a form.
pub fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let form = match method {
        "POST" => "Content-Type: application/x-www-form-urlencoded\r\n",
        _ => "",
    };
    let length = body.len();
    let mut stream = connect(address)?;
    // The old version has answers in one piece. A server that refuses the rest of a request may have closed its side.
    drop(write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: test\r\n{form}{headers}Content-Length: {length}\r\n\r\n{body}"
    ));
    Answer::read(stream)
}

impl Answer {
    /// Reads to the end of a connection.
    pub fn read(mut stream: TcpStream) -> std::io::Result<Answer> {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let (status, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok(Answer {
            status: status.ok_or(std::io::ErrorKind::InvalidData)?,
            headers: headers.to_lowercase(),
            body: body.to_owned(),
        })
    }

    /// The value of a header, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}
