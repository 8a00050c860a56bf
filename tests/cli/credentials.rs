//! Tokens: where they come from, when they are renewed, and where they never go.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use dectl::simulator::{CLIENT_ID, CLIENT_SECRET, FaultConfig, REFRESH_TOKEN, SimulatedState, TOKEN};

use crate::harness::{Ended, TestEnv, copy_example};

/// The binary with this environment instead of a token.
fn run(env: &TestEnv, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = env.command(arguments);
    command.env_remove("WEBEX_ACCESS_TOKEN").envs(environment.iter().copied());
    command.output().expect("the binary runs").into()
}

const SERVICE_APP: [(&str, &str); 3] = [
    ("SERVICE_APP_CLIENT_ID", CLIENT_ID),
    ("SERVICE_APP_CLIENT_SECRET", CLIENT_SECRET),
    ("SERVICE_APP_REFRESH_TOKEN", REFRESH_TOKEN),
];

#[test]
fn every_source_of_tokens_works_and_they_come_in_order() {
    let env = TestEnv::new();
    copy_example(&env);
    env.write("token", &format!("{TOKEN}\n"));
    env.write("wrong", "another-token\n");
    let plan = |environment: &[(&str, &str)], flags: &[&str]| {
        run(&env, environment, &[&["plan", "networks.yaml", "-q"], flags].concat())
    };
    let echo = format!("echo fetching >&2; echo {TOKEN}");
    for (environment, flags) in [
        (&[("WEBEX_ACCESS_TOKEN", TOKEN)][..], &[][..]),
        (&[], &["--token-file", "token"]),
        (&[], &["--token-command", &echo]),
        (&SERVICE_APP, &[]),
        // What comes first wins, even where the others would be refused.
        (&[("WEBEX_ACCESS_TOKEN", "another-token")], &["--token-file", "token", "--token-command", "exit 1"]),
        (&[("WEBEX_ACCESS_TOKEN", "another-token")], &["--token-command", &echo]),
    ] {
        let ended = plan(environment, flags);
        assert_eq!(ended.code, Some(0), "{environment:?} {flags:?}: {}", ended.stderr);
    }
    assert!(plan(&[], &["--token-command", &echo]).stderr.contains("fetching"), "the helper's words are seen");
    for (environment, flags, words) in [
        (&[][..], &[][..], "no access token: set WEBEX_ACCESS_TOKEN"),
        (&[("WEBEX_ACCESS_TOKEN", "  ")], &[], "no access token: set WEBEX_ACCESS_TOKEN"),
        (&[("WEBEX_ACCESS_TOKEN", "two words")], &[], "the token contains whitespace"),
        (&[], &["--token-file", "nowhere"], "cannot be read"),
        (&[], &["--token-file", "wrong"], "invalid access token"),
        (&[], &["--token-command", "exit 7"], "exited with exit status: 7"),
        (&[], &["--token-command", "true"], "the token is empty"),
        (&[], &["--token-command", "echo two words"], "the token contains whitespace"),
        (&[], &["--token-command", "head -c 100000 /dev/zero"], "exceeds 64 KiB"),
        (&[], &["--token-command", "printf '\\377'"], "not valid UTF-8"),
        (&SERVICE_APP[..2], &[], "SERVICE_APP_REFRESH_TOKEN is not set"),
    ] {
        let ended = plan(environment, flags);
        assert_eq!(ended.code, Some(1), "{flags:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let wrong = [SERVICE_APP[0], SERVICE_APP[1], ("SERVICE_APP_REFRESH_TOKEN", "an-old-one")];
    let ended = plan(&wrong, &[]);
    assert!(ended.stderr.contains("unknown refresh token") && !ended.stderr.contains("an-old-one"), "{ended:?}");
    assert!(ended.stderr.contains("tracking id"), "{}", ended.stderr);
}

#[test]
fn a_service_app_is_renewed_in_mid_run_once_for_all() {
    let env = TestEnv::with(SimulatedState::generated(40, 4), FaultConfig::default());
    let life = Some(Duration::from_millis(400));
    let latency = dectl::simulator::Latency::Fixed(Duration::from_millis(60));
    env.set_faults(FaultConfig { token_ttl: life, latency, ..FaultConfig::default() });
    let ended = run(&env, &SERVICE_APP, &["rename", "H(?<x>.*)", "K{{ x }}", "--yes", "--max-changes", "all"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let counters = env.counters();
    assert_eq!(counters.writes, 160);
    assert!(counters.granted >= 2, "it was never renewed");
    // Eight requests were in the air at each end of a token, and one of them renewed it for all.
    assert!(counters.granted <= counters.requests / 12, "{counters:?}");
}

/// The limit itself is 30 s, too long for a test; a signal is handled meanwhile.
#[cfg(unix)]
#[test]
fn a_signal_gets_through_while_a_helper_hangs() {
    let env = TestEnv::new();
    copy_example(&env);
    let helper = ["plan", "networks.yaml", "--token-command", "echo started >&2; exec sleep 1000"];
    let mut child = env.command(&helper).stderr(std::process::Stdio::piped()).spawn().expect("the binary runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    assert!(lines.any(|line| line.expect("text") == "started"));
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
}

#[cfg(unix)]
#[test]
fn token_command_background_child_is_not_awaited() {
    let env = TestEnv::new();
    copy_example(&env);
    let helper = format!("sleep 1000 2>/dev/null & echo $! > left; echo {TOKEN}");
    let ended = run(&env, &[], &["plan", "networks.yaml", "-q", "--token-command", &helper]);
    let left = std::fs::read_to_string(env.dir.path().join("left")).expect("a number");
    let _killed = std::process::Command::new("kill").arg(left.trim()).status();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn a_signal_is_handled_while_a_token_file_blocks() {
    let env = TestEnv::new();
    let made = std::process::Command::new("mkfifo").arg(env.dir.path().join("fifo")).status();
    assert!(made.expect("mkfifo runs").success());
    let mut command = env.command(&["auth", "check", "--token-file", "fifo"]);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("the binary runs");
    // Opened for writing, a pipe waits for its reader: so the command is reading now.
    let _writer = std::fs::OpenOptions::new().write(true).open(env.dir.path().join("fifo")).expect("a pipe");
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
}

#[test]
fn a_failed_token_refresh_is_part_of_the_error() {
    let body = r#"{"message":"this refresh token was revoked"}"#;
    let granted = r#"{"access_token":"granted-once","expires_in":100}"#;
    let answers = [(200, granted), (401, r#"{"message":"token expired"}"#), (400, body)];
    let (port, _seen) = echo_in_turn(
        answers
            .map(|(status, body)| format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
            .into(),
    );
    let env = TestEnv::new();
    copy_example(&env);
    let ended =
        run(&env, &SERVICE_APP, &["plan", "networks.yaml", "--api-url", &format!("http://127.0.0.1:{port}/v1")]);
    assert_eq!(ended.code, Some(1));
    for words in ["token expired", "cannot refresh the token: this refresh token was revoked", "auth check"] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
}

#[test]
fn an_empty_plan_key_is_rejected() {
    let env = TestEnv::new();
    copy_example(&env);
    for arguments in [
        &["plan", "networks.yaml", "--out", "plan.age"][..],
        &["apply", "networks.yaml", "--yes"],
        &["rename", "A", "B", "--out", "plan.age"],
        &["undo", "last", "--yes"],
    ] {
        let ended: Ended = env.command(arguments).env("DECTL_PLAN_KEY", "").output().expect("it runs").into();
        assert_eq!(ended.code, Some(1), "{arguments:?}");
        assert!(ended.stderr.contains("DECTL_PLAN_KEY is set but empty"), "{}", ended.stderr);
    }
    assert_eq!(env.counters().requests, 0);
    assert!(!env.dir.path().join("plan.age").exists());
}

#[test]
fn auth_check_reports_read_access_and_the_write_scope_hint() {
    let env = TestEnv::new();
    let ended = run(&env, &SERVICE_APP, &["auth", "check"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for words in
        ["service app", "Simulated Admin", "ok (13 networks in 3 locations)", "UTC", "only the first write shows"]
    {
        assert!(ended.stdout.contains(words), "{words}: {}", ended.stdout);
    }
    assert_eq!(env.counters().writes, 0);
    env.set_faults(FaultConfig { statuses: vec![(403, 1.0)], ..FaultConfig::default() });
    let ended = run(&env, &[("WEBEX_ACCESS_TOKEN", TOKEN)], &["auth", "check", "-o", "json"]);
    assert_eq!(ended.code, Some(1));
    let reason = ended.json()["read"]["reason"].clone();
    assert!(reason.as_str().is_some_and(|words| words.contains("spark-admin:telephony_config_read")), "{reason}");
}

/// A server that answers every request with the same bytes, and tells the heads it has seen.
fn echo(answer: String) -> (u16, mpsc::Receiver<String>) {
    echo_in_turn(vec![answer])
}

/// The same with one answer after the other; the last one stays.
fn echo_in_turn(answers: Vec<String>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter().peekable();
        for stream in listener.incoming() {
            let Ok(mut stream): Result<TcpStream, _> = stream else { return };
            let answer = answers.peek().expect("an answer").clone();
            if answers.len() > 1 {
                answers.next();
            }
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
            while reader.read_line(&mut head).is_ok_and(|length| length > 2) {}
            let _gone = send.send(head);
            let _closed = stream.write_all(answer.as_bytes());
            let _rest = stream.shutdown(std::net::Shutdown::Write);
            let _drained = reader.read_to_string(&mut String::new());
        }
    });
    (port, receive)
}

#[test]
fn a_token_never_follows_a_redirect() {
    let env = TestEnv::new();
    copy_example(&env);
    let (elsewhere, seen_elsewhere) = echo("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned());
    for status in [301, 302, 307, 308] {
        let (port, seen) = echo(format!(
            "HTTP/1.1 {status} Moved\r\nlocation: http://127.0.0.1:{elsewhere}/v1/telephony/config/dectNetworks\r\n\
             content-length: 0\r\n\r\n"
        ));
        let base = format!("http://127.0.0.1:{port}/v1");
        let ended = env.run(&["plan", "networks.yaml", "--api-url", &base]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("unexpected redirect"), "{}", ended.stderr);
        let head = seen.recv().expect("a request").to_ascii_lowercase();
        assert!(
            head.contains(&format!("authorization: bearer {TOKEN}")) && head.contains("user-agent: dectl/"),
            "{head}"
        );
        assert!(head.contains("trackingid: "), "{head}");
    }
    assert!(seen_elsewhere.try_recv().is_err(), "the redirect was followed");
}

#[test]
fn plain_http_carries_no_token_to_another_machine() {
    let env = TestEnv::new();
    copy_example(&env);
    for base in ["http://webexapis.com/v1", "http://127.0.0.1.example.org/v1", "http://localhost.example.org/v1"] {
        let ended = env.run(&["plan", "networks.yaml", "--api-url", base]);
        assert_eq!(ended.code, Some(1));
        assert!(ended.stderr.contains("over plain HTTP"), "{}", ended.stderr);
    }
    let ended = env.run(&["plan", "networks.yaml", "--api-url", "https://user:sekret@webexapis.com/v1"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("must not contain credentials") && !ended.stderr.contains("sekret"),
        "{}",
        ended.stderr
    );
    for base in ["webexapis.com", "ftp://localhost/v1", ""] {
        let ended = env.run(&["plan", "networks.yaml", "--api-url", base]);
        assert!(ended.stderr.contains("invalid API address"), "{base}: {}", ended.stderr);
    }
}

#[test]
fn secrets_are_redacted_from_all_output() {
    let env = TestEnv::new();
    copy_example(&env);
    let said = run(&env, &SERVICE_APP, &["apply", "networks.yaml", "--yes", "-vv", "--log-format", "json"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let mut texts = vec![said.stdout, said.stderr];
    for entry in std::fs::read_dir(env.dir.path().join(".dectl/runs")).expect("a directory") {
        texts.push(std::fs::read_to_string(entry.expect("an entry").path()).expect("a text"));
    }
    for secret in [CLIENT_SECRET, REFRESH_TOKEN, "granted-token-1", TOKEN] {
        assert!(texts.iter().all(|text| !text.contains(secret)), "{secret} is seen");
    }
    // Also where a server repeats what it was sent, at the place where long words are cut.
    let padding = "x".repeat(300 - 8 - CLIENT_SECRET.len() / 2);
    let body = format!("{{\"message\":\"{padding} what is {CLIENT_SECRET}?\"}}");
    let (port, _seen) = echo(format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    let base = format!("http://127.0.0.1:{port}/v1");
    let ended = run(&env, &SERVICE_APP, &["plan", "networks.yaml", "--api-url", &base, "-vv"]);
    assert!(ended.stderr.contains("what is [s") && !ended.stderr.contains(&CLIENT_SECRET[..4]), "{}", ended.stderr);
    let body = format!("{{\"message\":\"what is {CLIENT_SECRET} and {REFRESH_TOKEN}?\"}}");
    let (port, _seen) = echo(format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    let base = format!("http://127.0.0.1:{port}/v1");
    let ended = run(&env, &SERVICE_APP, &["plan", "networks.yaml", "--api-url", &base, "-vv"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("what is [secret] and [secret]?"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn the_children_of_a_token_command_end_with_it() {
    let env = TestEnv::new();
    copy_example(&env);
    let command = "sleep 600 >/dev/null 2>&1 & echo $! > child; echo simulated-token";
    let ended = env.run(&["plan", "networks.yaml", "--token-command", command]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let child = std::fs::read_to_string(env.dir.path().join("child")).expect("its id");
    let alive =
        || std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).is_ok_and(|stat| !stat.contains(") Z "));
    // The kernel ends it in its own time.
    for _ in 0..1_000_000 {
        if !alive() {
            return;
        }
        std::thread::yield_now();
    }
    panic!("process {child} lives on");
}
