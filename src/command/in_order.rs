//! Work on many things at once whose results are told in order.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rayon::prelude::*;

/// Does `work` on each item, on so many threads (as many as there are processors, if not said), and hands each result to
/// `tell` as soon as those of all items before it are told: results that wait for others are few, and no more are held.
pub(super) fn in_order<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    work: impl Fn(&T) -> R + Sync,
    mut tell: impl FnMut(R) + Send,
) {
    let pool = match (items.len(), threads) {
        // What one item holds may be worth threads; they are made when it is.
        (1, None) => None,
        _ => {
            let threads = threads.unwrap_or(0);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().ok()
        }
    };
    let Some(pool) = pool else {
        return items.iter().map(work).for_each(tell);
    };
    let queue = Mutex::new(Queue {
        next: 0,
        waiting: BTreeMap::new(),
        tell: &mut tell,
    });
    pool.install(|| {
        items
            .iter()
            .enumerate()
            .par_bridge()
            .for_each(|(index, item)| {
                let result = work(item);
                // Whoever panicked while telling has ended the program's work anyway.
                if let Ok(mut queue) = queue.lock() {
                    queue.push(index, result);
                }
            });
    });
}

/// Results that came before their turn.
struct Queue<R, F> {
    next: usize,
    waiting: BTreeMap<usize, R>,
    tell: F,
}

impl<R, F: FnMut(R)> Queue<R, F> {
    fn push(&mut self, index: usize, result: R) {
        self.waiting.insert(index, result);
        while let Some(result) = self.waiting.remove(&self.next) {
            (self.tell)(result);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for (count, threads) in [
            (0, None),
            (1, None),
            (1, Some(2)),
            (1000, Some(1)),
            (1000, Some(4)),
        ] {
            let items: Vec<u64> = (0..count).collect();
            let mut told = Vec::new();
            let slow_first = |item: &u64| {
                let pause = std::time::Duration::from_micros((7 - item % 7) * 10);
                std::thread::sleep(pause);
                item * 2
            };
            in_order(&items, threads, slow_first, |result| told.push(result));
            assert!(told.into_iter().eq((0..count).map(|item| item * 2)));
        }
    }
}
