//! Random trees of queries, as the parser builds them.

use proptest::prelude::*;
use rulecheck::model::{METRIC_NAME, MatchOp, Matcher};
use rulecheck::promql::ast::{
    Aggregate, At, BinaryOp, Call, Chain, DurationExpr, DurationKind, Expr, ExprKind, Extension,
    Group, Grouping, Link, Matching, MatrixSelector, NumberLiteral, Shift, Side, Subquery, UnaryOp,
    VectorSelector,
};
use rulecheck::promql::{aggregations, functions};
use rulecheck::text::Span;

/// A query of any type.
pub fn query() -> impl Strategy<Value = Expr> {
    let scalar = scalar_operand(vector().boxed());
    prop_oneof![
        8 => vector(),
        2 => scalar,
        1 => text().prop_map(|text| expr(ExprKind::String(text))),
        2 => matrix(vector().boxed()),
    ]
}

/// An instant vector.
fn vector() -> impl Strategy<Value = Expr> {
    let leaf = selector().prop_map(|selector| expr(ExprKind::Vector(Box::new(selector))));
    leaf.prop_recursive(5, 40, 4, |inner| {
        let inner = inner.boxed();
        prop_oneof![
            2 => operand(inner.clone()),
            3 => chain(inner.clone()),
            1 => power(inner.clone()),
            1 => (sign(), operand(inner)).prop_map(|(op, operand)| unary(op, operand)),
        ]
    })
}

/// A vector that needs no brackets wherever it stands.
fn operand(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    prop_oneof![
        selector().prop_map(|selector| expr(ExprKind::Vector(Box::new(selector)))),
        inner.clone().prop_map(paren),
        call("rate", vec![matrix(inner.clone()).boxed()]),
        call("abs", vec![inner.clone()]),
        call("vector", vec![scalar_operand(inner.clone())]),
        call(
            "histogram_quantile",
            vec![scalar_operand(inner.clone()), inner.clone()]
        ),
        call(
            "label_join",
            vec![inner.clone(), string(), string(), string()]
        ),
        aggregate(inner),
    ]
    .boxed()
}

fn call(name: &'static str, args: Vec<BoxedStrategy<Expr>>) -> BoxedStrategy<Expr> {
    let Some(function) = functions::lookup(name) else {
        return Just(number(0.0, false)).boxed();
    };
    args.prop_map(move |args| expr(ExprKind::Call(Call { function, args })))
        .boxed()
}

fn string() -> BoxedStrategy<Expr> {
    text().prop_map(|text| expr(ExprKind::String(text))).boxed()
}

fn aggregate(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let rows = prop::sample::select(aggregations::AGGREGATIONS.iter().collect::<Vec<_>>());
    let grouping = (any::<bool>(), prop::collection::vec(label_name(), 0..3))
        .prop_map(|(without, labels)| Grouping { without, labels });
    let scalar = scalar_operand(inner.clone());
    (rows, scalar, string(), inner, grouping)
        .prop_map(|(op, scalar, text, inner, grouping)| {
            let param = op.param().map(|wanted| match wanted.name() {
                "string" => text,
                _ => scalar,
            });
            expr(ExprKind::Aggregate(Box::new(Aggregate {
                op,
                param,
                expr: inner,
                grouping,
            })))
        })
        .boxed()
}

/// Operators of one level over operands that bind tighter.
fn chain(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let levels: Vec<Vec<BinaryOp>> = vec![
        vec![BinaryOp::Or],
        vec![BinaryOp::And, BinaryOp::Unless],
        vec![
            BinaryOp::Equal,
            BinaryOp::Less,
            BinaryOp::GreaterEqual,
            BinaryOp::TrimUpper,
            BinaryOp::TrimLower,
        ],
        vec![BinaryOp::Add, BinaryOp::Sub],
        vec![BinaryOp::Mul, BinaryOp::Div, BinaryOp::Mod, BinaryOp::Atan2],
    ];
    prop::sample::select(levels)
        .prop_flat_map(move |ops| {
            let links = (
                prop::sample::select(ops),
                any::<bool>(),
                matching(),
                tight(inner.clone()),
            );
            (tight(inner.clone()), prop::collection::vec(links, 1..4))
        })
        .prop_map(|(first, links)| {
            let links = links
                .into_iter()
                .map(|(op, return_bool, matching, rhs)| Link {
                    op,
                    op_span: Span::default(),
                    return_bool: return_bool && op.is_comparison(),
                    matching: Some(Box::new(fitting(op, matching))),
                    rhs,
                });
            expr(ExprKind::Chain(Chain {
                first: Box::new(first),
                links: links.collect(),
            }))
        })
        .boxed()
}

/// What binds tighter than `*`.
fn tight(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    prop_oneof![
        4 => operand(inner.clone()),
        1 => power(inner.clone()),
        1 => (sign(), operand(inner.clone())).prop_map(|(op, operand)| unary(op, operand)),
        1 => (sign(), power(inner)).prop_map(|(op, operand)| unary(op, operand)),
    ]
    .boxed()
}

/// `a ^ b`, `a ^ -b ^ c`.
fn power(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let last = operand(inner.clone());
    (
        operand(inner.clone()),
        matching(),
        last,
        prop::option::of(sign()),
        prop::option::of(operand(inner)),
    )
        .prop_map(|(first, matching, rhs, sign, further)| {
            let rhs = match further {
                Some(further) => raised(rhs, Matching::default(), further),
                None => rhs,
            };
            let rhs = match sign {
                Some(sign) => unary(sign, rhs),
                None => rhs,
            };
            raised(first, matching, rhs)
        })
        .boxed()
}

fn raised(first: Expr, matching: Matching, rhs: Expr) -> Expr {
    expr(ExprKind::Chain(Chain {
        first: Box::new(first),
        links: vec![Link {
            op: BinaryOp::Pow,
            op_span: Span::default(),
            return_bool: false,
            matching: Some(Box::new(matching)),
            rhs,
        }],
    }))
}

fn matching() -> impl Strategy<Value = Matching> {
    let group =
        (any::<bool>(), prop::collection::vec("[a-f]{1,3}", 0..3)).prop_map(|(left, include)| {
            Group {
                side: if left { Side::Left } else { Side::Right },
                include,
            }
        });
    let fill = || prop::option::weighted(0.2, float());
    let labels = prop::collection::vec(label_name(), 0..3);
    let matching = (
        any::<bool>(),
        labels,
        prop::option::of(group),
        fill(),
        fill(),
    )
        .prop_map(|(on, mut labels, group, fill_left, fill_right)| {
            if let Some(group) = &group {
                labels.retain(|label| !group.include.contains(label));
            }
            Matching {
                on,
                labels,
                group,
                fill_left,
                fill_right,
            }
        });
    prop_oneof![2 => Just(Matching::default()), 1 => matching]
}

/// Set operators take neither groups nor fills.
fn fitting(op: BinaryOp, matching: Matching) -> Matching {
    match op.is_set() {
        true => Matching {
            on: matching.on,
            labels: matching.labels,
            ..Matching::default()
        },
        false => matching,
    }
}

fn scalar_operand(inner: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let plain = float().prop_map(|value| number(value, false));
    let length = (-10_000_000i64..10_000_000).prop_map(|millis| number(seconds(millis), true));
    let sum = (float(), any::<bool>()).prop_map(|(value, product)| {
        let op = if product {
            BinaryOp::Mul
        } else {
            BinaryOp::Add
        };
        let link = Link {
            op,
            op_span: Span::default(),
            return_bool: false,
            matching: None,
            rhs: number(value, false),
        };
        expr(ExprKind::Chain(Chain {
            first: Box::new(number(300.0, true)),
            links: vec![link],
        }))
    });
    prop_oneof![
        plain,
        length,
        sum,
        call("time", vec![]),
        call("scalar", vec![inner])
    ]
    .boxed()
}

fn matrix(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    let extension = prop_oneof![
        4 => Just(None),
        1 => Just(Some(Extension::Anchored)),
        1 => Just(Some(Extension::Smoothed)),
    ];
    let range = (selector(), window(), extension).prop_map(|(mut selector, range, extension)| {
        selector.extension = extension;
        expr(ExprKind::Matrix(Box::new(MatrixSelector {
            selector,
            range,
        })))
    });
    let subquery = (
        operand_of(inner),
        window(),
        prop::option::of(window()),
        shift(),
    )
        .prop_map(|(expr_inside, range, step, shift)| {
            expr(ExprKind::Subquery(Box::new(Subquery {
                expr: expr_inside,
                range,
                step,
                shift,
            })))
        });
    prop_oneof![3 => range, 1 => subquery]
}

/// A tree in brackets.
fn operand_of(inner: BoxedStrategy<Expr>) -> impl Strategy<Value = Expr> {
    inner.prop_map(|inner| match inner.kind {
        ExprKind::Vector(_) | ExprKind::Call(_) | ExprKind::Aggregate(_) | ExprKind::Paren(_) => {
            inner
        }
        _ => paren(inner),
    })
}

fn selector() -> impl Strategy<Value = VectorSelector> {
    const RESERVED: [&str; 8] = [
        "bool",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "atan2",
        "inf",
        "nan",
    ];
    let words = prop::sample::select(vec![
        "sum",
        "by",
        "and",
        "offset",
        "fill",
        "start",
        "step",
        "count_values",
        "unless",
    ]);
    let name = prop_oneof![3 => "[a-zA-Z_:][a-zA-Z0-9_:]{0,6}", 1 => words.prop_map(str::to_owned)];
    let name = name.prop_filter("a reserved word", |name| {
        RESERVED.iter().all(|word| !name.eq_ignore_ascii_case(word))
    });
    (
        prop::option::weighted(0.8, name),
        prop::collection::vec(matcher(), 0..3),
        shift(),
    )
        .prop_map(|(metric, mut matchers, shift)| {
            match &metric {
                Some(name) => {
                    matchers.retain(|matcher| matcher.name != METRIC_NAME);
                    matchers.push(Matcher::equal(METRIC_NAME, name));
                }
                None => matchers.push(Matcher::equal("job", "api")),
            }
            VectorSelector {
                is_named: metric.is_some(),
                matchers,
                shift,
                extension: None,
            }
        })
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let patterns = prop::sample::select(vec!["", ".*", "a|b", "5..", "\\d+\\.\"x\"", "[^\\\\]"]);
    let plain = (label_name(), any::<bool>(), text()).prop_map(|(name, equal, value)| {
        let op = if equal {
            MatchOp::Equal
        } else {
            MatchOp::NotEqual
        };
        (name, op, value)
    });
    let regex = (label_name(), any::<bool>(), patterns).prop_map(|(name, matches, pattern)| {
        let op = if matches {
            MatchOp::Regex
        } else {
            MatchOp::NotRegex
        };
        (name, op, pattern.to_owned())
    });
    prop_oneof![plain, regex].prop_filter_map("a pattern", |(name, op, value)| {
        Matcher::new(name, op, value).ok()
    })
}

fn shift() -> impl Strategy<Value = Shift> {
    let at = prop_oneof![
        (-1_000_000_000_000i64..1_000_000_000_000).prop_map(At::Time),
        Just(At::Start),
        Just(At::End),
    ];
    (
        prop::option::weighted(0.3, offset()),
        prop::option::weighted(0.3, at),
    )
        .prop_map(|(offset, at)| {
            // An operator behind brackets would be the offset's.
            let brackets = offset
                .as_ref()
                .is_some_and(|o| matches!(o.kind, DurationKind::Paren(_)));
            let at = at.or(brackets.then_some(At::Start));
            Shift {
                offset: offset.map(Box::new),
                at,
            }
        })
}

/// A duration in square brackets; it holds a number. Below 48 days: beyond them Prometheus loses milliseconds to
/// the rounding of floats, and so do we.
fn window() -> impl Strategy<Value = DurationExpr> {
    let literal = (1i64..4_000_000_000).prop_map(|millis| length(millis, true));
    let sum =
        (duration_operand(), 1i64..1_000_000, duration_op()).prop_map(|(left, millis, op)| {
            let right = length(millis, true);
            duration(DurationKind::Binary(op, Box::new(left), Box::new(right)))
        });
    prop_oneof![3 => literal, 1 => sum]
}

/// A duration behind `offset`.
fn offset() -> impl Strategy<Value = DurationExpr> {
    let literal = (1i64..10_000_000, any::<bool>())
        .prop_map(|(millis, back)| length(if back { -millis } else { millis }, true));
    let call = prop_oneof![Just(DurationKind::Step), Just(DurationKind::Range)].prop_map(duration);
    prop_oneof![
        4 => literal,
        1 => call.clone(),
        1 => call.prop_map(negative),
        1 => duration_operand().prop_filter("no literal", |d| !matches!(d.kind, DurationKind::Literal(_))),
    ]
}

fn duration_operand() -> BoxedStrategy<DurationExpr> {
    let leaf = prop_oneof![
        (1i64..10_000_000).prop_map(|millis| length(millis, true)),
        (0.5f64..1e6).prop_map(|value| duration(DurationKind::Literal(NumberLiteral {
            value,
            is_duration: false
        }))),
        Just(duration(DurationKind::Step)),
        Just(duration(DurationKind::Range)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone()
                .prop_map(|(a, b)| duration(DurationKind::MinOf(Box::new(a), Box::new(b)))),
            pair.clone()
                .prop_map(|(a, b)| duration(DurationKind::MaxOf(Box::new(a), Box::new(b)))),
            (pair, duration_op()).prop_map(|((a, b), op)| {
                let sum = DurationKind::Binary(op, Box::new(a), Box::new(b));
                duration(DurationKind::Paren(Box::new(duration(sum))))
            }),
        ]
    })
    .boxed()
}

fn duration_op() -> impl Strategy<Value = BinaryOp> {
    let ops = [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Mod,
        BinaryOp::Pow,
    ];
    prop::sample::select(ops.to_vec())
}

/// Any float; there is one NaN.
fn float() -> impl Strategy<Value = f64> {
    let special = prop::sample::select(vec![
        0.0,
        -0.0,
        1e21,
        1e-7,
        f64::NAN,
        f64::INFINITY,
        -1.5,
        f64::MAX,
        5e-324,
    ]);
    prop_oneof![
        any::<f64>().prop_map(|value| if value.is_nan() { f64::NAN } else { value }),
        special
    ]
}

/// Any text but the one character that Prometheus takes for broken.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z$1(.*)]{0,8}", any::<String>()].prop_map(|text| text.replace('\u{fffd}', "?"))
}

fn label_name() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "by", "on", "without", "inf", "NaN", "__name__", "a.b", "größe", "x:y",
    ]);
    prop_oneof!["[a-zA-Z_][a-zA-Z0-9_]{0,5}", words.prop_map(str::to_owned)]
}

fn sign() -> impl Strategy<Value = UnaryOp> {
    prop_oneof![Just(UnaryOp::Minus), Just(UnaryOp::Plus)]
}

fn unary(op: UnaryOp, inner: Expr) -> Expr {
    expr(ExprKind::Unary(op, Box::new(inner)))
}

fn paren(inner: Expr) -> Expr {
    expr(ExprKind::Paren(Box::new(inner)))
}

fn number(value: f64, is_duration: bool) -> Expr {
    expr(ExprKind::Number(NumberLiteral { value, is_duration }))
}

fn length(millis: i64, is_duration: bool) -> DurationExpr {
    let value = seconds(millis);
    duration(DurationKind::Literal(NumberLiteral { value, is_duration }))
}

fn negative(inner: DurationExpr) -> DurationExpr {
    duration(DurationKind::Unary(UnaryOp::Minus, Box::new(inner)))
}

/// Seconds as the parser makes them of milliseconds.
fn seconds(millis: i64) -> f64 {
    (millis / 1000) as f64 + (millis % 1000 * 1_000_000) as f64 / 1e9
}

fn expr(kind: ExprKind) -> Expr {
    Expr {
        kind,
        span: Span::default(),
    }
}

fn duration(kind: DurationKind) -> DurationExpr {
    DurationExpr {
        kind,
        span: Span::default(),
    }
}
