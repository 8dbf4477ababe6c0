//! The escapes in Go's quoted strings and characters, which the query language, the series notation and the templates
//! share: `\n`, `\x41`, `\101`, `\u00e9`, `\U0001F600`.

/// What an escape stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A byte, which need not be UTF-8 by itself.
    Byte(u8),
    /// A character.
    Char(char),
}

/// What is wrong with an escape; lengths are in bytes from its backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapeFault {
    /// The text ends before it does.
    Unterminated,
    /// Nothing is written with this letter.
    Unknown(char),
    /// This is no digit, and stands after so many bytes.
    NoDigit(char, usize),
    /// No character or byte has this code, which is so many bytes long.
    NoCodePoint(usize),
}

impl Unit {
    /// Appends its bytes.
    pub fn push_to(self, out: &mut Vec<u8>) {
        match self {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Reads the escape that a text begins with, between quotes of this kind, and says how many bytes it took.
///
/// # Errors
///
/// It is none of Go's.
pub fn read(text: &str, mark: char) -> Result<(Unit, usize), EscapeFault> {
    let letter = text.chars().nth(1).ok_or(EscapeFault::Unterminated)?;
    let simple = match letter {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        '0'..='7' => return code(text, 1, 3, 8),
        'x' => return code(text, 2, 2, 16),
        'u' => return code(text, 2, 4, 16),
        'U' => return code(text, 2, 8, 16),
        _ if letter == mark => mark,
        _ => return Err(EscapeFault::Unknown(letter)),
    };
    Ok((Unit::Char(simple), 2))
}

/// A code of so many digits after so many bytes: four or eight are a character, fewer are a byte.
fn code(text: &str, skip: usize, digits: usize, base: u32) -> Result<(Unit, usize), EscapeFault> {
    let mut code: u32 = 0;
    let mut rest = text.chars().skip(skip);
    for index in 0..digits {
        let c = rest.next().ok_or(EscapeFault::Unterminated)?;
        let digit = c.to_digit(base);
        let digit = digit.ok_or(EscapeFault::NoDigit(c, skip + index))?;
        // Eight hexadecimal digits just fit.
        code = code.wrapping_mul(base).wrapping_add(digit);
    }
    let length = skip + digits;
    let unit = match digits {
        4 | 8 => char::from_u32(code).map(Unit::Char),
        _ => u8::try_from(code).ok().map(Unit::Byte),
    };
    Ok((unit.ok_or(EscapeFault::NoCodePoint(length))?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, expected) in [
            (r"\nx", Ok((Unit::Char('\n'), 2))),
            (r#"\""#, Ok((Unit::Char('"'), 2))),
            (r"\x41f", Ok((Unit::Byte(0x41), 4))),
            (r"\377", Ok((Unit::Byte(0xff), 4))),
            (r"\400", Err(EscapeFault::NoCodePoint(4))),
            (r"\u00e9", Ok((Unit::Char('é'), 6))),
            (r"\U0001F600", Ok((Unit::Char('😀'), 10))),
            (r"\ud800", Err(EscapeFault::NoCodePoint(6))),
            (r"\U80000041", Err(EscapeFault::NoCodePoint(10))),
            (r"\'", Err(EscapeFault::Unknown('\''))),
            (r"\x4ä", Err(EscapeFault::NoDigit('ä', 3))),
            (r"\189", Err(EscapeFault::NoDigit('8', 2))),
            (r"\x4", Err(EscapeFault::Unterminated)),
            (r"\", Err(EscapeFault::Unterminated)),
        ] {
            assert_eq!(read(text, '"'), expected, "{text}");
        }
    }
}
