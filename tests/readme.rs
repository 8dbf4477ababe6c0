//! The README and the manual under `docs/` are current: blocks marked `console` are run, and say what they said, and links
//! lead somewhere.
//!
//! In such a block a line `$ …` is a command and what follows is what it prints; `...` stands for any number of lines.
//! With `SNAPSHOTS=overwrite` set, what follows commands without `...` is written anew.

#![expect(
    clippy::unwrap_used,
    reason = "a broken README should stop the test where it is read"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn commands_print_what_the_readme_says() {
    let mut blocks = 0;
    for path in pages() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut fresh = String::new();
        let mut rest = text.as_str();
        while let Some((before, block)) = rest.split_once("```console\n") {
            let (block, after) = block.split_once("```\n").unwrap();
            fresh.push_str(&format!("{before}```console\n{}```\n", run(block)));
            rest = after;
            blocks += 1;
        }
        fresh.push_str(rest);
        if std::env::var_os("SNAPSHOTS").is_some() {
            std::fs::write(&path, &fresh).unwrap();
            continue;
        }
        snapbox::assert_data_eq!(fresh, snapbox::data::Data::text(text).raw());
    }
    assert!(blocks >= 30, "{blocks} blocks of commands found");
}

/// A link to a file names one, and its `#…` a heading there.
#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in pages() {
        let text = prose(&page);
        for part in text.split("](").skip(1) {
            let (link, _) = part.split_once(')').unwrap();
            if link.starts_with("https://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            assert!(target.exists(), "{}: no file {link}", page.display());
            let headings = || {
                let text = prose(&target);
                text.lines().map(anchor).collect::<Vec<_>>()
            };
            let is_known = heading.is_empty() || headings().iter().any(|it| it == heading);
            assert!(is_known, "{}: no heading {link}", page.display());
            links += 1;
        }
    }
    assert!(links >= 30, "{links} links found");
}

#[test]
fn the_two_commands_are_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(path).unwrap();
    for command in ["cargo run --release -- test rules", "cargo test"] {
        assert!(text.contains(command), "{command}");
    }
}

/// The README and the pages of the manual, in the order of their names.
fn pages() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(here.join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .chain([here.join("README.md")])
        .collect();
    pages.sort();
    pages
}

/// A page without what stands between fences.
fn prose(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let parts = text.split("\n```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// By which name a heading is linked to; empty for other lines.
fn anchor(line: &str) -> String {
    let Some((_, title)) = line.split_once("# ").filter(|(signs, _)| {
        let signs = signs.trim_matches('#');
        signs.is_empty()
    }) else {
        return String::new();
    };
    let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let kept = title.to_lowercase();
    kept.chars()
        .filter(is_kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// A block with what its commands print now; commands whose `...` fits keep theirs.
fn run(block: &str) -> String {
    let mut out = String::new();
    let block = block.strip_prefix("$ ");
    for part in block.expect("a block begins with a command").split("\n$ ") {
        let (command, written) = part.split_once('\n').unwrap_or((part, ""));
        let printed = printed(command);
        let written_lines: Vec<&str> = written.lines().collect();
        let printed_lines: Vec<&str> = printed.lines().collect();
        let text = match fits(&written_lines, &printed_lines) {
            true => written,
            false => printed.as_str(),
        };
        out.push_str(&format!("$ {command}\n{text}"));
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    out
}

fn fits(written: &[&str], printed: &[&str]) -> bool {
    match written.split_first() {
        None => printed.is_empty(),
        Some((&"...", rest)) => (0..=printed.len()).any(|skipped| fits(rest, &printed[skipped..])),
        Some((line, rest)) => {
            printed.first().is_some_and(|it| it.trim_end() == *line) && fits(rest, &printed[1..])
        }
    }
}

fn printed(command: &str) -> String {
    // Quotes are only there for the shell: no argument holds a space.
    let words = command.split_whitespace().map(|it| it.trim_matches('\''));
    let words: Vec<&str> = words.collect();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let arguments = match words.as_slice() {
        ["cat", file] => return std::fs::read_to_string(here.join(file)).unwrap(),
        ["rulecheck", arguments @ ..] => arguments,
        ["cargo", "run", "--release", "--", arguments @ ..] => arguments,
        _ => panic!("the README runs {command:?}: teach this test what that is"),
    };
    let output = Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(arguments)
        .current_dir(here)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}
