//! The house rules: who may import whom, what every file begins with, and that nothing lies about unread.

#![expect(
    clippy::unwrap_used,
    reason = "a file that can't be read should stop the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// A room imports only from those before it.
const ROOMS: [&str; 19] = [
    "text",
    "model",
    "store",
    "series",
    "promql",
    "rules",
    "replay",
    "slo",
    "suite",
    "scaffold",
    "lint",
    "whatif",
    "mutate",
    "report",
    "io",
    "serve",
    "command",
    "allocator",
    "main",
];

/// Inside `promql`: a file, and the files there that it must not import. The tree names its functions, so `ast` and the
/// tables may know each other.
const APART: [(&str, &[&str]); 8] = [
    ("ast", &["parse", "print", "check", "query", "eval"]),
    ("query", &["parse", "print", "check", "eval"]),
    ("functions", &["parse", "print", "check", "eval"]),
    ("aggregations", &["parse", "print", "check", "eval"]),
    ("parse", &["print", "eval"]),
    ("print", &["parse", "check", "eval"]),
    ("check", &["eval"]),
    ("eval", &["parse", "print", "check"]),
];

#[test]
fn rooms_import_only_from_rooms_above() {
    let mut faults = Vec::new();
    let mut imports = 0;
    for path in files("src", "rs") {
        let room = room_of(&path, "src");
        let Some(own) = ROOMS.iter().position(|it| *it == room) else {
            assert_eq!(room, "lib", "{path}: no room of that name");
            continue;
        };
        for used in words_after("crate::", &production(&path)) {
            imports += 1;
            let Some(place) = ROOMS.iter().position(|it| *it == used) else {
                faults.push(format!("{path}: crate::{used} is no room"));
                continue;
            };
            if place > own || (room == "text" && used == "model") {
                faults.push(format!("{path}: {room} imports {used}, which comes later"));
            }
        }
    }
    assert!(imports > 200, "{imports} imports found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn rooms_of_promql_import_one_way() {
    let (mut faults, mut imports) = (Vec::new(), 0);
    for path in files("src/promql", "rs") {
        let room = room_of(&path, "src/promql");
        let apart = APART.iter().find(|(name, _)| *name == room);
        let text = production(&path);
        let mut used = words_after("crate::promql::", &text);
        // `super` of `eval/call.rs` and `eval/mod.rs` differ by one.
        let parts = path.split('/').count() - 2 - usize::from(path.ends_with("/mod.rs"));
        if parts > 0 {
            used.extend(words_after(&"super::".repeat(parts), &text));
        }
        imports += used.len();
        for used in used {
            if apart.is_some_and(|(_, far)| far.contains(&used.as_str())) {
                faults.push(format!("{path}: {room} imports {used}"));
            }
        }
    }
    assert!(imports > 60, "{imports} imports found");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_io_touches_disk_and_clock() {
    let words = [
        "std::fs",
        "std::env::var",
        "SystemTime",
        "Instant::now",
        "std::net::Tcp",
        "std::process::Command",
        "println!",
        "eprintln!",
        "dbg!(",
        "todo!(",
    ];
    for path in files("src", "rs")
        .iter()
        .filter(|path| room_of(path, "src") != "io")
    {
        let text = production(path);
        for word in words {
            assert!(!text.contains(word), "{path}: {word}");
        }
    }
}

/// Generated series are the same on every machine: the functions of the platform are not.
#[test]
fn generated_series_ask_no_platform() {
    let functions = [
        "cbrt", "cos", "exp", "exp2", "exp_m1", "hypot", "ln", "ln_1p", "log", "log10", "log2",
        "mul_add", "powf", "powi", "sin", "sqrt", "tan",
    ];
    let files = files("src/series/generate", "rs");
    assert!(files.len() > 5, "{} files", files.len());
    for path in files {
        let text = production(&path);
        for function in functions {
            for call in [format!(".{function}("), format!("f64::{function}")] {
                assert!(!text.contains(&call), "{path}: {call}: take libm's");
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for path in files("src", "rs")
        .into_iter()
        .chain(files("tests", "rs"))
        .chain(files("benches", "rs"))
    {
        let text = read(&path);
        let sentence = text.lines().take_while(|line| line.starts_with("//!"));
        let sentence: Vec<&str> = sentence.map(|line| line[3..].trim()).collect();
        let first = sentence
            .split(|line| line.is_empty())
            .next()
            .unwrap_or_default()
            .join(" ");
        assert!(
            first.len() > 10 && first.ends_with(['.', ':', '`']),
            "{path}: begin with a sentence: //! … ({first})"
        );
    }
}

#[test]
fn lines_are_tidy() {
    for folder in ["src", "tests", "benches"] {
        for path in files(folder, "rs") {
            let text = read(&path);
            for (number, line) in text.lines().enumerate() {
                assert!(!line.contains('\t'), "{path}:{}: a tab", number + 1);
                assert_eq!(
                    line.trim_end(),
                    line,
                    "{path}:{}: blanks at the end",
                    number + 1
                );
            }
            assert!(
                text.ends_with('\n') && !text.ends_with("\n\n"),
                "{path}: ends in one newline"
            );
            assert!(
                !text.contains(concat!("#[al", "low(")),
                "{path}: write #[expect(…, reason = …)]"
            );
        }
    }
}

/// What the project is made with is no part of it.
#[test]
fn the_workplace_is_not_mentioned() {
    // In two parts, so that this file does not hold them.
    let words = [
        ["/wo", "rk/"],
        ["/wo", "rk "],
        ["crates", ".io"],
        ["proxy.", "golang"],
        ["pypi", ".org"],
        ["hel", "per "],
        ["hel", "pers"],
        ["isso", "ues/"],
        ["../sha", "red"],
        ["RULECHECK_SHA", "RED"],
    ]
    .map(|parts| parts.concat());
    for path in project() {
        if path.starts_with(".ci/") || path == "Cargo.lock" || path == "LICENSE" {
            continue;
        }
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue;
        };
        for word in &words {
            assert!(!text.contains(word.as_str()), "{path}: {word}");
        }
    }
}

#[test]
fn each_subcommand_has_a_file() {
    let table = read("src/command/mod.rs");
    for name in names_in("src/command", &["mod", "load", "in_order", "schedule"]) {
        let mut title = name.clone();
        title[..1].make_ascii_uppercase();
        assert!(table.contains(&format!("mod {name};")), "{name}");
        assert!(
            table.contains(&format!("{title}({name}::Options)")),
            "{name} has no subcommand"
        );
        assert!(
            table.contains(&format!("{name}::run(&options)")),
            "{name} is never run"
        );
        let case = format!("fixtures/cli/help_{name}");
        assert!(root().join(&case).is_dir(), "{case} is missing");
    }
}

#[test]
fn each_family_of_functions_is_in_the_table() {
    let table = read("src/promql/functions/mod.rs");
    let mut families = 0;
    for name in names_in("src/promql/functions", &["mod"]) {
        let rows = production(&format!("src/promql/functions/{name}.rs"));
        if rows.contains("[Function") {
            families += 1;
            assert!(
                table.contains(&format!("{name}::")),
                "{name} is in no table"
            );
        }
    }
    assert!(families >= 5, "{families} families of functions found");
}

#[test]
fn each_format_is_used() {
    let mut commands = files("src/command", "rs");
    commands.extend(files("src/serve", "rs"));
    let commands: String = commands.iter().map(|path| read(path)).collect();
    for name in names_in(
        "src/report",
        &["mod", "case", "format", "remedy", "unmet", "markdown"],
    ) {
        assert!(
            commands.contains(&format!("{name}::")),
            "no command prints report::{name}"
        );
    }
}

/// A folder or file of fixtures that no test, bench, README or page of the manual names is of no use.
#[test]
fn every_fixture_is_read() {
    let mut readers: Vec<String> = files("tests", "rs")
        .into_iter()
        .chain(files("benches", "rs"))
        .chain(files("src", "rs"))
        .collect();
    readers.retain(|path| path != "tests/tidy.rs");
    readers.push("README.md".to_owned());
    readers.extend(files("docs", "md"));
    let readers: Vec<String> = readers.iter().map(|path| read(path)).collect();
    for entry in fs::read_dir(root().join("fixtures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let named = |text: &String| {
            [format!("fixtures/{name}"), format!("\"{name}\"")]
                .iter()
                .any(|word| text.contains(word.as_str()))
        };
        assert!(
            name == "README.md" || readers.iter().any(named),
            "nobody reads fixtures/{name}"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The first part of a path below a folder, without its ending.
fn room_of(path: &str, folder: &str) -> String {
    let below = path.strip_prefix(folder).unwrap().trim_start_matches('/');
    let first = below.split('/').next().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The names of the files in a folder, but for some.
fn names_in(folder: &str, without: &[&str]) -> Vec<String> {
    let paths = files(folder, "rs");
    let direct = paths
        .iter()
        .filter(|path| !path[folder.len() + 1..].contains('/'));
    let names = direct.map(|path| room_of(path, folder));
    names
        .filter(|name| !without.contains(&name.as_str()))
        .collect()
}

/// The code of a file without comments, texts in the module documentation and the tests at its end.
fn production(path: &str) -> String {
    let text = read(path);
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..end]
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The names that follow a prefix; all of them where they stand in braces.
fn words_after(prefix: &str, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || before == '_' || before == ':' {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(list) => words.extend(first_names(list)),
            None => words.push(first_word(rest)),
        }
    }
    words.retain(|word| word != "super" && word != "self");
    words
}

/// The first names of the paths in a list in braces.
fn first_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut fresh) = (1, true);
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            letter if fresh && !letter.is_whitespace() => {
                names.push(first_word(&list[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// The files below a folder of the project with an ending, sorted, with `/` between their parts.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = below(Path::new(folder));
    found.retain(|path| Path::new(path).extension().is_some_and(|it| it == ending));
    found
}

/// Every file of the project.
fn project() -> Vec<String> {
    let mut found = below(Path::new(""));
    found.sort();
    assert!(found.len() > 150, "{} files found", found.len());
    found
}

fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(root().join(&next)) else {
            continue;
        };
        for entry in entries {
            let path: PathBuf = next.join(entry.unwrap().file_name());
            if path.starts_with("target") || path.starts_with(".git") {
                continue;
            }
            match root().join(&path).is_dir() {
                true => folders.push(path),
                false => found.push(path.to_string_lossy().replace('\\', "/")),
            }
        }
    }
    found.sort();
    found
}
