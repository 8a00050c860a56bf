//! Large organizations: how long each part takes, and how much memory the process has had in the end.
//!
//! Every measurement is a process of its own, so that one does not profit from the memory of another. Run it with
//! `cargo bench --bench load`; `DECTL_SIZES=1000,10000` takes other sizes.

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::desired::{CodeExport, Export};
use dectl::model::LiveState;
use dectl::plan::{Scope, resume};
use dectl::plan_check::CheckedPlan;
use dectl::reconcile::{CodeResolution, InputOptions, Inputs, PreparedPlan, plan_from_live};
use dectl::resources::calls;
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown};
use dectl::simulator::{FaultConfig, InProcessApi, SimulatedOrganization, SimulatedState, Snapshot};
use dectl::storage::{Journal, SavedPlan};
use dectl::webex::ResponseHead;
use jiff::Timestamp;

const PARTS: [&str; 6] = ["list", "parse", "files", "plan", "apply", "saved"];

/// Networks in a location.
const IN_ONE: usize = 50;

fn main() {
    // `cargo bench` passes flags of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [part, dir] = &arguments[..]
        && PARTS.contains(&part.as_str())
    {
        return measure(part, Path::new(dir));
    }
    let sizes = std::env::var("DECTL_SIZES").unwrap_or_else(|_| "1000,10000,100000".to_owned());
    println!(
        "| networks | list decoded | file parsed | a file for each location parsed | planned, no change \
         | all of them renamed | the same saved and resumed |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in sizes.split(',').filter_map(|size| size.parse::<usize>().ok()) {
        let dir = tempfile::tempdir().expect("a directory");
        let list = Snapshot::text(&SimulatedState::generated(size.div_ceil(IN_ONE), IN_ONE), []);
        let value: serde_json::Value = serde_json::from_str(&list).expect("JSON");
        std::fs::write(dir.path().join("list.json"), value.to_string()).expect("a file");
        let live = live(dir.path());
        let locations: Vec<_> = live.locations().map(|(at, _)| at).collect();
        let export = Export {
            organization: None,
            live: &live,
            codes: CodeExport::Include,
            with_remarks: true,
            is_temporary_name: &dectl::plan::is_temporary,
        };
        std::fs::write(dir.path().join("networks.yaml"), export.yaml(&locations).text).expect("a file");
        let by_location = dir.path().join("locations");
        std::fs::create_dir(&by_location).expect("a directory");
        for (number, location) in locations.iter().enumerate() {
            let text = export.yaml(&[*location]).text;
            std::fs::write(by_location.join(format!("{number:06}.yaml")), text).expect("a file");
        }
        let cells: Vec<String> = PARTS.iter().map(|part| in_a_process(part, dir.path())).collect();
        println!("| {size} | {} |", cells.join(" | "));
    }
}

/// The best of three processes.
fn in_a_process(part: &str, dir: &Path) -> String {
    let itself = std::env::current_exe().expect("this program");
    let once = || {
        let ended = Command::new(&itself).arg(part).arg(dir).output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stdout).into_owned();
        let (seconds, megabytes) = said.trim().split_once(' ').expect("two figures");
        (seconds.parse::<f64>().expect("a number"), megabytes.to_owned())
    };
    let (seconds, megabytes) = (0..3).map(|_| once()).min_by(|one, other| one.0.total_cmp(&other.0)).expect("three");
    format!("{seconds:.3} s, {megabytes} MB")
}

fn live(dir: &Path) -> LiveState {
    let list = std::fs::read(dir.join("list.json")).expect("the list");
    let head = ResponseHead { status: 200, ..ResponseHead::default() };
    calls::list_networks().read_response(&head, &list, Timestamp::UNIX_EPOCH).expect("a list")
}

fn inputs(text: String) -> Inputs {
    let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
    Inputs::from_text("networks.yaml", text, options).expect("a file")
}

fn measure(part: &str, dir: &Path) {
    let read = || std::fs::read_to_string(dir.join("networks.yaml")).expect("the file");
    let begun;
    let elapsed = match part {
        "list" => {
            begun = std::time::Instant::now();
            let live = live(dir);
            assert!(!live.is_empty());
            begun.elapsed()
        }
        "parse" => {
            begun = std::time::Instant::now();
            assert!(inputs(read()).desired.entries().count() > 0);
            begun.elapsed()
        }
        "files" => {
            begun = std::time::Instant::now();
            let options = InputOptions { strict: false, resolve: CodeResolution::SyntaxOnly };
            let inputs = Inputs::read(&[dir.join("locations")], &mut std::io::empty(), options).expect("files");
            assert!(inputs.desired.entries().count() > 0);
            begun.elapsed()
        }
        "plan" => {
            begun = std::time::Instant::now();
            let inputs = inputs(read());
            let prepared = plan_from_live(&inputs, &Scope::default(), live(dir), Instant::START).expect("a plan");
            assert_eq!(prepared.checked.plan().changes.len(), 0);
            begun.elapsed()
        }
        "saved" => {
            let prepared = renamed(dir);
            begun = std::time::Instant::now();
            save_and_resume(prepared, dir);
            begun.elapsed()
        }
        _ => {
            let prepared = renamed(dir);
            begun = std::time::Instant::now();
            apply(&prepared.checked, &prepared.live);
            begun.elapsed()
        }
    };
    println!("{} {}", elapsed.as_secs_f64(), peak());
}

/// A plan that renames every network.
fn renamed(dir: &Path) -> PreparedPlan {
    let rule = "version: 1\nrules: [{ match: { name: 'H(?<x>.*)' }, set: { name: 'K{{ x }}' } }]\n";
    plan_from_live(&inputs(rule.to_owned()), &Scope::default(), live(dir), Instant::START).expect("a plan")
}

/// Writes a plan, reads it again, and looks how far the organization has come with it.
fn save_and_resume(prepared: PreparedPlan, dir: &Path) {
    let PreparedPlan { checked, live, .. } = prepared;
    let path = dir.join("plan.json");
    let saved = SavedPlan {
        plan: checked.into_plan(),
        created: Timestamp::UNIX_EPOCH,
        org: None,
        max_changes: None,
        max_deletes: None,
        undoes: None,
        undoes_with: Vec::new(),
        sources: Vec::new(),
    };
    saved.write(&path, None).expect("a file");
    let read = SavedPlan::read(&path, None).expect("a plan");
    let rest = resume(&read.plan, &live).expect("nothing has moved");
    assert_eq!(rest.changes.len(), live.len());
}

/// Carries out a plan on a simulated copy, in virtual time: what is measured is the work, not the waiting.
fn apply(checked: &CheckedPlan, live: &LiveState) {
    let clock = Clock::virtual_clock();
    let simulated =
        Rc::new(RefCell::new(SimulatedOrganization::new(SimulatedState::from_live(live), FaultConfig::default())));
    let api = Rc::new(InProcessApi::new(Rc::clone(&simulated), clock.clone()));
    let retry_policy = RetryPolicy { lock_timeout: Duration::from_secs(600), ..RetryPolicy::default() };
    let client = ApiClient::new(
        api,
        clock.clone(),
        SeededRng::from_seed(1),
        RateLimiter::new(Some(8), None),
        retry_policy,
        Shutdown::new(),
    );
    let outcome = clock.block_on(run(checked, &client, &Journal::in_memory(), Options::default(), &|_| {}));
    assert!(outcome.is_some_and(|outcome| outcome.is_complete()));
}

/// The most memory that this process has had, in MB; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or_default() / 1024
}
