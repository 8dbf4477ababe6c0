//! Who hands out memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

use mimalloc::MiMalloc;

/// mimalloc, since many small texts are made and dropped on all threads; but large blocks come from the system. mimalloc
/// keeps what is freed for a while, and grows a block by copying it to another, both of which double what a long text
/// takes while it is read; the system takes large blocks back at once, and moves them by their pages.
pub struct Allocator;

/// From so many bytes on a block is large.
const LARGE: usize = 8 << 20;

// SAFETY: which allocator has a block follows from its size alone, which whoever frees or grows it knows; each of the two
// keeps the contract for its own blocks, and a block that changes from one to the other is copied.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the allocators ask for.
        unsafe {
            match layout.size() < LARGE {
                true => MiMalloc.alloc(layout),
                false => System.alloc(layout),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as for `alloc`.
        unsafe {
            match layout.size() < LARGE {
                true => MiMalloc.alloc_zeroed(layout),
                false => System.alloc_zeroed(layout),
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this layout, so it came from the allocator of its size.
        unsafe {
            match layout.size() < LARGE {
                true => MiMalloc.dealloc(block, layout),
                false => System.dealloc(block, layout),
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: a block that stays with its allocator is its own; otherwise as many bytes are copied as both blocks have,
        // and `size` with the alignment of the block makes a layout, as the caller promises.
        unsafe {
            match (layout.size() < LARGE, size < LARGE) {
                (true, true) => MiMalloc.realloc(block, layout, size),
                (false, false) => System.realloc(block, layout, size),
                _ => {
                    let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
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
