//! Importers: one file a format that series can be written in.
//!
//! Files of series are told apart by what they hold, whatever their names ([`read`]):
//!
//! * [`exposition`]: OpenMetrics text, and the Prometheus text format;
//! * [`json`]: answers of Prometheus's HTTP API;
//! * [`csv`]: tables with a header, as Grafana exports them and people write them.
//!
//! All may be packed with gzip ([`unpack`]). [`generate`] makes series from a description instead.

pub mod csv;
mod decimal;
mod detect;
pub mod exposition;
mod fault;
mod gather;
pub mod generate;
mod join;
pub mod json;
pub mod notation;
mod placing;
mod steps;
pub mod stored;
pub mod time;
pub mod unpack;

pub use self::exposition::ReadOptions;
pub use self::join::join;
pub use self::placing::{Misplaced, Placing, nan_before_gap};
pub use self::steps::steps;

use self::detect::Format;
use crate::model::Labels;
use crate::store::Points;
use crate::text::{Diagnostic, Source};

/// Reads all series of a text in any of the formats: sorted by labels, their samples by time. Equal samples of one series
/// and time are one.
///
/// # Errors
///
/// Everything that can't be read, and two values of a series at one time; of very many faults the first.
pub fn read(
    source: &Source,
    options: ReadOptions,
) -> Result<Vec<(Labels, Points)>, Vec<Diagnostic>> {
    match detect::format(source.text()) {
        Format::Exposition => exposition::read(source, options),
        Format::Json => json::read(source),
        Format::Csv => csv::read(source),
    }
}
