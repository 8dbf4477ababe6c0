//! What there is to say of a query's parts whatever their series are: parameters out of range, orders that nobody sees.

use super::Evaluator;
use super::frame::{Frame, QueryTime};
use crate::model::number;
use crate::promql::annotation::{Note, Site};
use crate::promql::ast::Aggregate;
use crate::promql::column::Column;
use crate::text::Span;

/// The greatest and the least value of a parameter in one query.
struct Extent {
    max: f64,
    min: f64,
}

impl Evaluator<'_> {
    /// Notes quantiles that are none, for an aggregation.
    pub(super) fn note_quantiles(
        &self,
        aggregate: &Aggregate,
        node: Span,
        parameter: &Column,
        frame: &Frame,
    ) {
        let is_valid = |quantile: &f64| (0.0..=1.0).contains(quantile);
        let Some(site) = parameter_site(aggregate, node) else {
            return;
        };
        if parameter.values().iter().any(|value| value.is_nan()) {
            frame.note(&site, Note::InvalidQuantile(f64::NAN));
        }
        for Extent { max, min } in self.extents(parameter, is_valid, frame) {
            if max > 1.0 {
                frame.note(&site, Note::InvalidQuantile(max));
            }
            if min < 0.0 {
                frame.note(&site, Note::InvalidQuantile(min));
            }
        }
    }

    /// Notes ratios beyond 1, for `limit_ratio`.
    pub(super) fn note_ratios(
        &self,
        aggregate: &Aggregate,
        node: Span,
        parameter: &Column,
        frame: &Frame,
    ) {
        let is_valid = |ratio: &f64| (-1.0..=1.0).contains(ratio);
        let Some(site) = parameter_site(aggregate, node) else {
            return;
        };
        for Extent { max, min } in self.extents(parameter, is_valid, frame) {
            if max > 1.0 {
                frame.note(&site, Note::InvalidRatio(max, 1.0));
            }
            if min < -1.0 {
                frame.note(&site, Note::InvalidRatio(min, -1.0));
            }
        }
    }

    /// The extents of a parameter in each query that a frame's times belong to, where any value is invalid.
    fn extents(
        &self,
        parameter: &Column,
        is_valid: impl Fn(&f64) -> bool,
        frame: &Frame,
    ) -> Vec<Extent> {
        let values = parameter.values();
        if values.iter().all(&is_valid) {
            return Vec::new();
        }
        let is_constant = values.windows(2).all(|pair| pair[0] == pair[1]);
        match frame.query {
            QueryTime::Same => {
                let mut extents: Vec<Extent> = Vec::new();
                let invalid = |value: &&f64| !is_valid(value) && !value.is_nan();
                for &value in values.iter().filter(invalid) {
                    if extents.last().is_none_or(|last| last.max != value) {
                        extents.push(extent(&[value]));
                    }
                }
                extents
            }
            QueryTime::Shared if !is_constant => {
                self.must_part_ticks.set(true);
                Vec::new()
            }
            _ => vec![extent(values)],
        }
    }
}

fn extent(values: &[f64]) -> Extent {
    Extent {
        max: values.iter().copied().fold(f64::MIN, number::max),
        min: values.iter().copied().fold(f64::MAX, number::min),
    }
}

fn parameter_site(aggregate: &Aggregate, node: Span) -> Option<Site<'static>> {
    let parameter = aggregate.param.as_ref()?.unwrap_parens();
    Some(Site::new(node, parameter.span, ""))
}
