//! Importers: one file a format that series can be written in.

mod decimal;
pub mod exposition;
mod fault;
pub mod notation;
pub mod stored;
