//! Character classes: `[a-z]`, `\d`, `[[:alpha:]]`, `\p{Greek}`.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::super::unicode;

/// A class under construction: ranges in any order.
#[derive(Debug, Clone, Default)]
pub(super) struct Class {
    ranges: Vec<ClassUnicodeRange>,
}

impl Class {
    /// Adds the characters from `low` to `high`; surrogates among them are left out, as no text
    /// holds any.
    pub(super) fn add_range(&mut self, low: u32, high: u32) {
        let low = char::from_u32(low).unwrap_or('\u{e000}');
        let high = char::from_u32(high).unwrap_or('\u{d7ff}');
        if low <= high {
            self.ranges.push(ClassUnicodeRange::new(low, high));
        }
    }

    /// Adds the characters of a class, or those outside it.
    pub(super) fn add(&mut self, mut class: ClassUnicode, negated: bool, fold: bool) {
        if fold {
            class.case_fold_simple();
        }
        if negated {
            class.negate();
        }
        self.ranges.extend_from_slice(class.ranges());
    }

    /// How many ranges were added.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The class, with all cases of its characters where `fold`, turned round where `negated`.
    pub(super) fn finish(self, negated: bool, fold: bool) -> ClassUnicode {
        let mut class = ClassUnicode::new(self.ranges);
        if fold {
            class.case_fold_simple();
        }
        if negated {
            class.negate();
        }
        class
    }
}

/// The class behind the letter of `\d`, `\s` or `\w`, which know only ASCII.
pub(super) fn perl(letter: char) -> Option<ClassUnicode> {
    Some(ascii(match letter {
        'd' => "09",
        's' => "\t\n\x0c\r  ",
        'w' => "09AZ__az",
        _ => return None,
    }))
}

/// The class of `[:name:]`, ASCII as well.
pub(super) fn posix(name: &str) -> Option<ClassUnicode> {
    Some(ascii(match name {
        "alnum" => "09AZaz",
        "alpha" => "AZaz",
        "ascii" => "\0\x7f",
        "blank" => "\t\t  ",
        "cntrl" => "\0\x1f\x7f\x7f",
        "digit" => "09",
        "graph" => "!~",
        "lower" => "az",
        "print" => " ~",
        "punct" => "!/:@[`{~",
        "space" => "\t\r  ",
        "upper" => "AZ",
        "word" => "09AZ__az",
        "xdigit" => "09AFaf",
        _ => return None,
    }))
}

/// The class of `\p{name}`.
pub(super) fn unicode(name: &str) -> Option<ClassUnicode> {
    match name {
        "Any" => Some(ClassUnicode::new([ClassUnicodeRange::new('\0', char::MAX)])),
        _ => unicode::table(name),
    }
}

/// A class from pairs of first and last characters.
fn ascii(pairs: &str) -> ClassUnicode {
    let mut chars = pairs.chars();
    let mut ranges = Vec::new();
    while let (Some(low), Some(high)) = (chars.next(), chars.next()) {
        ranges.push(ClassUnicodeRange::new(low, high));
    }
    ClassUnicode::new(ranges)
}
