//! One bit a tick.

/// A set of ticks.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    any: bool,
}

impl Bits {
    /// No tick of `count`.
    pub(super) fn new(count: usize) -> Bits {
        Bits {
            words: vec![0; count.div_ceil(64)],
            any: false,
        }
    }

    /// Whether a tick is in it; one past the end is not.
    pub(super) fn get(&self, tick: usize) -> bool {
        self.word(tick / 64) >> (tick % 64) & 1 == 1
    }

    /// Puts a tick in.
    pub(super) fn set(&mut self, tick: usize) {
        if let Some(word) = self.words.get_mut(tick / 64) {
            *word |= 1 << (tick % 64);
            self.any = true;
        }
    }

    /// Puts the ticks of a word in, and returns those that were there already.
    pub(super) fn add_word(&mut self, index: usize, word: u64) -> u64 {
        let Some(own) = self.words.get_mut(index) else {
            return 0;
        };
        let twice = *own & word;
        *own |= word;
        self.any |= word != 0;
        twice
    }

    /// Whether no tick is in it.
    pub(super) fn is_empty(&self) -> bool {
        !self.any
    }

    /// 64 ticks, the lowest bit first; none past the end.
    pub(super) fn word(&self, index: usize) -> u64 {
        self.words.get(index).copied().unwrap_or(0)
    }

    /// All of it, 64 ticks a word.
    pub(super) fn words(&self) -> &[u64] {
        &self.words
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
    }
}
