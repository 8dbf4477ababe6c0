//! Builds expressions from the grammar's pairs.

use std::cell::{Cell, RefCell};

use crate::model::bytes::is_utf8;
use crate::model::number::quote;
use crate::promql::aggregations::{self, Aggregation};
use crate::promql::ast::{
    Aggregate, BinaryOp, Call, Chain, Expr, ExprKind, Group, Grouping, Link, Matching,
    NumberLiteral, Side, UnaryOp,
};
use crate::promql::functions;
use crate::promql::query::{Features, QueryError};
use crate::text::Span;

use super::pairs::{Pair, Pairs};
use super::{MAX_DEPTH, MAX_ERRORS, Rule, literal, suggest, syntax};

/// How tight a sign binds: looser than `^`, tighter than `*`.
pub(super) const SIGN: u8 = 6;

/// How tight an operator binds, from 1, and how tight what stands to its right must: `^` binds to the right.
pub(super) fn binding(rule: Rule) -> Option<(u8, u8)> {
    Some(match rule {
        Rule::set_or => (1, 1),
        Rule::set_and => (2, 2),
        Rule::comparison => (3, 3),
        Rule::additive | Rule::duration_additive => (4, 4),
        Rule::multiplicative | Rule::duration_multiplicative => (5, 5),
        Rule::power | Rule::duration_power => (7, 6),
        _ => return None,
    })
}

/// Turns pairs into a tree and collects what is wrong.
pub(super) struct Builder<'i> {
    pub(super) text: &'i str,
    pub(super) features: &'i Features,
    errors: RefCell<Vec<QueryError>>,
    depth: Cell<usize>,
    /// Whether a number stood in any window so far.
    pub(super) number_in_window: Cell<bool>,
    /// Bytes that the regular expressions so far take.
    pub(super) patterns: Cell<usize>,
}

impl<'i> Builder<'i> {
    pub(super) fn new(text: &'i str, features: &'i Features) -> Builder<'i> {
        Builder {
            text,
            features,
            errors: RefCell::new(Vec::new()),
            depth: Cell::new(0),
            number_in_window: Cell::new(false),
            patterns: Cell::new(0),
        }
    }

    pub(super) fn into_errors(self) -> Vec<QueryError> {
        self.errors.into_inner()
    }

    /// Records an error.
    pub(super) fn fail(&self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let help = help.into();
        self.errors.borrow_mut().push(QueryError {
            message: message.into(),
            span,
            help: (!help.is_empty()).then_some(help),
        });
    }

    fn expr(&self, pair: Pair<'i>) -> Expr {
        self.whole(pair.into_inner(), pair.span())
    }

    /// All operands and operators of an expression.
    pub(super) fn whole(&self, mut pairs: Pairs<'i>, span: Span) -> Expr {
        let levels = 1 + longest_run(pairs.clone());
        self.nested(levels, span, || self.row(&mut pairs, 0))
            .unwrap_or_else(|| broken(span))
    }

    /// Operands with the operators between them that bind tighter than `floor`.
    fn row(&self, pairs: &mut Pairs<'i>, floor: u8) -> Expr {
        let mut left = self.term(pairs);
        while let Some((operator, floor)) = next_operator(pairs, floor) {
            let right = self.row(pairs, floor);
            left = self.binary(left, operator, right);
        }
        left
    }

    /// An operand with its signs and suffixes.
    fn term(&self, pairs: &mut Pairs<'i>) -> Expr {
        let first = pairs.next().expect("grammar: an operator has operands");
        if first.as_rule() == Rule::sign {
            let operand = self.row(pairs, SIGN);
            return self.signed(&first, operand);
        }
        let mut operand = self.operand(first, pairs);
        while let Some(suffix) = pairs.next_if(|rule| binding(rule).is_none()) {
            operand = self.suffixed(operand, suffix);
        }
        operand
    }

    /// Runs `build` unless the tree would be too deep.
    pub(super) fn nested<T>(
        &self,
        levels: usize,
        span: Span,
        build: impl FnOnce() -> T,
    ) -> Option<T> {
        let depth = self.depth.get() + levels;
        // The query itself is no level.
        if depth > MAX_DEPTH + 1 {
            self.errors.borrow_mut().push(syntax::too_deep(span));
            return None;
        }
        self.depth.set(depth);
        let built = build();
        self.depth.set(depth - levels);
        Some(built)
    }

    /// The operand that a pair begins; the rest of it is taken from the pairs behind.
    fn operand(&self, pair: Pair<'i>, behind: &mut Pairs<'i>) -> Expr {
        let span = pair.span();
        let kind = match pair.as_rule() {
            Rule::word => return self.named(pair, behind),
            Rule::number => ExprKind::Number(self.number(&pair)),
            Rule::string => ExprKind::String(self.string(&pair)),
            Rule::matchers => ExprKind::Vector(Box::new(self.selector(None, Some(pair)))),
            Rule::paren => {
                let inner = pair.into_inner().next();
                let inner = inner.expect("grammar: brackets hold an expression");
                ExprKind::Paren(Box::new(self.expr(inner)))
            }
            rule => unreachable!("grammar: {rule:?} is no operand"),
        };
        Expr { kind, span }
    }

    /// What starts with a word: a selector, a call, an aggregation, `inf`, `nan`.
    fn named(&self, word: Pair<'i>, behind: &mut Pairs<'i>) -> Expr {
        let name = word.as_str();
        let mut span = word.span();
        let (mut arguments, mut matchers, mut grouping) = (None, None, None);
        while let Some(part) = behind.next_if(belongs_to_word) {
            span.end = part.span().end;
            match part.as_rule() {
                Rule::arguments => arguments = Some(part),
                Rule::matchers => matchers = Some(part),
                _ => grouping = Some(part),
            }
        }
        let word = word.span();
        let row = aggregation(name);
        let kind = match (row, arguments) {
            (Some(row), Some(arguments)) => self.aggregate(row, span, arguments, grouping),
            (None, Some(arguments)) => self.call(name, word, span, arguments, grouping),
            (_, None) => self.plain_name(name, word, matchers),
        };
        Expr { kind, span }
    }

    fn plain_name(&self, name: &str, span: Span, matchers: Option<Pair<'i>>) -> ExprKind {
        if let Some(value) = literal::special(name) {
            if let Some(matchers) = matchers {
                syntax::unexpected(self.text, matchers.span().start, &self.errors);
            }
            return ExprKind::Number(NumberLiteral {
                value,
                is_duration: false,
            });
        }
        if syntax::is_reserved(name) {
            syntax::unexpected(self.text, span.start, &self.errors);
        }
        ExprKind::Vector(Box::new(self.selector(Some(name), matchers)))
    }

    fn aggregate(
        &self,
        op: &'static Aggregation,
        span: Span,
        arguments: Pair<'i>,
        grouping: Option<Pair<'i>>,
    ) -> ExprKind {
        let mut args = self.arguments(arguments);
        let grouping = grouping.map(|pair| self.grouping(pair)).unwrap_or_default();
        let expected = 1 + usize::from(op.param().is_some());
        if args.is_empty() {
            let help = format!("give it a vector: `{}(metric)`", op.name);
            let message = "no arguments for aggregate expression provided";
            self.fail(span, message, help);
        } else if op.experimental && !self.features.experimental_functions {
            let message = format!(
                "{}() is experimental and must be enabled with --enable-feature=promql-experimental-functions",
                op.name
            );
            let help = "pass `--enable-feature=promql-experimental-functions`";
            self.fail(span, message, help);
        } else if args.len() != expected {
            let message = format!(
                "wrong number of arguments for aggregate expression provided, expected {expected}, got {}",
                args.len()
            );
            let help = match expected {
                1 => format!("`{}` takes one vector: `{}(metric)`", op.name, op.name),
                _ => format!(
                    "`{}` takes a parameter and a vector: `{}(parameter, metric)`",
                    op.name, op.name
                ),
            };
            self.fail(span, message, help);
        }
        let expr = args.pop().unwrap_or_else(|| broken(span));
        let param = op.param().and_then(|_| args.pop());
        ExprKind::Aggregate(Box::new(Aggregate {
            op,
            param,
            expr,
            grouping,
        }))
    }

    fn call(
        &self,
        name: &str,
        word: Span,
        span: Span,
        arguments: Pair<'i>,
        grouping: Option<Pair<'i>>,
    ) -> ExprKind {
        let bracket = arguments.span().start;
        let args = self.arguments(arguments);
        if let Some(grouping) = grouping {
            syntax::unexpected(self.text, grouping.span().start, &self.errors);
        }
        if syntax::is_no_function_name(name) {
            syntax::no_function(self.text, word, bracket, &self.errors);
            return broken(span).kind;
        }
        let Some(function) = functions::lookup(name) else {
            let message = format!("unknown function with name {name:?}");
            // To look for names that are nearly this one takes its time.
            let help = match self.errors.borrow().len() < MAX_ERRORS {
                true => suggest::function(name),
                false => String::new(),
            };
            self.fail(word, message, help);
            return broken(span).kind;
        };
        if function.experimental && !self.features.experimental_functions {
            let message = format!("function {name:?} is not enabled");
            let help = "it is experimental: pass `--enable-feature=promql-experimental-functions`";
            self.fail(word, message, help);
        }
        ExprKind::Call(Call { function, args })
    }

    fn arguments(&self, pair: Pair<'i>) -> Vec<Expr> {
        let parts = pair.into_inner();
        let mut args = Vec::with_capacity(parts.clone().count());
        for part in parts {
            match part.as_rule() {
                Rule::trailing_comma => self.fail(
                    part.span(),
                    "trailing commas not allowed in function call args",
                    "remove this comma",
                ),
                _ => args.push(self.expr(part)),
            }
        }
        args
    }

    fn grouping(&self, pair: Pair<'i>) -> Grouping {
        let mut inner = pair.into_inner();
        let word = inner.next().expect("grammar: a grouping has a word");
        Grouping {
            without: word.as_str().eq_ignore_ascii_case("without"),
            labels: inner.next().map(|p| self.labels(p)).unwrap_or_default(),
        }
    }

    fn signed(&self, sign: &Pair<'i>, mut operand: Expr) -> Expr {
        let op = unary_op(sign);
        let start = sign.span().start;
        operand.span.start = start;
        match &mut operand.kind {
            ExprKind::Number(literal) => {
                // There is one NaN.
                if op == UnaryOp::Minus && !literal.value.is_nan() {
                    literal.value = -literal.value;
                }
                operand
            }
            _ => Expr {
                span: operand.span,
                kind: ExprKind::Unary(op, Box::new(operand)),
            },
        }
    }

    fn binary(&self, left: Expr, operator: Pair<'i>, rhs: Expr) -> Expr {
        let level = operator.as_rule();
        let mut op_span = operator.span();
        let (op, symbol) = binary_op(operator.as_str());
        op_span.end = op_span.start + symbol;
        let mut link = Link {
            op,
            op_span,
            return_bool: false,
            matching: None,
            rhs,
        };
        self.modifiers(operator.into_inner(), &mut link);
        let span = left.span.to(link.rhs.span);
        let mut chain = match left.kind {
            ExprKind::Chain(chain) if same_level(&chain, level) => chain,
            _ => Chain {
                first: Box::new(left),
                links: Vec::with_capacity(1),
            },
        };
        chain.links.push(link);
        Expr {
            kind: ExprKind::Chain(chain),
            span,
        }
    }

    /// `bool`, `on`, `ignoring`, `group_left`, `group_right` and the fills.
    fn modifiers(&self, pairs: Pairs<'i>, link: &mut Link) {
        let mut fills = Vec::new();
        for pair in pairs {
            let mut end = pair.span().end;
            match pair.as_rule() {
                Rule::bool_word => link.return_bool = true,
                Rule::matching => end = self.matching(pair, link.matching.get_or_insert_default()),
                Rule::fill => fills.push(self.fill(pair, link.matching.get_or_insert_default())),
                _ => {}
            }
            link.op_span.end = end;
        }
        let Some(&first) = fills.first() else { return };
        if !self.features.binop_fill_modifiers {
            let message = "binop fill modifiers are experimental and not enabled";
            let help = "pass `--enable-feature=promql-binop-fill-modifiers`";
            self.fail(first.to(link.op_span), message, help);
        }
    }

    /// Reads `on (…) group_left (…)` and says where it ends.
    fn matching(&self, pair: Pair<'i>, matching: &mut Matching) -> usize {
        let mut end = 0;
        for part in pair.into_inner() {
            end = part.span().end;
            match part.as_rule() {
                Rule::matching_word => matching.on = part.as_str().eq_ignore_ascii_case("on"),
                Rule::labels => matching.labels = self.labels(part),
                _ => {
                    let mut group = part.into_inner();
                    let word = group.next().expect("grammar: a group has a word");
                    end = word.span().end;
                    let side = match word.as_str().eq_ignore_ascii_case("group_left") {
                        true => Side::Left,
                        false => Side::Right,
                    };
                    let mut include = Vec::new();
                    if let Some(labels) = group.next() {
                        end = labels.span().end;
                        include = self.labels(labels);
                    }
                    matching.group = Some(Group { side, include });
                }
            }
        }
        end
    }

    /// Reads `fill (…)` and says where it stands.
    fn fill(&self, pair: Pair<'i>, matching: &mut Matching) -> Span {
        let span = pair.span();
        let mut inner = pair.into_inner();
        let word = inner.next().expect("grammar: a fill has a word");
        let mut value = f64::NAN;
        let mut sign = 1.0;
        for part in inner {
            match part.as_rule() {
                Rule::sign if part.as_str() == "-" => sign = -1.0,
                Rule::sign => {}
                _ => value = self.number(&part).value,
            }
        }
        if !value.is_nan() {
            value *= sign;
        }
        let (left, right) = match word.as_str().len() {
            4 => (true, true),
            9 => (true, false),
            _ => (false, true),
        };
        let again =
            (left && matching.fill_left.is_some()) || (right && matching.fill_right.is_some());
        if again {
            let message = "fill modifiers may not be set multiple times";
            let help = "write one `fill(…)`, or one `fill_left(…)` and one `fill_right(…)`";
            self.fail(span, message, help);
        }
        if left {
            matching.fill_left = Some(value);
        }
        if right {
            matching.fill_right = Some(value);
        }
        span
    }

    /// A number or a duration in seconds.
    pub(super) fn number(&self, pair: &Pair<'i>) -> NumberLiteral {
        literal::number(pair.as_str()).unwrap_or_else(|message| {
            let help = suggest::number(pair.as_str(), &message);
            self.fail(pair.span(), message, help);
            NumberLiteral {
                value: 1.0,
                is_duration: false,
            }
        })
    }

    /// The value of a string literal.
    pub(super) fn string(&self, pair: &Pair<'i>) -> String {
        literal::unquote(pair.as_str()).unwrap_or_else(|fault| {
            let start = pair.span().start;
            let span = Span::new(start + fault.start, start + fault.end);
            self.fail(span, fault.message, syntax::STRING_HELP);
            String::new()
        })
    }

    /// Labels in round brackets.
    fn labels(&self, pair: Pair<'i>) -> Vec<String> {
        pair.into_inner().map(|label| self.label(&label)).collect()
    }

    fn label(&self, pair: &Pair<'i>) -> String {
        if pair.as_rule() == Rule::word {
            let name = pair.as_str();
            if name.eq_ignore_ascii_case("without") || literal::special(name).is_some() {
                let message = format!("unexpected <{name}> in grouping opts, expected label");
                self.fail(
                    pair.span(),
                    message,
                    format!("put it in quotes: `\"{name}\"`"),
                );
            }
            return name.to_owned();
        }
        let name = self.string(pair);
        if name.is_empty() || !is_utf8(&name) {
            let message = format!("invalid label name for grouping: {}", quote(&name));
            self.fail(pair.span(), message, "name a label, or remove the string");
        }
        name
    }
}

/// Stands where something was wrong, in a tree that nobody will see.
pub(super) fn broken(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Number(NumberLiteral {
            value: f64::NAN,
            is_duration: false,
        }),
        span,
    }
}

/// The sign of a pair.
pub(super) fn unary_op(pair: &Pair<'_>) -> UnaryOp {
    match pair.as_str() {
        "-" => UnaryOp::Minus,
        _ => UnaryOp::Plus,
    }
}

/// The operator at the start of a text, and how many bytes it takes.
pub(super) fn binary_op(text: &str) -> (BinaryOp, usize) {
    let starts = |op: &BinaryOp| {
        let start = text.get(..op.symbol().len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(op.symbol()))
    };
    let op = BinaryOp::ALL.into_iter().find(starts);
    let op = op.expect("grammar: an operator starts with its symbol");
    (op, op.symbol().len())
}

/// Whether an operator of `level` continues a chain.
fn same_level(chain: &Chain, level: Rule) -> bool {
    let Some(link) = chain.links.first() else {
        return false;
    };
    let own = match link.op {
        BinaryOp::Or => Rule::set_or,
        BinaryOp::And | BinaryOp::Unless => Rule::set_and,
        BinaryOp::Add | BinaryOp::Sub => Rule::additive,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::Atan2 => Rule::multiplicative,
        // Binds to the right, so what stands before is never its own chain.
        BinaryOp::Pow => return false,
        _ => Rule::comparison,
    };
    own == level
}

/// Takes the next operator if it binds tighter than `floor`, and says how tight what is right of it must bind.
pub(super) fn next_operator<'i>(pairs: &mut Pairs<'i>, floor: u8) -> Option<(Pair<'i>, u8)> {
    let (tightness, right) = binding(pairs.peek()?.as_rule())?;
    let operator = pairs.next_if(|_| tightness > floor)?;
    Some((operator, right))
}

/// Whether a pair behind a word makes one operand with it.
fn belongs_to_word(rule: Rule) -> bool {
    matches!(rule, Rule::arguments | Rule::matchers | Rule::grouping)
}

/// How deep signs and powers nest in a row of operands and operators.
fn longest_run(pairs: Pairs<'_>) -> usize {
    let (mut longest, mut run) = (0, 0);
    for pair in pairs {
        match pair.as_rule() {
            Rule::sign | Rule::power | Rule::duration_power | Rule::window => run += 1,
            Rule::set_or | Rule::set_and | Rule::comparison | Rule::additive => run = 0,
            Rule::multiplicative => run = 0,
            _ => {}
        }
        longest = longest.max(run);
    }
    longest
}

fn aggregation(name: &str) -> Option<&'static Aggregation> {
    const LONGEST: usize = "count_values".len();
    if name.len() > LONGEST {
        return None;
    }
    match name.bytes().any(|b| b.is_ascii_uppercase()) {
        true => aggregations::lookup(&name.to_ascii_lowercase()),
        false => aggregations::lookup(name),
    }
}
