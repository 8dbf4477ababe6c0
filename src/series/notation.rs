//! promtool's series notation (a stand-in until the parser is here).

use crate::model::{Histogram, Labels};

/// One item of a list of samples.
#[derive(Debug, Clone)]
pub struct Item;

/// A text that is no series notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotationError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes.
    pub offset: usize,
}

impl Item {
    /// How many samples or gaps it stands for.
    pub fn len(&self) -> usize {
        1
    }

    /// The histogram it stands for.
    pub fn histogram(&self) -> Option<Histogram> {
        None
    }
}

/// Reads the name and labels of a series.
pub fn parse_series(_: &str) -> Result<Labels, NotationError> {
    Ok(Labels::empty())
}

/// Reads samples.
pub fn parse_values(_: &str) -> Result<Vec<Item>, NotationError> {
    Ok(Vec::new())
}
