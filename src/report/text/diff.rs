//! What was changed in a file, as a unified diff.

use similar::TextDiff;

/// So many lines are shown before and after each change.
const CONTEXT: usize = 3;

/// The unified diff of a file; nothing where the texts are the same.
pub(in crate::report) fn unified(name: &str, before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(CONTEXT);
    // `git apply` and `patch -p1` take it.
    let path = name.trim_start_matches("./").trim_start_matches('/');
    unified
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// The lines of the unified diff of something small, without the names of files.
pub(in crate::report) fn rule(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut unified = diff.unified_diff();
    unified.context_radius(CONTEXT).to_string()
}
