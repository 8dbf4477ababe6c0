//! The tree of a query, as written.
//!
//! Left-associative operators of one precedence form one flat [`Chain`], so that the tree's depth is
//! that of its brackets: `a + b + c + …` of any length is walked, printed and dropped without recursion.

use smallvec::{SmallVec, smallvec};

use crate::model::{Matcher, Timestamp};
use crate::text::Span;

use super::aggregations::Aggregation;
use super::functions::Function;

/// A node of the tree with the place it was written at.
///
/// Equality looks at the meaning as written, not at places.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands in the query's text.
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `1.5`, `0x1F`, `Inf`, or a duration such as `5m` used as a number of seconds.
    Number(NumberLiteral),
    /// `"text"`, escapes resolved.
    String(String),
    /// `metric{label="value"} offset 5m @ 10`.
    Vector(Box<VectorSelector>),
    /// `metric[5m]`.
    Matrix(Box<MatrixSelector>),
    /// `expr[5m:1m]`.
    Subquery(Box<Subquery>),
    /// `rate(…)`.
    Call(Call),
    /// `sum by (job) (…)`.
    Aggregate(Box<Aggregate>),
    /// `a + b - c`.
    Chain(Chain),
    /// `-a` or `+a`.
    Unary(UnaryOp, Box<Expr>),
    /// `(a)`.
    Paren(Box<Expr>),
}

/// What a query evaluates to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// One number at each moment.
    Scalar,
    /// Series with one sample each.
    Vector,
    /// Series with a window of samples each.
    Matrix,
    /// A text.
    String,
}

/// A number as written.
#[derive(Debug, Clone, Copy)]
pub struct NumberLiteral {
    /// Its value; seconds where it was written as a duration.
    pub value: f64,
    /// Whether it was written as a duration (`5m`), and prints as one.
    pub is_duration: bool,
}

/// Which series, and when.
///
/// Equality does not look at the order of matchers.
#[derive(Debug, Clone)]
pub struct VectorSelector {
    /// All conditions. That of a metric name before the braces is the last.
    pub matchers: Vec<Matcher>,
    /// Whether there is a metric name before the braces; one inside them (`{"name"}`) is only a matcher.
    pub is_named: bool,
    /// `offset` and `@`.
    pub shift: Shift,
    /// `anchored` or `smoothed`.
    pub extension: Option<Extension>,
}

/// `offset` and `@`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shift {
    /// How far to look back; negative looks forward.
    pub offset: Option<Box<DurationExpr>>,
    /// A fixed moment.
    pub at: Option<At>,
}

/// The moment of an `@` modifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// `@ 123.456`
    Time(Timestamp),
    /// `@ start()`
    Start,
    /// `@ end()`
    End,
}

/// The extended range selectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// `anchored`
    Anchored,
    /// `smoothed`
    Smoothed,
}

/// `metric[5m] offset 1h`.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSelector {
    /// Which series; holds `offset`, `@` and the extension too.
    pub selector: VectorSelector,
    /// Length of the window.
    pub range: DurationExpr,
}

/// `expr[1h:5m] offset 1h`.
#[derive(Debug, Clone, PartialEq)]
pub struct Subquery {
    /// What is evaluated at each step.
    pub expr: Expr,
    /// Length of the window.
    pub range: DurationExpr,
    /// Distance of steps; the evaluation interval if absent.
    pub step: Option<DurationExpr>,
    /// `offset` and `@`.
    pub shift: Shift,
}

/// A length of time as written: a literal or an expression of durations.
#[derive(Debug, Clone)]
pub struct DurationExpr {
    /// What it is.
    pub kind: DurationKind,
    /// Where it stands.
    pub span: Span,
}

/// The parts of a duration expression; all in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum DurationKind {
    /// `5m`, or a plain number of seconds.
    Literal(NumberLiteral),
    /// `step()`: 0 for an instant query.
    Step,
    /// `range()`: 0 for an instant query.
    Range,
    /// `-5m`, `+5m`.
    Unary(UnaryOp, Box<DurationExpr>),
    /// `5m + 1m`; `+ - * / % ^` only.
    Binary(BinaryOp, Box<DurationExpr>, Box<DurationExpr>),
    /// `min_of(a, b)`.
    MinOf(Box<DurationExpr>, Box<DurationExpr>),
    /// `max_of(a, b)`.
    MaxOf(Box<DurationExpr>, Box<DurationExpr>),
    /// `(5m)`.
    Paren(Box<DurationExpr>),
}

/// A function and its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its row.
    pub function: &'static Function,
    /// As many as its signature allows.
    pub args: Vec<Expr>,
}

/// An aggregation over the series of a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its row.
    pub op: &'static Aggregation,
    /// The parameter of `topk`, `quantile`, `count_values` and their like.
    pub param: Option<Expr>,
    /// What is aggregated.
    pub expr: Expr,
    /// Which labels make a group.
    pub grouping: Grouping,
}

/// Which labels make a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// `without` rather than `by`.
    pub without: bool,
    /// The labels named, as written.
    pub labels: Vec<String>,
}

/// `first op rhs op rhs …`, evaluated from the left. `^` binds to the right, so a chain of it has one link
/// whose right side is the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// The leftmost operand.
    pub first: Box<Expr>,
    /// Operators of one precedence with their right operands; at least one.
    pub links: Vec<Link>,
}

/// One operator of a chain with its right operand.
#[derive(Debug, Clone)]
pub struct Link {
    /// The operator.
    pub op: BinaryOp,
    /// Where it stands.
    pub op_span: Span,
    /// `bool` behind a comparison.
    pub return_bool: bool,
    /// How series find each other, where something was written; see [`Link::matching`].
    pub matching: Option<Box<Matching>>,
    /// The right operand.
    pub rhs: Expr,
}

/// How the series of two vectors find each other.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    /// `on` rather than `ignoring`.
    pub on: bool,
    /// The labels named in `on` or `ignoring`.
    pub labels: Vec<String>,
    /// `group_left` or `group_right`; many-to-many for set operators comes from the operator.
    pub group: Option<Group>,
    /// `fill_left(…)`/`fill(…)`: what stands for a missing left side.
    pub fill_left: Option<f64>,
    /// `fill_right(…)`/`fill(…)`: what stands for a missing right side.
    pub fill_right: Option<f64>,
}

/// The side with several series for one on the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Which side is many.
    pub side: Side,
    /// Labels taken from the side that is one.
    pub include: Vec<String>,
}

/// A side of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `group_left`
    Left,
    /// `group_right`
    Right,
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
    /// `atan2`
    Atan2,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `and`
    And,
    /// `or`
    Or,
    /// `unless`
    Unless,
    /// `</`: keeps the observations of a histogram below a value
    TrimUpper,
    /// `>/`: keeps the observations of a histogram above a value
    TrimLower,
}

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

impl Extension {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Extension::Anchored => "anchored",
            Extension::Smoothed => "smoothed",
        }
    }
}

impl BinaryOp {
    /// Every operator; of two that start alike, the longer comes first.
    pub const ALL: [BinaryOp; 18] = [
        BinaryOp::Equal,
        BinaryOp::NotEqual,
        BinaryOp::LessEqual,
        BinaryOp::TrimUpper,
        BinaryOp::Less,
        BinaryOp::GreaterEqual,
        BinaryOp::TrimLower,
        BinaryOp::Greater,
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Mod,
        BinaryOp::Pow,
        BinaryOp::And,
        BinaryOp::Or,
        BinaryOp::Unless,
        BinaryOp::Atan2,
    ];

    /// The operator as written.
    pub fn symbol(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "^",
            BinaryOp::Atan2 => "atan2",
            BinaryOp::Equal => "==",
            BinaryOp::NotEqual => "!=",
            BinaryOp::Less => "<",
            BinaryOp::LessEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterEqual => ">=",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Unless => "unless",
            BinaryOp::TrimUpper => "</",
            BinaryOp::TrimLower => ">/",
        }
    }

    /// `==` and its like, which filter unless `bool` is given.
    pub fn is_comparison(self) -> bool {
        matches!(
            self,
            BinaryOp::Equal
                | BinaryOp::NotEqual
                | BinaryOp::Less
                | BinaryOp::LessEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterEqual
        )
    }

    /// `</`, `>/`.
    pub fn is_trim(self) -> bool {
        matches!(self, BinaryOp::TrimLower | BinaryOp::TrimUpper)
    }

    /// `and`, `or`, `unless`.
    pub fn is_set(self) -> bool {
        matches!(self, BinaryOp::And | BinaryOp::Or | BinaryOp::Unless)
    }

    /// Whether a comparison holds between two numbers; no other operator does.
    // Always: the loops over ticks choose the operator outside.
    #[inline(always)]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            BinaryOp::Equal => left == right,
            BinaryOp::NotEqual => left != right,
            BinaryOp::Less => left < right,
            BinaryOp::LessEqual => left <= right,
            BinaryOp::Greater => left > right,
            BinaryOp::GreaterEqual => left >= right,
            _ => false,
        }
    }

    /// The comparison with its sides exchanged; any other operator as it is.
    pub fn mirrored(self) -> BinaryOp {
        match self {
            BinaryOp::Less => BinaryOp::Greater,
            BinaryOp::LessEqual => BinaryOp::GreaterEqual,
            BinaryOp::Greater => BinaryOp::Less,
            BinaryOp::GreaterEqual => BinaryOp::LessEqual,
            other => other,
        }
    }
}

impl Expr {
    /// The node below any brackets.
    pub fn unwrap_parens(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// What the node evaluates to, as Prometheus's parser sees it.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::String(_) => ValueType::String,
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Call(call) => call.function.signature().returns,
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => inner.value_type(),
            ExprKind::Chain(chain) => {
                let mut operands =
                    std::iter::once(&*chain.first).chain(chain.links.iter().map(|link| &link.rhs));
                match operands.all(|operand| operand.value_type() == ValueType::Scalar) {
                    true => ValueType::Scalar,
                    false => ValueType::Vector,
                }
            }
        }
    }

    /// The nodes directly below, in the order they were written.
    pub fn children(&self) -> SmallVec<[&Expr; 4]> {
        match &self.kind {
            ExprKind::Number(_)
            | ExprKind::String(_)
            | ExprKind::Vector(_)
            | ExprKind::Matrix(_) => SmallVec::new(),
            ExprKind::Subquery(subquery) => smallvec![&subquery.expr],
            ExprKind::Call(call) => call.args.iter().collect(),
            ExprKind::Aggregate(aggregate) => {
                aggregate.param.iter().chain([&aggregate.expr]).collect()
            }
            ExprKind::Chain(chain) => std::iter::once(&*chain.first)
                .chain(chain.links.iter().map(|link| &link.rhs))
                .collect(),
            ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => smallvec![&**inner],
        }
    }
}

impl Chain {
    /// Where the operands up to that of a link stand.
    pub fn span_to(&self, link: &Link) -> Span {
        self.first.span.to(link.rhs.span)
    }
}

impl Link {
    /// How series find each other; the default where nothing was written.
    pub fn matching(&self) -> &Matching {
        static DEFAULT: Matching = Matching {
            on: false,
            labels: Vec::new(),
            group: None,
            fill_left: None,
            fill_right: None,
        };
        self.matching.as_deref().unwrap_or(&DEFAULT)
    }
}

impl Matching {
    /// Whether series find each other by a label.
    pub fn pairs(&self, label: &str) -> bool {
        self.labels.iter().any(|named| named == label) == self.on
    }
}

impl VectorSelector {
    /// The metric name before the braces.
    pub fn metric(&self) -> Option<&str> {
        let name = self.matchers.last().filter(|_| self.is_named)?;
        Some(&name.value)
    }
}

impl ValueType {
    /// As Prometheus writes it in messages.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::Scalar => "scalar",
            ValueType::Vector => "instant vector",
            ValueType::Matrix => "range vector",
            ValueType::String => "string",
        }
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Link {
    fn eq(&self, other: &Link) -> bool {
        (self.op, self.return_bool) == (other.op, other.return_bool)
            && self.matching() == other.matching()
            && self.rhs == other.rhs
    }
}

impl PartialEq for VectorSelector {
    fn eq(&self, other: &VectorSelector) -> bool {
        let sorted = |selector: &VectorSelector| {
            let matchers = selector.matchers.iter();
            let mut keys: Vec<_> = matchers
                .map(|m| (m.name.clone(), m.op, m.value.clone()))
                .collect();
            keys.sort_unstable();
            keys
        };
        self.is_named == other.is_named
            && self.shift == other.shift
            && self.extension == other.extension
            && (self.matchers == other.matchers || sorted(self) == sorted(other))
    }
}

impl PartialEq for Matching {
    /// Fills by bits, so that NaN equals itself.
    fn eq(&self, other: &Matching) -> bool {
        let fills = |m: &Matching| {
            (
                m.fill_left.map(f64::to_bits),
                m.fill_right.map(f64::to_bits),
            )
        };
        (self.on, &self.labels, &self.group) == (other.on, &other.labels, &other.group)
            && fills(self) == fills(other)
    }
}

impl PartialEq for DurationExpr {
    fn eq(&self, other: &DurationExpr) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for NumberLiteral {
    /// By bits, so that NaN equals itself.
    fn eq(&self, other: &NumberLiteral) -> bool {
        self.value.to_bits() == other.value.to_bits() && self.is_duration == other.is_duration
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A megabyte of `a+a+…` is half a million of each.
    #[test]
    fn nodes_are_small() {
        assert!(size_of::<Expr>() <= 56, "{}", size_of::<Expr>());
        assert!(size_of::<Link>() <= 88, "{}", size_of::<Link>());
        let selector = size_of::<VectorSelector>();
        assert!(selector <= 64, "{selector}");
    }
}
