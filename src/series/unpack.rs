//! From the bytes of a file to its text: unpacks gzip and names what is no text.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

use crate::text::{Diagnostic, Source};

/// No text longer than this is unpacked.
const MAX_TEXT_BYTES: u64 = 1 << 30;

const GZIP: &[u8] = &[0x1f, 0x8b];

/// How files begin that are no text, what they are, and what to do with them.
const STRANGERS: [(&[u8], &str, &str); 8] = [
    (GZIP, "it was packed with gzip twice", "unpack it once"),
    (b"PK\x03\x04", "it is a zip archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "it was packed with zstd", UNPACK),
    (b"BZh", "it was packed with bzip2", UNPACK),
    (b"\xfd7zXZ", "it was packed with xz", UNPACK),
    (b"\xff\xfe", "it is UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16", "save it as UTF-8"),
    (b"PAR1", "it is a Parquet file", "export it as CSV"),
];

const UNPACK: &str = "unpack it: only gzip is unpacked on the way";

/// Makes the bytes of a file the text in it, unpacked where gzip packed them (in one member or several).
///
/// # Errors
///
/// Broken or truncated gzip, a text of more than 1 GiB, other packings, what is not UTF-8.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Source, Diagnostic> {
    let mut bytes = match bytes.starts_with(GZIP) {
        true => unpack(name, &bytes, MAX_TEXT_BYTES)?,
        false => bytes,
    };
    if let Some((_, what, help)) = STRANGERS
        .iter()
        .find(|(start, _, _)| bytes.starts_with(start))
    {
        return Err(refuse(name, what, help));
    }
    // A byte order mark says nothing in UTF-8.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Source::decode(name, bytes)
}

fn unpack(name: &str, packed: &[u8], limit: u64) -> Result<Vec<u8>, Diagnostic> {
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(packed)
        .take(limit + 1)
        .read_to_end(&mut text);
    match read {
        Ok(length) if length as u64 > limit => {
            let what = format!("unpacked it is larger than {} MiB", limit >> 20);
            Err(refuse(name, &what, "split it"))
        }
        Ok(_) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let help = "it was cut off: copy or fetch it again";
            Err(refuse(name, "its gzip data ends too early", help))
        }
        Err(error) => {
            let what = format!("its gzip data is broken: {error}");
            Err(refuse(name, &what, "copy or pack it again"))
        }
    }
}

fn refuse(name: &str, what: &str, help: &str) -> Diagnostic {
    Diagnostic::error(format!("can't read {name}: {what}")).help(help)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let written = encoder.write_all(text);
        assert!(written.is_ok(), "memory takes everything");
        encoder.finish().unwrap_or_default()
    }

    #[test]
    fn a_text_as_long_as_the_limit_is_unpacked_and_a_longer_one_is_not() {
        let limit = 3 << 20;
        let text = vec![b'x'; limit as usize + 1];
        let fits = unpack("f", &packed(&text[1..]), limit);
        assert_eq!(fits.map(|text| text.len()).ok(), Some(limit as usize));
        let refused = unpack("f", &packed(&text), limit).map_err(|fault| fault.message);
        let words = "can't read f: unpacked it is larger than 3 MiB".to_owned();
        assert_eq!(refused, Err(words));
    }

    #[test]
    fn members_are_one_text() {
        let both = [packed(b"a"), packed(b"b")].concat();
        assert_eq!(
            decode("f", both).map(|it| it.text().to_owned()).ok(),
            Some("ab".to_owned())
        );
    }

    #[test]
    fn every_way_to_cut_or_break_a_packed_text_is_refused() {
        let good = packed(b"m 1 1000\nm 2 2000\n");
        for length in 2..good.len() {
            let fault = decode("f", good[..length].to_vec()).map_err(|fault| fault.message);
            let words = "can't read f: its gzip data ends too early".to_owned();
            assert_eq!(fault.err(), Some(words), "{length}");
        }
        let mut flipped = good.clone();
        let last = flipped.len() - 5;
        flipped[last] ^= 1;
        assert!(decode("f", flipped).is_err());
        assert!(decode("f", [good.as_slice(), b"rest"].concat()).is_err());
        assert!(decode("f", packed(&good)).is_err());
    }
}
