//! Characters and strings as Go sees them: texts are bytes, of which some may be no UTF-8.

use std::fmt::Write;
use std::sync::OnceLock;

use pest::unicode;
use regex_syntax::hir::{Class, ClassUnicode, HirKind};

/// What Go decodes bytes that are no UTF-8 to.
pub(super) const REPLACEMENT: char = '\u{fffd}';

/// Splits the first character off: the character, whether it was proper UTF-8, and its length in
/// bytes. Bytes that are no UTF-8 count one by one.
pub(super) fn decode(bytes: &[u8]) -> Option<(char, bool, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), true, 1));
    }
    let longest = bytes.get(..4).unwrap_or(bytes);
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) => longest
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or(""),
    };
    match valid.chars().next() {
        Some(c) => Some((c, true, c.len_utf8())),
        None => Some((REPLACEMENT, false, 1)),
    }
}

/// The characters of a text, each with whether it was proper UTF-8 and its bytes.
pub(super) fn decode_all(bytes: &[u8]) -> impl Iterator<Item = (char, bool, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (c, proper, length) = decode(rest)?;
        let (head, tail) = rest.split_at_checked(length)?;
        rest = tail;
        Some((c, proper, head))
    })
}

/// How many characters a text has.
pub(super) fn count(bytes: &[u8]) -> usize {
    decode_all(bytes).count()
}

/// Whether Go calls it printable: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(super) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    unicode::LETTER(c)
        || unicode::MARK(c)
        || unicode::NUMBER(c)
        || unicode::PUNCTUATION(c)
        || unicode::SYMBOL(c)
}

/// `%#U`: `U+0041 'A'`, without the character if it can't be printed.
pub(super) fn describe(c: char) -> String {
    match is_print(c) {
        true => format!("U+{:04X} '{c}'", u32::from(c)),
        false => format!("U+{:04X}", u32::from(c)),
    }
}

/// `strconv.Quote`.
pub(super) fn quote(bytes: &[u8]) -> String {
    quote_with(bytes, '"', false)
}

/// `strconv.Quote` and its sisters: between `mark`s, with everything but ASCII escaped if `ascii`.
pub(super) fn quote_with(bytes: &[u8], mark: char, ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(mark);
    for (c, proper, raw) in decode_all(bytes) {
        match proper {
            true => push_escaped(&mut out, c, mark, ascii),
            false => {
                let byte = raw.first().copied().unwrap_or_default();
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(mark);
    out
}

fn push_escaped(out: &mut String, c: char, mark: char, ascii: bool) {
    let code = u32::from(c);
    if c == mark || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    if is_print(c) && (c.is_ascii() || !ascii) {
        out.push(c);
        return;
    }
    // Writing to a string does not fail.
    let _ = match c {
        '\x07' => out.write_str("\\a"),
        '\x08' => out.write_str("\\b"),
        '\x0c' => out.write_str("\\f"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\x0b' => out.write_str("\\v"),
        _ if code < 0x20 || code == 0x7f => write!(out, "\\x{code:02x}"),
        _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Whether it can be quoted with backquotes alone.
pub(super) fn can_backquote(bytes: &[u8]) -> bool {
    decode_all(bytes).all(|(c, proper, _)| {
        let control = u32::from(c) < 0x20 && c != '\t';
        proper && !control && !matches!(c, '\u{feff}' | '`' | '\u{7f}')
    })
}

/// `strings.ToUpper`: one character becomes one character.
pub(super) fn to_upper(bytes: &[u8]) -> Vec<u8> {
    map(bytes, simple_upper)
}

/// `strings.ToLower`: one character becomes one character.
pub(super) fn to_lower(bytes: &[u8]) -> Vec<u8> {
    map(bytes, simple_lower)
}

fn map(bytes: &[u8], change: fn(char) -> char) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (c, _, _) in decode_all(bytes) {
        push_char(&mut out, change(c));
    }
    out
}

fn push_char(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// The simple mapping: where the full one has more than one character, there may be another.
fn simple_upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(u32::from(c) + 8).unwrap_or(c)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
            _ => c,
        },
    }
}

fn simple_lower(c: char) -> char {
    match c {
        'İ' => 'i',
        _ => c.to_lowercase().next().unwrap_or(c),
    }
}

/// `cases.Title(language.AmericanEnglish, cases.NoLower)`: the first cased letter of every word gets
/// its title form, the rest stays.
pub(super) fn title(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut inside_word = false;
    let mut after_middle = false;
    for (c, proper, raw) in decode_all(bytes) {
        let middle = proper && is_middle(c);
        // Two of them in a row end a word.
        if after_middle && middle {
            inside_word = false;
        }
        after_middle = middle;
        if proper && is_cased(c) {
            match inside_word {
                false => push_title(&mut out, c),
                true => out.extend_from_slice(raw),
            }
            inside_word = true;
        } else {
            out.extend_from_slice(raw);
            if !proper || is_break(c) {
                inside_word = false;
            }
        }
    }
    out
}

fn is_cased(c: char) -> bool {
    c.is_lowercase() || c.is_uppercase() || unicode::TITLECASE_LETTER(c)
}

/// Punctuation that may stand inside a word.
fn is_middle(c: char) -> bool {
    word_breaks().is_some_and(|breaks| contains(&breaks.middle, c))
}

fn is_break(c: char) -> bool {
    match word_breaks() {
        Some(breaks) => !contains(&breaks.letters, c) && !contains(&breaks.middle, c),
        None => !c.is_alphanumeric() && c != '_',
    }
}

/// The classes of Unicode's word breaks that matter here.
struct WordBreaks {
    letters: ClassUnicode,
    middle: ClassUnicode,
}

fn word_breaks() -> Option<&'static WordBreaks> {
    static BREAKS: OnceLock<Option<WordBreaks>> = OnceLock::new();
    BREAKS
        .get_or_init(|| {
            Some(WordBreaks {
                letters: class(concat!(
                    r"[\p{wb=ALetter}\p{wb=Hebrew_Letter}\p{wb=Numeric}",
                    r"\p{wb=ExtendNumLet}\p{wb=Extend}\p{wb=Format}\p{wb=ZWJ}]"
                ))?,
                middle: class(r"[\p{wb=MidLetter}\p{wb=MidNumLet}\p{wb=Single_Quote}]")?,
            })
        })
        .as_ref()
}

fn class(pattern: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(pattern).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}

fn contains(class: &ClassUnicode, c: char) -> bool {
    let ranges = class.ranges();
    let after = ranges.partition_point(|range| range.start() <= c);
    after
        .checked_sub(1)
        .and_then(|index| ranges.get(index))
        .is_some_and(|range| c <= range.end())
}

/// The full title mapping.
fn push_title(out: &mut Vec<u8>, c: char) {
    let simple = match c {
        'ǆ' | 'Ǆ' => Some('ǅ'),
        'ǉ' | 'Ǉ' => Some('ǈ'),
        'ǌ' | 'Ǌ' => Some('ǋ'),
        'ǳ' | 'Ǳ' => Some('ǲ'),
        // Georgian has no title forms though it has capital ones.
        '\u{10d0}'..='\u{10ff}' => Some(c),
        _ if unicode::TITLECASE_LETTER(c) => Some(c),
        _ if simple_upper(c) != c => Some(simple_upper(c)),
        _ => None,
    };
    if let Some(simple) = simple {
        return push_char(out, simple);
    }
    // What is left grows: `ß` becomes `Ss`, only the first letter is a capital.
    let rest = c.to_uppercase().skip(1).map(|upper| match upper {
        // An apostrophe is no letter: `ŉ` becomes `ʼN`.
        'N' => 'N',
        // An iota goes below the letter.
        'Ι' => '\u{345}',
        upper => simple_lower(upper),
    });
    c.to_uppercase()
        .take(1)
        .chain(rest)
        .for_each(|c| push_char(out, c));
}
