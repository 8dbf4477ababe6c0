//! Files of series: beside every file in `fixtures/series-files` stands what is read from it.
//!
//! `x.csv` is a file of any format, `x.csv.read` the series and samples, or what is wrong with it as people see it. With
//! `SNAPSHOTS=overwrite` set the answers are written anew. Packed with gzip, whole or in pieces, a file reads the same.

#![expect(
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it is read"
)]

use std::fmt::Write;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use rulecheck::model::number::format_value;
use rulecheck::series::{ReadOptions, read, unpack};
use rulecheck::text::Diagnostic;

#[test]
fn files_read_as_written_beside_them() {
    let mut faults = Vec::new();
    for path in inputs() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).unwrap();
        let got = answer(&name, bytes.clone());
        let beside = path.with_file_name(format!("{name}.read"));
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&beside, &got).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if got != expected {
            faults.push(format!("{name}: expected\n{expected}got\n{got}"));
        }
        if !is_no_text(&got) {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            let pieces = [packed(first), packed(second)].concat();
            assert_eq!(answer(&name, packed(&bytes)), got, "{name} packed");
            assert_eq!(answer(&name, pieces), got, "{name} packed in pieces");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every file cut off anywhere is read or refused with a place in it and a way out.
#[test]
fn files_cut_off_anywhere_are_read_or_refused() {
    for path in inputs() {
        let bytes = std::fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            let Ok(source) = unpack::decode("cut", bytes[..length].to_vec()) else {
                continue;
            };
            for fault in read(&source, ReadOptions::default())
                .err()
                .unwrap_or_default()
            {
                let place = fault.place.as_ref().map_or(0, |place| place.span.start);
                assert!(place <= length, "{}: {fault}", path.display());
                assert!(fault.help.is_some(), "{}: {fault}", path.display());
            }
        }
    }
}

fn inputs() -> Vec<PathBuf> {
    let folder = std::fs::read_dir("fixtures/series-files").unwrap();
    let mut paths: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|end| end != "read"));
    paths.sort();
    assert!(paths.len() >= 60, "only {} files", paths.len());
    paths
}

fn is_no_text(answer: &str) -> bool {
    answer.contains("can't read")
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn answer(name: &str, bytes: Vec<u8>) -> String {
    let read = unpack::decode(name, bytes)
        .map_err(|fault| vec![fault])
        .and_then(|source| read(&source, ReadOptions::default()));
    match read {
        Ok(series) => {
            let mut out = String::new();
            for (labels, points) in series {
                write!(out, "{labels}").unwrap();
                for index in 0..points.len() {
                    let sample = match points.histogram(index) {
                        Some(histogram) => histogram.to_string(),
                        None => format_value(points.values()[index]),
                    };
                    write!(out, " {sample}@{}", points.time(index)).unwrap();
                }
                out.push('\n');
            }
            out
        }
        Err(faults) => faults.iter().map(drawn).collect(),
    }
}

/// The fault in one line, and the text it marks.
fn drawn(fault: &Diagnostic) -> String {
    let marked = fault
        .place
        .as_ref()
        .map(|place| place.source.slice(place.span));
    match marked.filter(|text| !text.is_empty()) {
        Some(text) => format!("{fault}\n    {text:?}\n"),
        None => format!("{fault}\n"),
    }
}

/// However deep a document is, and however long a text without an end.
#[test]
fn deep_and_endless_texts_are_refused() {
    for (text, length) in [
        ("[", 2_000_000),
        ("{\"data\":", 300_000),
        ("[{\"metric\":{\"a\":\"b\"},\"values\":[[", 50_000),
        ("time,m\n1,\"", 1),
        ("\"time\",\"", 300_000),
        ("m{a=\"", 300_000),
    ] {
        let source = unpack::decode("deep", text.repeat(length).into_bytes()).unwrap();
        assert!(read(&source, ReadOptions::default()).is_err(), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(
        read(
            &unpack::decode("deep", deep.into_bytes()).unwrap(),
            ReadOptions::default()
        )
        .is_err()
    );
}
