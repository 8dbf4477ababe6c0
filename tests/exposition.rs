//! Exposition formats: beside every text in `fixtures/exposition` stands what is read from it.
//!
//! Those named `with_features…` are read with types, units and starts. `x.txt` is the text, `x.read` the series and samples, or what is wrong with it as people see it. With
//! `SNAPSHOTS=overwrite` set the answers are written anew.

use std::fmt::Write;

use proptest::prelude::*;
use rulecheck::series::exposition::{ReadOptions, read};
use rulecheck::text::Source;

#[test]
fn texts_read_as_the_fixtures_say() {
    let mut cases = 0;
    for entry in std::fs::read_dir("fixtures/exposition").expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let name = path.file_name().expect("it has one").to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("the file can be read");
        let is_on = name.starts_with("with_features");
        let options = ReadOptions {
            type_and_unit_labels: is_on,
            start_timestamps: is_on,
        };
        let got = answer(&Source::new(name, text), options);
        let beside = path.with_extension("read");
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&beside, &got).expect("the file can be written");
        }
        let expected = std::fs::read_to_string(&beside).expect("the answer is there");
        assert_eq!(got, expected, "{}", path.display());
        cases += 1;
    }
    assert!(cases >= 10, "only {cases} cases");
}

fn answer(source: &Source, options: ReadOptions) -> String {
    let mut out = String::new();
    match read(source, options) {
        Ok(series) => {
            for (labels, points) in series {
                write!(out, "{labels}").expect("strings take all");
                for index in 0..points.len() {
                    let (value, time) = (points.values()[index], points.time(index));
                    write!(out, " {value}@{time}").expect("strings take all");
                    if let Some(start) = points.starts().get(index).filter(|start| **start != 0) {
                        write!(out, " since {start}").expect("strings take all");
                    }
                }
                out.push('\n');
            }
        }
        Err(faults) => {
            for fault in faults {
                writeln!(out, "{fault}").expect("strings take all");
            }
        }
    }
    out
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(m|[a-z{}\"=,\\\\ #\n0-9.]|# EOF|# TYPE |é){0,60}(\n# EOF\n)?") {
        let length = text.len();
        if let Err(faults) = read(&Source::new("any", text), ReadOptions::default()) {
            prop_assert!(!faults.is_empty());
            for fault in faults {
                let place = fault.place.as_ref().map_or(0, |place| place.span.start);
                prop_assert!(place <= length);
                prop_assert!(fault.help.is_some());
                fault.render(false);
            }
        }
    }
}
