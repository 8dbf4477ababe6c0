//! SLO objects of OpenSLO.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::Reader;
use super::alerts::OPERATORS;
use super::indicator::{Metric, Sli, given};
use super::parts::{Name, Shorthand, first_line};
use crate::promql::ast::BinaryOp;
use crate::slo::objective::{EmptySlice, Method, Slo};
use crate::slo::target::Target;
use crate::slo::window::{Calendar, CalendarUnit, Window};
use crate::text::yaml::{Fields, Node};
use crate::text::{Place, Span};

/// An SLO, validated.
#[derive(Debug)]
pub(super) struct SloObject<'d> {
    name: Name,
    description: String,
    service: String,
    indicator: Option<Named<'d>>,
    window: Option<Window>,
    objectives: Vec<Objective<'d>>,
}

/// An indicator, written out or named.
#[derive(Debug)]
enum Named<'d> {
    Inline(Sli<'d>),
    Ref(Name),
}

#[derive(Debug)]
struct Objective<'d> {
    name: Option<String>,
    target: Target,
    compared: Option<(BinaryOp, f64)>,
    method: Method,
    indicator: Option<Named<'d>>,
    span: Span,
}

const SPEC_FIELDS: [&str; 8] = [
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "budgetingMethod",
    "timeWindow",
    "objectives",
    "alertPolicies",
];

const OBJECTIVE_FIELDS: [&str; 10] = [
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "compositeWeight",
];

impl<'d> Reader<'d, '_> {
    pub(super) fn slo(&mut self, node: Node<'d>, name: Option<Name>) -> Option<SloObject<'d>> {
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, "an SLO", &SPEC_FIELDS)?;
        let description = self.description(&fields);
        let service = self.required(&fields, node, "service");
        let service = service.and_then(|node| self.some_text(node, "service"));
        let indicator = self.named(&fields);
        let methods = ["Occurrences", "Timeslices", "RatioTimeslices"];
        let method = self.one_of(&fields, node, "budgetingMethod", &methods);
        let window = self.time_window(&fields);
        if let Some(list) = given(&fields, "alertPolicies") {
            for node in self.decoder.list(list, "`alertPolicies`") {
                self.inline(node, "alertPolicyRef", "AlertPolicy", Reader::alert_policy);
            }
        }
        let objectives = given(&fields, "objectives");
        let objectives = objectives.map(|node| self.decoder.list(node, "`objectives`"));
        let metric = match &indicator {
            Some(Named::Inline(sli)) => Some(matches!(sli.metric, Metric::Threshold(_))),
            _ => None,
        };
        let objectives = objectives.unwrap_or_default().into_iter();
        let objectives: Vec<Objective<'d>> = objectives
            .filter_map(|node| self.objective(node, method?, metric))
            .collect();
        let composite = objectives.iter().any(|it| it.indicator.is_some());
        let span = first_line(node);
        match (indicator.is_some(), composite) {
            (false, false) if self.decoder.faults.len() == noted => {
                let message = "nothing is measured: neither `indicator` nor `indicatorRef`";
                self.error(span, message, "add one of the two to `spec`");
            }
            (true, true) => {
                let message = "indicators both of the SLO and of its objectives";
                self.error(
                    span,
                    message,
                    "leave those of the objectives, or that of the SLO",
                );
            }
            _ => {}
        }
        if composite {
            for objective in objectives.iter().filter(|it| it.indicator.is_none()) {
                let message = "an objective without an indicator beside others that have one";
                self.error(objective.span, message, "add `indicator` or `indicatorRef`");
            }
        }
        let is_good = self.decoder.faults.len() == noted;
        let object = SloObject {
            name: name?,
            description,
            service: service?,
            indicator,
            window,
            objectives,
        };
        is_good.then_some(object)
    }

    /// The indicator of an SLO or of an objective.
    fn named(&mut self, fields: &Fields<'d>) -> Option<Named<'d>> {
        match (given(fields, "indicator"), given(fields, "indicatorRef")) {
            (Some(node), None) => {
                let fields = self.fields(node, "`indicator`", &["metadata", "spec"])?;
                self.metadata(&fields, node);
                let spec = self.required(&fields, node, "spec")?;
                self.sli(spec).map(Named::Inline)
            }
            (None, Some(node)) => self.dns_label(node, "indicatorRef").map(Named::Ref),
            (None, None) => None,
            (Some(_), Some(_)) => {
                let message = "both `indicator` and `indicatorRef`";
                let span = fields.key_span("indicatorRef");
                self.error(span, message, "remove one of the two");
                None
            }
        }
    }

    fn time_window(&mut self, fields: &Fields<'d>) -> Option<Window> {
        let list = given(fields, "timeWindow")?;
        let items = self.decoder.list(list, "`timeWindow`");
        let [node] = items.as_slice() else {
            let message = format!("`timeWindow` has {} items", items.len());
            self.error(first_line(list), message, "write exactly one");
            return None;
        };
        let keys = ["duration", "isRolling", "calendar"];
        let fields = self.fields(*node, "a time window", &keys)?;
        let is_rolling = match fields.node("isRolling") {
            None => false,
            Some(node) => self.decoder.boolean(node, "`isRolling`")?,
        };
        let duration = self.required(&fields, *node, "duration");
        let written = duration.and_then(|node| self.shorthand(node, "duration"));
        let calendar = given(&fields, "calendar");
        let calendar = match (is_rolling, calendar) {
            (true, None) => None,
            (false, Some(calendar)) => Some(self.calendar(calendar)),
            (true, Some(_)) => {
                let message = "`calendar` beside `isRolling: true`";
                let span = fields.key_span("calendar");
                self.error(span, message, "remove one of the two");
                return None;
            }
            (false, None) => {
                let message = "a window that is not rolling has no `calendar`";
                let help = "add `isRolling: true`, or `calendar: {startTime: 2026-01-01 00:00:00, timeZone: UTC}`";
                self.error(first_line(*node), message, help);
                return None;
            }
        };
        let (written, span) = (written?, duration?.target().span());
        if written.count == 0 {
            self.error(span, "a window of no length", "write one such as `30d`");
            return None;
        }
        if written.millis() < 86_400_000 {
            let message = format!("a window of {} {}s", written.count, written.unit.name());
            let help = "`m` is minutes and `M` months";
            self.warn(span, message, help);
        }
        Some(match calendar {
            None => Window::Rolling(written.millis()),
            Some(calendar) => {
                let (start, zone) = calendar?;
                Window::Calendar(Calendar {
                    unit: written.unit,
                    count: written.count,
                    start,
                    zone,
                })
            }
        })
    }

    fn calendar(&mut self, node: Node<'d>) -> Option<(NaiveDateTime, Tz)> {
        let fields = self.fields(node, "`calendar`", &["startTime", "timeZone"])?;
        let start = self.required(&fields, node, "startTime")?;
        let text = self.text(start, "startTime")?;
        let moment = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S");
        // Chrono is more liberal about digits.
        let moment = moment.ok().filter(|_| text.len() == 19);
        if moment.is_none() {
            let message = format!("`startTime`: {text:?} is no time of OpenSLO");
            let help = "write it as `2026-01-01 00:00:00`, without a zone";
            self.error(start.target().span(), message, help);
        }
        let zone = match given(&fields, "timeZone") {
            None => Some(Tz::UTC),
            Some(node) => {
                let text = self.text(node, "timeZone")?;
                let zone = match text.as_str() {
                    "" => Some(Tz::UTC),
                    text => text.parse().ok(),
                };
                if zone.is_none() {
                    let message = format!("`timeZone`: there is no time zone {text:?}");
                    let help =
                        "write a name of the time zone database, such as Europe/Berlin or UTC";
                    self.error(node.target().span(), message, help);
                }
                zone
            }
        };
        moment.zip(zone)
    }

    /// An objective; `threshold` says whether its indicator is known to be one.
    fn objective(
        &mut self,
        node: Node<'d>,
        method: &str,
        threshold: Option<bool>,
    ) -> Option<Objective<'d>> {
        let fields = self.fields(node, "an objective", &OBJECTIVE_FIELDS)?;
        let span = first_line(node);
        let name = given(&fields, "displayName").and_then(|node| self.text(node, "displayName"));
        let compared = self.compared(&fields, node, threshold);
        let target = match (given(&fields, "target"), given(&fields, "targetPercent")) {
            (Some(node), None) => {
                let within = |value: f64| (0.0..1.0).contains(&value);
                let read = self.number(node, "target", "at least 0 and below 1", within);
                read.and_then(|(_, text)| self.exact(node, &text, Target::of_share(&text)))
            }
            (None, Some(node)) => {
                let within = |value: f64| (0.0..100.0).contains(&value);
                let read = self.number(node, "targetPercent", "at least 0 and below 100", within);
                read.and_then(|(_, text)| self.exact(node, &text, Target::of_percent(&text)))
            }
            _ => {
                let message = "an objective has either `target` or `targetPercent`";
                self.error(span, message, "write one of the two: `target: 0.999`");
                None
            }
        };
        let slice = match given(&fields, "timeSliceWindow") {
            Some(node) => self.shorthand(node, "timeSliceWindow").zip(Some(node)),
            None if method == "Occurrences" => None,
            None => {
                self.required(&fields, node, "timeSliceWindow");
                None
            }
        };
        let slice_target = match given(&fields, "timeSliceTarget") {
            Some(node) => {
                let within = |value: f64| value > 0.0 && value <= 1.0;
                let read = self.number(node, "timeSliceTarget", "above 0 and at most 1", within);
                read.and_then(|(_, text)| self.exact(node, &text, Target::of_share(&text)))
            }
            None if method == "Timeslices" => {
                self.required(&fields, node, "timeSliceTarget");
                None
            }
            None => None,
        };
        if let Some(node) = given(&fields, "compositeWeight") {
            self.number(node, "compositeWeight", "above 0", |value| value > 0.0);
        }
        let indicator = self.named(&fields);
        let slice = |reader: &mut Self| {
            let (slice, node): (Shorthand, Node<'d>) = slice?;
            if slice.count == 0 || slice.unit == CalendarUnit::Year {
                let message = "`timeSliceWindow` is no slice of a window";
                reader.error(node.target().span(), message, "write one such as `1m`");
                return None;
            }
            Some(slice.millis())
        };
        let method = match method {
            "Occurrences" => Method::Occurrences,
            "Timeslices" => Method::TimeSlices {
                slice: slice(self)?,
                target: slice_target?,
                empty: EmptySlice::Good,
            },
            _ => Method::RatioTimeSlices {
                slice: slice(self)?,
                empty: EmptySlice::Skipped,
            },
        };
        Some(Objective {
            name,
            target: target?,
            compared,
            method,
            indicator,
            span,
        })
    }

    /// A target as written, which its number may lie near only.
    fn exact(
        &mut self,
        node: Node<'d>,
        text: &str,
        target: Result<Target, crate::slo::target::TargetError>,
    ) -> Option<Target> {
        match target {
            Ok(target) => Some(target),
            Err(error) => {
                let message = format!("{text:?} {error}");
                let help = "write a decimal number with at most 18 decimals";
                self.error(node.target().span(), message, help);
                None
            }
        }
    }

    /// `op` and `value`, which only thresholds have.
    fn compared(
        &mut self,
        fields: &Fields<'d>,
        node: Node<'d>,
        threshold: Option<bool>,
    ) -> Option<(BinaryOp, f64)> {
        if threshold == Some(false) {
            for name in ["op", "value"] {
                if given(fields, name).is_some() {
                    let message =
                        format!("`{name}` beside a ratio, which is compared with nothing");
                    self.error(fields.key_span(name), message, "remove it");
                }
            }
            return None;
        }
        if threshold == Some(true) && given(fields, "op").is_none() {
            self.required(fields, node, "op");
            return None;
        }
        given(fields, "op")?;
        let op = match self.one_of(fields, node, "op", &OPERATORS)? {
            "lt" => BinaryOp::Less,
            "lte" => BinaryOp::LessEqual,
            "gt" => BinaryOp::Greater,
            _ => BinaryOp::GreaterEqual,
        };
        let value = match given(fields, "value") {
            None if threshold == Some(true) => {
                self.required(fields, node, "value");
                return None;
            }
            None => 0.0,
            Some(node) => {
                let (value, _) = self.number(node, "value", "a number", |it| !it.is_nan())?;
                value
            }
        };
        Some((op, value))
    }

    /// What an SLO object says: an objective each.
    pub(super) fn objectives(
        &mut self,
        object: &SloObject<'d>,
        indicators: &[(String, Sli<'d>)],
    ) -> Vec<Slo> {
        let span = object.name.1;
        if object.objectives.iter().any(|it| it.indicator.is_some()) {
            let message = "an SLO of several indicators, whose budgets rulecheck does not add up";
            self.error(span, message, "make an SLO of each objective");
            return Vec::new();
        }
        if object.objectives.is_empty() {
            let help = "add `objectives: [{target: 0.999}]`";
            self.error(span, "an SLO without objectives", help);
            return Vec::new();
        }
        let Some(window) = object.window else {
            let help = "add `timeWindow: [{duration: 30d, isRolling: true}]`";
            self.error(span, "an SLO without a time window has no budget", help);
            return Vec::new();
        };
        let sli = match &object.indicator {
            Some(Named::Inline(sli)) => sli,
            Some(Named::Ref((name, span))) => {
                match indicators.iter().find(|(known, _)| known == name) {
                    Some((_, sli)) => sli,
                    None => {
                        let message = format!("there is no SLI {name:?} in this file");
                        self.error(*span, message, "put the object of kind SLI into this file");
                        return Vec::new();
                    }
                }
            }
            None => return Vec::new(),
        };
        let several = object.objectives.len() > 1;
        let mut slos = Vec::new();
        for (index, objective) in object.objectives.iter().enumerate() {
            let Some(indicator) = self.indicator(sli, objective.compared) else {
                continue;
            };
            let name = match (several, &objective.name) {
                (false, _) => object.name.0.clone(),
                (true, Some(name)) => format!("{}-{name}", object.name.0),
                (true, None) => format!("{}-{index}", object.name.0),
            };
            let place = match several {
                true => objective.span,
                false => span,
            };
            slos.push(Slo {
                name,
                service: Some(object.service.clone()),
                description: object.description.clone(),
                labels: Vec::new(),
                target: objective.target,
                window,
                method: objective.method,
                indicator,
                grouping: Vec::new(),
                place: Place::new(self.decoder.source(), place),
            });
        }
        slos
    }
}
