//! The objectives before and after a change: of files, or of each revision as it has them.

use std::path::{Path, PathBuf};

use super::Options;
use super::sides::Revisions;
use crate::command::{complain, slo};
use crate::io;
use crate::rules::ReadOptions;
use crate::slo::objective::Slo;
use crate::slo::read::looks_like_specs;
use crate::text::{Diagnostic, Source, distinct};
use crate::whatif::diff::Both;

/// The objectives of both sides.
pub(super) fn read(
    options: &Options,
    reading: &ReadOptions,
    revisions: Option<&Revisions>,
) -> Result<Both<Vec<Slo>>, Vec<Diagnostic>> {
    if options.slo.is_empty() {
        return Ok(Both::default());
    }
    let base = match options.base_slo.is_empty() {
        true => &options.slo,
        false => &options.base_slo,
    };
    let sources = match revisions {
        Some(revisions) => of_revisions(revisions, base, &options.slo)?,
        None => {
            let after = slo::sources(&options.slo)?;
            let before = match options.base_slo.is_empty() {
                true => after.clone(),
                false => slo::sources(base)?,
            };
            Both { before, after }
        }
    };
    let mut warnings = Vec::new();
    let mut read = |sources: &[Source]| -> Result<Vec<Slo>, Vec<Diagnostic>> {
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let found = slo::objectives(sources, &reading.features)?;
        warnings.extend(found.warnings);
        Ok(found.slos)
    };
    let slos = Both {
        before: read(&sources.before)?,
        after: read(&sources.after)?,
    };
    distinct(warnings).iter().for_each(complain);
    Ok(slos)
}

/// The files of each revision that paths name. What neither has is not under git's eyes: it is read once, as it lies there.
fn of_revisions(
    revisions: &Revisions,
    base: &[PathBuf],
    head: &[PathBuf],
) -> Result<Both<Vec<Source>>, Vec<Diagnostic>> {
    let (mut sources, mut rest) = (Both::<Vec<Source>>::default(), Vec::new());
    let is_one = base == head;
    for path in base.iter().filter(|_| !is_one) {
        match in_revision(revisions, &revisions.before, path)? {
            Found::Files(files) => sources.before.extend(files),
            found => {
                let files = slo::sources(std::slice::from_ref(path))?;
                sources.before.extend(files);
                if matches!(found, Found::Nothing) {
                    let (name, base) = (io::display(path), &revisions.before.name);
                    let message = format!("{name} is not in {base}: it is that of the work tree");
                    let help = format!("name a file that {base} has, or leave --base-slo away");
                    complain(&Diagnostic::warning(message).help(help));
                }
            }
        }
    }
    for path in head {
        let after = in_revision(revisions, &revisions.after, path)?;
        let before = match is_one {
            true => in_revision(revisions, &revisions.before, path)?,
            false => Found::Nothing,
        };
        match (before, after) {
            (Found::Files(before), Found::Files(after)) => {
                sources.before.extend(before);
                sources.after.extend(after);
            }
            (Found::Files(before), _) => sources.before.extend(before),
            (_, Found::Files(after)) => sources.after.extend(after),
            (_, found) => rest.push((path, found)),
        }
    }
    for (path, found) in rest {
        let files = slo::sources(std::slice::from_ref(path))?;
        if matches!(found, Found::Nothing) {
            let (before, after) = (&revisions.before.name, &revisions.after.name);
            let name = io::display(path);
            let message = format!(
                "{name} is neither in {before} nor in {after}: both sides have the objectives of the work tree"
            );
            complain(&Diagnostic::warning(message).help("commit it, so that a change of it shows"));
        }
        if is_one {
            sources.before.extend(files.iter().cloned());
        }
        sources.after.extend(files);
    }
    Ok(sources)
}

/// What a path means in a revision.
enum Found {
    /// Specifications.
    Files(Vec<Source>),
    /// Nothing there.
    Nothing,
    /// Nothing that git knows of: it lies outside, or is standard input.
    Elsewhere,
}

fn in_revision(
    revisions: &Revisions,
    revision: &super::sides::Named,
    path: &Path,
) -> Result<Found, Vec<Diagnostic>> {
    if path == Path::new("-") {
        return Ok(Found::Elsewhere);
    }
    let Ok(entries) = revisions.repository.files(&revision.commit, path) else {
        return Ok(Found::Elsewhere);
    };
    // A file that is named is read, whatever it holds.
    let is_named = matches!(entries.as_slice(), [only] if only.place.ends_with(path));
    let passes = |text: &str| is_named || looks_like_specs(text);
    let found = revisions.repository.read(&revision.name, entries, passes)?;
    let files: Vec<Source> = found.into_iter().map(|(_, source)| source).collect();
    Ok(match files.is_empty() {
        true => Found::Nothing,
        false => Found::Files(files),
    })
}
