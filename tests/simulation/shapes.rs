//! Rate limits of every family, drawn at random, and runs against them in virtual time.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use dectl::apply::{Options, run};
use dectl::client::rate_limiter::RateLimiter;
use dectl::client::{ApiClient, RetryPolicy};
use dectl::plan::build;
use dectl::plan_check::check_plan;
use dectl::resources::calls;
use dectl::runtime::{Clock, Instant, SeededRng, Shutdown};
use dectl::simulator::{
    FaultConfig, InProcessApi, Latency, Limit, LimitKind, RetryAfterHeader, SimulatedOrganization, SimulatedState,
};
use dectl::storage::Journal;
use futures::future::{Either, select};

use crate::generators::{RandomOrganization, renames, sources};

/// The families of limits.
pub(crate) const FAMILIES: [&str; 16] = [
    "bucket, burst ≥ rate",
    "bucket, burst < rate",
    "bucket, burst 1",
    "window, fixed or sliding",
    "two tiers",
    "in flight",
    "bad headers",
    "changing",
    "no limit",
    "short window",
    "counter",
    "hour and minute",
    "always 60 s",
    "penalty",
    "503",
    "shedding",
];

/// What happens to a limit half-way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    None,
    Scaled(f64),
    /// Another client takes half of it for thirty seconds.
    OtherClient,
}

/// A limit, how long requests take, and what happens half-way.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) limits: Vec<Limit>,
    pub(crate) header: RetryAfterHeader,
    pub(crate) status: u16,
    pub(crate) penalty: Option<Duration>,
    /// The share of requests beyond the limit that are refused.
    pub(crate) share: f64,
    pub(crate) change: Change,
    pub(crate) latency: Latency,
}

fn uniform(rng: &mut SeededRng, from: f64, to: f64) -> f64 {
    from + (to - from) * rng.next_f64()
}

fn log_uniform(rng: &mut SeededRng, from: f64, to: f64) -> f64 {
    uniform(rng, from.ln(), to.ln()).exp()
}

fn one_of<T: Copy>(rng: &mut SeededRng, choices: &[T]) -> T {
    choices[rng.gen_below(choices.len() as u64) as usize]
}

fn seconds(rng: &mut SeededRng, choices: &[u64]) -> Duration {
    Duration::from_secs(one_of(rng, choices))
}

fn generous_bucket(rng: &mut SeededRng) -> LimitKind {
    let rate = log_uniform(rng, 1.0, 50.0);
    LimitKind::Bucket { rate, burst: log_uniform(rng, rate.max(2.0), 100.0).ceil() }
}

fn window(rng: &mut SeededRng) -> LimitKind {
    let count = log_uniform(rng, 20.0, 300.0) as u32;
    if rng.gen_bool(0.5) {
        return LimitKind::Sliding { count, period: seconds(rng, &[5, 6, 10, 15, 30, 60]) };
    }
    let period = seconds(rng, &[5, 10, 15, 20, 30, 60]);
    let phase = if rng.gen_bool(0.4) { Duration::ZERO } else { period.mul_f64(rng.next_f64()) };
    LimitKind::Window { count, period, phase }
}

/// The plainest quota of all: so many in a second or two.
fn short_window(rng: &mut SeededRng) -> LimitKind {
    let (count, period) = (5 + rng.gen_below(16) as u32, seconds(rng, &[1, 2]));
    if rng.gen_bool(0.5) {
        return LimitKind::Sliding { count, period };
    }
    LimitKind::Window { count, period, phase: period.mul_f64(rng.next_f64()) }
}

/// A quota of a minute, and one of an hour that a long run uses up.
fn hour_and_minute(rng: &mut SeededRng) -> [LimitKind; 2] {
    let count = log_uniform(rng, 40.0, 300.0) as u32;
    let minute = Duration::from_secs(60);
    let of_hour = (f64::from(count) * uniform(rng, 10.0, 50.0)) as u32;
    let (hour, phase) = (Duration::from_secs(3_600), minute.mul_f64(rng.next_f64()));
    let hourly = LimitKind::Sliding { count: of_hour, period: hour };
    let short = match rng.gen_bool(0.5) {
        true => LimitKind::Sliding { count, period: minute },
        false => LimitKind::Window { count, period: minute, phase },
    };
    [short, hourly]
}

fn two_tiers(rng: &mut SeededRng) -> [LimitKind; 2] {
    let long = seconds(rng, &[30, 60]);
    let share = uniform(rng, 0.3, 0.9) * long.as_secs_f64();
    if rng.gen_bool(0.6) {
        let rate = log_uniform(rng, 2.0, 20.0);
        let burst = uniform(rng, rate, 3.0 * rate).ceil();
        let window = LimitKind::Window { count: (rate * share) as u32, period: long, phase: Duration::ZERO };
        return [LimitKind::Bucket { rate, burst }, window];
    }
    let (rate, short) = (log_uniform(rng, 3.0, 15.0), seconds(rng, &[2, 5, 10]));
    let count = ((rate * short.as_secs_f64()) as u32).max(5);
    let within = LimitKind::Sliding { count, period: short };
    [within, LimitKind::Sliding { count: ((rate * share) as u32).max(count), period: long }]
}

impl Shape {
    /// A shape of the family with this index.
    pub(crate) fn draw(family: usize, rng: &mut SeededRng) -> Self {
        let median = Duration::from_millis(one_of(rng, &[50, 150, 400]));
        let p99 = median.mul_f64(one_of(rng, &[1.05, 2.0, 5.0, 10.0]));
        let (mut header, mut change) = (RetryAfterHeader::Exact, Change::None);
        let (mut status, mut penalty, mut share) = (429, None, 1.0);
        let kinds = match family {
            0 => vec![generous_bucket(rng)],
            1 => {
                let rate = log_uniform(rng, 3.0, 50.0);
                vec![LimitKind::Bucket { rate, burst: uniform(rng, 2.0, rate.max(2.5)).floor() }]
            }
            2 => vec![LimitKind::Bucket { rate: log_uniform(rng, 1.0, 50.0), burst: 1.0 }],
            3 => vec![window(rng)],
            4 => two_tiers(rng).to_vec(),
            5 => vec![LimitKind::InFlight(2 + rng.gen_below(15) as usize)],
            6 | 7 => {
                if family == 6 {
                    header = one_of(
                        rng,
                        &[
                            RetryAfterHeader::Missing,
                            RetryAfterHeader::Fixed(0),
                            RetryAfterHeader::Fixed(1),
                            RetryAfterHeader::Half,
                            RetryAfterHeader::Fraction,
                        ],
                    );
                } else {
                    change = one_of(rng, &[Change::Scaled(0.5), Change::Scaled(2.0), Change::OtherClient]);
                }
                vec![if rng.gen_bool(0.4) { generous_bucket(rng) } else { window(rng) }]
            }
            9 => vec![short_window(rng)],
            10 => {
                let count = log_uniform(rng, 20.0, 300.0) as u32;
                vec![LimitKind::Counter { count, period: seconds(rng, &[5, 10, 15, 30, 60]) }]
            }
            11 => hour_and_minute(rng).to_vec(),
            12 => {
                header = RetryAfterHeader::Fixed(60);
                vec![if rng.gen_bool(0.5) { generous_bucket(rng) } else { window(rng) }]
            }
            13 => {
                penalty = Some(seconds(rng, &[2, 5, 10, 30]));
                vec![if rng.gen_bool(0.5) { generous_bucket(rng) } else { window(rng) }]
            }
            14 => {
                status = 503;
                let any = [
                    generous_bucket(rng),
                    window(rng),
                    short_window(rng),
                    LimitKind::InFlight(2 + rng.gen_below(15) as usize),
                ];
                vec![one_of(rng, &any)]
            }
            15 => {
                share = one_of(rng, &[0.2, 0.5, 0.8]);
                vec![if rng.gen_bool(0.5) { generous_bucket(rng) } else { short_window(rng) }]
            }
            _ => Vec::new(),
        };
        let writes_only = rng.gen_bool(0.5);
        let limits = kinds.into_iter().map(|kind| Limit { kind, writes_only }).collect();
        Self { limits, header, status, penalty, share, change, latency: Latency::Lognormal { median, p99 } }
    }
}

/// `n` networks to rename, each in a location of its own, behind a limit.
pub(crate) struct PacingEnv {
    pub(crate) fleet: RandomOrganization,
    pub(crate) shape: Shape,
    /// What happens to the limit of the server half-way.
    change: Change,
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
    pub(crate) simulated: Rc<RefCell<SimulatedOrganization>>,
    pub(crate) api: InProcessApi,
}

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Seconds.
    pub(crate) wall: f64,
    /// Requests that used quota, the list and repeated ones included.
    pub(crate) admitted: u64,
    pub(crate) refused: u64,
    pub(crate) inside_retry_after: u64,
    pub(crate) max_in_flight: u64,
}

impl PacingEnv {
    pub(crate) fn new(n: usize, shape: &Shape, seed: u64) -> Self {
        let fleet = renames(n, 1);
        let faults = FaultConfig {
            seed,
            latency: shape.latency,
            limits: shape.limits.clone(),
            limit_retry_after: shape.header,
            limit_status: shape.status,
            limit_penalty: shape.penalty,
            limit_share: shape.share,
            statuses: vec![(503, 0.01)],
            ..FaultConfig::default()
        };
        let state = SimulatedState::from_live(&fleet.live());
        let simulated = Rc::new(RefCell::new(SimulatedOrganization::new(state, faults)));
        let clock = Clock::virtual_clock();
        let api = InProcessApi::new(Rc::clone(&simulated), clock.clone());
        Self { fleet, shape: shape.clone(), change: shape.change, seed, clock, simulated, api }
    }

    /// The same limit without a server that enforces it.
    #[allow(dead_code, reason = "only the benchmark runs a client that knows the limit")]
    pub(crate) fn unlimited(n: usize, shape: &Shape, seed: u64) -> Self {
        let env = Self::new(n, &Shape { limits: Vec::new(), change: Change::None, ..shape.clone() }, seed);
        Self { shape: shape.clone(), ..env }
    }

    /// Drives `work` to its end while the limit changes as the shape says; `None` if it never ends.
    pub(crate) fn drive(&self, work: impl Future<Output = ()>) -> Option<Pace> {
        let n = self.fleet.0.len() as u64;
        let changing = async {
            match self.change {
                Change::None => {}
                Change::Scaled(factor) => {
                    self.until_admitted(n / 2).await;
                    if let Some(limit) = self.shape.limits.first() {
                        self.simulated.borrow_mut().change_limit(scaled(limit.kind, factor));
                    }
                }
                Change::OtherClient => {
                    self.until_admitted(n / 4).await;
                    let rate = self.shape.limits.first().map_or(0.0, |limit| rate_of(limit.kind)) / 2.0;
                    for _ in 0..(30.0 * rate) as usize {
                        self.clock.sleep(Duration::from_secs_f64(1.0 / rate)).await;
                        let now = self.clock.now();
                        self.simulated.borrow_mut().external_request(now);
                    }
                }
            }
            // A minute for each network is more than any client takes that ends at all.
            self.clock.sleep_until(Instant::START + Duration::from_secs(3_600 + 60 * n)).await;
        };
        let ended = async { matches!(select(pin!(work), pin!(changing)).await, Either::Left(_)) };
        self.clock.block_on(ended)?.then_some(())?;
        let counters = self.simulated.borrow().counters();
        Some(Pace {
            wall: self.clock.now().elapsed().as_secs_f64(),
            admitted: counters.admitted,
            refused: counters.refused,
            inside_retry_after: counters.inside_retry_after,
            max_in_flight: counters.max_in_flight,
        })
    }

    async fn until_admitted(&self, requests: u64) {
        while self.simulated.borrow().counters().admitted < requests {
            self.clock.sleep(Duration::from_millis(50)).await;
        }
    }

    /// Applies the renames.
    pub(crate) fn apply(&self, rate_limiter: RateLimiter) -> Option<Pace> {
        let (rng, api) = (SeededRng::from_seed(self.seed), Rc::new(self.api.clone()));
        // No limit here lasts so long that a run gives up.
        let patient = RetryPolicy { rate_limit_timeout: Duration::from_secs(86_400), ..RetryPolicy::default() };
        let client = ApiClient::new(api, self.clock.clone(), rng, rate_limiter, patient, Shutdown::new());
        self.drive(async {
            let live = client.read(&calls::list_networks(), dectl::client::Priority::Normal).await.expect("a list");
            let plan = build(&self.fleet.desired(), &live, &sources()).expect("a plan");
            let checked = check_plan(plan, &live).expect("a checked plan");
            let options = Options { verify: false, ..Options::default() };
            let outcome = run(&checked, &client, &Journal::in_memory(), options, &|_| {}).await;
            assert!(outcome.is_complete(), "{:?}", self.shape);
        })
    }
}

pub(crate) fn scaled(kind: LimitKind, factor: f64) -> LimitKind {
    let times = |count: u32| ((f64::from(count) * factor) as u32).max(1);
    match kind {
        LimitKind::Bucket { rate, burst } => LimitKind::Bucket { rate: rate * factor, burst },
        LimitKind::Window { count, period, phase } => LimitKind::Window { count: times(count), period, phase },
        LimitKind::Sliding { count, period } => LimitKind::Sliding { count: times(count), period },
        LimitKind::Counter { count, period } => LimitKind::Counter { count: times(count), period },
        LimitKind::InFlight(most) => LimitKind::InFlight(((most as f64 * factor) as usize).max(1)),
    }
}

pub(crate) fn rate_of(kind: LimitKind) -> f64 {
    match kind {
        LimitKind::Bucket { rate, .. } => rate,
        LimitKind::Window { count, period, .. }
        | LimitKind::Sliding { count, period }
        | LimitKind::Counter { count, period } => f64::from(count) / period.as_secs_f64(),
        LimitKind::InFlight(_) => 0.0,
    }
}
