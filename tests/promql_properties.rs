//! What holds for every query: a tree prints as text that parses to the same tree, and no text makes the
//! parser panic, hang or overflow its stack.

#![expect(
    clippy::unwrap_used,
    reason = "a test reads its fixtures and may stop at a broken one"
)]

mod promql_trees;

use proptest::prelude::*;
use rulecheck::promql::parse::MAX_DEPTH;
use rulecheck::promql::{Features, Query};

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn trees_print_as_what_parses_to_them(tree in promql_trees::query()) {
        let printed = tree.to_string();
        let parsed = Query::parse(&printed, &Features::ALL);
        let parsed = parsed.map_err(|errors| TestCaseError::fail(format!("{printed}\n{}", errors[0])))?;
        prop_assert_eq!(&parsed.expr, &tree, "{}", printed);
        prop_assert_eq!(parsed.to_string(), printed);
    }

    #[test]
    fn any_text_parses_or_is_refused(text in any::<String>()) {
        judge(&text);
    }

    #[test]
    fn any_row_of_tokens_parses_or_is_refused(tokens in prop::collection::vec(token(), 0..30)) {
        judge(&tokens.concat());
    }

    #[test]
    fn changed_queries_parse_or_are_refused(
        query in prop::sample::select(fixture_queries()),
        at in any::<prop::sample::Index>(),
        removed in 0usize..4,
        inserted in token(),
    ) {
        let mut chars: Vec<char> = query.chars().collect();
        let start = at.index(chars.len() + 1);
        let end = (start + removed).min(chars.len());
        chars.splice(start..end, inserted.chars());
        judge(&chars.into_iter().collect::<String>());
    }
}

#[test]
fn every_start_of_a_query_parses_or_is_refused() {
    for query in fixture_queries() {
        for (end, _) in query.char_indices() {
            judge(&query[..end]);
        }
    }
}

#[test]
fn long_chains_need_no_stack() {
    let chains = [
        vec!["a"; 20_000].join(" + "),
        vec!["a"; 2_000].join(" or "),
        vec!["a{b=\"c\"}"; 20_000].join(" * on (b) group_left () "),
        vec!["1"; 20_000].join(" - "),
        format!("label_join(a, \"b\", \"c\"{})", ", \"d\"".repeat(20_000)),
    ];
    on_small_stack(move || {
        for chain in chains {
            let query = Query::parse(&chain, &Features::ALL).unwrap();
            let printed = query.to_string();
            assert_eq!(printed, chain);
            let copy = query.expr.clone();
            assert!(copy == query.expr);
        }
    });
}

#[test]
fn nesting_is_limited() {
    let deepest = |open: &str, core: &str, close: &str, levels: usize| {
        let text = |depth| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
        let most = MAX_DEPTH / levels;
        let name = format!("{open}{core}{close}");
        assert!(Query::parse(&text(most), &Features::ALL).is_ok(), "{name}");
        for depth in [most + 1, 5_000, 100_000] {
            let message = match Query::parse(&text(depth), &Features::ALL) {
                Ok(_) => "none".to_owned(),
                Err(errors) => errors[0].message.clone(),
            };
            assert!(message.contains("levels deep"), "{name}: {message}");
        }
    };
    on_small_stack(move || {
        deepest("(", "a", ")", 1);
        deepest("abs(", "a", ")", 1);
        deepest("sum by (b) (", "a", ")", 1);
        deepest("a + b * c or d ^ (", "a", ")", 2);
        deepest("max_over_time(", "a", "[5m:])", 2);
        deepest("-", "a", "", 1);
        deepest("-(", "a", ")", 2);
        deepest("", "a", " ^ a", 1);
    });
}

#[test]
fn a_megabyte_of_anything_is_judged() {
    on_small_stack(|| {
        for piece in [
            "(", "a ", "\"", "{", "a^", "-", "a+", "a[5m:]", "[5m:]", "f(a,", "#\n", "\\", "é",
            "9", "/",
        ] {
            judge(&piece.repeat(300_000 / piece.len()));
        }
    });
}

/// Parses a text; a refusal says where and why.
fn judge(text: &str) {
    let Err(errors) = Query::parse(text, &Features::ALL) else {
        return;
    };
    assert!(!errors.is_empty(), "{text:?}");
    for error in errors {
        let span = error.span;
        assert!(
            text.get(span.start..span.end).is_some(),
            "{text:?}: {error:?}"
        );
        assert!(!error.message.is_empty(), "{text:?}");
        assert!(
            error.help.is_some_and(|help| !help.is_empty()),
            "{text:?}: {}",
            error.message
        );
    }
}

fn token() -> impl Strategy<Value = String> {
    let tokens = [
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "=",
        "==",
        "!=",
        "=~",
        "!~",
        "<",
        ">",
        "<=",
        "</",
        ">/",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "@",
        "#",
        "\n",
        " ",
        "\t",
        "\"",
        "'",
        "`",
        "\\",
        "a",
        "sum",
        "rate",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "bool",
        "and",
        "or",
        "unless",
        "atan2",
        "offset",
        "anchored",
        "fill",
        "start",
        "end()",
        "step()",
        "max_of(",
        "5m",
        "1h30m",
        "0",
        "1.5",
        "0x1f",
        "1e3",
        "inf",
        "NaN",
        "\"x\"",
        "a{b=\"c\"}",
        "a[5m]",
        "é",
        "\u{fffd}",
        "_",
        ".",
    ];
    prop::sample::select(tokens.to_vec()).prop_map(str::to_owned)
}

fn fixture_queries() -> Vec<String> {
    let mut queries = Vec::new();
    for entry in std::fs::read_dir("fixtures/promql-parse").unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let lines = text.lines().filter_map(|line| line.strip_prefix("> "));
        queries.extend(lines.map(str::to_owned));
    }
    assert!(queries.len() > 400);
    queries
}

/// Runs on the stack that a thread has unless told otherwise.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}
