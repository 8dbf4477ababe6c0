//! Importers: one file a format that series can be written in.

mod fault;
pub mod notation;
pub mod stored;
