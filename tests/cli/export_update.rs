//! Live values are taken over into files where they stand.

use crate::harness::TestEnv;

const FILE: &str = "# Networks of Bergen.
version: 1
locations:
  - name: Bergen Warehouse # the warehouse
    networks:
      - { name: BGO Cold store, displayName: 'Colder' } # flow
      - name: BGO Gate
        displayName: \"Old gate\" # why
        defaultAccessCode: \"9999\"
";

#[test]
fn only_the_values_that_differ_are_rewritten_and_then_the_plan_is_empty() {
    let env = TestEnv::new();
    env.write("net.yaml", FILE);
    let path = env.dir.path().join("net.yaml");
    #[cfg(unix)]
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o640)).expect("its mode");
    let ended = env.run(&["export", "--update", "net.yaml", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("-        displayName: \"Old gate\" # why\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("+        displayName: \"Gate\" # why\n"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("9999") && !ended.stdout.contains("2204"), "{}", ended.stdout);
    let text = std::fs::read_to_string(&path).expect("the file");
    let expected = FILE.replace("Colder", "Cold").replace("Old gate", "Gate").replace("9999", "2204");
    assert_eq!(text, expected);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("it").permissions()) & 0o777,
        0o640
    );
    assert!(env.run(&["plan", "net.yaml"]).stdout.contains("nothing to do"));
    let again = env.run(&["export", "--update", "net.yaml", "--yes"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""));
    assert!(again.stderr.contains("Nothing to take over"), "{}", again.stderr);
    assert_eq!(env.counters().writes, 0);
}

#[test]
fn a_value_that_has_a_meaning_out_of_scope_is_left() {
    let file = "version: 1
locations:
  - name: Bergen Warehouse
    networks:
      - &base { name: BGO Gate, displayName: Shared }
  - name: Oslo HQ
    networks:
      - { <<: *base, name: HQ Kitchen }
";
    for scope in [&["--location", "Bergen*"][..], &["--network", "BGO*"], &[]] {
        let env = TestEnv::new();
        env.write("b.yaml", file);
        let ended = env.run(&[&["export", "--update", "b.yaml", "--yes"], scope].concat());
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("change more than this value"), "{}", ended.stderr);
        assert_eq!(std::fs::read_to_string(env.dir.path().join("b.yaml")).expect("the file"), file);
    }
}

#[test]
fn one_value_that_is_left_does_not_hold_up_the_others() {
    let env = TestEnv::new();
    let exported = env.run(&["export", "--simulate=20x20"]).stdout;
    let all = regex::Regex::new("displayName: .*").expect("a pattern").replace_all(&exported, "displayName: Foo");
    let (first, second) = ("      - id:", "      - &k\n        id:");
    let file = all.replacen(first, second, 1).replacen(first, "      - <<: *k\n        id:", 1);
    // The second network has the display name of the first one, and none of its own.
    let at = file.find("<<: *k").expect("the second network");
    let own = at + file[at..].find("        displayName: Foo\n").expect("its display name");
    let file = format!("{}{}", &file[..own], &file[own + "        displayName: Foo\n".len()..]);
    env.write("big.yaml", &file);
    let ended = env.run(&["export", "--update", "big.yaml", "--simulate=20x20", "--yes"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("wrote 398 live values into 1 file"), "{}", ended.stderr);
}

#[test]
fn the_diff_has_tabs_and_ends_as_the_file_does() {
    let env = TestEnv::new();
    env.write("a.csv", "location\tname\tdisplayName\nOslo HQ\tHQ Kitchen\tFoo");
    let ended = env.run(&["export", "--update", "a.csv", "--yes"]);
    let words = "-Oslo HQ\tHQ Kitchen\tFoo\n\\ No newline at end of file\n+Oslo HQ\tHQ Kitchen\tKitchen\n";
    assert!(ended.stdout.contains(words), "{}", ended.stdout);
    // Carriage returns alone end lines.
    let text = "version: 1\rlocations:\r  - name: Bergen Warehouse\r    networks:\r      - name: BGO Gate\r        displayName: Foo\r";
    env.write("cr.yaml", text);
    let ended = env.run(&["export", "--update", "cr.yaml", "--yes"]);
    assert!(ended.stdout.contains("-        displayName: Foo\n+        displayName: Gate\n"), "{}", ended.stdout);
    let written = std::fs::read_to_string(env.dir.path().join("cr.yaml")).expect("the file");
    assert_eq!(written, text.replace("Foo", "Gate"));
}

#[test]
fn a_file_that_is_read_only_stays_as_it_is() {
    let env = TestEnv::new();
    env.write("net.yaml", FILE);
    let path = env.dir.path().join("net.yaml");
    let mut permissions = std::fs::metadata(&path).expect("the file").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("its mode");
    let ended = env.run(&["export", "--update", "net.yaml", "--yes"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("read-only"), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), FILE);
}

#[test]
fn fields_and_networks_limit_what_is_taken_over() {
    let env = TestEnv::new();
    env.write("net.yaml", FILE);
    let run = |options: &[&str]| env.run(&[&["export", "--update", "net.yaml", "--yes"], options].concat());
    assert_eq!(run(&["--field", "displayName", "--network", "*Gate"]).code, Some(0));
    let text = std::fs::read_to_string(env.dir.path().join("net.yaml")).expect("the file");
    assert_eq!(text, FILE.replace("Old gate", "Gate"));
    assert_eq!(run(&["--location", "Oslo*"]).code, Some(0));
    assert_eq!(run(&["--location", "Nowhere"]).code, Some(1));
    let ended = run(&["--field", "colour"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("displayName"), "{}", ended.stderr);
}

#[test]
fn what_no_edit_takes_over_is_reported_and_exit_code_2() {
    let env = TestEnv::new();
    env.write(
        "net.yaml",
        "version: 1
defaults: { defaultAccessCodeEnabled: false }
locations:
  - name: Bergen Warehouse
    networks:
      - { name: BGO Gate, displayName: Portal, baseStations: [AC7A56FF0001] }
      - name: BGO Nowhere
rules:
  - { match: { name: HQ Kitchen }, set: { displayName: Galley } }
",
    );
    let ended = env.run(&["export", "--update", "net.yaml", "--yes"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    for expected in ["from `defaults`", "would have 2 base stations", "BGO Nowhere", "set by rule net.yaml:9"] {
        assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    }
    assert!(ended.stdout.contains("+      - { name: BGO Gate, displayName: Gate, base"), "{}", ended.stdout);
}

#[test]
fn without_a_terminal_or_with_other_options_nothing_is_edited() {
    let env = TestEnv::new();
    env.write("net.yaml", FILE);
    for arguments in [
        &["export", "--update", "net.yaml"][..],
        &["export", "--update", "-", "--yes"],
        &["export", "--update", "net.yaml", "--yes", "-o", "csv"],
        &["export", "--update", "net.yaml", "--yes", "--write", "other.yaml"],
        &["export", "--update", "gone.yaml", "--yes"],
        &["export", "--field", "name"],
    ] {
        assert_eq!(env.run(arguments).code, Some(1), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(env.dir.path().join("net.yaml")).expect("the file"), FILE);
    assert_eq!(env.counters().requests, 0);
}

#[test]
fn what_goes_with_update_alone_is_refused_without_it_and_beside_other_exports() {
    let env = TestEnv::new();
    env.write("net.yaml", FILE);
    let without_update: [&[&str]; 3] = [&["--network", "BGO*"], &["--field", "name"], &["--yes"]];
    let others: [&[&str]; 8] = [
        &[],
        &["--write", "new.yaml"],
        &["--split", "new"],
        &["--force"],
        &["--no-codes"],
        &["--no-remarks"],
        &["--include", "handsets"],
        &["--pairing"],
    ];
    for other in others {
        for option in without_update {
            let ended = env.run(&[&["export"], other, option].concat());
            assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{other:?} {option:?}");
        }
        if !other.is_empty() {
            let ended = env.run(&[&["export"], other, &["--update", "net.yaml", "--yes"]].concat());
            assert_eq!((ended.code, &*ended.stdout), (Some(1), ""), "{other:?}");
        }
    }
    assert!(!env.dir.path().join("new.yaml").exists() && !env.dir.path().join("new").exists());
}

#[test]
fn handsets_and_tables_are_edited_too() {
    let env = TestEnv::new();
    let table = env.run(&["export", "-o", "csv", "--include", "handsets"]).stdout;
    let row = table.lines().nth(1).expect("a handset");
    let name = row.split(',').nth(9).expect("its name");
    assert!(!name.is_empty(), "{row}");
    env.write("handsets.csv", &table.replace(&format!(",{name},"), ",Someone else,"));
    let ended = env.run(&["export", "--update", "handsets.csv", "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(std::fs::read_to_string(env.dir.path().join("handsets.csv")).expect("the table"), table);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_leaves_all_as_they_were() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    env.write("a.yaml", FILE);
    env.write(
        "locked/b.yaml",
        &FILE
            .replace("Bergen Warehouse", "Oslo HQ")
            .replace("BGO Cold store", "HQ Kitchen")
            .replace("BGO Gate", "HQ Reception"),
    );
    let locked = env.dir.path().join("locked");
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).expect("its mode");
    // The superuser is not held up by a mode.
    if std::fs::write(locked.join("probe"), "").is_err() {
        let ended = env.run(&["export", "--update", "a.yaml", "locked/b.yaml", "--yes"]);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stderr.contains("no file was changed"), "{}", ended.stderr);
        assert_eq!(std::fs::read_to_string(env.dir.path().join("a.yaml")).expect("the file"), FILE);
    }
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o755)).expect("its mode");
}
