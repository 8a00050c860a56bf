//! The end of a maintenance window: nothing new is begun, and the rest is a plan again.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Event, Options, Waves};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::model::LocationId;
use dectl::plan::plan::Plan;
use dectl::reconcile::{Audience, Consent, Done, Error, Inputs, Terms, Wishes, Work};
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown, ShutdownLevel, ShutdownReason};
use dectl::simulator::{DirectApi, Misbehaviour, Simulated, State};
use futures::future::LocalBoxFuture;

/// Asks for the end of the window at the so-many-th write.
struct Watch {
    shutdown: Shutdown,
    writes: Cell<u32>,
    ends_at: u32,
}

impl Audience for Watch {
    fn plan(&self, _: &Plan, _: &[Vec<LocationId>]) {}

    fn remark(&self, _: &str) {}

    fn confirm<'a>(&'a self, _: &'a str) -> LocalBoxFuture<'a, bool> {
        Box::pin(async { true })
    }

    fn begins(&self, _: &Plan) {}

    fn event(&self, event: &Event) {
        if let Event::Written { .. } = event {
            self.writes.set(self.writes.get() + 1);
            if self.writes.get() == self.ends_at {
                self.shutdown.request(ShutdownLevel::Graceful(ShutdownReason::WindowClosed));
            }
        }
    }

    fn ends(&self) {}
}

fn work(folder: &Path, until: Option<Instant>, ends_at: u32) -> (Result<Vec<Done>, Error>, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let simulated = Rc::new(RefCell::new(Simulated::new(State::generated(9, 3), Misbehaviour::default())));
        let (clock, shutdown) = (Clock::real(), Shutdown::new());
        let api = Rc::new(DirectApi::new(Rc::clone(&simulated), clock.clone()));
        let rng = SeededRng::from_seed(1);
        let client =
            ApiClient::new(api, clock, rng, RateLimiter::new(2, None), RetryPolicy::default(), shutdown.clone());
        let terms = Terms {
            scope: dectl::plan::Scope::default(),
            consent: Consent::Given(Some(dectl::plan::MaxChanges::All)),
            complete: false,
            options: Options { concurrency: 2, ..Options::default() },
            finishes_others: true,
            waves: Waves::default(),
            soak: Duration::ZERO,
            until,
            folder,
            run: "run",
            key: None,
            org: None,
            max_changes: None,
        };
        let rule = "version: 1\nrules: [{ match: { name: 'H(?<x>.*)' }, set: { name: 'K{{ x }}' } }]\n";
        let options = dectl::reconcile::InputOptions { strict: false, resolve: dectl::reconcile::Resolve::FormOnly };
        let inputs = Inputs::of_text("rules", rule.to_owned(), options).expect("rules");
        let watch = Watch { shutdown, writes: Cell::new(0), ends_at };
        let work = Work { client: &client, terms: &terms, audience: &watch };
        let done = work.run(Wishes::Made(inputs), None).await;
        let writes = simulated.borrow().ledger().writes;
        (done, writes)
    })
}

#[test]
fn a_window_that_is_over_lets_nothing_begin() {
    let folder = tempfile::tempdir().expect("a folder");
    let (done, writes) = work(folder.path(), Some(Instant::START), u32::MAX);
    assert!(matches!(done, Err(Error::Stopped)), "{done:?}");
    assert_eq!(writes, 0);
}

#[test]
fn the_end_of_the_window_stops_cleanly_and_the_rest_is_a_plan_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (done, writes) = work(folder.path(), None, 5);
    let done = done.expect("a run");
    let [Done { run, .. }] = &done[..] else { panic!("{done:?}") };
    assert_eq!(run.outcome.stopped, Some(ShutdownReason::WindowClosed));
    let applied = run.outcome.count(dectl::apply::Status::Applied);
    assert_eq!(applied as u64, writes);
    assert!((5..27).contains(&applied), "{applied}");
    assert_eq!(run.outcome.count(dectl::apply::Status::NotStarted), 27 - applied);
}
