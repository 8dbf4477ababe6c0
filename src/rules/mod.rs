//! Rule files, and the templates in them.
