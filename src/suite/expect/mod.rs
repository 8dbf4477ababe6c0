//! What a test expects of a whole replay: when alerts fire and are pending, what expressions yield, what every alert
//! must carry.
//!
//! Times are milliseconds after the start of the test; windows and spans are half-open.

mod alert;
mod amend;
mod every;
mod expr;
mod picture;
mod problem;
pub(super) mod read;
pub(super) mod read_slo;
pub(super) mod scalar;
mod scene;
mod slo;
mod windows;

use std::sync::Arc;

use crate::model::{Labels, Millis, Regex};
use crate::promql::Query;
use crate::text::Span;
use crate::text::yaml::Embedded;

use super::file::Spanned;

pub(super) use self::alert::check as check_alert;
pub use self::amend::{Amendment, Change, New, NewItem, NewWindow, What};
pub(super) use self::every::check as check_every;
pub(super) use self::expr::check as check_expr;
pub use self::picture::{Curve, Picture, PictureRow};
pub use self::problem::{Counted, Problem, Subject, Unmet};
pub(super) use self::scene::Scene;
pub(super) use self::slo::check as check_slo;
pub use self::slo::{Got, SloAsk, SloExpectation, Wanted};
pub use self::windows::{EdgeFault, Side, Window};

/// One item of `expect:`.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// What is expected.
    pub kind: ExpectationKind,
    /// The whole item.
    pub span: Span,
}

/// What an item of `expect:` is about.
#[derive(Debug, Clone)]
pub enum ExpectationKind {
    /// One alert.
    Alert(Box<AlertExpectation>),
    /// All alerts, or all that no other item names.
    Alerts(EveryAlert),
    /// An expression.
    Expr(Box<ExprExpectation>),
    /// An objective and its error budget.
    Slo(Box<SloExpectation>),
}

/// What an alert must do over the test.
#[derive(Debug, Clone)]
pub struct AlertExpectation {
    /// Its name.
    pub alert: Spanned<String>,
    /// Only instances with these labels are meant.
    pub labels: Vec<TextTest>,
    /// What the annotations of the instances must be, at every evaluation at which they fire or at the time named.
    pub annotations: Vec<TextTest>,
    /// How many instances ever fire.
    pub instances: Option<Spanned<AmountTest>>,
    /// Whether the instances are taken together: they fire where one of them does.
    pub across_any: bool,
    /// When each fires.
    pub fires: Option<Spanned<Windows>>,
    /// When each is pending.
    pub pending: Option<Spanned<Windows>>,
    /// How far an edge of a window may lie from where it is expected.
    pub within: Millis,
    /// How often each fires.
    pub count: Option<Spanned<AmountTest>>,
    /// Each has fired and no longer does from here on.
    pub resolves_by: Option<Spanned<Millis>>,
    /// How often each fires again after it had resolved.
    pub flaps: Option<Spanned<AmountTest>>,
    /// Its state at a moment.
    pub at: Option<StateAt>,
    /// Whether instances that no item selects may fire.
    pub others_allowed: bool,
}

/// A state at the last evaluation at or before a moment.
#[derive(Debug, Clone)]
pub struct StateAt {
    /// The moment.
    pub time: Spanned<Millis>,
    /// What each selected instance must be then.
    pub state: Option<Spanned<StateName>>,
}

/// `inactive`, `pending` or `firing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateName {
    /// Neither of the others.
    Inactive,
    /// Its condition is true, but not for long enough.
    Pending,
    /// It fires.
    Firing,
}

/// What all alerts, or all others, must do or carry.
#[derive(Debug, Clone)]
pub struct EveryAlert {
    /// Only alerts that no other item of the test names.
    pub others_only: bool,
    /// Only instances with these labels are meant.
    pub labels: Vec<TextTest>,
    /// What their annotations must be, whenever they fire.
    pub annotations: Vec<TextTest>,
    /// Labels that they must have.
    pub has_labels: Vec<TextTest>,
    /// None of them ever fires.
    pub never_fires: bool,
    /// None of them is ever pending.
    pub never_pending: bool,
    /// How often each fires again after it had resolved.
    pub flaps: Option<Spanned<AmountTest>>,
}

/// What an expression must yield.
#[derive(Debug, Clone)]
pub struct ExprExpectation {
    /// The expression.
    pub query: Arc<Query>,
    /// The expression as written.
    pub expr: Embedded,
    /// Only samples with these labels are meant.
    pub labels: Vec<TextTest>,
    /// How many samples are meant.
    pub instances: Option<Spanned<AmountTest>>,
    /// When it is evaluated, and what must come of it.
    pub ask: Ask,
}

/// When an expression is evaluated, and what must come of it.
#[derive(Debug, Clone)]
pub enum Ask {
    /// At one moment.
    At {
        /// The moment.
        time: Spanned<Millis>,
        /// What each sample must be; it may be absent where only their number is asked for.
        value: Option<Spanned<ValueTest>>,
        /// Nothing must come of it.
        absent: bool,
    },
    /// At every evaluation interval of a span.
    Over {
        /// The first moment, at or after which evaluations count.
        start: Millis,
        /// The moment before which they count; `None` for the end of the test, which counts too.
        end: Option<Millis>,
        /// What each sample must be at each moment; none may lack.
        always: Option<Spanned<ValueTest>>,
        /// What the least value of each series must be.
        min: Option<Spanned<ValueTest>>,
        /// What the greatest value of each series must be.
        max: Option<Spanned<ValueTest>>,
        /// There must be no sample at any moment.
        never: bool,
    },
}

/// `never`, or windows in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub enum Windows {
    /// There is none.
    Never,
    /// There are these and no others.
    Listed(Vec<Window>),
}

/// A text that must be equal, or match a pattern; by the name of its label or annotation.
#[derive(Debug, Clone)]
pub struct TextTest {
    /// The label or annotation.
    pub name: String,
    /// What it must be.
    pub wanted: Text,
    /// Where that stands.
    pub span: Span,
}

/// What a text must be.
#[derive(Debug, Clone)]
pub enum Text {
    /// This; an empty label is one that is not there.
    Equal(String),
    /// `/pattern/`: RE2, found anywhere in it.
    Matches(Regex, String),
}

/// A number, or bounds.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueTest {
    /// It is this, give or take.
    Equal {
        /// NaN equals NaN.
        value: f64,
        /// How far it may be away.
        tolerance: Tolerance,
    },
    /// It lies within.
    Bounds(Bounds<f64>),
}

/// How far a value may lie from the one expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// So much.
    Absolute(f64),
    /// This part of the value expected.
    Relative(f64),
}

/// A number of things, or bounds of it.
#[derive(Debug, Clone, PartialEq)]
pub enum AmountTest {
    /// So many.
    Exactly(u64),
    /// Within.
    Bounds(Bounds<u64>),
}

/// Bounds; all that are given count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<T> {
    /// More than this.
    pub above: Option<T>,
    /// Less than this.
    pub below: Option<T>,
    /// This or more.
    pub at_least: Option<T>,
    /// This or less.
    pub at_most: Option<T>,
}

impl<T: PartialOrd + Copy> Bounds<T> {
    fn hold(&self, value: T) -> bool {
        self.above.is_none_or(|bound| value > bound)
            && self.below.is_none_or(|bound| value < bound)
            && self.at_least.is_none_or(|bound| value >= bound)
            && self.at_most.is_none_or(|bound| value <= bound)
    }
}

impl ValueTest {
    /// Whether a value is as expected.
    pub fn holds(&self, got: f64) -> bool {
        match self {
            ValueTest::Bounds(bounds) => bounds.hold(got),
            ValueTest::Equal { value, .. } if value.is_nan() => got.is_nan(),
            ValueTest::Equal { value, tolerance } => {
                let allowed = match tolerance {
                    Tolerance::Absolute(allowed) => *allowed,
                    Tolerance::Relative(part) => part * value.abs(),
                };
                // Infinities are equal to themselves, and nothing is near them.
                *value == got || (value.is_finite() && (got - value).abs() <= allowed)
            }
        }
    }
}

impl AmountTest {
    /// Whether there are as many as expected.
    pub fn holds(&self, got: u64) -> bool {
        match self {
            AmountTest::Exactly(amount) => *amount == got,
            AmountTest::Bounds(bounds) => bounds.hold(got),
        }
    }
}

impl Text {
    /// Whether a text is as expected; what is not there is empty.
    pub fn holds(&self, got: &str) -> bool {
        match self {
            Text::Equal(wanted) => wanted == got,
            Text::Matches(regex, _) => regex.is_match(got),
        }
    }
}

impl TextTest {
    fn selects(tests: &[TextTest], labels: &Labels) -> bool {
        tests
            .iter()
            .all(|test| test.wanted.holds(labels.value(&test.name)))
    }
}

impl Expectation {
    /// The last moment that it names.
    pub fn last_named(&self) -> Option<Millis> {
        self.named().into_iter().map(|named| named.value).max()
    }

    /// The places of its values.
    pub fn spans(&self) -> Vec<Span> {
        let texts = |tests: &[TextTest]| tests.iter().map(|test| test.span).collect::<Vec<Span>>();
        match &self.kind {
            ExpectationKind::Alert(alert) => alert.spans(),
            ExpectationKind::Alerts(every) => {
                let flaps = every.flaps.as_ref().map(|it| it.span);
                let texts = [texts(&every.annotations), texts(&every.has_labels)].concat();
                texts.into_iter().chain(flaps).chain([self.span]).collect()
            }
            ExpectationKind::Slo(_) => vec![self.span],
            ExpectationKind::Expr(expr) => {
                let values: Vec<&Option<Spanned<ValueTest>>> = match &expr.ask {
                    Ask::At { value, .. } => vec![value],
                    Ask::Over {
                        always, min, max, ..
                    } => vec![always, min, max],
                };
                let values = values.into_iter().flatten().map(|value| value.span);
                let instances = expr.instances.as_ref().map(|it| it.span);
                let others = instances.into_iter().chain([expr.expr.whole()]);
                values.chain(others).collect()
            }
        }
    }

    /// All moments that it names, with their places.
    pub fn named(&self) -> Vec<Spanned<Millis>> {
        match &self.kind {
            ExpectationKind::Alert(alert) => alert.named(),
            ExpectationKind::Alerts(_) => Vec::new(),
            ExpectationKind::Slo(slo) => {
                let named = slo.asks.iter().filter_map(SloAsk::named);
                named.cloned().collect()
            }
            ExpectationKind::Expr(expr) => match &expr.ask {
                Ask::At { time, .. } => vec![time.clone()],
                Ask::Over { start, end, .. } => [Some(*start), *end]
                    .into_iter()
                    .flatten()
                    .map(|value| Spanned {
                        value,
                        span: self.span,
                    })
                    .collect(),
            },
        }
    }
}

impl StateName {
    /// As test files write it.
    pub fn name(self) -> &'static str {
        match self {
            StateName::Inactive => "inactive",
            StateName::Pending => "pending",
            StateName::Firing => "firing",
        }
    }
}

impl EveryAlert {
    /// `all alerts` or `other alerts`.
    pub fn name(&self) -> &'static str {
        match self.others_only {
            true => "other alerts",
            false => "all alerts",
        }
    }
}

impl AlertExpectation {
    fn spans(&self) -> Vec<Span> {
        let windows = [&self.fires, &self.pending].into_iter().flatten();
        let amounts = [&self.instances, &self.count, &self.flaps];
        let mut spans = vec![self.alert.span];
        spans.extend(windows.map(|windows| windows.span));
        spans.extend(amounts.into_iter().flatten().map(|amount| amount.span));
        spans.extend(self.resolves_by.as_ref().map(|by| by.span));
        let state = self.at.as_ref().and_then(|at| at.state.as_ref());
        spans.extend(state.map(|state| state.span));
        spans.extend(self.annotations.iter().map(|test| test.span));
        spans
    }

    fn named(&self) -> Vec<Spanned<Millis>> {
        let windows = [&self.fires, &self.pending].into_iter().flatten();
        let windows = windows.flat_map(|windows| match &windows.value {
            Windows::Never => &[][..],
            Windows::Listed(list) => list.as_slice(),
        });
        let edges = windows.flat_map(|window| {
            let edge = |value| Spanned {
                value,
                span: window.span,
            };
            [Some(edge(window.from)), window.to.map(edge)]
        });
        let at = self.at.as_ref().map(|at| at.time.clone());
        let others = [self.resolves_by.clone(), at];
        edges.chain(others).flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, tolerance: Tolerance) -> ValueTest {
        ValueTest::Equal { value, tolerance }
    }

    #[test]
    fn tolerances_are_absolute_or_relative_and_infinities_exact() {
        assert!(near(0.12, Tolerance::Relative(0.02)).holds(0.1224));
        assert!(!near(0.12, Tolerance::Relative(0.02)).holds(0.1225));
        assert!(near(-10.0, Tolerance::Absolute(1.0)).holds(-11.0));
        assert!(!near(-10.0, Tolerance::Absolute(1.0)).holds(-11.5));
        assert!(near(f64::NAN, Tolerance::Absolute(0.0)).holds(f64::NAN));
        assert!(!near(1.0, Tolerance::Absolute(9.0)).holds(f64::NAN));
        assert!(near(f64::INFINITY, Tolerance::Relative(0.1)).holds(f64::INFINITY));
        assert!(!near(f64::INFINITY, Tolerance::Relative(0.1)).holds(1e300));
    }
}
