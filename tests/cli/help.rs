//! The help of every command.

use crate::harness::{Ended, plain_command};

const COMMANDS: [&[&str]; 24] = [
    &[],
    &["validate"],
    &["plan"],
    &["apply"],
    &["status"],
    &["undo"],
    &["rename"],
    &["export"],
    &["rehearse"],
    &["find"],
    &["show"],
    &["report"],
    &["runs"],
    &["orgs"],
    &["auth"],
    &["auth", "check"],
    &["password"],
    &["password", "generate"],
    &["password", "show"],
    &["explain"],
    &["schema"],
    &["completions"],
    &["man"],
    &["simulate"],
];

fn help(command: &[&str], option: &str) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let ended: Ended = plain_command(dir.path(), &[command, &[option]].concat()).output().expect("it runs").into();
    assert_eq!(ended.code, Some(0), "{command:?} {option}");
    // The one program name on every platform.
    ended.stdout.replace("dectl.exe", "dectl")
}

#[test]
fn short_help_of_every_command() {
    let all: Vec<String> =
        COMMANDS.iter().map(|command| format!("$ dectl {} -h\n{}", command.join(" "), help(command, "-h"))).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn long_help_of_every_command() {
    let all: Vec<String> = COMMANDS
        .iter()
        .map(|command| format!("$ dectl {} --help\n{}", command.join(" "), help(command, "--help")))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn every_command_of_the_program_has_a_snapshot() {
    let listed = help(&[], "-h");
    for command in listed.lines().filter_map(|line| line.strip_prefix("  ")?.split("  ").next()) {
        let is_command = !command.is_empty() && command.chars().all(|letter| letter.is_ascii_lowercase());
        assert!(!is_command || COMMANDS.iter().any(|known| known.first() == Some(&command)), "{command}");
    }
}

#[test]
fn short_help_fits_on_a_screen() {
    for command in COMMANDS {
        let lines = help(command, "-h").lines().count();
        let limit = if command.is_empty() { 47 } else { 40 };
        assert!(lines < limit, "{command:?} has {lines} lines");
    }
    for small in [&["validate"][..], &["show"], &["runs"], &["auth", "check"], &["schema"], &["completions"], &["man"]]
    {
        let lines = help(small, "-h").lines().count();
        assert!(lines < 20, "{small:?} has {lines} lines");
    }
}
