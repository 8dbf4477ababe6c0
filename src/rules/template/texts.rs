//! The functions of templates that change texts.

use super::builtins;
use super::fmt;
use super::functions::{World, lossy, string, text};
use super::runes;
use super::value::Value;
use crate::model::Regex;

pub(super) fn is_match(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let (pattern, text) = (lossy(&values, 0), lossy(&values, 1));
    world.work(MATCH_COST * (100 + pattern.len() + text.len()))?;
    let regex = compile(&values, &pattern)?;
    Ok(Value::Bool(regex.is_match(&text)))
}

pub(super) fn replace_all(world: &World<'_>, values: Vec<Value>) -> Result<Value, String> {
    let (pattern, replacement, text) = (lossy(&values, 0), lossy(&values, 1), lossy(&values, 2));
    // Matches don't overlap, so each reference adds at most the text once.
    let references = replacement.matches('$').count();
    let most = (text.len() + 1)
        .saturating_mul(replacement.len())
        .saturating_add(text.len().saturating_mul(references + 1));
    if most > fmt::MAX_TEXT * 16 {
        return Err(format!("a text that may get longer than {most} bytes"));
    }
    world.work(MATCH_COST * (100 + pattern.len() + text.len()))?;
    let regex = compile(&values, &pattern).map_err(|error| {
        let quoted = match runes::can_backquote(pattern.as_bytes()) {
            true => format!("`{pattern}`"),
            false => runes::quote(pattern.as_bytes()),
        };
        format!("regexp: Compile({quoted}): {error}")
    })?;
    string(regex.replace_all(&text, &replacement))
}

/// The work of matching a byte.
const MATCH_COST: usize = 16;

/// The first argument as a regular expression; `pattern` is its text.
fn compile(values: &[Value], pattern: &str) -> Result<Regex, String> {
    match std::str::from_utf8(&text(values, 0)) {
        Ok(_) => Regex::unanchored(pattern).map_err(|error| error.to_string()),
        Err(_) => Err(format!("error parsing regexp: invalid UTF-8: `{pattern}`")),
    }
}

pub(super) fn link(expression: &[u8], tab: u8) -> String {
    let expression = builtins::query_escape(expression);
    format!("/graph?g0.expr={expression}&g0.tab={tab}")
}

pub(super) fn strip_port(text: &[u8]) -> Vec<u8> {
    match split_host_port(text) {
        Some((host, _)) => host.to_vec(),
        None => text.to_vec(),
    }
}

pub(super) fn strip_domain(text: &[u8]) -> Vec<u8> {
    let (host, port) = split_host_port(text).unwrap_or((text, b""));
    if is_address(host) {
        return text.to_vec();
    }
    let host = host.split(|byte| *byte == b'.').next().unwrap_or(host);
    if port.is_empty() {
        return host.to_vec();
    }
    // A colon in the host wants brackets.
    match host.contains(&b':') {
        true => [b"[", host, b"]:", port].concat(),
        false => [host, b":", port].concat(),
    }
}

/// `net.SplitHostPort`.
fn split_host_port(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = text.iter().rposition(|byte| *byte == b':')?;
    let (before, port) = (text.get(..colon)?, text.get(colon + 1..)?);
    let host = match before.strip_prefix(b"[") {
        // The closing bracket must be the last before the colon, and the only one.
        Some(inside) => inside.strip_suffix(b"]")?,
        None if before.contains(&b':') => return None,
        None => before,
    };
    let stray = |part: &[u8]| part.contains(&b'[') || part.contains(&b']');
    (!stray(host) && !stray(port)).then_some((host, port))
}

/// `net.ParseIP`.
fn is_address(host: &[u8]) -> bool {
    std::str::from_utf8(host).is_ok_and(|host| host.parse::<std::net::IpAddr>().is_ok())
}
