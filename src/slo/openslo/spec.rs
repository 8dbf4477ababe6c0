//! SLO objects of OpenSLO.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::alerts::Policy;
use super::indicator::Sli;
use super::parts::{Member, Name, Shorthand};
use super::{Reader, given};
use crate::promql::ast::BinaryOp;
use crate::slo::keys::first_line;
use crate::slo::objective::{EmptySlice, Method};
use crate::slo::target::{Target, TargetError};
use crate::slo::window::{Calendar, CalendarUnit, Window};
use crate::text::Place;
use crate::text::yaml::{Fields, Node};

/// An SLO, validated.
#[derive(Debug)]
pub(super) struct SloObject {
    pub name: Name,
    pub description: String,
    pub service: String,
    pub indicator: Option<Member<Sli>>,
    pub window: Window,
    pub objectives: Vec<SloObjective>,
    pub policies: Vec<Member<Policy>>,
}

/// An objective of an SLO, validated.
#[derive(Debug)]
pub(super) struct SloObjective {
    pub name: Option<String>,
    pub target: Target,
    pub compared: Option<(BinaryOp, f64)>,
    pub method: Method,
    pub indicator: Option<Member<Sli>>,
    pub place: Place,
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

impl<'d> Reader<'d> {
    pub(super) fn slo(&mut self, node: Node<'d>, name: Option<Name>) -> Option<SloObject> {
        let noted = self.decoder.faults.len();
        let fields = self.fields(node, "an SLO", &SPEC_FIELDS)?;
        let description = self.description(&fields);
        let service = self.required(&fields, node, "service");
        let service = service.and_then(|node| self.some_text(node, "service"));
        let indicator = self.named(&fields);
        let methods = ["Occurrences", "Timeslices", "RatioTimeslices"];
        let method = self.one_of(&fields, node, "budgetingMethod", &methods);
        let window = self.time_window(&fields, node);
        let mut policies = Vec::new();
        if let Some(list) = given(&fields, "alertPolicies") {
            for node in self.items(list, "alertPolicies") {
                let kind = "AlertPolicy";
                let policy = self.inline(node, "alertPolicyRef", kind, Reader::alert_policy);
                policies.extend(policy);
            }
        }
        let objectives = given(&fields, "objectives");
        let objectives = objectives.map(|node| self.items(node, "objectives"));
        let metric = match &indicator {
            Some(Member::Inline(sli)) => Some(matches!(sli, Sli::Threshold(_))),
            _ => None,
        };
        let objectives = objectives.unwrap_or_default().into_iter();
        let objectives: Vec<SloObjective> = objectives
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
                let span = objective.place.span;
                self.error(span, message, "add `indicator` or `indicatorRef`");
            }
        }
        let is_good = self.decoder.faults.len() == noted;
        let object = SloObject {
            name: name?,
            description,
            service: service?,
            indicator,
            window: window?,
            objectives,
            policies,
        };
        is_good.then_some(object)
    }

    /// The indicator of an SLO or of an objective.
    fn named(&mut self, fields: &Fields<'d>) -> Option<Member<Sli>> {
        match (given(fields, "indicator"), given(fields, "indicatorRef")) {
            (Some(node), None) => {
                let fields = self.fields(node, "`indicator`", &["metadata", "spec"])?;
                self.metadata(&fields, node);
                let spec = self.required(&fields, node, "spec")?;
                self.sli(spec).map(Member::Inline)
            }
            (None, Some(node)) => self.dns_label(node, "indicatorRef").map(Member::Ref),
            (None, None) => None,
            (Some(_), Some(_)) => {
                let message = "both `indicator` and `indicatorRef`";
                let span = fields.key_span("indicatorRef");
                self.error(span, message, "remove one of the two");
                None
            }
        }
    }

    fn time_window(&mut self, fields: &Fields<'d>, node: Node<'d>) -> Option<Window> {
        let list = self.required(fields, node, "timeWindow")?;
        let items = self.items(list, "timeWindow");
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
        let zone = self.required(&fields, node, "timeZone")?;
        let text = self.text(zone, "timeZone")?;
        let span = zone.target().span();
        let zone: Option<Tz> = text.parse().ok();
        if zone.is_none() {
            let message = format!("`timeZone`: there is no time zone {text:?}");
            let help = "write a name of the time zone database, such as Europe/Berlin or UTC";
            self.error(span, message, help);
        }
        moment.zip(zone)
    }

    /// An objective; `threshold` says whether its indicator is known to be one.
    fn objective(
        &mut self,
        node: Node<'d>,
        method: &str,
        threshold: Option<bool>,
    ) -> Option<SloObjective> {
        let fields = self.fields(node, "an objective", &OBJECTIVE_FIELDS)?;
        let span = first_line(node);
        let place = self.place(span);
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
        Some(SloObjective {
            name,
            target: target?,
            compared,
            method,
            indicator,
            place,
        })
    }

    /// A target as written, which its number may lie near only.
    fn exact(
        &mut self,
        node: Node<'d>,
        text: &str,
        target: Result<Target, TargetError>,
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
        let op = self.operator(fields, node)?;
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
}
