//! The word that was meant.

/// The word among `known` that differs from `word` in one or two letters, or else that it is a part of.
pub fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let longer = |candidate: &&&str| word.len() >= 4 && candidate.contains(word);
    near(word, known).or_else(|| known.iter().find(longer).copied())
}

/// The words among `known` that may have been meant, at most `limit`, the likest first: those that differ in few letters,
/// those that are a part of it or that it is a part of, and those with most of its parts between underscores.
pub fn closest_few<'k>(word: &str, known: &[&'k str], limit: usize) -> Vec<&'k str> {
    const MAX_LETTERS: usize = 100;
    const MAX_KNOWN: usize = 10_000;
    if word.is_empty() || word.len() > MAX_LETTERS {
        return Vec::new();
    }
    let candidates = known.iter().take(MAX_KNOWN);
    let candidates = candidates.filter(|candidate| candidate.len() <= MAX_LETTERS);
    let mut ranked: Vec<(usize, &str)> = candidates
        .filter_map(|candidate| Some((unlikeness(word, candidate)?, *candidate)))
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(limit)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// How unlike two words are; `None` where neither can be meant by the other.
fn unlikeness(word: &str, candidate: &str) -> Option<usize> {
    let edits = edits(word, candidate);
    // One letter in four is a misspelling, more is another word.
    let is_misspelt = edits <= (word.len() / 4).clamp(1, 4);
    let (short, long) = match word.len() < candidate.len() {
        true => (word, candidate),
        false => (candidate, word),
    };
    let is_part = short.len() >= 4 && long.contains(short);
    let parts = |text: &'_ str| {
        text.split(['_', ':'])
            .filter(|part| !part.is_empty())
            .count()
    };
    let shared = word
        .split(['_', ':'])
        .filter(|part| part.len() > 2 && candidate.split(['_', ':']).any(|other| other == *part))
        .count();
    let is_alike = shared * 2 > parts(word).max(parts(candidate)) && shared > 1;
    (is_misspelt || is_part || is_alike).then_some(edits)
}

/// The word that differs in one or two letters.
fn near<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let allowed = match word.len() {
        0..=2 => 1,
        3..=60 => 2,
        _ => return None,
    };
    known
        .iter()
        .map(|&candidate| (edits(word, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed or swapped to make `right` of `left`.
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, &a) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &b) in right.iter().enumerate() {
            let mut cost = last[column] + usize::from(a != b);
            cost = cost.min(last[column + 1] + 1).min(current[column] + 1);
            let swapped = row > 0 && column > 0 && a == right[column - 1] && left[row - 1] == b;
            if swapped {
                cost = cost.min(before[column - 1] + 1);
            }
            current.push(cost);
        }
        before = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let known = ["for", "labels", "annotations", "keep_firing_for"];
        assert_eq!(closest("fro", &known), Some("for"));
        assert_eq!(closest("label", &known), Some("labels"));
        assert_eq!(closest("anotation", &known), Some("annotations"));
        assert_eq!(closest("severity", &known), None);
    }

    #[test]
    fn several_words_are_ranked() {
        let known = [
            "http_requests_total",
            "http_request_seconds_sum",
            "job:http_requests:rate5m",
            "up",
        ];
        let few = |word| closest_few(word, &known, 2);
        assert_eq!(few("http_request_total"), ["http_requests_total"]);
        assert_eq!(
            few("http_requests"),
            ["http_requests_total", "job:http_requests:rate5m"]
        );
        assert_eq!(few("http_requests_total_count"), ["http_requests_total"]);
        assert_eq!(few("node_load1"), [""; 0]);
    }
}
