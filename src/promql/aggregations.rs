//! The aggregations: a row each.

use super::ast::ValueType;

/// An aggregation operator.
#[derive(Debug)]
pub struct Aggregation {
    /// As written.
    pub name: &'static str,
    /// What it yields for a group.
    pub doc: &'static str,
    /// What it computes, and so which parameter it takes.
    pub kind: AggregationKind,
    /// Whether it needs `promql-experimental-functions`.
    pub experimental: bool,
}

/// What an aggregation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregationKind {
    /// One sample a group, folded series by series.
    Fold(Fold),
    /// Some of the series themselves, as many as a number says.
    Select(Selection),
    /// One series for each value.
    CountValues,
}

/// The folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    /// Compensated sum.
    Sum,
    /// Compensated mean.
    Avg,
    /// Number of samples.
    Count,
    /// Least.
    Min,
    /// Greatest.
    Max,
    /// 1.
    Group,
    /// Population standard deviation.
    Stddev,
    /// Population variance.
    Stdvar,
    /// The quantile that the parameter names.
    Quantile,
}

/// The selections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// The greatest.
    Topk,
    /// The least.
    Bottomk,
    /// Any, the same every time.
    Limitk,
    /// A share, the same every time.
    LimitRatio,
}

impl Aggregation {
    /// The type of its parameter, if it takes one.
    pub fn param(&self) -> Option<ValueType> {
        match self.kind {
            AggregationKind::Fold(Fold::Quantile) | AggregationKind::Select(_) => {
                Some(ValueType::Scalar)
            }
            AggregationKind::CountValues => Some(ValueType::String),
            AggregationKind::Fold(_) => None,
        }
    }
}

impl PartialEq for Aggregation {
    fn eq(&self, other: &Aggregation) -> bool {
        self.name == other.name
    }
}

/// The row of a name, in lower case.
pub fn lookup(name: &str) -> Option<&'static Aggregation> {
    AGGREGATIONS.iter().find(|row| row.name == name)
}

const fn row(name: &'static str, kind: AggregationKind, doc: &'static str) -> Aggregation {
    Aggregation {
        name,
        doc,
        kind,
        experimental: false,
    }
}

const fn experimental(row: Aggregation) -> Aggregation {
    Aggregation {
        experimental: true,
        ..row
    }
}

/// Every aggregation.
pub static AGGREGATIONS: [Aggregation; 14] = {
    use AggregationKind::{CountValues, Fold as F, Select as S};
    [
        row("sum", F(Fold::Sum), "Sum of the samples."),
        row("avg", F(Fold::Avg), "Mean of the samples."),
        row("count", F(Fold::Count), "How many samples there are."),
        row("min", F(Fold::Min), "The least sample."),
        row("max", F(Fold::Max), "The greatest sample."),
        row(
            "group",
            F(Fold::Group),
            "1 for every group that has a sample.",
        ),
        row(
            "stddev",
            F(Fold::Stddev),
            "Population standard deviation of the samples.",
        ),
        row(
            "stdvar",
            F(Fold::Stdvar),
            "Population variance of the samples.",
        ),
        row(
            "quantile",
            F(Fold::Quantile),
            "The quantile φ of the samples, interpolated.",
        ),
        row(
            "topk",
            S(Selection::Topk),
            "The k greatest samples, with their labels.",
        ),
        row(
            "bottomk",
            S(Selection::Bottomk),
            "The k least samples, with their labels.",
        ),
        row(
            "count_values",
            CountValues,
            "How often each value occurs, as a label.",
        ),
        experimental(row(
            "limitk",
            S(Selection::Limitk),
            "k samples, the same ones every time.",
        )),
        experimental(row(
            "limit_ratio",
            S(Selection::LimitRatio),
            "A share of the samples, the same ones every time.",
        )),
    ]
};
