//! What a parser of this room fails with: words, and the text that was left.

use std::borrow::Cow;

use nom::error::{ErrorKind, ParseError};

/// Why a text can't be read, and from where on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault<'a> {
    /// The text from the fault on.
    pub(super) rest: &'a str,
    /// What is wrong, as a fragment without a final dot.
    pub(super) message: Cow<'static, str>,
    /// What to do about it.
    pub(super) help: Cow<'static, str>,
}

/// What a parser of this room returns.
pub(super) type Parsed<'a, T> = nom::IResult<&'a str, T, Fault<'a>>;

/// Ends the parse at `rest`.
pub(super) fn fail<'a, T>(
    rest: &'a str,
    message: impl Into<Cow<'static, str>>,
    help: impl Into<Cow<'static, str>>,
) -> Parsed<'a, T> {
    Err(nom::Err::Failure(Fault {
        rest,
        message: message.into(),
        help: help.into(),
    }))
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(rest: &'a str, _: ErrorKind) -> Fault<'a> {
        Fault {
            rest,
            message: Cow::Borrowed("unexpected text"),
            help: Cow::Borrowed(""),
        }
    }

    fn append(_: &'a str, _: ErrorKind, other: Fault<'a>) -> Fault<'a> {
        other
    }
}

impl<'a> Fault<'a> {
    /// The fault of a failed parse.
    pub(super) fn of(error: nom::Err<Fault<'a>>) -> Fault<'a> {
        match error {
            nom::Err::Error(fault) | nom::Err::Failure(fault) => fault,
            nom::Err::Incomplete(_) => Fault {
                rest: "",
                message: Cow::Borrowed("unexpected end of input"),
                help: Cow::Borrowed(""),
            },
        }
    }

    /// How far into `text` the fault lies, in bytes.
    pub(super) fn offset(&self, text: &str) -> usize {
        text.len().saturating_sub(self.rest.len())
    }
}
