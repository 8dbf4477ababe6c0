//! `--partition`: the files of one machine of several.

use std::hash::Hasher;
use std::str::FromStr;

use twox_hash::XxHash64;

use crate::io;

/// One of several parts, such as `1/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// More machines than this are a slip of the finger.
const MOST: usize = 1_000;

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        let form = || "give which part of how many, such as 1/4".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(form)?;
        let number: usize = number.parse().map_err(|_| form())?;
        let of: usize = of.parse().map_err(|_| form())?;
        match () {
            () if of == 0 || of > MOST => Err(format!("there must be 1 to {MOST} parts")),
            () if number == 0 || number > of => {
                Err(format!("there are the parts 1/{of} to {of}/{of}"))
            }
            () => Ok(Part { number, of }),
        }
    }
}

impl Part {
    /// The files of this part, in their order. An argument that names no file is in every part: the call is broken.
    ///
    /// Files stay whole, because what is to be said of a file may need all its tests. Where a file goes depends on its
    /// path alone, unless that part has more than its share of bytes already.
    pub fn of(self, files: Vec<io::Named>) -> Vec<io::Named> {
        let mut sized = Vec::new();
        for path in files.iter().flatten() {
            let name = io::display(&io::clean(path)).replace('\\', "/");
            sized.push((name, io::size(path).max(1)));
        }
        let mut parts = place(&sized, self.of).into_iter();
        let mut is_here = |file: &io::Named| file.is_err() || parts.next() == Some(self.number - 1);
        files.into_iter().filter(|file| is_here(file)).collect()
    }
}

/// The part of each file, counted from 0.
fn place(files: &[(String, u64)], parts: usize) -> Vec<usize> {
    let total: u64 = files.iter().map(|(_, size)| size).sum();
    // A quarter above the mean: few files move, and no machine waits long for another.
    let most = total.div_ceil(parts as u64).saturating_mul(5) / 4;
    let mut loads = vec![0u64; parts];
    let mut placed = vec![0; files.len()];
    // Not the order of the arguments: it must not matter.
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_cached_key(|&file| (hash(&files[file].0, 0), &files[file].0));
    for file in order {
        let (name, size) = &files[file];
        let mut liked: Vec<usize> = (0..parts).collect();
        liked.sort_by_cached_key(|&part| hash(name, part as u64 + 1));
        let fits = liked.iter().find(|&&part| loads[part] + size <= most);
        let part = fits.or_else(|| liked.iter().min_by_key(|&&part| loads[part]));
        let part = part.copied().unwrap_or(0);
        loads[part] += size;
        placed[file] = part;
    }
    placed
}

fn hash(name: &str, seed: u64) -> u64 {
    let mut hash = XxHash64::with_seed(seed);
    hash.write(name.as_bytes());
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(count: usize) -> Vec<(String, u64)> {
        let size = |file: usize| 500 + (file as u64 * 7919) % 3_000;
        (0..count)
            .map(|file| (format!("rules/{file}_test.yml"), size(file)))
            .collect()
    }

    #[test]
    fn parts_are_about_as_large() {
        for (count, parts) in [(1, 4), (4, 4), (40, 3), (200, 8)] {
            let files = files(count);
            let placed = place(&files, parts);
            let load = |part: usize| -> u64 {
                let of_part = files.iter().zip(&placed).filter(|(_, it)| **it == part);
                of_part.map(|((_, size), _)| size).sum()
            };
            let largest = files.iter().map(|(_, size)| *size).max().unwrap_or(0);
            let mean = files.iter().map(|(_, size)| size).sum::<u64>() / parts as u64;
            let most = (0..parts).map(load).max().unwrap_or(0);
            assert!(
                most <= (mean * 5 / 4).max(mean + largest) + 2,
                "{count} files, {parts} parts: {most}, {mean}"
            );
        }
    }

    #[test]
    fn a_new_file_moves_few() {
        let (before, after) = (files(200), files(201));
        let (before, after) = (place(&before, 4), place(&after, 4));
        let moved = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        assert!(moved <= 10, "{moved} of 200 moved");
    }

    #[test]
    fn parts_are_named_from_one_on() {
        assert_eq!("2/4".parse(), Ok(Part { number: 2, of: 4 }));
        for text in [
            "", "1", "0/4", "5/4", "1/0", "a/4", "1/4/4", "-1/4", "1/1001",
        ] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
