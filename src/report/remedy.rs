//! What to do about an evaluation that failed, by Prometheus's words for it.

/// A part of the message, and the way out.
const REMEDIES: [(&str, &str); 10] = [
    (
        "many-to-many matching not allowed",
        "match on more labels, or aggregate the side named so that one series is left for each match",
    ),
    (
        "many-to-one matching must be explicit",
        "write group_left or group_right, or match on more labels",
    ),
    (
        "grouping labels must ensure unique matches",
        "match on more labels, or take fewer labels over in group_left or group_right",
    ),
    (
        "metrics with the same labelset",
        "keep a label that tells these series apart, or aggregate them",
    ),
    (
        "exceeded limit",
        "raise the group's limit, or select fewer series",
    ),
    (
        "duplicate sample for timestamp",
        "give the two writers of this series different names or labels",
    ),
    (
        "rule result is not a vector or scalar",
        "let the expression yield a vector or a scalar: a range wants a function such as rate()",
    ),
    (
        "too many samples",
        "shorten the range, make the subquery's step longer, or raise --max-samples",
    ),
    (
        "subquery takes more than",
        "shorten the subquery's range, or make its step longer",
    ),
    (
        "invalid regular expression",
        "correct the pattern: it is RE2 syntax",
    ),
];

/// The way out of a failed evaluation, if one is known.
pub(crate) fn remedy(message: &str) -> Option<&'static str> {
    let known = REMEDIES.iter().find(|(part, _)| message.contains(part));
    known.map(|(_, remedy)| *remedy)
}
