//! One bit a tick.

use std::ops::Range;

/// A set of ticks. It takes room only from its first tick to its last: a label set may live for one tick of many.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    /// Ticks from here on are in no word.
    limit: usize,
    /// Index of the first of `words`.
    first: usize,
    words: Vec<u64>,
}

impl Bits {
    /// No tick of `count`.
    pub(super) fn new(count: usize) -> Bits {
        Bits {
            limit: count.div_ceil(64),
            first: 0,
            words: Vec::new(),
        }
    }

    /// Whether a tick is in it; one past the end is not.
    pub(super) fn get(&self, tick: usize) -> bool {
        self.word(tick / 64) >> (tick % 64) & 1 == 1
    }

    /// Puts a tick in.
    pub(super) fn set(&mut self, tick: usize) {
        self.add_word(tick / 64, 1 << (tick % 64));
    }

    /// Puts the ticks of a word in, and returns those that were there already.
    pub(super) fn add_word(&mut self, index: usize, word: u64) -> u64 {
        if word == 0 || index >= self.limit {
            return 0;
        }
        self.reach(index);
        let Some(own) = self.words.get_mut(index - self.first) else {
            return 0;
        };
        let twice = *own & word;
        *own |= word;
        twice
    }

    /// Makes room for a word.
    fn reach(&mut self, index: usize) {
        if self.words.is_empty() {
            self.first = index;
        }
        if index < self.first {
            let missing = self.first - index;
            self.words.splice(..0, std::iter::repeat_n(0, missing));
            self.first = index;
        }
        if index >= self.first + self.words.len() {
            self.words.resize(index - self.first + 1, 0);
        }
    }

    /// Whether no tick is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// 64 ticks, the lowest bit first; none past the end.
    pub(super) fn word(&self, index: usize) -> u64 {
        let place = index.checked_sub(self.first);
        let word = place.and_then(|place| self.words.get(place));
        word.copied().unwrap_or(0)
    }

    /// The indices of the words that have ticks; there may be some between them that have none.
    pub(super) fn span(&self) -> Range<usize> {
        self.first..self.first + self.words.len()
    }

    /// The ticks of some words, counted from the first of these.
    pub(super) fn part(&self, words: Range<usize>) -> Bits {
        let mut part = Bits::new(words.len() * 64);
        for (place, index) in words.enumerate() {
            part.add_word(place, self.word(index));
        }
        part
    }
}

/// The last tick of `words` at or before `tick`.
pub(super) fn last_until(words: impl Fn(usize) -> u64, tick: usize) -> Option<usize> {
    for index in (0..=tick / 64).rev() {
        let mut word = words(index);
        if index == tick / 64 {
            word &= u64::MAX >> (63 - tick % 64);
        }
        if word != 0 {
            return Some(index * 64 + 63 - word.leading_zeros() as usize);
        }
    }
    None
}

/// The ticks of one word.
pub(super) fn ticks_of(index: usize, word: u64) -> impl Iterator<Item = usize> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let bit = rest.trailing_zeros() as usize;
        rest &= rest.wrapping_sub(1);
        (bit < 64).then_some(index * 64 + bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_the_last_before() {
        let mut bits = Bits::new(200);
        assert!(bits.is_empty());
        assert_eq!(last_until(|index| bits.word(index), 199), None);
        (3..5).for_each(|tick| bits.set(tick));
        (60..195).for_each(|tick| bits.set(tick));
        let all: Vec<usize> = (0..200).filter(|&tick| bits.get(tick)).collect();
        let expected: Vec<usize> = [3, 4].into_iter().chain(60..195).collect();
        assert_eq!(all, expected);
        assert_eq!(last_until(|index| bits.word(index), 199), Some(194));
        assert_eq!(last_until(|index| bits.word(index), 100), Some(100));
        assert_eq!(last_until(|index| bits.word(index), 59), Some(4));
        assert_eq!(last_until(|index| bits.word(index), 2), None);
        assert_eq!(last_until(|index| bits.word(index), 100_000), Some(194));
        assert!(!bits.get(100_000));
        let part = bits.part(1..3);
        let all: Vec<usize> = (0..200).filter(|&tick| part.get(tick)).collect();
        assert_eq!(all, (0..128).collect::<Vec<_>>());
    }

    #[test]
    fn room_is_taken_between_the_first_and_the_last() {
        let mut bits = Bits::new(100_000);
        bits.set(70_000);
        assert_eq!(bits.span(), 1093..1094);
        bits.set(69_000);
        bits.set(70_100);
        assert_eq!(bits.span(), 1078..1096);
        bits.set(100_032);
        let all: Vec<usize> = (0..200_000).filter(|&tick| bits.get(tick)).collect();
        assert_eq!(all, [69_000, 70_000, 70_100]);
        assert_eq!(bits.add_word(1093, 1 << 48 | 1), 1 << 48);
    }
}
