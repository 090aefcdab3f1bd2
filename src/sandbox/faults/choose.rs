//! Which fault strikes which request. Pure: the same rules, seed and requests give the same faults.

use axum::http::Method;
use fastrand::Rng;

use super::rule::{Fault, Rule, When};

/// The rules in force, and what they have seen.
#[derive(Debug)]
pub(super) struct Chooser {
    seed: u64,
    /// Gives every rule a generator of its own, so that no rule's draws depend on what the others see.
    generators: Rng,
    watched: Vec<Watched>,
}

/// A rule and its count of requests.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) rule: Rule,
    random: Rng,
    /// The requests it selected.
    pub(super) matched: u64,
    /// Those of them it struck.
    pub(super) fired: u64,
}

impl Chooser {
    pub(super) fn new(seed: u64, rules: Vec<Rule>) -> Self {
        let mut chooser = Self { seed, generators: Rng::with_seed(seed), watched: Vec::new() };
        chooser.add(rules);
        chooser
    }

    /// What is to happen to the next request, if anything. Every rule counts the requests it selects, struck or not;
    /// of several that would strike the first does.
    pub(super) fn choose(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut chosen = None;
        for watched in &mut self.watched {
            if watched.would_strike(method, path) && chosen.is_none() {
                watched.fired += 1;
                chosen = Some(watched.rule.fault.clone());
            }
        }
        chosen
    }

    pub(super) fn add(&mut self, rules: Vec<Rule>) {
        for rule in rules {
            self.watched.push(Watched { rule, random: self.generators.fork(), matched: 0, fired: 0 });
        }
    }

    /// Starts anew with other rules and the same seed.
    pub(super) fn replace(&mut self, rules: Vec<Rule>) {
        *self = Self::new(self.seed, rules);
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn watched(&self) -> &[Watched] {
        &self.watched
    }
}

impl Watched {
    /// Counts a request that the rule selects, and says whether it is one to strike.
    fn would_strike(&mut self, method: &Method, path: &str) -> bool {
        if !self.rule.selects(method, path) {
            return false;
        }
        self.matched += 1;
        match self.rule.when {
            When::Always => true,
            When::Chance(probability) => self.random.f64() < probability,
            When::First(count) => self.matched <= count,
            When::Nth(number) => self.matched == number,
            When::Every(step) => self.matched.is_multiple_of(step),
        }
    }
}
