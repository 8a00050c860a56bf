//! Wrong files: each mistake has its code, all come in one run, and nothing is sent.

use crate::harness::TestEnv;

/// What a file says below `version: 1`, and the codes of what is found, in order.
const OFFLINE: &[(&str, &[&str])] = &[
    ("locations: [{name: A, networks: [{name: x, displayNme: y}]}]", &["unknown-field"]),
    ("locations: {}", &["wrong-type"]),
    ("locations: [{name: A, networks: [{name: [x]}]}]", &["wrong-type"]),
    ("locations: [{name: A, networks: [{name: 12}]}]", &["unquoted-value"]),
    ("locations: [{name: A, networks: [{name: yes}]}]", &["unquoted-value"]),
    ("locations: [{name: A, networks: [{name: ''}]}]", &["invalid-name"]),
    ("locations: [{name: A, networks: [{name: \"a\\tb\"}]}]", &["invalid-name"]),
    ("locations: [{name: A, networks: [{name: ååååååååååååååååååååååååååååååååååååååååå}]}]", &["invalid-name"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: 42}]}]", &["invalid-code"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: '12345'}]}]", &["invalid-code"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: 0o17}]}]", &["invalid-code"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: 1e3}]}]", &["invalid-code"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: }]}]", &["wrong-type"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCode: {}}]}]", &["wrong-type"]),
    ("locations: [{name: A, networks: [{name: x, defaultAccessCodeEnabled: 'true'}]}]", &["wrong-type"]),
    ("locations: [{name: A, networks: [{name: x, name: y}]}]", &["duplicate-key"]),
    ("locations: [{name: A, networks: [{name: x}, {name: X}]}]", &["duplicate-name"]),
    ("locations: [{name: A, networks: [{name: x}]}, {name: a, networks: [{name: x}]}]", &["duplicate-name"]),
    ("locations: [{name: A, networks: [{id: i}, {id: i=}]}]", &["duplicate-network"]),
    (
        "locations: [{name: A, networks: [{name: x, defaultAccessCode: '1234'}, {name: z, defaultAccessCode: 1234}]}]",
        &["duplicate-code"],
    ),
    ("locations: [{networks: [{name: x}]}]", &["missing-field"]),
    ("locations: [{name: A}]", &["missing-field"]),
    ("locations: [{name: A, networks: [{}]}]", &["missing-field"]),
    ("locations: [{name: A, networks: [{name: x, displayName: a long display name}]}]", &["long-display-name"]),
    ("locations: [", &["not-yaml"]),
    ("locations: []\n---\nversion: 1\n", &["multiple-documents"]),
    (
        "locations: [{name: A, networks: [{nme: x}, {name: '', displayName: ''}]}, 7]",
        &["unknown-field", "invalid-name", "invalid-display-name", "wrong-type"],
    ),
];

fn codes(document: &serde_json::Value) -> Vec<String> {
    let diagnostics = document["diagnostics"].as_array().expect("diagnostics");
    diagnostics.iter().map(|diagnostic| diagnostic["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
fn every_mistake_is_found_and_named() {
    let env = TestEnv::new();
    for (text, expected) in OFFLINE {
        env.write("wrong.yaml", &format!("version: 1\n{text}\n"));
        let ended = env.run(&["validate", "wrong.yaml", "--strict", "-o", "json"]);
        assert_eq!(
            (ended.code, codes(&ended.json())),
            (Some(1), expected.iter().map(|code| (*code).to_owned()).collect()),
            "{text}"
        );
        let first = &ended.json()["diagnostics"][0];
        assert!(first["line"].as_u64().is_some() && first["help"].as_str().is_some(), "{text}: {first}");
    }
}

#[test]
fn binary_and_oversized_files_are_rejected() {
    let env = TestEnv::new();
    let bomb: String = (1..20).fold("a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, at| {
        let before = at - 1;
        format!("{text}a{at}: &a{at} [{}]\n", vec![format!("*a{before}"); 9].join(", "))
    });
    for (what, bytes, expected) in [
        ("empty", b"".to_vec(), "file-empty"),
        ("comments only", b"# nothing\n---\n".to_vec(), "file-empty"),
        ("not UTF-8", b"version: 1\nlocations: \xff\n".to_vec(), "not-utf8"),
        ("UTF-16", b"\xff\xfev\0e\0r\0".to_vec(), "not-utf8"),
        ("deep", [b"a: ".as_slice(), &b"[".repeat(10_000), &b"]".repeat(10_000)].concat(), "limit-exceeded"),
        ("a bomb", bomb.into_bytes(), "limit-exceeded"),
        ("version 2", b"version: 2\nlocations: []\n".to_vec(), "unsupported-version"),
    ] {
        std::fs::write(env.dir.path().join("wrong.yaml"), bytes).expect("a file");
        let ended = env.run(&["validate", "wrong.yaml", "-o", "json"]);
        assert_eq!((ended.code, codes(&ended.json())), (Some(1), vec![expected.to_owned()]), "{what}");
    }
    std::fs::create_dir(env.dir.path().join("empty")).expect("a directory");
    assert_eq!(codes(&env.run(&["validate", "empty", "-o", "json"]).json()), ["directory-empty"]);
    assert_eq!(codes(&env.run(&["validate", "nowhere.yaml", "-o", "json"]).json()), ["file-missing"]);
}

#[test]
fn a_code_that_stands_elsewhere_must_be_there() {
    let env = TestEnv::new();
    env.write("bad-code", "12 34\n");
    env.write("good-code", "0042\r\n");
    let file = "version: 1\nlocations: [{name: Oslo HQ, networks: [\n{name: HQ Ward 1, defaultAccessCode: {env: NOT_SET_ANYWHERE}},\n\
                {name: HQ Kitchen, defaultAccessCode: {file: nowhere}},\n{name: HQ Reception, defaultAccessCode: {file: bad-code}},\n\
                {name: HQ Ward 3, defaultAccessCode: {file: good-code}}]}]\n";
    env.write("file.yaml", file);
    assert_eq!(env.run(&["validate", "file.yaml"]).code, Some(0), "without --resolve only the form counts");
    let expected = ["code-source-unavailable", "code-source-unavailable", "invalid-code"];
    assert_eq!(codes(&env.run(&["validate", "file.yaml", "--resolve", "-o", "json"]).json()), expected);
    assert_eq!(codes(&env.run(&["plan", "file.yaml", "-o", "json"]).json()), expected);
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn errors_against_the_live_state_send_one_list() {
    let env = TestEnv::new();
    for (at, (text, expected)) in [
        ("[{name: Oslo, networks: [{name: x}]}]", "unknown-location"),
        ("[{id: nowhere, networks: [{name: x}]}]", "unknown-location"),
        ("[{name: Oslo HQ, networks: [{name: HQ Ward 9}]}]", "unknown-network"),
        ("[{name: Oslo HQ, networks: [{name: HQ Ward 1, defaultAccessCode: '1105'}]}]", "code-taken"),
        ("[{name: Oslo HQ, networks: [{name: hq kitchen, renamedFrom: HQ Ward 1}]}]", "ambiguous-rename"),
        ("[{name: Oslo HQ, networks: [{name: HQ Ward 1}, {name: X, renamedFrom: HQ Ward 1}]}]", "duplicate-network"),
    ]
    .into_iter()
    .enumerate()
    {
        env.write("wrong.yaml", &format!("version: 1\nlocations: {text}\n"));
        let ended = env.run(&["apply", "wrong.yaml", "--yes", "-o", "json"]);
        assert_eq!((ended.code, &*codes(&ended.json())[0]), (Some(1), expected), "{text}");
        assert_eq!((env.counters().requests, env.counters().writes), (at as u64 + 1, 0));
    }
}

#[test]
fn a_hundred_thousand_networks_with_a_shared_anchor_are_accepted() {
    let env = TestEnv::new();
    let mut text = "version: 1\ndefaults: &all\n  defaultAccessCodeEnabled: true\nlocations:\n".to_owned();
    for location in 0..1_000 {
        text.push_str(&format!("- name: Site {location}\n  networks:\n"));
        for network in 0..100 {
            text.push_str(&format!("  - {{<<: *all, name: Ward {network}, defaultAccessCode: \"{network:04}\"}}\n"));
        }
    }
    env.write("large.yaml", &text);
    let ended = env.run(&["validate", "large.yaml"]);
    assert_eq!(ended.stdout, "Valid: 1 file, 1000 locations, 100000 networks\n", "{}", ended.stderr);
}
