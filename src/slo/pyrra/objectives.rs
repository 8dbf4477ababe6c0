//! What Pyrra's objectives mean.

use super::{Indicator, Spec};
use crate::model::Millis;
use crate::model::number::format_value;
use crate::promql::Features;
use crate::slo::objective::{self, MeasureKind, Method, Quality, measure};
use crate::slo::target::Target;
use crate::slo::window::Window;
use crate::text::{Diagnostic, Place};

impl Spec {
    /// The objective.
    ///
    /// # Errors
    ///
    /// A target that has more decimals than can be kept, and a window of nothing.
    pub fn to_slo(&self, features: &Features) -> Result<objective::Slo, Vec<Diagnostic>> {
        let counter =
            |metric: &super::Metric| measure(&metric.text, MeasureKind::Counter, features);
        let indicator = match &self.indicator {
            Indicator::Ratio { errors, total } => objective::Indicator::Events {
                quality: Quality::Bad,
                some: counter(errors)?,
                total: counter(total)?,
            },
            Indicator::Latency { success, total } => objective::Indicator::Events {
                quality: Quality::Good,
                some: counter(success)?,
                total: counter(total)?,
            },
            Indicator::LatencyNative { total, latency } => objective::Indicator::Latency {
                histogram: counter(total)?,
                within: *latency as f64 / 1000.0,
            },
            Indicator::BoolGauge(metric) => objective::Indicator::Boolean {
                value: measure(&metric.text, MeasureKind::Values, features)?,
            },
        };
        Ok(objective::Slo {
            name: self.object.name.clone(),
            service: None,
            description: self.description.clone(),
            labels: super::passed_on(&self.object.labels).collect(),
            target: self.exact_target()?,
            window: Window::Rolling(self.some_window()?),
            method: Method::Occurrences,
            indicator,
            grouping: self.groups(),
            place: Place::new(&self.source, self.name_span),
        })
    }

    fn exact_target(&self) -> Result<Target, Vec<Diagnostic>> {
        let read = Target::of_percent(&self.target_text)
            .or_else(|_| Target::of_percent(&format_value(self.target)));
        read.map_err(|error| {
            let fault = Diagnostic::error(format!("target: {:?} {error}", self.target_text));
            let fault = fault.at(&self.source, self.target_span);
            vec![fault.help("write per cent such as '99.9'")]
        })
    }

    fn some_window(&self) -> Result<Millis, Vec<Diagnostic>> {
        match self.window > 0 {
            true => Ok(self.window),
            false => {
                let fault = Diagnostic::error("a window of nothing has no budget");
                let fault = fault.at(&self.source, self.window_span);
                Err(vec![fault.help("give a time such as 4w")])
            }
        }
    }
}
