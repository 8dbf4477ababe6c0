//! Takes texts, numbers and lists out of nodes, and collects every fault on the way.

use std::fmt;

use super::parameters::{Parameters, Replaced};
use super::parse::{HELM_HELP, is_helm_template};
use super::resolve::resolve_plain;
use super::{Embedded, Kind, Node, Resolved, Scalar, Style};
use crate::text::{Diagnostic, Source, Span};

/// Which of Go's YAML libraries Prometheus uses for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `yaml/v2` with `UnmarshalStrict`: test files.
    V2,
    /// `yaml/v3` with `KnownFields`: rule files.
    V3,
}

/// Takes values out of nodes; faults are kept in [`Decoder::faults`] and the work goes on.
#[derive(Debug)]
pub struct Decoder<'d> {
    source: &'d Source,
    dialect: Dialect,
    /// What `${name}` stands for in every text that is taken; nothing is replaced without.
    pub parameters: Option<Parameters>,
    /// What was wrong so far.
    pub faults: Vec<Diagnostic>,
}

impl<'d> Decoder<'d> {
    /// A decoder with no faults.
    pub fn new(source: &'d Source, dialect: Dialect) -> Decoder<'d> {
        Decoder {
            source,
            dialect,
            parameters: None,
            faults: Vec::new(),
        }
    }

    /// Which library it follows.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The file it reads.
    pub fn source(&self) -> &'d Source {
        self.source
    }

    /// Notes a fault at a place of the file.
    pub fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(message).at(self.source, span).help(help);
        self.faults.push(diagnostic);
    }

    /// What a text field receives: the letters as they were written whatever they mean, nothing for
    /// null. `None`, with a fault, for a list or a mapping.
    pub fn text(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<String> {
        let written = self.written(node, what)?;
        match self.replaced(node).ok()? {
            Some(replaced) => Some(replaced.text),
            None => Some(written),
        }
    }

    /// The same with the places of its bytes.
    pub fn embedded(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<Embedded> {
        let embedded = Embedded::new(node, self.written(node, what)?);
        match self.replaced(node).ok()? {
            Some(replaced) => Some(embedded.replaced(replaced)),
            None => Some(embedded),
        }
    }

    /// Whether a node is a word. What else it may be is no fault yet.
    pub fn is_word(&mut self, node: Node<'d>, word: &str) -> bool {
        let Kind::Scalar(scalar) = node.kind() else {
            return false;
        };
        match self.replaced(node) {
            Ok(Some(replaced)) => replaced.text == word,
            _ => scalar.text == word,
        }
    }

    /// The text of a scalar with no name replaced.
    fn written(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<String> {
        let Kind::Scalar(scalar) = node.kind() else {
            self.wrong_kind(node, what, "a text");
            return None;
        };
        match (scalar.checked_null(), scalar.tag.as_deref()) {
            (Err(message), _) => {
                self.error(node.span(), message, "remove the tag or correct the value");
                None
            }
            (Ok(_), Some("!!binary")) => match base64(&scalar.text) {
                Some(text) => Some(text),
                None => {
                    let message = "!!binary value contains invalid base64 data";
                    self.error(node.span(), message, "remove the tag or correct the value");
                    None
                }
            },
            (Ok(true), _) => Some(String::new()),
            (Ok(false), _) => Some(scalar.text.to_string()),
        }
    }

    /// The text of a scalar with its names replaced, where it holds some. An error, which is noted, is a name that
    /// stands for nothing.
    fn replaced(&mut self, node: Node<'d>) -> Result<Option<Replaced>, ()> {
        let (Some(parameters), Kind::Scalar(scalar)) = (&mut self.parameters, node.kind()) else {
            return Ok(None);
        };
        if scalar.tag.as_deref() == Some("!!binary") {
            return Ok(None);
        }
        let Some(replaced) = parameters.replace(&scalar.text) else {
            return Ok(None);
        };
        if replaced.unknown.is_empty() {
            return Ok(Some(replaced));
        }
        let embedded = Embedded::new(node, scalar.text.clone().into_owned());
        for unknown in &replaced.unknown {
            let message = format!("`${{{}}}` stands for nothing in this test", unknown.name);
            let fault = Diagnostic::error(message).at(self.source, embedded.span(unknown.span));
            let fault = fault.help(parameters.way_out(&unknown.name));
            parameters.unknown.push(fault);
        }
        Err(())
    }

    /// What a scalar means. With a name replaced that is what its text would mean without quotes: inside of braces
    /// `${name}` can't be written without. An error was noted.
    fn resolved(&mut self, node: Node<'d>) -> Result<Option<Resolved>, ()> {
        let Kind::Scalar(scalar) = node.kind() else {
            return Ok(None);
        };
        Ok(match self.replaced(node)? {
            Some(replaced) => Some(resolve_plain(&replaced.text)),
            None => scalar.resolve().ok(),
        })
    }

    /// The elements of a list; none for nothing. YAML v3 passes over elements that are nothing.
    pub fn list(&mut self, node: Node<'d>, what: impl fmt::Display) -> Vec<Node<'d>> {
        match node.kind() {
            _ if node.is_null() => Vec::new(),
            Kind::Sequence(children) => children
                .iter()
                .filter(|child| self.dialect == Dialect::V2 || !child.is_null())
                .collect(),
            _ => {
                self.wrong_kind(node, what, "a list");
                Vec::new()
            }
        }
    }

    /// A whole number; 0 for nothing. Like Go it cuts the fraction off a number that has one.
    pub fn integer(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<i64> {
        match self.resolved(node).ok()? {
            Some(Resolved::Null) => Some(0),
            Some(Resolved::Int(value)) => Some(value),
            Some(Resolved::Float(value)) if value.abs() < 9.2e18 => Some(value as i64),
            _ => {
                self.wrong_kind(node, what, "a whole number");
                None
            }
        }
    }

    /// A number; 0 for nothing.
    pub fn float(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<f64> {
        match self.resolved(node).ok()? {
            Some(Resolved::Null) => Some(0.0),
            Some(Resolved::Int(value)) => Some(value as f64),
            Some(Resolved::Uint(value)) => Some(value as f64),
            Some(Resolved::Float(value)) => Some(value),
            _ => {
                self.wrong_kind(node, what, "a number");
                None
            }
        }
    }

    /// `true` or `false`; `false` for nothing.
    pub fn boolean(&mut self, node: Node<'d>, what: impl fmt::Display) -> Option<bool> {
        match self.resolved(node).ok()? {
            Some(Resolved::Null) => Some(false),
            Some(Resolved::Bool(value)) => Some(value),
            _ => {
                self.wrong_kind(node, what, "`true` or `false`");
                None
            }
        }
    }

    /// Notes that a node is not what its place asks for.
    pub(super) fn wrong_kind(&mut self, node: Node<'d>, what: impl fmt::Display, wanted: &str) {
        let message = match self.replaced(node) {
            Ok(Some(replaced)) => format!("{what} must be {wanted}, this is {:?}", replaced.text),
            _ => format!("{what} must be {wanted}, this is {}", node.describe()),
        };
        let help = self.way_out(node, wanted);
        self.error(node.target().span(), message, help);
    }

    fn way_out(&self, node: Node<'d>, wanted: &str) -> String {
        let written = self.source.slice(node.target().span());
        match node.kind() {
            Kind::Mapping(_) if written.starts_with("{{") => {
                match is_helm_template(self.source.text()) {
                    true => HELM_HELP.to_owned(),
                    false => "put quotes around a text that begins with `{{`".to_owned(),
                }
            }
            Kind::Scalar(Scalar { text, .. }) if wanted == "a number" && is_special_float(text) => {
                "YAML writes these `.nan`, `.inf` and `-.inf`".to_owned()
            }
            Kind::Scalar(Scalar { style, text, .. })
                if *style != Style::Plain && text.parse::<f64>().is_ok() =>
            {
                "remove the quotes".to_owned()
            }
            _ if wanted == "a list" => "begin every element with `- `".to_owned(),
            Kind::Mapping(_) if wanted == "a text" => {
                "put quotes around a text that holds `: ` or begins with `{`".to_owned()
            }
            _ => format!("write {wanted} here"),
        }
    }
}

fn is_special_float(text: &str) -> bool {
    let word = text.trim_start_matches(['+', '-', '.']);
    ["nan", "inf", "infinity"]
        .iter()
        .any(|special| word.eq_ignore_ascii_case(special))
}

/// Decodes standard base64, line breaks allowed; bytes that are no UTF-8 are replaced.
fn base64(text: &str) -> Option<String> {
    let clean: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    if !clean.len().is_multiple_of(4) {
        return None;
    }
    let payload = clean
        .iter()
        .rposition(|&byte| byte != b'=')
        .map_or(0, |last| last + 1);
    if clean.len() - payload > 2 {
        return None;
    }
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for &byte in clean.get(..payload)? {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
