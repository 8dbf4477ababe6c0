//! Texts that are not UTF-8.
//!
//! Go's strings are bytes, so an escape such as `"\xff"` in a query makes a text that no Rust string can hold. Such a byte
//! is kept as a private character of its own, near the end of the code space where no text has any: it equals only itself, a
//! dot of a regular expression matches it as one character, and whatever leaves the program shows it as Go would.

use std::borrow::Cow;

/// Stands for byte 0; only bytes from 0x80 on can be out of place.
const BYTE_ZERO: u32 = 0x10_fe00;

/// The text of some bytes.
pub fn text_of(bytes: Vec<u8>) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        let kept = chunk.invalid().iter();
        out.extend(kept.filter_map(|&byte| char::from_u32(BYTE_ZERO + u32::from(byte))));
    }
    out
}

/// The byte that a character stands for, if it stands for one.
pub fn byte_of(c: char) -> Option<u8> {
    let byte = u8::try_from(u32::from(c).checked_sub(BYTE_ZERO)?).ok()?;
    (byte >= 0x80).then_some(byte)
}

/// Whether a text is UTF-8, as the names of labels must be.
pub fn is_utf8(text: &str) -> bool {
    // The first byte of every character that stands for a byte.
    !text.as_bytes().contains(&0xf4) || !text.chars().any(|c| byte_of(c).is_some())
}

/// A text as it is written where only UTF-8 can be: each byte that is out of place is a replacement character.
pub fn shown(text: &str) -> Cow<'_, str> {
    match is_utf8(text) {
        true => Cow::Borrowed(text),
        false => {
            let characters = text.chars();
            let shown = characters.map(|c| byte_of(c).map_or(c, |_| char::REPLACEMENT_CHARACTER));
            Cow::Owned(shown.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_out_of_place_are_kept_and_shown() {
        let text = text_of(b"a\xc5z\xff\xc3\xa9".to_vec());
        let bytes: Vec<Option<u8>> = text.chars().map(byte_of).collect();
        assert_eq!(bytes, [None, Some(0xc5), None, Some(0xff), None]);
        assert_eq!(shown(&text), "a\u{fffd}z\u{fffd}é");
        assert!(!is_utf8(&text) && is_utf8("é\u{fffd}"));
        assert_ne!(text, text_of(b"a\xc6z\xff\xc3\xa9".to_vec()));
    }
}
