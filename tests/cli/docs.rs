//! What the documentation shows is what happens: every `console` block of README and docs is run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dectl::simulator::{FaultConfig, SimulatedState};

use crate::harness::{Ended, TestEnv, copy_example, plain_command};

fn html_pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut html_pages = vec![root.join("README.md")];
    for entry in std::fs::read_dir(root.join("docs")).expect("docs") {
        let path = entry.expect("a page").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            html_pages.push(path);
        }
    }
    html_pages.sort();
    html_pages
}

/// A command and what the page shows below it.
struct NetworkJson {
    command: String,
    output: String,
}

fn blocks(page: &str) -> Vec<NetworkJson> {
    let mut shown: Vec<NetworkJson> = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match line.strip_prefix("$ ") {
                Some(command) => shown.push(NetworkJson { command: command.to_owned(), output: String::new() }),
                None => {
                    let last = shown.last_mut().expect("output follows a command");
                    last.output.push_str(line);
                    last.output.push('\n');
                }
            },
        }
    }
    shown
}

/// What differs from run to run.
fn steady(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.trim_end().lines() {
        let line = match line.split_once(" requests in ") {
            Some((counts, _)) => format!("{counts} requests in [time]"),
            None if line.starts_with("journal: ") => "journal: [run]".to_owned(),
            None if line.contains(" writes, at least ") => {
                line.split(", at least ").next().unwrap_or_default().to_owned()
            }
            None => line.trim_end().to_owned(),
        };
        lines.push(line);
    }
    lines.join("\n")
}

/// The words of a command line; single quotes keep a word together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in command.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Whether a text is what a page shows; a line `…` stands for any lines.
fn is_shown(text: &str, shown: &str) -> bool {
    let (text, shown) = (steady(text), steady(shown));
    let parts: Vec<&str> = shown.split("…\n").collect();
    let Some((first, others)) = parts.split_first() else { return false };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for (at, part) in others.iter().enumerate() {
        let found = if at + 1 == others.len() {
            rest.ends_with(part).then(|| rest.len() - part.len())
        } else {
            rest.find(part)
        };
        let Some(found) = found else { return false };
        rest = &rest[found + part.len()..];
    }
    !others.is_empty() || rest.is_empty()
}

/// Runs the commands of a page one after the other; each shows what the page shows.
#[track_caller]
fn assert_is_followed(env: &TestEnv, page: &str) {
    assert_is_followed_with(env, page, &[]);
}

/// The same with more options for commands that write, which the page does not show.
#[track_caller]
fn assert_is_followed_with(env: &TestEnv, page: &str, more: &[&str]) {
    for NetworkJson { command, output } in blocks(page) {
        let words = words(&command);
        let mut arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        if matches!(arguments[0], "apply" | "rename") {
            arguments.extend(more);
        }
        let ended = env.run(&arguments);
        let text = if ended.code == Some(1) { &ended.stderr } else { &ended.stdout };
        assert!(is_shown(text, &output), "`{command}`\n{}\n{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn the_fleet_rename_page_matches_the_commands() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/fleet-rename.md");
    let env = TestEnv::with(SimulatedState::generated(500, 4), FaultConfig::default());
    assert_is_followed(&env, &std::fs::read_to_string(page).expect("a page"));
    assert_eq!(env.counters().writes, 4_000);
}

#[test]
fn the_sites_page_matches_the_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let env = TestEnv::new();
    for name in ["open-site.yaml", "base-stations.csv", "replace-base-station.yaml", "close-site.yaml"] {
        env.write(
            &format!("examples/{name}"),
            &std::fs::read_to_string(root.join("examples").join(name)).expect("an example"),
        );
    }
    let page = std::fs::read_to_string(root.join("docs/sites.md")).expect("a page");
    let table = std::fs::read_to_string(root.join("examples/base-stations.csv")).expect("an example");
    assert!(page.contains(&format!("```csv\n{table}```")), "the table is the example");
    assert_is_followed(&env, &page);
    assert_eq!(env.counters().writes, 6 + 5 + 4);
}

#[test]
fn the_handsets_page_matches_the_commands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let env = TestEnv::new();
    env.set_faults(FaultConfig { handset_interval: Duration::ZERO, ..FaultConfig::default() });
    for name in ["handsets.yaml", "handsets.csv", "replace-handset.yaml"] {
        env.write(
            &format!("examples/{name}"),
            &std::fs::read_to_string(root.join("examples").join(name)).expect("an example"),
        );
    }
    let page = std::fs::read_to_string(root.join("docs/handsets.md")).expect("a page");
    let table = std::fs::read_to_string(root.join("examples/handsets.csv")).expect("an example");
    assert!(page.contains(&format!("```csv\n{table}```")), "the table is the example");
    // A reader has the time that base stations need between the sessions.
    assert_is_followed_with(&env, &page, &["--handset-interval", "1ms"]);
    assert_eq!(env.counters().writes, 4 + 2 + 6);
}

/// Its files are on the page, each with its name in the first line.
#[test]
fn the_everyday_page_matches_the_commands() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/everyday.md")).expect("a page");
    let env = TestEnv::new();
    for file in page.split("```yaml\n# ").skip(1) {
        let (name, _) = file.split_once('\n').expect("a name");
        env.write(name, &format!("# {}", file.split("```").next().expect("a file ends")));
    }
    assert_is_followed(&env, &page);
    assert_eq!(env.counters().writes, 1);
}

#[test]
fn every_session_that_is_shown_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let journals = tempfile::tempdir().expect("a directory");
    let mut run = 0;
    for page in html_pages() {
        // Their commands build on each other; they have tests of their own.
        if ["fleet-rename.md", "sites.md", "handsets.md", "everyday.md"].iter().any(|name| page.ends_with(name)) {
            continue;
        }
        for NetworkJson { command, output } in blocks(&std::fs::read_to_string(&page).expect("a page")) {
            let words = words(&command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let arguments = match words.split_first() {
                Some((&"dectl", rest)) => rest.to_vec(),
                Some((&"cargo", ["run", "--", rest @ ..])) => rest.to_vec(),
                // The tests are running.
                Some((&"cargo", ["test"])) => continue,
                _ => panic!("{}: what is `{command}`?", page.display()),
            };
            // Without a result to compare, the page shows how a command is spelt; the word order is checked elsewhere.
            if output.is_empty() {
                continue;
            }
            let ended: Ended = plain_command(root, &arguments)
                .args(arguments.contains(&"apply").then(|| format!("--journal={}", journals.path().display())))
                .output()
                .expect("the binary runs")
                .into();
            assert_eq!(steady(&ended.stdout), steady(&output), "{}: `{command}`\n{}", page.display(), ended.stderr);
            run += 1;
        }
    }
    assert!(run > 0, "no session was found");
}

#[test]
fn the_documented_cycle_matches_the_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ended: Ended =
        plain_command(root, &["plan", "examples/swap.yaml", "--simulate"]).output().expect("the binary runs").into();
    let page = std::fs::read_to_string(root.join("docs/plans.md")).expect("the page");
    assert!(page.contains(ended.stdout.trim_end()), "{}", ended.stdout);
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in html_pages() {
        let text = std::fs::read_to_string(&page).expect("a page");
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().expect("a link ends");
            let target = target.split('#').next().expect("a path");
            if !target.is_empty() && !target.contains("://") {
                let path = page.parent().expect("a directory").join(target);
                assert!(path.exists(), "{} links to {target}", page.display());
            }
        }
    }
}

/// The commands of `sh` blocks: without their output, but spelt as they are run.
fn spelt(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in page.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default().replace("\\\n", " ");
        for line in block.lines().map(str::trim).filter(|line| line.starts_with("dectl ")) {
            commands.push(line.split(" #").next().unwrap_or_default().trim_end_matches('&').trim().to_owned());
        }
    }
    commands
}

#[test]
fn every_command_that_is_spelt_out_works() {
    let mut tried = 0;
    for page in html_pages() {
        for command in spelt(&std::fs::read_to_string(&page).expect("a page")) {
            let env = TestEnv::new();
            copy_example(&env);
            env.write("sites/networks.yaml", &std::fs::read_to_string("examples/networks.yaml").expect("a file"));
            env.write("sites/codes/hq-ward-2", "1202");
            env.run(&["plan", "networks.yaml", "--out", "plan.json"]);
            env.run(&["export", "-o", "csv", "--write", "networks.csv"]);
            let words = words(&command);
            let mut arguments: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
            match arguments[0] {
                // It serves until it is told to stop.
                "simulate" => arguments.push("--help"),
                "undo" => assert_eq!(env.run(&["apply", "networks.yaml", "--yes"]).code, Some(0)),
                "export" => ["networks.yaml", "networks.csv"].into_iter().for_each(|name| {
                    std::fs::remove_file(env.dir.path().join(name)).expect("it was there");
                }),
                _ => {}
            }
            if matches!(arguments[0], "apply" | "undo" | "rename") && !arguments.contains(&"--yes") {
                arguments.push("--yes");
            }
            let run = |arguments: &[&str]| -> Ended {
                env.command(arguments).env("DECTL_PLAN_KEY", "a key").output().expect("the binary runs").into()
            };
            let is_about_passwords = arguments[0] == "password";
            if is_about_passwords && arguments[1] == "show" {
                run(&["password", "generate", "--network", "BGO*", "--yes", "--write", arguments[2]]);
            }
            let ended = if is_about_passwords { run(&arguments) } else { env.run(&arguments) };
            let differs = arguments[0] == "status" && ended.code == Some(2);
            assert!(ended.code == Some(0) || differs, "{}: `{command}`: {ended:?}", page.display());
            tried += 1;
        }
    }
    assert!(tried > 8, "{tried}");
}

/// A crate that is not explained, or explained and not used.
#[test]
fn every_dependency_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let page = std::fs::read_to_string(root.join("docs/dependencies.md")).expect("the page");
    let tables = manifest
        .split("\n[")
        .filter(|table| table.starts_with("dependencies]") || table.starts_with("dev-dependencies]"));
    let names: Vec<&str> = tables
        .flat_map(|table| table.lines().skip(1))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect();
    assert!(names.len() > 30);
    for name in names {
        let words = page.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        assert!(words.into_iter().any(|word| word == name), "{name} is not explained");
    }
}
