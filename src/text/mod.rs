//! What a person wrote, and what we say about it.

mod closest;
mod diagnostic;
mod mapping;
mod source;
pub mod yaml;

pub use closest::{closest, closest_few};
pub use diagnostic::{Diagnostic, Place, Severity, distinct};
pub use source::{LineColumn, Source, Span};
