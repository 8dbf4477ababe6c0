//! Importers: one file a format that series can be written in.

pub mod notation;
