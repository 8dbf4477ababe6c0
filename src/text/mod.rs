//! What a person wrote, and what we say about it.

mod diagnostic;
mod source;
pub mod yaml;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use source::{LineColumn, Source, Span};
