//! Builds expressions from the grammar's pairs.

use std::cell::{Cell, RefCell};

use pest::iterators::{Pair, Pairs};
use pest::pratt_parser::{Assoc, ConstPrattParser, Op, pratt_precedence};

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

use super::{MAX_DEPTH, MAX_ERRORS, Rule, literal, span_of, suggest, syntax};

/// Operators from loose to tight. A sign binds looser than `^` and tighter than `*`.
static OPERATORS: ConstPrattParser<Rule, 12> = ConstPrattParser::new_const(pratt_precedence![
    Op::infix(Rule::set_or, Assoc::Left),
    Op::infix(Rule::set_and, Assoc::Left),
    Op::infix(Rule::comparison, Assoc::Left),
    Op::infix(Rule::additive, Assoc::Left),
    Op::infix(Rule::multiplicative, Assoc::Left),
    Op::prefix(Rule::sign),
    Op::infix(Rule::power, Assoc::Right),
    Op::postfix(Rule::window)
        | Op::postfix(Rule::offset)
        | Op::postfix(Rule::at)
        | Op::postfix(Rule::anchored)
        | Op::postfix(Rule::smoothed),
]);

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

    pub(super) fn expr(&self, pair: Pair<'i, Rule>) -> Expr {
        let span = span_of(&pair);
        let mut inner = pair.into_inner();
        let levels = match inner.len() {
            1 => 1,
            _ => 1 + longest_run(inner.clone()),
        };
        let mut only = (inner.len() == 1).then(|| inner.next()).flatten();
        self.nested(levels, span, || {
            if let Some(operand) = only.take() {
                return self.operand(operand);
            }
            OPERATORS
                .map_primary(|pair| self.operand(pair))
                .map_prefix(|sign, operand| self.signed(&sign, operand))
                .map_postfix(|operand, suffix| self.suffixed(operand, suffix))
                .map_infix(|left, operator, right| self.binary(left, operator, right))
                .parse(inner)
        })
        .unwrap_or_else(|| broken(span))
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

    fn operand(&self, pair: Pair<'i, Rule>) -> Expr {
        let span = span_of(&pair);
        let kind = match pair.as_rule() {
            Rule::named => return self.named(pair),
            Rule::number => ExprKind::Number(self.number(&pair)),
            Rule::string => ExprKind::String(self.string(&pair)),
            Rule::matchers => ExprKind::Vector(self.selector(None, Some(pair))),
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
    fn named(&self, pair: Pair<'i, Rule>) -> Expr {
        let mut inner = pair.into_inner();
        let word = inner.next().expect("grammar: a name is a word");
        let name = word.as_str();
        let mut span = span_of(&word);
        let (mut arguments, mut matchers, mut grouping) = (None, None, None);
        for part in inner {
            span.end = span_of(&part).end;
            match part.as_rule() {
                Rule::arguments => arguments = Some(part),
                Rule::matchers => matchers = Some(part),
                _ => grouping = Some(part),
            }
        }
        let word = span_of(&word);
        let row = aggregation(name);
        let kind = match (row, arguments) {
            (Some(row), Some(arguments)) => self.aggregate(row, span, arguments, grouping),
            (None, Some(arguments)) => self.call(name, word, span, arguments, grouping),
            (_, None) => self.plain_name(name, word, matchers),
        };
        Expr { kind, span }
    }

    fn plain_name(&self, name: &str, span: Span, matchers: Option<Pair<'i, Rule>>) -> ExprKind {
        if let Some(value) = literal::special(name) {
            if let Some(matchers) = matchers {
                syntax::unexpected(self.text, span_of(&matchers).start, &self.errors);
            }
            return ExprKind::Number(NumberLiteral {
                value,
                is_duration: false,
            });
        }
        if syntax::is_reserved(name) {
            syntax::unexpected(self.text, span.start, &self.errors);
        }
        ExprKind::Vector(self.selector(Some(name), matchers))
    }

    fn aggregate(
        &self,
        op: &'static Aggregation,
        span: Span,
        arguments: Pair<'i, Rule>,
        grouping: Option<Pair<'i, Rule>>,
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
        arguments: Pair<'i, Rule>,
        grouping: Option<Pair<'i, Rule>>,
    ) -> ExprKind {
        let bracket = span_of(&arguments).start;
        let args = self.arguments(arguments);
        if let Some(grouping) = grouping {
            syntax::unexpected(self.text, span_of(&grouping).start, &self.errors);
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

    fn arguments(&self, pair: Pair<'i, Rule>) -> Vec<Expr> {
        let mut args = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::trailing_comma => self.fail(
                    span_of(&part),
                    "trailing commas not allowed in function call args",
                    "remove this comma",
                ),
                _ => args.push(self.expr(part)),
            }
        }
        args
    }

    fn grouping(&self, pair: Pair<'i, Rule>) -> Grouping {
        let mut inner = pair.into_inner();
        let word = inner.next().expect("grammar: a grouping has a word");
        Grouping {
            without: word.as_str().eq_ignore_ascii_case("without"),
            labels: inner.next().map(|p| self.labels(p)).unwrap_or_default(),
        }
    }

    fn signed(&self, sign: &Pair<'i, Rule>, mut operand: Expr) -> Expr {
        let op = unary_op(sign);
        let start = span_of(sign).start;
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

    fn binary(&self, left: Expr, operator: Pair<'i, Rule>, rhs: Expr) -> Expr {
        let level = operator.as_rule();
        let mut op_span = span_of(&operator);
        let (op, symbol) = binary_op(operator.as_str());
        op_span.end = op_span.start + symbol;
        let mut link = Link {
            op,
            op_span,
            return_bool: false,
            matching: Matching::default(),
            rhs,
        };
        self.modifiers(operator.into_inner(), &mut link);
        let span = left.span.to(link.rhs.span);
        let mut chain = match left.kind {
            ExprKind::Chain(chain) if same_level(&chain, level) => chain,
            _ => Chain {
                first: Box::new(left),
                links: Vec::new(),
            },
        };
        chain.links.push(link);
        Expr {
            kind: ExprKind::Chain(chain),
            span,
        }
    }

    /// `bool`, `on`, `ignoring`, `group_left`, `group_right` and the fills.
    fn modifiers(&self, pairs: Pairs<'i, Rule>, link: &mut Link) {
        let mut fills = Vec::new();
        for pair in pairs {
            let mut end = span_of(&pair).end;
            match pair.as_rule() {
                Rule::bool_word => link.return_bool = true,
                Rule::matching => end = self.matching(pair, &mut link.matching),
                Rule::fill => fills.push(self.fill(pair, &mut link.matching)),
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
    fn matching(&self, pair: Pair<'i, Rule>, matching: &mut Matching) -> usize {
        let mut end = 0;
        for part in pair.into_inner() {
            end = span_of(&part).end;
            match part.as_rule() {
                Rule::matching_word => matching.on = part.as_str().eq_ignore_ascii_case("on"),
                Rule::labels => matching.labels = self.labels(part),
                _ => {
                    let mut group = part.into_inner();
                    let word = group.next().expect("grammar: a group has a word");
                    end = span_of(&word).end;
                    let side = match word.as_str().eq_ignore_ascii_case("group_left") {
                        true => Side::Left,
                        false => Side::Right,
                    };
                    let mut include = Vec::new();
                    if let Some(labels) = group.next() {
                        end = span_of(&labels).end;
                        include = self.labels(labels);
                    }
                    matching.group = Some(Group { side, include });
                }
            }
        }
        end
    }

    /// Reads `fill (…)` and says where it stands.
    fn fill(&self, pair: Pair<'i, Rule>, matching: &mut Matching) -> Span {
        let span = span_of(&pair);
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
    pub(super) fn number(&self, pair: &Pair<'i, Rule>) -> NumberLiteral {
        literal::number(pair.as_str()).unwrap_or_else(|message| {
            let help = suggest::number(pair.as_str(), &message);
            self.fail(span_of(pair), message, help);
            NumberLiteral {
                value: 1.0,
                is_duration: false,
            }
        })
    }

    /// The value of a string literal.
    pub(super) fn string(&self, pair: &Pair<'i, Rule>) -> String {
        literal::unquote(pair.as_str()).unwrap_or_else(|fault| {
            let start = span_of(pair).start;
            let span = Span::new(start + fault.start, start + fault.end);
            self.fail(span, fault.message, syntax::STRING_HELP);
            String::new()
        })
    }

    /// Labels in round brackets.
    fn labels(&self, pair: Pair<'i, Rule>) -> Vec<String> {
        pair.into_inner().map(|label| self.label(&label)).collect()
    }

    fn label(&self, pair: &Pair<'i, Rule>) -> String {
        if pair.as_rule() == Rule::word {
            let name = pair.as_str();
            if name.eq_ignore_ascii_case("without") || literal::special(name).is_some() {
                let message = format!("unexpected <{name}> in grouping opts, expected label");
                self.fail(
                    span_of(pair),
                    message,
                    format!("put it in quotes: `\"{name}\"`"),
                );
            }
            return name.to_owned();
        }
        let name = self.string(pair);
        if name.is_empty() || !is_utf8(&name) {
            let message = format!("invalid label name for grouping: {}", quote(&name));
            self.fail(span_of(pair), message, "name a label, or remove the string");
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
pub(super) fn unary_op(pair: &Pair<'_, Rule>) -> UnaryOp {
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

/// How deep signs and powers nest in a row of operands and operators.
fn longest_run(pairs: Pairs<'_, Rule>) -> usize {
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
