//! Which counter reset hints a script has written: only those are compared.

use crate::series::notation::Item;

/// For each sample of `items`, which `text` holds, whether it is a histogram whose hint is written. Of a run that grows
/// or shrinks the hint of what is added counts.
pub(super) fn written(items: &[Item], text: &str) -> Vec<bool> {
    let mut hinted = text
        .split("{{")
        .skip(1)
        .map(|histogram| histogram.contains("counter_reset_hint"));
    let mut found = Vec::new();
    for item in items {
        let is_hinted = match item {
            Item::Gap { .. } => continue,
            Item::Histograms { increment, .. } => {
                let first = hinted.next().unwrap_or_default();
                match increment {
                    Some(_) => hinted.next().unwrap_or_default(),
                    None => first,
                }
            }
            Item::Stale | Item::Values(_) | Item::Repeat { .. } | Item::Run { .. } => false,
        };
        let count = usize::try_from(item.count()).unwrap_or(usize::MAX);
        found.extend(std::iter::repeat_n(is_hinted, count));
    }
    found
}
