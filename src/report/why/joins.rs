//! Operators whose sides do not find each other, or do where they should not, in words.

use std::collections::BTreeMap;

use super::place_in;
use super::words::Words;
use crate::promql::why::{Differs, Dropped, NoPartner, Removed};
use crate::replay::Section;
use crate::text::Span;

pub(super) fn no_partner(cause: &NoPartner, section: &Section) -> Words {
    let head = match cause.alone == cause.left_count {
        true => format!(
            "no series on the left of `{}` has a partner on the right ({} on the left, {} on the right, matched {})",
            cause.op.symbol(),
            cause.left_count,
            cause.right_count,
            keys(cause.on, &cause.labels)
        ),
        false => format!(
            "{} of {} series on the left of `{}` have no partner on the right (matched {})",
            cause.alone,
            cause.left_count,
            cause.op.symbol(),
            keys(cause.on, &cause.labels)
        ),
    };
    let nearest = format!(
        "nearest: {} on the left, {} on the right",
        cause.left, cause.right
    );
    let differs = cause
        .differs
        .iter()
        .map(|differs| difference(differs, section));
    let joined = cause
        .suggestion
        .iter()
        .map(|how| format!("`{} {how} …` joins this pair", cause.op.symbol()));
    let mut lost: BTreeMap<(Span, &str), Vec<&str>> = BTreeMap::new();
    for differs in &cause.differs {
        if let Some(dropped) = &differs.dropped {
            lost.entry((dropped.span, &dropped.by))
                .or_default()
                .push(&differs.label);
        }
    }
    let kept = lost
        .into_iter()
        .map(|((_, by), labels)| format!("keep {} in `{by}`", labels.join(", ")));
    Words::new("no_partner", head)
        .details([nearest])
        .details(differs)
        .remedies(kept)
        .remedies(joined)
}

/// How series are matched.
fn keys(on: bool, labels: &[String]) -> String {
    match (on, labels) {
        (true, []) => "on nothing".to_owned(),
        (true, labels) => format!("on {}", labels.join(", ")),
        (false, []) => "on all labels".to_owned(),
        (false, labels) => format!("on all labels but {}", labels.join(", ")),
    }
}

fn difference(differs: &Differs, section: &Section) -> String {
    let side = |value: &Option<String>, side: &str| match value {
        Some(value) => format!("{value:?} on the {side}"),
        None => format!("absent on the {side}"),
    };
    let dropped = differs
        .dropped
        .as_ref()
        .map(|dropped| gone(dropped, section));
    format!(
        "{} is {}, {}{}",
        differs.label,
        side(&differs.left, "left"),
        side(&differs.right, "right"),
        dropped.map_or_else(String::new, |dropped| format!(": {dropped}"))
    )
}

pub(super) fn gone(dropped: &Dropped, section: &Section) -> String {
    let place = place_in(section, dropped.span);
    format!("`{}` drops it at {}", dropped.by, place)
}

pub(super) fn removed(cause: &Removed) -> Words {
    let head = match cause.count {
        1 => "`unless` removed the only series".to_owned(),
        all => format!("`unless` removed all {all} series"),
    };
    let head = format!(
        "{head}: matched {}, each has a partner on the right",
        keys(cause.on, &cause.labels)
    );
    let pairs = cause
        .pairs
        .iter()
        .map(|(left, right)| format!("{left} by {right}"));
    let more = cause.count.saturating_sub(cause.pairs.len());
    Words::new("removed", head)
        .details(pairs)
        .details((more > 0).then(|| format!("and {more} more")))
}
