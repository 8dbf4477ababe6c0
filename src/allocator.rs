//! Who hands out memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_long;
use std::ptr;

use libmimalloc_sys as mimalloc;

/// mimalloc, since many small texts are made and dropped on all threads; but large blocks come from the system. mimalloc
/// keeps what is freed for a while, and grows a block by copying it to another, both of which double what a long text
/// takes while it is read; the system takes large blocks back at once, and moves them by their pages.
pub struct Allocator;

/// From so many bytes on a block is large.
const LARGE: usize = 8 << 20;

/// How long mimalloc keeps memory that nobody takes again, in milliseconds. Its own second is longer than most calls take, so
/// that it would keep all; at once would have it asked for again and again.
const KEPT: c_long = 25;

/// The number of that option in mimalloc's `mi_option_e`.
const PURGE_DELAY: mimalloc::mi_option_t = 15;

/// Sets up the allocator; before that it works, too.
pub fn set_up() {
    // SAFETY: sets a number in a table of the library's own, and no other thread runs yet.
    unsafe { mimalloc::mi_option_set(PURGE_DELAY, KEPT) }
}

/// Every block of mimalloc's is aligned to as many bytes without being asked: it aligns to 16 whatever is larger than 8.
const ALIGNED: usize = 8;

// SAFETY: which allocator has a block follows from its size alone, which whoever frees or grows it knows; each of the two
// keeps the contract for its own blocks, and a block that changes from one to the other is copied.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: the caller's promises are those that the allocators ask for.
        unsafe {
            match size < LARGE {
                true if align <= ALIGNED => mimalloc::mi_malloc(size).cast(),
                true => mimalloc::mi_malloc_aligned(size, align).cast(),
                false => System.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (size, align) = (layout.size(), layout.align());
        // SAFETY: as for `alloc`.
        unsafe {
            match size < LARGE {
                true if align <= ALIGNED => mimalloc::mi_zalloc(size).cast(),
                true => mimalloc::mi_zalloc_aligned(size, align).cast(),
                false => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this layout, so it came from the allocator of its size.
        unsafe {
            match layout.size() < LARGE {
                true => mimalloc::mi_free(block.cast()),
                false => System.dealloc(block, layout),
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let align = layout.align();
        // SAFETY: a block that stays with its allocator is its own; otherwise as many bytes are copied as both blocks have,
        // and `size` with the alignment of the block makes a layout, as the caller promises.
        unsafe {
            match (layout.size() < LARGE, size < LARGE) {
                (true, true) if align <= ALIGNED => mimalloc::mi_realloc(block.cast(), size).cast(),
                (true, true) => mimalloc::mi_realloc_aligned(block.cast(), size, align).cast(),
                (false, false) => System.realloc(block, layout, size),
                _ => {
                    let moved = self.alloc(Layout::from_size_align_unchecked(size, align));
                    if !moved.is_null() {
                        ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_is_how_long_memory_is_kept() {
        // SAFETY: reads and sets a number.
        let unset = unsafe { mimalloc::mi_option_get(PURGE_DELAY) };
        assert_eq!(
            unset, 1000,
            "mimalloc's own second: another option has the number now"
        );
        set_up();
        // SAFETY: as before.
        assert_eq!(unsafe { mimalloc::mi_option_get(PURGE_DELAY) }, KEPT);
    }
}
