//! Results that must be true, stops that must stop, and runs that know who they are.

use serde_json::json;

use crate::harness::{Ended, TestEnv, copy_example, network, response, serve, stage_of};

fn run_at(env: &TestEnv, base: &str, arguments: &[&str]) -> Ended {
    env.command(arguments).env("WEBEX_API_URL", format!("{base}/v1")).output().expect("it runs").into()
}

#[test]
fn a_rejected_update_of_a_disabled_code_is_not_applied() {
    let mut one = network(1, "Oslo", "Ward", "1001");
    one["defaultAccessCodeEnabled"] = false.into();
    let list = json!({ "dectNetworks": [one] });
    let base = serve(move |method, _, _| match method {
        "PUT" => response("409 Conflict", "", &json!({ "message": "code in use" })),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write(
        "file.yaml",
        "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, defaultAccessCode: '2002'}]}]\n",
    );
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes", "-o", "json"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert_eq!(ended.json()["results"][0]["status"], "failed");
}

#[test]
fn a_network_without_a_name_is_not_updated_with_an_empty_one() {
    let mut one = network(1, "Oslo", "Ward", "1001");
    one["name"] = serde_json::Value::Null;
    let list = json!({ "dectNetworks": [one] });
    let base = serve(move |_, _, _| response("200 OK", "", &list));
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, displayName: W}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("missing-setting") && ended.stderr.contains("net0001"), "{}", ended.stderr);
}

#[test]
fn an_update_that_is_never_answered_is_unknown() {
    let list = json!({ "dectNetworks": [network(1, "Oslo", "Ward", "1001")] });
    let one = network(1, "Oslo", "Ward", "1001");
    let base = serve(move |method, target, _| match method {
        "PUT" => response("504 Gateway Timeout", "retry-after: 0\r\n", &json!({ "message": "late" })),
        _ if target.contains("/locations/") => response("200 OK", "", &one),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, name: Ward 1}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes", "-o", "json", "--max-attempts", "2"]);
    assert_eq!(ended.json()["results"][0]["status"], "unknown", "it may still be applied");
    assert_eq!(ended.code, Some(3));
}

#[test]
fn a_value_that_the_server_normalizes_is_shown_as_requested_and_found() {
    let list = json!({ "dectNetworks": [network(1, "Oslo", "Ward 1", "1001")] });
    let base = serve(move |method, _, _| match method {
        "PUT" => response("204 No Content", "", &serde_json::Value::Null),
        _ => response("200 OK", "", &list),
    });
    let env = TestEnv::new();
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{id: net0001, name: 'Ward  1'}]}]\n");
    let ended = run_at(&env, &base, &["apply", "file.yaml", "--yes"]);
    assert_eq!(ended.code, Some(3));
    assert!(ended.stdout.contains("name: requested \"Ward  1\", found \"Ward 1\""), "{}", ended.stdout);
    let warned = env.run(&["validate", "file.yaml", "--strict"]);
    assert!(warned.stderr.contains("unusual-spaces") && warned.stderr.contains("a double space"), "{}", warned.stderr);
}

#[test]
fn composed_and_decomposed_names_are_no_difference() {
    let env = stage_of(vec![network(1, "Oslo", "\u{c5}lesund", "0001")]);
    env.write("file.yaml", "version: 1\nlocations: [{name: Oslo, networks: [{name: \"A\u{30a}lesund\"}]}]\n");
    let ended = env.run(&["plan", "file.yaml", "--detailed-exitcode"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
}

#[test]
fn all_pages_of_a_list_are_read_on_the_same_server_only() {
    let page = |ids: &[usize]| {
        let networks: Vec<_> =
            ids.iter().map(|id| network(*id, "Oslo", &format!("Ward {id}"), &format!("{id:04}"))).collect();
        json!({ "dectNetworks": networks })
    };
    let base = serve(move |_, target, _| {
        if target.contains("start=2") {
            return response("200 OK", "", &page(&[2, 3]));
        }
        let link = "link: </v1/telephony/config/dectNetworks?start=0>; rel=\"prev\", \
                    </v1/telephony/config/dectNetworks?start=2>; rel=\"next\"\r\n";
        response("200 OK", link, &page(&[1]))
    });
    let env = TestEnv::new();
    let ended = run_at(&env, &base, &["export"]);
    assert_eq!(ended.stdout.matches("- id: net").count(), 3, "{}{}", ended.stdout, ended.stderr);
    let list = run_at(&env, &base, &["export", "-o", "json"]).json();
    assert_eq!(list["dectNetworks"].as_array().map(Vec::len), Some(3));

    let elsewhere =
        serve(move |_, _, _| response("200 OK", "link: <https://example.com/next>; rel=\"next\"\r\n", &page(&[1])));
    let ended = run_at(&env, &elsewhere, &["export"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("another server"), "{}", ended.stderr);
}

#[test]
fn rate_limiting_without_an_end_ends_the_command() {
    let base = serve(|_, _, _| response("429 Too Many Requests", "retry-after: 0\r\n", &json!({ "message": "no" })));
    let env = TestEnv::new();
    copy_example(&env);
    let ended = run_at(&env, &base, &["plan", "networks.yaml", "--rate-limit-timeout", "300ms"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--rate-limit-timeout"), "{}", ended.stderr);
}

#[test]
fn everything_on_standard_error_is_json_when_the_log_is() {
    let env = TestEnv::new();
    copy_example(&env);
    for arguments in [
        &["apply", "networks.yaml", "--yes", "-o", "json", "-v", "--log-format", "json"][..],
        &["plan", "nowhere.yaml", "--log-format", "json"],
        &["plan", "--no-such-option", "--log-format", "json"],
    ] {
        let ended = env.run(arguments);
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
        for line in ended.stderr.lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(object["level"].is_string() && object["timestamp"].is_string(), "{line}");
        }
    }
}
