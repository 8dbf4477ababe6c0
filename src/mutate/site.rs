//! A rule of which mutants are made.

use super::Operator;
use super::mutant::{Alteration, Mutant};
use crate::model::{Duration, Millis};
use crate::promql::ast::{BinaryOp, Expr, ExprKind, VectorSelector};
use crate::promql::{Query, one_line, threshold};
use crate::replay::RuleId;
use crate::rules::{AlertRule, Rule, RuleGroup, RuleKind};
use crate::text::yaml::Document;
use crate::text::{Place, Span};
use crate::whatif::{Change, Comparison, Edit, Knob, KnobKind, splice};

/// A rule of which mutants are made, and those that were.
pub(super) struct Site<'s> {
    pub group: &'s RuleGroup,
    pub rule: &'s Rule,
    pub id: RuleId,
    /// What can move in it.
    pub knobs: &'s [&'s Knob],
    /// How far two evaluations lie apart.
    pub step: Millis,
    /// What the text of the group holds.
    pub documents: &'s [Document<'s>],
    /// What is at work.
    pub operator: Option<&'static Operator>,
    pub found: Vec<Mutant>,
}

impl<'s> Site<'s> {
    pub fn query(&self) -> &'s Query {
        &self.rule.expr
    }

    pub fn alert(&self) -> Option<&'s AlertRule> {
        match &self.rule.kind {
            RuleKind::Alert(alert) => Some(alert),
            RuleKind::Recording { .. } => None,
        }
    }

    /// The knobs of a kind.
    pub fn knobs(&self, kind: KnobKind) -> impl Iterator<Item = &'s Knob> + use<'s> {
        let knobs = self.knobs.iter().copied();
        knobs.filter(move |knob| knob.kind == kind)
    }

    /// A part of the query's text.
    pub fn text(&self, part: Span) -> &'s str {
        let text = &self.query().text;
        text.get(part.start..part.end).unwrap_or_default()
    }

    /// An operator without what may stand behind it, such as `bool` and `on (…)`.
    pub fn symbol(&self, written: Span) -> Span {
        let symbols = BinaryOp::ALL.into_iter().map(BinaryOp::symbol);
        let text = self.text(written);
        let is_here = |symbol: &&str| {
            let head = text.get(..symbol.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(symbol))
        };
        let length = symbols.filter(is_here).map(str::len).max();
        Span::new(written.start, written.start + length.unwrap_or(0))
    }

    /// Every part of the query, the outer before those in it.
    pub fn parts(&self) -> Vec<&'s Expr> {
        let mut found = Vec::new();
        let mut open = vec![&self.query().expr];
        while let Some(expr) = open.pop() {
            found.push(expr);
            open.extend(expr.children());
        }
        found
    }

    /// Every selector with its text, up to the range.
    pub fn selectors(&self) -> Vec<(&'s VectorSelector, Span)> {
        let parts = self.parts().into_iter();
        let selectors = parts.filter_map(|part| match &part.kind {
            ExprKind::Vector(selector) => Some((&**selector, part.span)),
            ExprKind::Matrix(matrix) => Some((&matrix.selector, part.span)),
            _ => None,
        });
        selectors.collect()
    }

    /// What somebody sees who knows what the rule does: the end of a sentence about a moment.
    pub fn outcome(&self) -> String {
        match self.alert() {
            Some(_) => format!("what {} does then is asked for", self.rule.name),
            None => format!("the value of {} is asked for", self.rule.name),
        }
    }

    /// The same for what decides whether an alert fires.
    pub fn expected(&self, fires: bool) -> String {
        let name = &self.rule.name;
        match fires {
            true => format!("{name} is expected to fire"),
            false => format!("{name} is expected to be silent"),
        }
    }

    /// Whether a comparison is the one that decides whether the alert fires.
    pub fn decides(&self, comparison: &Comparison) -> bool {
        let decisive = threshold(&self.query().expr);
        self.alert().is_some() && decisive.is_some_and(|it| it.bound.span == comparison.limit)
    }

    /// ` for 5m` of an alert that waits.
    pub fn while_holding(&self) -> String {
        match self.alert() {
            Some(alert) if alert.hold > 0 => format!(" for {}", Duration(alert.hold)),
            _ => String::new(),
        }
    }

    /// Moves a knob: what stands there is shown as a wider part of the query, if one is given.
    pub fn knob(&mut self, knob: &Knob, value: &str, shown: Option<Span>, remedy: String) {
        let Ok(change) = Change::new(knob, value) else {
            return;
        };
        let (from, to) = match (knob.in_query(), shown) {
            (Some(span), Some(shown)) => self.shown(shown, span, value),
            _ => (one_line(&knob.value), value.to_owned()),
        };
        let place = match (knob.in_query(), shown) {
            (Some(_), Some(shown)) => self.place(shown),
            _ => knob.place.clone(),
        };
        self.push(
            place,
            from,
            Some(to),
            remedy,
            Alteration::Knob(Box::new(change)),
        );
    }

    /// Moves how long an alert waits.
    pub fn wait(&mut self, knob: &Knob, value: &str, remedy: String) {
        let Ok(change) = Change::new(knob, value) else {
            return;
        };
        let written = |value: &str| format!("{}: {value}", knob.kind.name());
        let (from, to) = (written(&knob.value), written(value));
        let alteration = Alteration::Knob(Box::new(change));
        self.push(knob.place.clone(), from, Some(to), remedy, alteration);
    }

    /// Puts something in the place of a part of the query; it is shown as a wider part, if one is given.
    pub fn part(&mut self, part: Span, text: &str, shown: Option<Span>, remedy: String) {
        let (from, to) = self.shown(shown.unwrap_or(part), part, text);
        let to = Some(to).filter(|it| !it.is_empty());
        let place = self.place(shown.unwrap_or(part));
        let alteration = Alteration::Query(part, text.to_owned());
        self.push(place, from, to, remedy, alteration);
    }

    /// Takes a part of the query out, with what parts it from others.
    pub fn dropped(&mut self, part: Span, with: Span, remedy: String) {
        let (place, from) = (self.place(part), one_line(self.text(part)));
        let alteration = Alteration::Query(with, String::new());
        self.push(place, from, None, remedy, alteration);
    }

    /// Takes bytes out of the file.
    pub fn removed(
        &mut self,
        place: Place,
        from: String,
        remedy: String,
        of: impl FnOnce(Edit) -> Alteration,
        bytes: Span,
    ) {
        let gone = Place::new(&self.group.source, bytes);
        let edit = Edit {
            file: gone.source.name().to_owned(),
            span: gone.span,
            text: String::new(),
        };
        self.push(place, from, None, remedy, of(edit));
    }

    /// A part of the query before and after something in it changes.
    fn shown(&self, shown: Span, part: Span, text: &str) -> (String, String) {
        let within = Span::new(
            part.start.saturating_sub(shown.start),
            part.end.saturating_sub(shown.start),
        );
        let before = self.text(shown);
        let after = splice(before, vec![(within, text.to_owned())]);
        (one_line(before), one_line(&after))
    }

    fn place(&self, part: Span) -> Place {
        let text = &self.rule.expr_text;
        Place::new(text.source(), text.span(part))
    }

    fn push(
        &mut self,
        place: Place,
        from: String,
        to: Option<String>,
        remedy: String,
        alteration: Alteration,
    ) {
        let Some(operator) = self.operator else {
            return;
        };
        self.found.push(Mutant {
            operator,
            rule: self.id,
            name: self.rule.name.clone(),
            place,
            from,
            to,
            remedy,
            alteration,
        });
    }
}
