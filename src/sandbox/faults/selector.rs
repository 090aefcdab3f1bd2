//! Which fault strikes which request. Pure: the same rules, seed and requests give the same faults.

use axum::http::Method;
use fastrand::Rng;

use super::rule::{Fault, FaultRule, Occurrence};

/// The rules in force, and what they have seen.
#[derive(Debug)]
pub(super) struct FaultSelector {
    seed: u64,
    /// Gives every rule a generator of its own, so that no rule's draws depend on what the others see.
    generators: Rng,
    rules: Vec<RuleState>,
}

/// A rule and its count of requests.
#[derive(Debug)]
pub(super) struct RuleState {
    pub(super) rule: FaultRule,
    random: Rng,
    /// The requests it selected.
    pub(super) matched: u64,
    /// Those of them it struck.
    pub(super) fired: u64,
}

impl FaultSelector {
    pub(super) fn new(seed: u64, rules: Vec<FaultRule>) -> Self {
        let mut selector = Self { seed, generators: Rng::with_seed(seed), rules: Vec::new() };
        selector.add(rules);
        selector
    }

    /// What is to happen to the next request, if anything. Every rule counts the requests it selects, struck or not;
    /// of several that would strike the first does.
    pub(super) fn choose(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut chosen = None;
        for state in &mut self.rules {
            if state.would_strike(method, path) && chosen.is_none() {
                state.fired += 1;
                chosen = Some(state.rule.fault.clone());
            }
        }
        chosen
    }

    pub(super) fn add(&mut self, rules: Vec<FaultRule>) {
        for rule in rules {
            self.rules.push(RuleState { rule, random: self.generators.fork(), matched: 0, fired: 0 });
        }
    }

    /// Starts anew with other rules and the same seed.
    pub(super) fn replace(&mut self, rules: Vec<FaultRule>) {
        *self = Self::new(self.seed, rules);
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn rules(&self) -> &[RuleState] {
        &self.rules
    }
}

impl RuleState {
    /// Counts a request that the rule selects, and says whether it is one to strike.
    fn would_strike(&mut self, method: &Method, path: &str) -> bool {
        if !self.rule.selects(method, path) {
            return false;
        }
        self.matched += 1;
        match self.rule.occurrence {
            Occurrence::Always => true,
            Occurrence::Chance(probability) => self.random.f64() < probability,
            Occurrence::First(count) => self.matched <= count,
            Occurrence::Nth(number) => self.matched == number,
            Occurrence::Every(step) => self.matched.is_multiple_of(step),
        }
    }
}
