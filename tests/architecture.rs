//! Checks the module layering: reads `use crate::…` (and paths in the code) of every file and fails
//! on an import that the table in `src/lib.rs` does not allow. The files of a kind belong to the layers that the table in
//! `src/resources/mod.rs` has for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules and their allowed imports: `module`, or `module::file` for a single file.
fn table() -> BTreeMap<String, Vec<String>> {
    let map = fs::read_to_string("src/lib.rs").expect("the map");
    let mut table = BTreeMap::new();
    for row in map.lines().filter_map(|line| line.strip_prefix("//! | `")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [module, _, targets] = cells[..] else { panic!("no row of the table: {row}") };
        let known: Vec<String> = match before_words(targets) {
            "no other module" => Vec::new(),
            "all above" => table.keys().cloned().collect(),
            list => list.split(", ").map(str::to_owned).collect(),
        };
        table.insert(module.trim_end_matches('`').to_owned(), known);
    }
    table
}

/// The layer of each file of a kind: `state` of every kind is part of `model`.
fn layers() -> BTreeMap<String, String> {
    let map = fs::read_to_string("src/resources/mod.rs").expect("the map");
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.filter_map(|row| row.split_once(" | "))
        .filter_map(|(file, rest)| {
            let layer = rest.split(" | ").next()?.trim_matches('`');
            Some((file.trim_end_matches('`').to_owned(), layer.to_owned()))
        })
        .collect()
}

/// A path with the layer in place of the folder of a kind: `resources::handset::state::Handset` is `model::state::Handset`.
fn in_layers(path: &str, layers: &BTreeMap<String, String>) -> String {
    let mut parts = path.split("::");
    if parts.next() != Some("resources") {
        return path.to_owned();
    }
    let rest: Vec<&str> = parts.collect();
    let files = rest.iter().take(2).enumerate();
    match files.filter_map(|(at, name)| Some((at, layers.get(*name)?))).next_back() {
        Some((at, layer)) => {
            [layer.as_str()].into_iter().chain(rest[at..].iter().copied()).collect::<Vec<_>>().join("::")
        }
        None => path.to_owned(),
    }
}

/// A cell without the remark after `; `.
fn before_words(cell: &str) -> &str {
    cell.trim_end_matches(" |").split("; ").next().unwrap_or_default()
}

/// Forbidden imports, although the enclosing module is allowed.
const FORBIDDEN: &[(&str, &str)] =
    &[("simulator", "webex::wire"), ("simulator", "webex::http"), ("simulator", "webex::credentials")];

/// Modules that may use tokio.
const TOKIO: &[&str] = &["runtime", "webex", "storage/journal", "simulator/http", "cli"];

/// Only a rehearsal uses both the simulator and the executor.
const SIMULATOR_USERS: &[&str] = &["reconcile/rehearse.rs"];

struct Import {
    file: PathBuf,
    module: String,
    target: String,
}

fn sources(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a source directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    files.sort();
    files
}

fn module_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?.to_owned();
    (inside.components().count() > 1).then_some(first)
}

/// Code without comments: a path in the documentation is no import.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    // Tests inside a module may build what they need from anywhere.
    let is_for_tests = text.contains("\n#![cfg(test)]\n");
    let text = text.split("\n#[cfg(test)]\nmod tests").next().filter(|_| !is_for_tests).unwrap_or_default().to_owned();
    // A visibility is no import.
    let text = text.replace("pub(in crate::resources)", "pub");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate::`, groups in braces taken apart: `crate::plan::{self, plan::Plan}`.
fn paths(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        expand("", &code[at + "crate::".len()..], &mut found);
    }
    found
}

/// Every path that leaves the module of a file through `super::super::`, as deep as the file lies.
fn ways_out(file: &Path, code: &str) -> BTreeSet<String> {
    let inside = file.strip_prefix("src").expect("below src");
    let depth = inside.components().count() - usize::from(file.ends_with("mod.rs"));
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("super::").filter(|(at, _)| !code[..*at].ends_with("super::")) {
        expand("", &code[at..], &mut found);
    }
    let out = |path: &String| {
        let rest = path.trim_start_matches("super::");
        ((path.len() - rest.len()) / "super::".len() >= depth).then(|| rest.to_owned())
    };
    found.iter().filter_map(out).collect()
}

fn expand(prefix: &str, rest: &str, found: &mut BTreeSet<String>) {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
    let path = format!("{prefix}{}", &rest[..end]);
    if !rest[end..].starts_with('{') {
        found.insert(path.trim_end_matches(':').to_owned());
        return;
    }
    let mut depth = 0;
    let mut start = end + 1;
    for (at, c) in rest[end..].char_indices().map(|(at, c)| (end + at, c)) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            let item = rest[start..at].trim();
            if !item.is_empty() {
                expand(&path, item, found);
            }
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
}

fn imports() -> Vec<Import> {
    let (layers, mut imports) = (layers(), Vec::new());
    for file in files() {
        let path = module_path(&file);
        if path.len() < 2 && !file.ends_with("mod.rs") {
            continue;
        }
        let code = code(&file);
        // What a file of a kind names through `super::` is in its own folder, or in that of another kind.
        let named: BTreeSet<String> = match path[0].as_str() {
            "resources" => named(&path, &code).into_iter().map(|path| path.join("::")).collect(),
            _ => paths(&code).into_iter().chain(ways_out(&file, &code)).collect(),
        };
        let module = in_layers(&path.join("::"), &layers).split("::").next().unwrap_or_default().to_owned();
        for target in named {
            let target = in_layers(&target, &layers);
            imports.push(Import { file: file.clone(), module: module.clone(), target });
        }
    }
    imports
}

fn allows(allowed: &str, target: &str) -> bool {
    target == allowed || target.strip_prefix(allowed).is_some_and(|rest| rest.starts_with("::"))
}

/// The path of the module in a file: `plan::model` for `plan/model.rs`.
fn module_path(file: &Path) -> Vec<String> {
    let inside = file.strip_prefix("src").expect("below src").with_extension("");
    let mut path: Vec<String> =
        inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if path.last().is_some_and(|last| last == "mod") {
        path.pop();
    }
    path
}

/// Every path that a file names, from the root of the crate.
fn named(module: &[String], code: &str) -> Vec<Vec<String>> {
    let parts = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<String>>();
    let mut named: Vec<Vec<String>> = paths(code).iter().map(|path| parts(path)).collect();
    for (at, _) in code.match_indices("super::").filter(|(at, _)| !code[..*at].ends_with("super::")) {
        let mut relative = BTreeSet::new();
        expand("", &code[at..], &mut relative);
        for path in relative {
            let rest: Vec<String> = parts(&path).into_iter().skip_while(|part| part == "super").collect();
            let up = parts(&path).len() - rest.len();
            named.push(module[..module.len().saturating_sub(up)].iter().cloned().chain(rest).collect());
        }
    }
    named
}

/// The file that a path leads to, through the `pub use` of the modules on its way.
fn leads_to(path: &[String], codes: &BTreeMap<Vec<String>, String>) -> Option<Vec<String>> {
    let length = (1..=path.len()).rev().find(|length| codes.contains_key(&path[..*length]))?;
    let (module, name) = (path[..length].to_vec(), path.get(length)?);
    let exported = codes[&module].lines().collect::<Vec<_>>().join(" ");
    let uses =
        exported.split("pub use ").chain(exported.split("pub(crate) use ")).chain(exported.split("pub(super) use "));
    for line in uses.skip(1) {
        let mut found = BTreeSet::new();
        expand("", line.split(';').next().unwrap_or_default(), &mut found);
        for path in found.iter().map(|path| path.split("::").map(str::to_owned).collect::<Vec<_>>()) {
            let inner: Vec<String> = module.iter().chain(&path).cloned().collect();
            if path.len() > 1 && path.last() == Some(name) && codes.contains_key(&inner[..inner.len() - 1]) {
                return leads_to(&inner, codes).or(Some(inner[..inner.len() - 1].to_vec()));
            }
        }
    }
    Some(module)
}

/// Takes away what imports nothing that is left, or is not imported: what remains is the circles and the ways between them.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let codes: BTreeMap<Vec<String>, String> = files().iter().map(|file| (module_path(file), code(file))).collect();
    let mut imports: BTreeMap<&Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for (module, code) in &codes {
        let targets = named(module, code).into_iter().filter_map(|path| leads_to(&path, &codes));
        imports.insert(module, targets.filter(|target| target != module).collect());
    }
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 500, "imports are found");
    loop {
        let left: BTreeSet<Vec<String>> = imports.keys().map(|module| (*module).clone()).collect();
        let imported: BTreeSet<Vec<String>> = imports.values().flatten().cloned().collect();
        for targets in imports.values_mut() {
            targets.retain(|target| left.contains(target));
        }
        imports.retain(|module, targets| !targets.is_empty() && imported.contains(*module));
        if imports.len() == left.len() {
            break;
        }
    }
    let circle: Vec<String> = imports
        .iter()
        .flat_map(|(module, targets)| targets.iter().map(|to| format!("{} imports {}", module.join("/"), to.join("/"))))
        .collect();
    assert!(circle.is_empty(), "files import each other in a circle:\n{}", circle.join("\n"));
}

#[test]
fn every_import_is_in_the_table() {
    let table = table();
    let mut wrong = Vec::new();
    for Import { file, module, target } in imports() {
        if module == "cli" || allows(&module, &target) {
            continue;
        }
        let known = table.get(&module).unwrap_or_else(|| panic!("the module {module} is not in the table"));
        let inside = known.iter().any(|allowed| allows(allowed, &target));
        // How a kind is sent sees neither the run nor the journal.
        let is_operation = file.starts_with("src/resources") && file.ends_with("operations.rs");
        if is_operation && ["storage", "apply::context"].iter().any(|hidden| allows(hidden, &target)) {
            wrong.push(format!("{} imports {target}", file.display()));
        }
        // `crate::plan::model::X` may also be reached as `crate::plan::{plan::X}`; both are the path plan::model.
        if !inside || FORBIDDEN.iter().any(|(from, to)| *from == module && allows(to, &target)) {
            wrong.push(format!("{} imports {target}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "arrows that the table does not have:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_is_in_the_table() {
    let modules: BTreeSet<String> = files().iter().filter_map(|file| module_of(file)).collect();
    let outside = ["cli", "resources"].map(str::to_owned);
    assert_eq!(modules, table().into_keys().chain(outside).collect());
}

/// A kind has files of known names only, so that the same question is answered in the same file of each.
#[test]
fn every_file_of_a_kind_is_in_the_table() {
    let layers = layers();
    let of_kinds: Vec<Vec<String>> =
        files().iter().map(|file| module_path(file)).filter(|path| path[0] == "resources" && path.len() > 1).collect();
    let kinds: BTreeSet<&String> = of_kinds.iter().filter(|path| path.len() > 2).map(|path| &path[1]).collect();
    assert!(kinds.len() > 3, "{kinds:?}");
    for path in of_kinds.iter().filter(|path| path.len() > 2 || !kinds.contains(&path[1])) {
        assert!(layers.contains_key(&path[path.len() - 1]), "{} is not in the table", path.join("/"));
    }
    for file in layers.keys() {
        assert!(of_kinds.iter().any(|path| path.last() == Some(file)), "the table has {file}, which no kind has");
    }
}

/// Only how something is sent, and what an undo reads, does I/O; states, entries and comparisons are pure.
#[test]
fn states_entries_and_comparisons_do_no_io() {
    let layers = layers();
    for file in files().iter().filter(|file| file.starts_with("src/resources")) {
        let layer = layers.get(&module_path(file)[module_path(file).len() - 1]).map(String::as_str);
        let is_pure = layer.is_none_or(|layer| !["apply", "reconcile"].contains(&layer));
        let code = code(file);
        for io in ["async ", ".await", "tokio::", "Timestamp::now", "println!", "print!"] {
            assert!(!is_pure || !code.contains(io), "{} has `{io}`", file.display());
        }
        let mut named = BTreeSet::new();
        for (at, _) in code.match_indices("std::") {
            expand("", &code[at..], &mut named);
        }
        let io = ["fs", "net", "env", "process", "thread", "io", "time::Instant", "time::SystemTime"];
        let is_io = |path: &&String| io.iter().any(|io| allows(&format!("std::{io}"), path));
        let found = named.iter().find(is_io);
        assert!(!is_pure || found.is_none(), "{} uses {found:?}", file.display());
    }
}

#[test]
fn only_outer_modules_use_tokio() {
    for file in files() {
        let inside = file.strip_prefix("src").expect("below src").to_str().expect("a path").to_owned();
        let known = TOKIO.iter().any(|place| inside.starts_with(place));
        assert!(known || !code(&file).contains("tokio::"), "{inside} uses tokio");
    }
}

#[test]
fn only_a_rehearsal_uses_simulator_and_executor() {
    for Import { file, module, target } in imports() {
        let inside = file.strip_prefix("src").expect("below src").to_str().expect("a path").to_owned();
        let outside = module != "simulator" && target.starts_with("simulator");
        assert!(!outside || SIMULATOR_USERS.contains(&inside.as_str()), "{inside} imports {target}");
    }
}

#[test]
fn mod_rs_holds_little_code() {
    for file in files().iter().filter(|file| file.ends_with("mod.rs")) {
        let inside = file.strip_prefix("src").expect("below src");
        let lines = code(file).lines().filter(|line| !line.trim().is_empty()).count();
        // Some `mod.rs` also hold the entry point of their module.
        let most = if inside.starts_with("cli") { 80 } else { 60 };
        assert!(lines <= most, "{} has {lines} lines of code", inside.display());
    }
}

#[test]
fn paths_in_braces_are_taken_apart() {
    let found =
        paths("use crate::plan::{self, model::{Plan, Step}};\nuse crate::model::NameKey;\nx(crate::runtime::Shutdown)");
    let expected = ["model::NameKey", "plan::model::Plan", "plan::model::Step", "plan::self", "runtime::Shutdown"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
    let out = ways_out(Path::new("src/plan/order.rs"), "use super::part::Part; use super::super::client::ApiClient;");
    assert_eq!(out.into_iter().collect::<Vec<_>>(), ["client::ApiClient"]);
    let out =
        ways_out(Path::new("src/plan/feedback/mod.rs"), "use super::part::Part; use super::super::client::ApiClient;");
    assert_eq!(out.into_iter().collect::<Vec<_>>(), ["client::ApiClient"]);
    let out = ways_out(Path::new("src/plan/order.rs"), "use super::{part::Part, super::client::ApiClient};");
    assert_eq!(out.into_iter().collect::<Vec<_>>(), ["client::ApiClient"]);
    assert_eq!(before_words("plan::model, runtime; data only |"), "plan::model, runtime");
}
