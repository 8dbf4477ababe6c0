//! Properties of characters as Go's `unicode` package knows them.
//!
//! The tables are those of Unicode 16; Go and so Prometheus may be a version behind or ahead, which
//! shows only on characters that one of them does not know yet.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

/// The characters of a general category (`Lu`, `N`) or of a script (`Greek`), under exactly the name
/// that Go gives it: no aliases, no other case.
pub(super) fn table(name: &str) -> Option<ClassUnicode> {
    if CATEGORIES.contains(&name) {
        return Some(lookup(&format!(r"\p{{gc={name}}}")));
    }
    let script = SCRIPTS.split_ascii_whitespace().any(|known| known == name);
    script.then(|| lookup(&format!(r"\p{{sc={name}}}")))
}

/// A letter (category `L`).
pub(super) fn is_letter(c: char) -> bool {
    static LETTERS: OnceLock<ClassUnicode> = OnceLock::new();
    match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => contains(LETTERS.get_or_init(|| lookup(r"\p{gc=L}")), c),
    }
}

/// A decimal digit (category `Nd`).
pub(super) fn is_digit(c: char) -> bool {
    static DIGITS: OnceLock<ClassUnicode> = OnceLock::new();
    match c.is_ascii() {
        true => c.is_ascii_digit(),
        false => contains(DIGITS.get_or_init(|| lookup(r"\p{gc=Nd}")), c),
    }
}

/// A character that Go's `strconv.Quote` leaves as it is: letters, marks, numbers, punctuation,
/// symbols, and of all spaces only the ASCII one.
pub(super) fn is_print(c: char) -> bool {
    static PRINTABLE: OnceLock<ClassUnicode> = OnceLock::new();
    match c.is_ascii() {
        true => matches!(c, ' '..='~'),
        false => contains(PRINTABLE.get_or_init(|| lookup(r"[\pL\pM\pN\pP\pS]")), c),
    }
}

/// The class that a pattern of the `regex-syntax` crate stands for; empty where that knows none, as
/// for surrogates (`Cs`), which no Rust string holds.
fn lookup(pattern: &str) -> ClassUnicode {
    match regex_syntax::parse(pattern).map(Hir::into_kind) {
        Ok(HirKind::Class(Class::Unicode(class))) => class,
        // A class of one character, such as `Zl`, becomes a literal.
        Ok(HirKind::Literal(literal)) => {
            let text = String::from_utf8_lossy(&literal.0);
            ClassUnicode::new(text.chars().map(|c| ClassUnicodeRange::new(c, c)))
        }
        _ => ClassUnicode::empty(),
    }
}

/// Whether a class, whose ranges are sorted, holds a character.
fn contains(class: &ClassUnicode, c: char) -> bool {
    let ranges = class.ranges();
    let after = ranges.partition_point(|range| range.end() < c);
    ranges.get(after).is_some_and(|range| range.start() <= c)
}

/// The general categories and groups of them.
const CATEGORIES: [&str; 38] = [
    "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me",
    "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk",
    "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// The scripts of Unicode 16.
const SCRIPTS: &str = "
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak
    Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian
    Caucasian_Albanian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot
    Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra Duployan Egyptian_Hieroglyphs
    Elbasan Elymaic Ethiopic Garay Georgian Glagolitic Gothic Grantha Greek Gujarati
    Gunjala_Gondi Gurmukhi Gurung_Khema Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana
    Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi
    Kannada Katakana Kawi Kayah_Li Kharoshthi Khitan_Small_Script Khmer Khojki Khudawadi
    Kirat_Rai Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian Mahajani Makasar
    Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean
    Nag_Mundari Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki
    Ol_Onal Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian Old_Sogdian
    Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage Osmanya Pahawh_Hmong Palmyrene
    Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan Saurashtra Sharada
    Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Sunuwar
    Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut
    Telugu Thaana Thai Tibetan Tifinagh Tirhuta Todhri Toto Tulu_Tigalari Ugaritic Vai Vithkuqi
    Wancho Warang_Citi Yezidi Yi Zanabazar_Square
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_name_has_a_table() {
        for name in SCRIPTS.split_ascii_whitespace().chain(CATEGORIES) {
            let class = table(name).unwrap_or_else(ClassUnicode::empty);
            assert_eq!(class.ranges().is_empty(), name == "Cs", "{name}");
        }
        for name in ["", "Letter", "greek", "Grek", "lu", "sc=Greek", "}"] {
            assert!(table(name).is_none(), "{name}");
        }
    }

    #[test]
    fn kinds_of_characters() {
        assert!(is_letter('é') && !is_letter('Ⅷ') && !is_letter('1'));
        assert!(is_digit('٣') && !is_digit('²') && !is_digit('a'));
        assert!(is_print('é') && is_print(' ') && is_print('\u{fffd}'));
        assert!(!is_print('\u{a0}') && !is_print('\u{ad}') && !is_print('\u{feff}'));
    }
}
