//! The end of a maintenance window: nothing new is begun, and the rest is a plan again.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Event, Options, Waves};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::model::LocationId;
use dectl::plan::model::Plan;
use dectl::reconcile::{ApplyWorkflow, Approval, Error, Executed, Inputs, PlanSource, RunConfig, UserInterface};
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use dectl::simulator::{FaultConfig, InProcessApi, SimulatedOrganization, SimulatedState};

/// Asks for the end of the window at the so-many-th write.
struct Watch {
    shutdown: Shutdown,
    writes: Cell<u32>,
    ends_at: u32,
}

#[async_trait::async_trait(?Send)]
impl UserInterface for Watch {
    fn show_plan(&self, _: &Plan, _: &[Vec<LocationId>]) {}

    fn note(&self, _: &str) {}

    async fn confirm(&self, _: &str, _: &str) -> bool {
        true
    }

    fn run_started(&self, _: &Plan) {}

    fn on_event(&self, event: &Event) {
        if let Event::Written { .. } = event {
            self.writes.set(self.writes.get() + 1);
            if self.writes.get() == self.ends_at {
                self.shutdown.request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
            }
        }
    }

    fn run_finished(&self) {}
}

fn work(dir: &Path, until: Option<Instant>, ends_at: u32) -> (Result<Executed, Error>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let simulated =
            Rc::new(RefCell::new(SimulatedOrganization::new(SimulatedState::generated(9, 3), FaultConfig::default())));
        let (clock, shutdown) = (Clock::real(), Shutdown::new());
        let api = Rc::new(InProcessApi::new(Rc::clone(&simulated), clock.clone()));
        let rng = SeededRng::from_seed(1);
        let client =
            ApiClient::new(api, clock, rng, RateLimiter::new(Some(2), None), RetryPolicy::default(), shutdown.clone());
        let config = RunConfig {
            scope: dectl::plan::Scope::default(),
            command: String::new(),
            fail_on_unmanaged: false,
            resume_interrupted: true,
            approval: Approval::Automatic,
            max_changes: Some(dectl::plan::MaxChanges::All),
            max_deletes: None,
            options: Options { until, ..Options::default() },
            waves: Waves::default(),
            soak: Duration::ZERO,
            journal_dir: dir,
            run: "run",
            target: dectl::storage::RunTarget::default(),
            org: None,
            resumes: None,
            undoes: None,
            undoes_with: Vec::new(),
            key: None,
        };
        let rule = "version: 1\nrules: [{ match: { name: 'H(?<x>.*)' }, set: { name: 'K{{ x }}' } }]\n";
        let input_options =
            dectl::reconcile::InputOptions { strict: false, resolve: dectl::reconcile::CodeResolution::SyntaxOnly };
        let inputs = Inputs::from_text("rules", rule.to_owned(), input_options).expect("rules");
        let watch = Watch { shutdown, writes: Cell::new(0), ends_at };
        let work = ApplyWorkflow { client: &client, config: &config, ui: &watch };
        let done = work.run(&PlanSource::Inputs(inputs), None).await;
        let writes = simulated.borrow().counters().writes;
        (done, writes)
    })
}

#[test]
fn a_window_that_is_over_lets_nothing_begin() {
    let dir = tempfile::tempdir().expect("a directory");
    let (done, writes) = work(dir.path(), Some(Instant::START), u32::MAX);
    assert!(matches!(done, Err(Error::Stopped)), "{done:?}");
    assert_eq!(writes, 0);
}

#[test]
fn the_end_of_the_window_stops_cleanly_and_the_rest_is_a_plan_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (done, writes) = work(dir.path(), None, 5);
    let done = done.expect("a run");
    let Executed::Run(run) = done else { panic!("{done:?}") };
    assert_eq!(run.outcome.stopped, Some(ShutdownReason::WindowClosed));
    let applied = run.outcome.count(dectl::apply::ChangeStatus::Applied);
    assert_eq!(applied as u64, writes);
    assert!((5..27).contains(&applied), "{applied}");
    assert_eq!(run.outcome.count(dectl::apply::ChangeStatus::NotStarted), 27 - applied);
}
