//! The only file that reads disk, clock or terminal.
