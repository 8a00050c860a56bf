//! Access codes and tokens are nowhere in what is printed, whatever happens.

use crate::harness::{Ended, TestEnv};

/// Four digits that stand for nothing else in these tests.
const CANARIES: [&str; 4] = ["7391", "8264", "6173", "9518"];
const TOKEN: &str = "c4nary-t0ken-that-must-not-sing";

/// Whether a text tells something: digits within a longer number, such as a time in a log, are not it.
fn tells(text: &str, secret: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    text.match_indices(secret)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + secret.len()..].chars().next()))
}

fn assert_silent(what: &str, ended: &Ended) {
    for canary in CANARIES.iter().copied().chain([TOKEN]) {
        assert!(!tells(&ended.stdout, canary), "{what}: {canary} on standard output:\n{}", ended.stdout);
        assert!(!tells(&ended.stderr, canary), "{what}: {canary} on standard error:\n{}", ended.stderr);
    }
}

const FILES: [(&str, &str); 9] = [
    (
        "good",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - {name: HQ Kitchen, defaultAccessCode: 7391}\n  - name: HQ Ward 1\n    defaultAccessCode: \"8264\"\n",
    ),
    (
        "misspelt",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - name: HQ Kitchen\n    defaultAcessCode: '7391'\n    code: 8264\n",
    ),
    (
        "twice",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - {name: HQ Kitchen, defaultAccessCode: 7391}\n  - {name: HQ Ward 1, defaultAccessCode: 7391}\n",
    ),
    (
        "not yaml",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - name: HQ Kitchen\n    defaultAccessCode: \"7391\n",
    ),
    (
        "flow",
        "version: 1\nlocations: [{name: Oslo HQ, networks: [{name: HQ Kitchen, defaultAccessCode: 7391, nam: x}]}]\n",
    ),
    (
        "anchors",
        "version: 1\ncode: &c \"7391\"\nlocations:\n- name: Oslo HQ\n  networks:\n  - {name: HQ Kitchen, defaultAccessCode: *c}\n  - - 8264\n",
    ),
    (
        "five digits",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - name: HQ Kitchen\n    defaultAccessCode: 73910\n  - name: HQ Ward 1\n    defaultAccessCode: x8264\n",
    ),
    (
        "block",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - name: HQ Kitchen\n    defaultAccessCode: |\n      7391\n    nam: x\n",
    ),
    (
        "taken",
        "version: 1\nlocations:\n- name: Oslo HQ\n  networks:\n  - {name: HQ Kitchen, defaultAccessCode: 9518}\n  - {name: No such, defaultAccessCode: 6173}\n",
    ),
];

#[test]
fn neither_files_nor_errors_nor_logs_give_a_code_away() {
    let env = TestEnv::new();
    for (what, text) in FILES {
        env.write("file.yaml", text);
        for arguments in [
            &["validate", "file.yaml"][..],
            &["validate", "file.yaml", "-o", "json"],
            &["plan", "file.yaml", "-vv"],
            &["plan", "file.yaml", "-o", "json", "-vv", "--log-format", "json"],
            &["apply", "file.yaml", "--yes", "-vv"],
            &["apply", "file.yaml", "--yes", "-o", "json"],
            &["plan", "file.yaml", "-o", "markdown"],
            &["plan", "file.yaml", "-o", "html"],
            &["plan", "file.yaml", "-o", "diff"],
            &["apply", "file.yaml", "--yes", "-o", "html"],
        ] {
            assert_silent(&format!("{what}: {arguments:?}"), &env.run(arguments));
        }
    }
}

#[test]
fn codes_are_shown_to_those_who_ask() {
    let env = TestEnv::new();
    env.write("file.yaml", FILES[0].1);
    let plan = env.run(&["plan", "file.yaml", "--show-codes"]);
    assert!(plan.stdout.contains("→ 7391") && plan.stdout.contains("→ 8264"), "{}", plan.stdout);
    let plan = env.run(&["plan", "file.yaml", "--show-codes", "-o", "json"]).json();
    assert_eq!(plan["changes"][0]["fields"]["defaultAccessCode"]["to"], "7391");
}

#[test]
fn a_token_is_never_shown() {
    let env = TestEnv::new();
    env.write("file.yaml", FILES[0].1);
    env.write("token", &format!("{TOKEN}\n"));
    for arguments in [&["plan", "file.yaml", "-vv"][..], &["plan", "file.yaml", "-o", "json", "-vv"]] {
        let ended: Ended =
            env.command(arguments).env("WEBEX_ACCESS_TOKEN", TOKEN).output().expect("the binary runs").into();
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("the access token is invalid or has expired"), "{}", ended.stderr);
        assert_silent("refused token", &ended);
    }
    let ended = env.run(&["plan", "file.yaml", "--token-file", "token", "-vv"]);
    assert_eq!(ended.code, Some(1), "the file comes before the environment");
    assert_silent("token file", &ended);
}
