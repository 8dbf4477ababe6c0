//! What Sloth's objectives mean: bad events of all, or their share, in any window.

use super::{Sli, Slo, Spec};
use crate::model::Millis;
use crate::model::number::format_value;
use crate::promql::Features;
use crate::slo::objective::{self, Indicator, MeasureKind, Method, Quality, measure};
use crate::slo::target::Target;
use crate::slo::window::Window;
use crate::text::{Diagnostic, Place};

impl Spec {
    /// Its objectives over a window, which the specification does not say.
    ///
    /// # Errors
    ///
    /// Queries that only a template engine could make.
    pub fn to_slos(
        &self,
        period: Millis,
        features: &Features,
    ) -> Result<Vec<objective::Slo>, Vec<Diagnostic>> {
        let slos = self
            .slos
            .iter()
            .map(|slo| self.to_slo(slo, period, features));
        slos.collect()
    }

    fn to_slo(
        &self,
        slo: &Slo,
        period: Millis,
        features: &Features,
    ) -> Result<objective::Slo, Vec<Diagnostic>> {
        let windowed = |template: &super::QueryTemplate| {
            measure(template.text(), MeasureKind::Windowed, features)
        };
        let indicator = match &slo.sli {
            Sli::Events { error, total } => Indicator::Events {
                quality: Quality::Bad,
                some: windowed(error)?,
                total: windowed(total)?,
            },
            Sli::Raw(ratio) => Indicator::Ratio {
                quality: Quality::Bad,
                share: windowed(ratio)?,
            },
        };
        Ok(objective::Slo {
            name: slo.id.clone(),
            service: Some(slo.service.clone()),
            description: slo.description.clone(),
            labels: slo.labels.clone().into_iter().collect(),
            target: self.target(slo)?,
            window: Window::Rolling(period),
            method: Method::Occurrences,
            indicator,
            grouping: Vec::new(),
            place: Place::new(&self.source, slo.name_span),
        })
    }

    /// The target as it was written, where it was written in decimals.
    fn target(&self, slo: &Slo) -> Result<Target, Vec<Diagnostic>> {
        let read = Target::of_percent(&slo.objective_text)
            .or_else(|_| Target::of_percent(&format_value(slo.objective)));
        read.map_err(|error| {
            let fault = Diagnostic::error(format!("objective: {:?} {error}", slo.objective_text));
            let fault = fault.at(&self.source, slo.objective_span);
            vec![fault.help("write per cent such as 99.9")]
        })
    }
}
