//! Selects the fault for each request. Deterministic: the same rules, seed and requests give the same faults.

use axum::http::Method;
use fastrand::Rng;

use super::rule::{Fault, FaultRule, Occurrence};

#[derive(Debug)]
pub(super) struct FaultSelector {
    seed: u64,
    /// Creates a generator for every rule, so that its draws do not depend on the other rules.
    generators: Rng,
    rules: Vec<RuleState>,
}

#[derive(Debug)]
pub(super) struct RuleState {
    pub(super) rule: FaultRule,
    random: Rng,
    /// The number of requests it selected.
    pub(super) matched: u64,
    /// The number of requests it fired on.
    pub(super) fired: u64,
}

impl FaultSelector {
    pub(super) fn new(seed: u64, rules: Vec<FaultRule>) -> Self {
        let mut selector = Self { seed, generators: Rng::with_seed(seed), rules: Vec::new() };
        selector.add(rules);
        selector
    }

    /// The fault for the next request, if any. Every rule counts the requests it selects, whether it fires or not; of
    /// several rules that would fire, the first does.
    pub(super) fn select(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let mut selected = None;
        for state in &mut self.rules {
            if state.would_fire(method, path) && selected.is_none() {
                state.fired += 1;
                selected = Some(state.rule.fault.clone());
            }
        }
        selected
    }

    pub(super) fn add(&mut self, rules: Vec<FaultRule>) {
        for rule in rules {
            self.rules.push(RuleState { rule, random: self.generators.fork(), matched: 0, fired: 0 });
        }
    }

    /// Restarts with other rules and the same seed.
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
    /// Counts the request if the rule selects it; true if the rule would fire.
    fn would_fire(&mut self, method: &Method, path: &str) -> bool {
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
