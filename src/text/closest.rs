//! The word that was meant.

/// The word among `known` that differs from `word` in one or two letters, or else that it is a part of.
pub fn closest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let longer = |candidate: &&&str| word.len() >= 4 && candidate.contains(word);
    near(word, known).or_else(|| known.iter().find(longer).copied())
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
}
