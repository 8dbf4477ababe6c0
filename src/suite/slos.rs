//! The objectives that a test file names.

use std::collections::HashMap;

use super::expect::ExpectationKind;
use super::file::TestFile;
use super::include::Load;
use crate::rules::ReadOptions;
use crate::slo::objective::Slo;
use crate::slo::read::{DEFAULT_PERIOD, objectives};
use crate::text::{Diagnostic, closest};

/// Reads the files of objectives that a test file names, and refuses expectations of objectives that there are not.
pub(super) fn add(
    file: &mut TestFile,
    options: &ReadOptions,
    load: &mut Load<'_>,
) -> Vec<Diagnostic> {
    let (mut faults, mut sources) = (Vec::new(), Vec::new());
    for path in &file.slo_files {
        match load(&file.source, &path.value) {
            Ok(source) => sources.push(source),
            // A file that can't be read has no place of its own.
            Err(fault) => faults.push(match fault.place {
                Some(_) => fault,
                None => fault
                    .at(&file.source, path.span)
                    .help("paths are relative to the folder of this file"),
            }),
        }
    }
    match objectives(&sources, DEFAULT_PERIOD, &options.features) {
        Err(found) => faults.extend(found),
        Ok(found) => {
            file.warnings.extend(found.warnings);
            let known = file.slos.iter().enumerate();
            let mut known: HashMap<String, usize> = known
                .map(|(index, slo)| (slo.name.clone(), index))
                .collect();
            for slo in found.slos {
                match known.get(&slo.name).and_then(|index| file.slos.get(*index)) {
                    Some(other) => faults.push(double(&slo, other)),
                    None => {
                        known.insert(slo.name.clone(), file.slos.len());
                        file.slos.push(slo);
                    }
                }
            }
        }
    }
    // Else what is missing may stand in what can't be read.
    if faults.is_empty() {
        faults.extend(unknown(file));
    }
    faults
}

fn double(slo: &Slo, other: &Slo) -> Diagnostic {
    let message = format!("there are two objectives {:?}", slo.name);
    let fault = Diagnostic::error(message).at(&slo.place.source, slo.place.span);
    fault.help(format!("the other stands in {}: rename one", other.place))
}

fn unknown(file: &TestFile) -> Vec<Diagnostic> {
    let known: Vec<&str> = file.slos.iter().map(|slo| slo.name.as_str()).collect();
    let items = file.tests.iter().flat_map(|test| &test.expectations);
    let asked = items.filter_map(|item| match &item.kind {
        ExpectationKind::Slo(slo) => Some(&slo.slo),
        _ => None,
    });
    let unknown = asked.filter(|slo| !known.contains(&slo.value.as_str()));
    let unknown = unknown.map(|slo| {
        let message = format!("there is no objective {:?}", slo.value);
        let fault = Diagnostic::error(message).at(&file.source, slo.span);
        match (closest(&slo.value, &known), known.is_empty()) {
            (Some(near), _) => fault.help(format!("did you mean {near:?}?")),
            (None, true) => fault
                .help("write objectives under `slos:`, or name files of them under `slo_files:`"),
            (None, false) => fault.help(format!("the objectives are {}", known.join(", "))),
        }
    });
    unknown.collect()
}
