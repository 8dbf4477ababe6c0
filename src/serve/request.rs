//! Requests as Go's `net/http` reads them, and answers.

use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::model::bytes::{shown, text_of};
use crate::model::number::quote;
use crate::report::api::{Answer, ErrorType};

/// One request, its body read.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The method as it was sent.
    pub method: String,
    /// The path, decoded.
    pub path: String,
    /// The parameters of the address.
    pub query: Form,
    /// The parameters of the body.
    pub body: Form,
}

/// Names and values, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Form {
    pairs: Vec<(String, String)>,
    /// What is wrong with the first pair that can't be read; such pairs are left out.
    fault: Option<String>,
}

/// A text for people.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    /// The methods that the route takes, where it was asked with another.
    pub allow: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub error_type: ErrorType,
    pub message: String,
}

impl Request {
    /// The method, the path as it was sent, what followed the question mark, and the body of a form.
    pub fn new(method: &str, path: &str, query: &str, body: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: text_of(percent_decode_str(path).collect()),
            query: Form::read(query),
            body: Form::read(body),
        }
    }

    /// The first value of a parameter, of the body before the address; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        let found = self.body.first(name).or_else(|| self.query.first(name));
        found.unwrap_or_default()
    }

    /// All values of a parameter.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        self.body.values(name).chain(self.query.values(name))
    }

    /// What is wrong with a parameter that can't be read.
    pub fn fault(&self) -> Option<&str> {
        let fault = self.body.fault.as_ref().or(self.query.fault.as_ref());
        fault.map(String::as_str)
    }
}

impl Form {
    /// Reads `a=1&b=2`.
    fn read(text: &str) -> Form {
        let mut form = Form::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            match read_pair(pair) {
                Ok(pair) => form.pairs.push(pair),
                Err(fault) => {
                    form.fault.get_or_insert(fault);
                }
            }
        }
        form
    }

    /// The values of a parameter.
    pub fn values<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let named = self.pairs.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter; empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default()
    }

    fn first(&self, name: &str) -> Option<&str> {
        let named = self.pairs.iter().find(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }
}

fn read_pair(pair: &str) -> Result<(String, String), String> {
    if pair.contains(';') {
        return Err("invalid semicolon separator in query".to_owned());
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok((unescape(name)?, unescape(value)?))
}

fn unescape(text: &str) -> Result<String, String> {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..).unwrap_or_default();
        if !is_hex(digits.first()) || !is_hex(digits.get(1)) {
            let escape: String = text.get(at..).unwrap_or_default().chars().take(3).collect();
            return Err(format!("invalid URL escape {}", quote(&escape)));
        }
    }
    let spaced = text.replace('+', " ");
    Ok(text_of(percent_decode_str(&spaced).collect()))
}

impl Response {
    /// A text for people.
    pub fn text(status: u16, body: impl Into<String>) -> Response {
        Response {
            status,
            content_type: TEXT,
            body: body.into().into_bytes(),
            allow: None,
        }
    }

    /// JSON that is written already.
    pub fn json(status: u16, body: Vec<u8>) -> Response {
        Response {
            status,
            content_type: "application/json",
            body,
            allow: None,
        }
    }

    /// An answer with its data.
    pub fn success<T: Serialize>(data: T) -> Response {
        Response::answer(&Answer::success(data))
    }

    /// An answer.
    pub fn answer<T: Serialize>(answer: &Answer<T>) -> Response {
        Response::json(200, answer.json())
    }

    /// Nothing at all.
    pub fn nothing() -> Response {
        Response {
            status: 204,
            content_type: "",
            body: Vec::new(),
            allow: None,
        }
    }
}

impl Refusal {
    /// The request makes no sense.
    pub fn bad_data(message: impl Into<String>) -> Refusal {
        Refusal::new(ErrorType::BadData, message)
    }

    /// A parameter makes no sense.
    pub fn parameter(name: &str, fault: impl std::fmt::Display) -> Refusal {
        Refusal::bad_data(format!("invalid parameter {}: {fault}", quote(name)))
    }

    /// Any refusal.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> Refusal {
        Refusal {
            error_type,
            message: message.into(),
        }
    }

    /// The answer that says so.
    pub fn response(self) -> Response {
        let status = match self.error_type {
            ErrorType::BadData => 400,
            ErrorType::NotFound => 404,
            ErrorType::Execution => 422,
            // What nginx calls it when the client has gone.
            ErrorType::Canceled => 499,
            ErrorType::Internal => 500,
            ErrorType::Timeout | ErrorType::Unavailable => 503,
        };
        let message = shown(&self.message).into_owned();
        Response::json(status, Answer::failure(self.error_type, message).json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_as_go_reads_them() {
        let request = Request::new(
            "POST",
            "/a%20b",
            "query=1&match[]=a+b&match%5B%5D=%c3%a9&x;y=1&bad=%zz&alone",
            "query=2&other=%2B%ff",
        );
        assert_eq!(request.path, "/a b");
        assert_eq!(request.value("query"), "2");
        assert_eq!(request.query.value("query"), "1");
        assert_eq!(request.values("match[]").collect::<Vec<_>>(), ["a b", "é"]);
        assert_eq!(shown(request.value("other")), "+\u{fffd}");
        assert_eq!(request.value("bad"), "");
        assert_eq!(
            request.fault(),
            Some("invalid semicolon separator in query")
        );
        let escape = Request::new("GET", "/", "a=%4", "");
        assert_eq!(escape.fault(), Some("invalid URL escape \"%4\""));
    }
}
