//! Functions: what their argument must do for the result that is wanted.

use super::{Reason, Scope, Solver, Want};
use crate::model::Millis;
use crate::promql::ast::{Call, Expr, ExprKind, ValueType};
use crate::scaffold::timing::length;
use crate::scaffold::world::Track;

/// What shrinks to nothing ahead is this now.
const LEFT: f64 = 100.0;

impl Solver<'_, '_> {
    pub(super) fn call(
        &mut self,
        expr: &Expr,
        call: &Call,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let name = call.function.name;
        let Some(argument) = call.args.iter().find(|it| is_series(it)) else {
            return self.constant(expr, want);
        };
        let window = self.window(argument);
        let interval = self.timing.interval;
        let seconds = |length: Millis| (length.max(1) as f64) / 1e3;
        let held = window.min(self.timing.history.max(interval));
        match name {
            "label_replace" => self.label_replace(call, want, scope),
            "label_join" => self.label_join(call, want, scope),
            "histogram_quantile" => self.quantile(call, want, scope),
            "absent" | "absent_over_time" => match want.number() {
                None | Some(1.0) => self.lack(argument, scope),
                Some(_) => Err(format!("{name}() is 1 or nothing")),
            },
            "present_over_time" => self.meet(argument, Want::ANY, scope),
            "rate" | "irate" | "deriv" | "increase" | "delta" | "idelta" => {
                let growth = want.mapped(|value| match name {
                    "rate" => value * window as f64 / held as f64,
                    "increase" | "delta" => value / seconds(held),
                    "idelta" => value / seconds(interval),
                    _ => value,
                })?;
                let slope = growth.number().unwrap_or(1.0);
                self.meet(argument, Want::track(Track::Slope(slope)), scope)
            }
            "changes" | "resets" => {
                let count = match (want.number(), want.bound) {
                    // More often than never: all the time.
                    (Some(count), Some(0.0)) if count > 0.0 => (held / interval) as f64,
                    (count, _) => count.unwrap_or(1.0),
                };
                self.meet(
                    argument,
                    Want::track(Track::Changes(count, held, name == "resets")),
                    scope,
                )
            }
            "predict_linear" => self.predicted(call, argument, want, scope),
            "sum_over_time" => {
                let samples = (held / self.step(argument).max(1)).max(1) as f64;
                self.meet(argument, want.mapped(|value| value / samples)?, scope)
            }
            // So many samples as there are.
            "count_over_time" => self.meet(argument, Want::ANY, scope),
            "avg_over_time" | "min_over_time" | "max_over_time" | "last_over_time"
            | "first_over_time" | "quantile_over_time" => self.meet(argument, want, scope),
            "scalar" => {
                let all = Scope {
                    depth: scope.depth,
                    fresh: scope.fresh,
                    ..Scope::default()
                };
                self.meet(argument, want, &all)
            }
            "abs" | "ceil" | "floor" | "round" | "clamp" | "clamp_min" | "clamp_max" | "sort"
            | "sort_desc" | "sort_by_label" | "sort_by_label_desc" | "vector" | "timestamp" => {
                self.meet(argument, want, scope)
            }
            "sgn" => self.meet(argument, want, scope),
            "sqrt" => self.meet(argument, want.mapped(|value| value * value)?, scope),
            "exp" => self.meet(argument, want.mapped(f64::ln)?, scope),
            "ln" => self.meet(argument, want.mapped(f64::exp)?, scope),
            "log2" => self.meet(argument, want.mapped(f64::exp2)?, scope),
            "log10" => self.meet(argument, want.mapped(|value| 10f64.powf(value))?, scope),
            _ => Err(format!("it is not known which series {name}() needs")),
        }
    }

    /// No series, or such that an expression yields none.
    fn lack(&mut self, argument: &Expr, scope: &Scope) -> Result<(), Reason> {
        match self.look(argument).is_empty() {
            true => Ok(()),
            false => self.hush(argument, scope),
        }
    }

    /// Something that shrinks or grows to a value.
    fn predicted(
        &mut self,
        call: &Call,
        argument: &Expr,
        want: Want,
        scope: &Scope,
    ) -> Result<(), Reason> {
        let Some(value) = want.number() else {
            return self.meet(argument, Want::value(LEFT), scope);
        };
        let ahead = call.args.get(1).and_then(|expr| self.number(expr));
        let Some(ahead) = ahead.filter(|&it| it > 0.0) else {
            return Err("how far predict_linear() looks ahead is no number".to_owned());
        };
        let latest = match &argument.kind {
            ExprKind::Matrix(matrix) => self.now_of(&matrix.selector),
            _ => None,
        };
        let bound = want.bound.unwrap_or(0.0);
        // Where it is to be less than nothing, it is on its way there; else it may stand still.
        let now = latest.unwrap_or(match value <= 0.0 {
            true => LEFT,
            false => value,
        });
        let target = match value <= 0.0 && bound <= 0.0 {
            true => value.min(-now / 5.0),
            false => value,
        };
        self.meet(argument, Want::value(now), scope)?;
        let slope = (target - now) / ahead;
        match slope == 0.0 {
            true => Ok(()),
            false => self.meet(argument, Want::track(Track::Slope(slope)), scope),
        }
    }

    /// The value that a series of a selector has at the end, where it is planned.
    fn now_of(&self, selector: &crate::promql::ast::VectorSelector) -> Option<f64> {
        let mut planned = self.world.series.iter();
        let found = planned.find(|it| {
            selector
                .matchers
                .iter()
                .all(|matcher| matcher.matches(&it.labels))
        });
        found.and_then(|it| it.last)
    }

    /// The length of the window that an expression yields.
    fn window(&self, expr: &Expr) -> Millis {
        match &expr.kind {
            ExprKind::Matrix(matrix) => length(&matrix.range),
            ExprKind::Subquery(subquery) => length(&subquery.range),
            _ => 0,
        }
    }

    /// Between two samples of a window.
    fn step(&self, expr: &Expr) -> Millis {
        match &expr.kind {
            ExprKind::Subquery(subquery) => {
                let step = subquery.step.as_ref().map(length);
                step.unwrap_or(self.timing.evaluation)
            }
            _ => self.timing.interval,
        }
    }
}

/// Whether an argument has series, rather than being a number or a text.
fn is_series(expr: &Expr) -> bool {
    let is_vector = matches!(expr.value_type(), ValueType::Vector | ValueType::Matrix);
    is_vector && !super::is_constant(expr)
}
