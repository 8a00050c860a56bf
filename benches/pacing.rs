//! Five strategies against undocumented limits, in virtual time: adaptive, a fixed rate, a common pause,
//! additive increase with multiplicative decrease, and ten workers that sleep each for himself.
//!
//! `cargo bench --bench pacing` prints a table for docs/performance.md.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::{Rate, RateLimiter};
use dectl::client::{ApiClient, RetryPolicy};
use dectl::model::{LocationId, NetworkId, Settings};
use dectl::plan::build;
use dectl::plan_check::check_plan;
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown};
use dectl::simulator::{FaultConfig, InProcessApi, Latency, LimitKind, SimulatedOrganization, SimulatedState};
use dectl::storage::Journal;
use dectl::webex::{DectApi, ErrorClass, RetryAfter};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

#[path = "../tests/simulation/generators.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod generators;

use generators::{renames, sources};

const CONCURRENCY: usize = 8;
const SEEDS: u64 = 5;

fn main() {
    // `cargo bench -- --list` and the like have nothing to list here.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    println!("wall over bound, refused in per cent; mean of {SEEDS} seeds\n");
    println!("| limiter | N | dectl | fixed 5/s | common pause | AIMD | ten sleepers |");
    println!("|---|---|---|---|---|---|---|");
    for (name, limit) in shapes() {
        for n in [100, 1_000, 5_000] {
            let cells: Vec<String> = [ours, fixed, common_pause, aimd, sleepers]
                .iter()
                .map(|contender| {
                    let (mut ratio, mut refused) = (0.0, 0.0);
                    for seed in 0..SEEDS {
                        let env = TestEnv::new(n, limit, seed);
                        contender(&env);
                        let counters = env.simulated.borrow().counters();
                        let wall = env.clock.now().elapsed().as_secs_f64();
                        ratio += wall / env.bound(counters.admitted) / SEEDS as f64;
                        refused += 100.0 * counters.refused as f64 / n as f64 / SEEDS as f64;
                    }
                    format!("{ratio:.2}, {refused:.1} %")
                })
                .collect();
            println!("| {name} | {n} | {} |", cells.join(" | "));
        }
    }
}

fn shapes() -> Vec<(&'static str, LimitKind)> {
    let seconds = Duration::from_secs;
    vec![
        ("bucket 5/s, holds 10", LimitKind::Bucket { rate: 5.0, burst: 10.0 }),
        ("bucket 1/s, holds 60", LimitKind::Bucket { rate: 1.0, burst: 60.0 }),
        ("bucket 20/s, holds 20", LimitKind::Bucket { rate: 20.0, burst: 20.0 }),
        ("window 300 in 60 s", LimitKind::Window { count: 300, period: seconds(60), phase: seconds(0) }),
        ("the same, met half-way", LimitKind::Window { count: 300, period: seconds(60), phase: seconds(30) }),
        ("window 100 in 60 s", LimitKind::Window { count: 100, period: seconds(60), phase: seconds(0) }),
        ("sliding 300 in 60 s", LimitKind::Sliding { count: 300, period: seconds(60) }),
        ("sliding 50 in 10 s", LimitKind::Sliding { count: 50, period: seconds(10) }),
    ]
}

/// `n` networks to rename, each in a location of its own, behind a limiter.
struct TestEnv {
    fleet: generators::RandomOrganization,
    limit: LimitKind,
    seed: u64,
    clock: Clock,
    simulated: Rc<RefCell<SimulatedOrganization>>,
    api: InProcessApi,
}

impl TestEnv {
    fn new(n: usize, limit: LimitKind, seed: u64) -> Self {
        let fleet = renames(n, 1);
        let latency = Latency::Lognormal { median: Duration::from_millis(150), p99: Duration::from_millis(1_500) };
        let faults =
            FaultConfig { seed, latency, limit: Some(limit), statuses: vec![(503, 0.01)], ..FaultConfig::default() };
        let simulated =
            Rc::new(RefCell::new(SimulatedOrganization::new(SimulatedState::from_live(&fleet.live()), faults)));
        let clock = Clock::virtual_clock();
        let api = InProcessApi::new(Rc::clone(&simulated), clock.clone());
        Self { fleet, limit, seed, clock, simulated, api }
    }

    /// The least time in which the limiter lets so many requests in, and never below what the connections allow.
    fn bound(&self, requests: u64) -> f64 {
        let requests = requests as f64;
        let windows = |count: u32| ((requests / f64::from(count)).ceil() - 1.0).max(0.0);
        let limited = match self.limit {
            LimitKind::Bucket { rate, burst } => (requests - burst) / rate,
            LimitKind::Window { count, period, phase } => windows(count) * period.as_secs_f64() - phase.as_secs_f64(),
            LimitKind::Sliding { count, period } => windows(count) * period.as_secs_f64(),
        };
        let mean = Latency::Lognormal { median: Duration::from_millis(150), p99: Duration::from_millis(1_500) }.mean();
        limited.max(requests * mean.as_secs_f64() / CONCURRENCY as f64)
    }

    /// Every update, as the contenders without a plan send them.
    fn work(&self) -> RefCell<Vec<(LocationId, NetworkId, Settings)>> {
        let plan = build(&self.fleet.desired(), &self.fleet.live(), &sources()).expect("a plan");
        let work = plan.changes.into_iter().map(|change| (change.location.id, change.network, change.after));
        RefCell::new(work.collect())
    }

    /// Lets so many workers take from the work until it is done; `manner` says how each sends.
    fn workers<M: Manner>(&self, count: usize, manner: &M) {
        let work = self.work();
        let worker = async || {
            loop {
                let Some((location, network, settings)) = work.borrow_mut().pop() else { return };
                loop {
                    manner.before(&self.clock).await;
                    match self.api.update(&location, &network, &settings).await {
                        Ok(_) => {
                            manner.succeeded();
                            break;
                        }
                        Err(error) if error.class == ErrorClass::RateLimited => {
                            let wait = error.retry_after.and_then(RetryAfter::wait).unwrap_or(Duration::from_secs(1));
                            manner.refused(&self.clock, wait).await;
                        }
                        Err(_) => self.clock.sleep(Duration::from_millis(500)).await,
                    }
                }
            }
        };
        self.clock.block_on(async {
            let mut workers: FuturesUnordered<_> = (0..count).map(|_| worker()).collect();
            while workers.next().await.is_some() {}
        });
    }
}

/// How a worker without the adaptive rate limiter behaves.
trait Manner {
    async fn before(&self, _clock: &Clock) {}
    fn succeeded(&self) {}
    async fn refused(&self, clock: &Clock, wait: Duration);
}

fn ours(env: &TestEnv) {
    carry_out(env, RateLimiter::new(CONCURRENCY, None));
}

/// A rate configured from the documentation of another API (300 per minute).
fn fixed(env: &TestEnv) {
    carry_out(env, RateLimiter::new(CONCURRENCY, Rate::new(5, Duration::from_secs(1))));
}

fn carry_out(env: &TestEnv, rate_limiter: RateLimiter) {
    let rng = SeededRng::from_seed(env.seed);
    let api = Rc::new(env.api.clone());
    let client = ApiClient::new(api, env.clock.clone(), rng, rate_limiter, RetryPolicy::default(), Shutdown::new());
    env.clock.block_on(async {
        let live = client.list(dectl::client::Priority::Normal).await.expect("a list");
        let plan = build(&env.fleet.desired(), &live, &sources()).expect("a plan");
        let checked = check_plan(plan, &live).expect("a checked plan");
        let options = Options { concurrency: CONCURRENCY, verify: false, ..Options::default() };
        run(&checked, &client, &Journal::in_memory(), options, &|_| {}).await
    });
}

/// All workers wait until the latest `Retry-After` has passed; nothing is learned.
#[derive(Default)]
struct CommonPause(Cell<Instant>);

impl Manner for CommonPause {
    async fn before(&self, clock: &Clock) {
        while clock.now() < self.0.get() {
            clock.sleep_until(self.0.get()).await;
        }
    }

    async fn refused(&self, clock: &Clock, wait: Duration) {
        self.0.set(self.0.get().max(clock.now() + wait));
    }
}

fn common_pause(env: &TestEnv) {
    env.workers(CONCURRENCY, &CommonPause::default());
}

/// An even pace that grows by a little with every success and halves with every refusal.
struct Aimd {
    rate: Cell<f64>,
    next: Cell<Instant>,
    pause: CommonPause,
}

impl Manner for Aimd {
    async fn before(&self, clock: &Clock) {
        self.pause.before(clock).await;
        let mine = self.next.get().max(clock.now());
        self.next.set(mine + Duration::from_secs_f64(1.0 / self.rate.get()));
        clock.sleep_until(mine).await;
    }

    fn succeeded(&self) {
        self.rate.set(self.rate.get() + 0.1 / self.rate.get());
    }

    async fn refused(&self, clock: &Clock, wait: Duration) {
        // Refusals of one moment halve once.
        if clock.now() >= self.pause.0.get() {
            self.rate.set((self.rate.get() / 2.0).max(0.1));
        }
        self.pause.refused(clock, wait).await;
    }
}

fn aimd(env: &TestEnv) {
    let manner = Aimd { rate: Cell::new(10.0), next: Cell::new(Instant::START), pause: CommonPause::default() };
    env.workers(CONCURRENCY, &manner);
}

/// What today's usual client does.
struct Sleepers;

impl Manner for Sleepers {
    async fn refused(&self, clock: &Clock, wait: Duration) {
        clock.sleep(wait.min(Duration::from_secs(60))).await;
    }
}

fn sleepers(env: &TestEnv) {
    env.workers(10, &Sleepers);
}
