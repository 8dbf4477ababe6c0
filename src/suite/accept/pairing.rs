//! Which of the written elements becomes which of the observed ones.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::item::Item;
use crate::model::Labels;
use crate::text::yaml::Node;

/// For each written element the place of its observed one: equals first, then those of the same labels,
/// then the likest.
pub(super) fn pair(written: &[Node<'_>], items: &[Item]) -> Vec<Option<usize>> {
    let mut pairing = Pairing {
        written,
        items,
        labels: written
            .iter()
            .map(|node| match items.first() {
                Some(item) if !node.is_null() => item.written_labels(*node),
                _ => None,
            })
            .collect(),
        partners: vec![None; written.len()],
        taken: vec![false; items.len()],
    };
    pairing.pair_same_labels();
    pairing.pair_likest();
    pairing.partners
}

struct Pairing<'a, 'd> {
    written: &'a [Node<'d>],
    items: &'a [Item],
    /// The labels of the written elements, where they can be read.
    labels: Vec<Option<Labels>>,
    partners: Vec<Option<usize>>,
    taken: Vec<bool>,
}

impl Pairing<'_, '_> {
    fn pair_same_labels(&mut self) {
        let mut by_labels: BTreeMap<&Labels, Vec<usize>> = BTreeMap::new();
        for (index, item) in self.items.iter().enumerate() {
            by_labels.entry(item.labels()).or_default().push(index);
        }
        for must_be_equal in [true, false] {
            for (index, node) in self.written.iter().enumerate() {
                let partner = self.partners.get_mut(index);
                let Some(partner) = partner.filter(|partner| partner.is_none()) else {
                    continue;
                };
                let labels = self.labels.get(index).and_then(Option::as_ref);
                let same = labels.and_then(|labels| by_labels.get_mut(labels));
                let Some(same) = same else {
                    continue;
                };
                let fits = |item: &usize| {
                    !must_be_equal || self.items.get(*item).is_some_and(|it| it.is_written(*node))
                };
                if let Some(position) = same.iter().position(fits) {
                    let item = same.remove(position);
                    *partner = Some(item);
                    if let Some(taken) = self.taken.get_mut(item) {
                        *taken = true;
                    }
                }
            }
        }
    }

    fn pair_likest(&mut self) {
        const MAX_COMPARED: usize = 250_000;
        let is_free = |index: &usize| self.partners.get(*index) == Some(&None);
        // An element that is nothing at all is no one's.
        let is_something = |index: &usize| self.written.get(*index).is_some_and(|it| !it.is_null());
        let free: Vec<usize> = (0..self.written.len())
            .filter(|index| is_free(index) && is_something(index))
            .collect();
        let left: Vec<usize> = (0..self.items.len())
            .filter(|index| self.taken.get(*index) == Some(&false))
            .collect();
        let mut candidates: Vec<(Reverse<Likeness>, usize, usize)> = Vec::new();
        if free.len().saturating_mul(left.len()) > MAX_COMPARED {
            // Too many to look for the likest.
            candidates.extend(
                free.into_iter()
                    .zip(left)
                    .map(|(i, j)| (Reverse((0, 0)), i, j)),
            );
        } else {
            for &i in &free {
                for &j in &left {
                    candidates.push((Reverse(self.likeness(i, j)), i, j));
                }
            }
            candidates.sort_unstable();
        }
        for (_, i, j) in candidates {
            if let (Some(partner @ None), Some(taken @ false)) =
                (self.partners.get_mut(i), self.taken.get_mut(j))
            {
                *partner = Some(j);
                *taken = true;
            }
        }
    }

    fn likeness(&self, written: usize, item: usize) -> Likeness {
        let labels = self.labels.get(written).and_then(Option::as_ref);
        let (Some(labels), Some(item), Some(node)) =
            (labels, self.items.get(item), self.written.get(written))
        else {
            return (0, 0);
        };
        let is_common = |(name, value): &(&str, &str)| item.labels().get(name) == Some(*value);
        let common = labels.iter().filter(is_common).count();
        (common + 1, usize::from(item.has_rest_of(*node)))
    }
}

/// How many labels are the same, and whether everything else is.
type Likeness = (usize, usize);
