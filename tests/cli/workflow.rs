//! The workflow from inside: the end of a maintenance window, after which nothing new is begun and the rest is a plan again, and
//! what happens between two waves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Canary, Event, Options, Waves};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, Priority, RetryPolicy};
use dectl::model::LocationId;
use dectl::plan::model::Plan;
use dectl::reconcile::{ApplyWorkflow, Approval, Error, Executed, Inputs, PlanSource, RunConfig, UserInterface};
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use dectl::simulator::{FaultConfig, InProcessApi, SimulatedOrganization, SimulatedState};

/// Asks for the end of the window at the so-many-th write. When the next wave is to be confirmed, locations without networks have
/// been removed.
struct Watch<'a> {
    client: &'a ApiClient,
    simulated: Rc<RefCell<SimulatedOrganization>>,
    writes: Cell<u32>,
    ends_at: u32,
}

#[async_trait::async_trait(?Send)]
impl UserInterface for Watch<'_> {
    fn show_plan(&self, _: &Plan, _: &[Vec<LocationId>]) {}

    fn note(&self, _: &str) {}

    async fn confirm(&self, question: &str, _: &str) -> bool {
        if question.contains("Wave 1 succeeded") {
            let listed = self.client.list_networks(Priority::Normal).await.expect("a list");
            let faults = FaultConfig::default();
            *self.simulated.borrow_mut() = SimulatedOrganization::new(SimulatedState::from_live(&listed), faults);
        }
        true
    }

    fn run_started(&self, _: &Plan) {}

    fn on_event(&self, event: &Event) {
        if let Event::Written { .. } = event {
            self.writes.set(self.writes.get() + 1);
            if self.writes.get() == self.ends_at {
                self.client.shutdown().request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
            }
        }
    }

    fn run_finished(&self) {}
}

const RENAME: &str = "version: 1\nrules: [{ match: { name: 'H(?<x>.*)' }, set: { name: 'K{{ x }}' } }]\n";

/// What is applied to which organization, and how.
struct Work<'a> {
    state: SimulatedState,
    file: &'a str,
    until: Option<Instant>,
    ends_at: u32,
    waves: Waves,
}

impl Work<'_> {
    fn rename(until: Option<Instant>, ends_at: u32) -> Self {
        Self { state: SimulatedState::generated(9, 3), file: RENAME, until, ends_at, waves: Waves::default() }
    }

    /// Applies it; returns the number of writes, too.
    fn apply(self) -> (Result<Executed, Error>, u64) {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let simulated = Rc::new(RefCell::new(SimulatedOrganization::new(self.state, FaultConfig::default())));
            let (clock, shutdown, rng) = (Clock::real(), Shutdown::new(), SeededRng::from_seed(1));
            let api = Rc::new(InProcessApi::new(Rc::clone(&simulated), clock.clone()));
            let limiter = RateLimiter::new(Some(2), None);
            let client = ApiClient::new(api, clock, rng, limiter, RetryPolicy::default(), shutdown);
            let is_in_waves = self.waves != Waves::default();
            let config = RunConfig {
                scope: dectl::plan::Scope::default(),
                command: String::new(),
                fail_on_unmanaged: false,
                resume_interrupted: true,
                approval: if is_in_waves { Approval::Prompt } else { Approval::Automatic },
                max_changes: Some(dectl::plan::MaxChanges::All),
                max_deletes: None,
                options: Options { until: self.until, ..Options::default() },
                waves: self.waves,
                soak: Duration::ZERO,
                journal_dir: dir.path(),
                run: "run",
                target: dectl::storage::RunTarget::default(),
                org: None,
                resumes: None,
                undoes: None,
                undoes_with: Vec::new(),
                key: None,
            };
            let input_options =
                dectl::reconcile::InputOptions { strict: false, resolve: dectl::reconcile::CodeResolution::SyntaxOnly };
            let inputs = Inputs::from_text("file", self.file.to_owned(), input_options).expect("a file");
            let watch = Watch {
                client: &client,
                simulated: Rc::clone(&simulated),
                writes: Cell::new(0),
                ends_at: self.ends_at,
            };
            let work = ApplyWorkflow { client: &client, config: &config, ui: &watch };
            let done = work.run(&PlanSource::Inputs(inputs), None).await;
            let writes = simulated.borrow().counters().writes;
            (done, writes)
        })
    }
}

#[test]
fn a_window_that_is_over_lets_nothing_begin() {
    let (done, writes) = Work::rename(Some(Instant::START), u32::MAX).apply();
    assert!(matches!(done, Err(Error::Stopped)), "{done:?}");
    assert_eq!(writes, 0);
}

#[test]
fn the_end_of_the_window_stops_cleanly_and_the_rest_is_a_plan_again() {
    let (done, writes) = Work::rename(None, 5).apply();
    let done = done.expect("a run");
    let Executed::Run(run) = done else { panic!("{done:?}") };
    assert_eq!(run.outcome.stopped, Some(ShutdownReason::WindowClosed));
    let applied = run.outcome.count(dectl::apply::ChangeStatus::Applied);
    assert_eq!(applied as u64, writes);
    assert!((5..27).contains(&applied), "{applied}");
    assert_eq!(run.outcome.count(dectl::apply::ChangeStatus::NotStarted), 27 - applied);
}

#[test]
fn a_location_that_is_removed_between_waves_stops_the_next_one() {
    let file = "version: 1\nlocations:\n  - name: Oslo HQ\n    networks: [{ name: HQ Ward 1, displayName: First }]\n  - name: \
                Stavanger Clinic\n    networks: [{ name: SVG Wards, model: DMS Cisco DBS210, defaultAccessCode: '7311' }]\n";
    let work = Work {
        state: SimulatedState::built_in(),
        file,
        until: None,
        ends_at: u32::MAX,
        waves: Waves { canary: Some(Canary::Number(1)), ..Waves::default() },
    };
    let (done, writes) = work.apply();
    let Executed::Run(run) = done.expect("a run") else { panic!("one run") };
    assert_eq!(run.outcome.stopped, Some(ShutdownReason::UnexpectedChange));
    assert_eq!(writes, 0, "nothing after the location was gone");
    let created = run.plan.changes.iter().position(|change| change.is_network_creation()).expect("a creation");
    let error = run.outcome.results[created].error.as_ref().expect("an error");
    assert_eq!(error.message, "the location \"Stavanger Clinic\" no longer exists");
}
