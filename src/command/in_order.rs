//! Work on many things at once whose results are told in order.

use std::collections::BTreeMap;
use std::sync::mpsc;

use rayon::prelude::*;

/// Does `work` on each item, on so many threads (as many as there are processors, if not said), and hands each result to
/// `tell`, on the caller's thread, as soon as those of all items before it are told: results that wait for others are
/// few, and no more are held.
///
/// Telling may take long without hurting the work, as writing to a pipe does whose reader is slow; only when
/// [`BACKLOG`] results wait to be told does the work wait too.
pub(super) fn in_order<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    work: impl Fn(&T) -> R + Sync,
    mut tell: impl FnMut(R),
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
    let (done, results) = mpsc::sync_channel(BACKLOG);
    let work = &work;
    pool.in_place_scope(|scope| {
        scope.spawn(move |_| {
            items
                .iter()
                .enumerate()
                .par_bridge()
                .for_each_with(done, |done, (index, item)| {
                    // The results are taken for as long as there are any, unless telling panicked.
                    drop(done.send((index, work(item))));
                });
        });
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&next) {
                tell(result);
                next += 1;
            }
        }
    });
}

/// How many results may wait until those before them are written.
const BACKLOG: usize = 16;

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
