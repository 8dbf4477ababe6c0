//! `histogram_quantile`: observations between two buckets.

use super::{Reason, Scope, Solver, Want};
use crate::model::number;
use crate::promql::ast::Call;
use crate::scaffold::numbers::rounded;

/// How many observations there are, a second or in all.
const OBSERVATIONS: f64 = 10.0;

impl Solver<'_, '_> {
    /// Has the quantile be a value: all observations lie in one bucket.
    pub(super) fn quantile(
        &mut self,
        call: &Call,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let [quantile, buckets] = call.args.as_slice() else {
            return Err("histogram_quantile() without its arguments".to_owned());
        };
        let quantile = self.number(quantile).unwrap_or(0.5).clamp(0.01, 1.0);
        let value = want.number().unwrap_or(1.0);
        if value <= 0.0 && want.bound.is_none_or(|bound| bound <= 0.0) {
            return Err("a quantile that is not above 0 is not planned for".to_owned());
        }
        let (low, high) = match want.bound {
            Some(bound) if bound > 0.0 && value > bound && value <= 2.0 * bound => {
                (bound, 2.0 * bound)
            }
            Some(bound) if bound > 0.0 && value < bound => (bound / 4.0, bound / 2.0),
            _ => {
                let low = rounded(value * 0.8, 4);
                (low, rounded(low + (value - low) / quantile, 4))
            }
        };
        for (bound, count) in [
            (low, 0.0),
            (high, OBSERVATIONS),
            (f64::INFINITY, OBSERVATIONS),
        ] {
            let mut own = scope.clone();
            own.fixed
                .insert("le".to_owned(), number::format_value(bound));
            self.meet(buckets, Want::value(count), &own)?;
        }
        Ok(())
    }
}
