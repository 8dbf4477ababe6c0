//! What a folder may hold beside test files.

#![cfg(unix)]

use std::process::{Command, Output};

fn rulecheck(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rulecheck"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

#[test]
fn a_socket_in_a_folder_is_no_test_file() {
    let folder = std::env::temp_dir().join(format!("rulecheck-socket-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(folder.join("a.yml")).unwrap();
    let test = "tests: [{input_series: [{series: m, values: 1}]}]";
    std::fs::write(folder.join("b.yml"), test.replace("tests: ", "tests:\n  ")).unwrap();
    let output = rulecheck(&["test", "--promtool-compatible", folder.to_str().unwrap()]);
    drop(listener);
    std::fs::remove_dir_all(&folder).unwrap();
    let said = format!("{output:?}");
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("a.yml"), "{said}");
}
