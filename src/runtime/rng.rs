//! Random numbers that repeat from a seed: jitter, simulated latency and faults.

use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A random number generator. The same seed gives the same numbers on every machine.
#[derive(Clone, Debug)]
pub struct SeededRng(Pcg64Mcg);

impl SeededRng {
    /// The sequence of `seed`.
    pub fn from_seed(seed: u64) -> Self {
        Self(Pcg64Mcg::seed_from_u64(seed))
    }

    /// Seeds from OS randomness.
    pub fn from_entropy() -> Self {
        Self::from_seed(getrandom::u64().expect("the operating system has a source of randomness"))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0.0 .. 1.0`.
    pub fn next_f64(&mut self) -> f64 {
        // 53 bits are what a f64 holds without rounding up to 1.0.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `0 .. below`; 0 if `below` is 0.
    pub fn gen_below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { ((u128::from(self.next_u64()) * u128::from(below)) >> 64) as u64 }
    }

    pub fn gen_bool(&mut self, probability: f64) -> bool {
        self.next_f64() < probability
    }

    /// Uniform between zero and `most`: the "full jitter" of a backoff.
    pub fn full_jitter(&mut self, most: Duration) -> Duration {
        most.mul_f64(self.next_f64())
    }

    /// From a normal distribution with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.next_f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.next_f64()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_numbers() {
        let mut rng = SeededRng::from_seed(1);
        let first: Vec<u64> = (0..3).map(|_| rng.gen_below(1_000)).collect();
        let mut again = SeededRng::from_seed(1);
        assert_eq!(first, (0..3).map(|_| again.gen_below(1_000)).collect::<Vec<_>>());
    }

    #[test]
    fn the_normal_distribution_has_the_stated_mean_and_deviation() {
        let mut rng = SeededRng::from_seed(7);
        let draws: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
