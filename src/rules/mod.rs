//! Rule files, and the templates in them.

pub mod template;
