//! Five clients against undocumented limits, drawn at random from each family, in virtual time.
//!
//! `cargo bench --bench pacing -- --seed 1 --shapes 20 [--family 0] [--updates 500]` prints a table for docs/performance.md: the time as a multiple
//! of what a client takes that knows the limit and has ten requests in flight, and the share of refused requests.
//! `--alone` leaves the other clients out, `--each` prints every shape, `--only 7` draws one of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use dectl::client::rate_limiter::RateLimiter;
use dectl::model::{LocationId, NetworkId, Settings};
use dectl::plan::build;
use dectl::resources::calls;
use dectl::runtime::{Clock, Instant, SeededRng};
use dectl::simulator::Limiter;
use dectl::webex::NetworkPath;
use dectl::webex::{ErrorClass, RetryAfter};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

#[path = "../tests/simulation/generators.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod generators;
#[path = "../tests/simulation/shapes.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod shapes;

use generators::sources;
use shapes::{Change, FAMILIES, Pace, PacingEnv, Shape, rate_of, scaled};

/// Workers of every client but dectl.
const WORKERS: usize = 10;

fn main() {
    // `cargo bench -- --list` and the like have nothing to list here.
    if flag("--list") {
        return;
    }
    let (seed, shapes) = (option("--seed").unwrap_or(1), option("--shapes").unwrap_or(20));
    println!("seed {seed}, {shapes} shapes of each family; time as a multiple, refused in per cent\n");
    println!("| family | N | dectl: mean | worst | lost | refused | ten sleepers | common pause | AIMD |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (family, name) in FAMILIES.iter().enumerate() {
        if option("--family").is_some_and(|only| only != family as u64) {
            continue;
        }
        let sizes = option("--updates").map_or(vec![50, 500, 2_000], |n| vec![n as usize]);
        for n in sizes {
            let (mut dectl, mut others) = (Figures::default(), [(); 3].map(|()| Figures::default()));
            for number in 0..shapes {
                let mut rng = SeededRng::from_seed(seed * 1_000_003 + family as u64 * 10_007 + number);
                let shape = Shape::draw(family, &mut rng);
                if option("--only").is_some_and(|only| only != number) {
                    continue;
                }
                let seed = seed + number;
                let known = knowing(&PacingEnv::unlimited(n, &shape, seed)).map_or(f64::NAN, |pace| pace.wall);
                let run = |client: fn(&PacingEnv) -> Option<Pace>| client(&PacingEnv::new(n, &shape, seed));
                let ours = run(ours);
                if flag("--each") {
                    println!(
                        "{:.2} of {known:.1} s: {ours:?}\n    {shape:?}",
                        ours.map_or(0.0, |pace| pace.wall / known)
                    );
                }
                dectl.add(ours, known, n);
                if flag("--alone") {
                    continue;
                }
                for (figures, client) in others.iter_mut().zip([sleepers as fn(&PacingEnv) -> _, common_pause, aimd]) {
                    figures.add(run(client), known, n);
                }
            }
            let [sleepers, common_pause, aimd] = others.map(|figures| figures.brief());
            let (mean, refused) = (dectl.mean(), dectl.refused / dectl.count);
            let lost = dectl.lost / dectl.count;
            println!(
                "| {name} | {n} | {mean:.2} | {:.2} | {lost:.1} s | {refused:.1} % | {sleepers} | {common_pause} | {aimd} |",
                dectl.worst
            );
        }
    }
}

fn flag(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}

/// A number on the command line.
fn option(name: &str) -> Option<u64> {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1)?.parse().ok()
}

/// Sums over the shapes of a family.
#[derive(Default)]
struct Figures {
    count: f64,
    ratios: f64,
    worst: f64,
    /// Seconds beyond what a client takes that knows the limit.
    lost: f64,
    refused: f64,
}

impl Figures {
    fn add(&mut self, pace: Option<Pace>, known: f64, n: usize) {
        let ratio = pace.map_or(f64::INFINITY, |pace| pace.wall / known);
        self.count += 1.0;
        self.ratios += ratio;
        self.worst = self.worst.max(ratio);
        self.lost += pace.map_or(f64::INFINITY, |pace| pace.wall - known);
        self.refused += pace.map_or(0.0, |pace| 100.0 * pace.refused as f64 / n as f64);
    }

    fn mean(&self) -> f64 {
        self.ratios / self.count
    }

    fn brief(&self) -> String {
        format!("{:.2}, {:.0} %", self.mean(), self.refused / self.count)
    }
}

fn ours(env: &PacingEnv) -> Option<Pace> {
    env.apply(RateLimiter::new(None, None))
}

/// The network of an update, and its new settings.
fn updated(change: &dectl::plan::model::Change) -> Option<(LocationId, NetworkId, Settings)> {
    Some((change.location.id.clone(), change.network.id()?.clone(), change.settings_after()?.clone()))
}

/// Lets so many workers take from the updates until they are done; `manner` says how each sends.
fn workers<M: Manner>(env: &PacingEnv, manner: &M) -> Option<Pace> {
    let plan = build(&env.fleet.desired(), &env.fleet.live(), &sources()).expect("a plan");
    let work: Vec<(LocationId, NetworkId, Settings)> = plan.changes.iter().filter_map(updated).collect();
    let work = RefCell::new(work);
    let worker = async || {
        loop {
            let Some((location, network, settings)) = work.borrow_mut().pop() else { return };
            loop {
                manner.before(&env.clock).await;
                let response = calls::update_network(NetworkPath { location: &location, network: &network }, &settings)
                    .send_once(&env.api)
                    .await;
                manner.responded();
                match response {
                    Ok(_) => {
                        manner.succeeded();
                        break;
                    }
                    Err(error) if error.class == ErrorClass::RateLimited => {
                        let named = error.retry_after.and_then(RetryAfter::wait).filter(|wait| !wait.is_zero());
                        manner.refused(&env.clock, named.unwrap_or(Duration::from_secs(1))).await;
                    }
                    Err(_) => env.clock.sleep(Duration::from_millis(500)).await,
                }
            }
        }
    };
    env.drive(async {
        let mut workers: FuturesUnordered<_> = (0..WORKERS).map(|_| worker()).collect();
        while workers.next().await.is_some() {}
    })
}

/// How a worker without the adaptive rate limiter behaves.
trait Manner {
    async fn before(&self, _clock: &Clock) {}
    fn responded(&self) {}
    fn succeeded(&self) {}
    async fn refused(&self, _clock: &Clock, _wait: Duration) {}
}

/// Knows the limit, and how it changes, and sends as soon as it allows that.
struct Knowing<'a> {
    env: &'a PacingEnv,
    limiters: RefCell<Vec<Limiter>>,
    in_flight: RefCell<BTreeMap<u64, ()>>,
    next: Cell<u64>,
    /// When another client sends its next request, and how many are left.
    other: Cell<Option<(Instant, u32)>>,
}

impl Knowing<'_> {
    /// Sends a request if every limit allows that, or returns the longest wait.
    fn take(&self, number: u64, now: Instant) -> Result<(), Duration> {
        let mut limiters = self.limiters.borrow_mut();
        Limiter::take_all(&mut limiters.iter_mut().collect::<Vec<_>>(), number, now)?;
        self.in_flight.borrow_mut().insert(number, ());
        self.next.set(number + 1);
        Ok(())
    }

    /// Changes the limit as the shape says.
    fn change(&self, now: Instant) {
        let (n, sent) = (self.env.fleet.0.len() as u64, self.next.get());
        let Some(limit) = self.env.shape.limits.first() else { return };
        match self.env.shape.change {
            Change::Scaled(factor) if sent > n / 2 => self.limiters.borrow_mut()[0].change(scaled(limit.kind, factor)),
            Change::OtherClient if sent > n / 4 => {
                let rate = rate_of(limit.kind) / 2.0;
                let (mut next, mut left) = self.other.get().unwrap_or((now, (30.0 * rate) as u32));
                while left > 0 && next <= now {
                    let _taken = self.limiters.borrow_mut()[0].take(0, next);
                    (next, left) = (next + Duration::from_secs_f64(1.0 / rate), left - 1);
                }
                self.other.set(Some((next, left)));
            }
            _ => {}
        }
    }
}

impl Manner for Knowing<'_> {
    async fn before(&self, clock: &Clock) {
        loop {
            let (now, number) = (clock.now(), self.next.get());
            self.change(now);
            let Err(wait) = self.take(number, now) else { return };
            clock.sleep(wait.min(Duration::from_millis(5)).max(Duration::from_micros(10))).await;
        }
    }

    fn responded(&self) {
        // A limit in flight does not tell requests apart.
        if let Some((number, ())) = self.in_flight.borrow_mut().pop_first() {
            for limiter in self.limiters.borrow_mut().iter_mut() {
                limiter.release(number);
            }
        }
    }
}

fn knowing(env: &PacingEnv) -> Option<Pace> {
    let limiters = env.shape.limits.iter().map(|limit| Limiter::new(limit.kind)).collect();
    let knowing = Knowing {
        env,
        limiters: RefCell::new(limiters),
        in_flight: RefCell::default(),
        next: Cell::new(1),
        other: Cell::new(None),
    };
    workers(env, &knowing)
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

fn common_pause(env: &PacingEnv) -> Option<Pace> {
    workers(env, &CommonPause::default())
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

fn aimd(env: &PacingEnv) -> Option<Pace> {
    let aimd = Aimd { rate: Cell::new(10.0), next: Cell::new(Instant::START), pause: CommonPause::default() };
    workers(env, &aimd)
}

/// What today's usual client does: ten workers that each sleep for what they are told.
struct Sleepers;

impl Manner for Sleepers {
    async fn refused(&self, clock: &Clock, wait: Duration) {
        clock.sleep(wait.min(Duration::from_secs(60))).await;
    }
}

fn sleepers(env: &PacingEnv) -> Option<Pace> {
    workers(env, &Sleepers)
}
