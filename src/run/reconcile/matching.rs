//! Assigns records and log entries to the steps that may have created them: maximum bipartite matching by augmenting
//! paths.
//!
//! A step lists the candidates it could own. Several steps may list the same candidate, and each candidate belongs to
//! one step.

use std::collections::{HashMap, VecDeque};

/// Assigns to each step one of its candidates, no candidate twice, and leaves as few steps as possible without one.
///
/// Steps come in order of precedence: a step that can have a candidate gets one, whichever steps follow. Candidates
/// come in order of preference, which gives way where that serves more steps.
pub(super) fn maximum_matching(candidates: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut assigned: Vec<Option<usize>> = vec![None; candidates.len()];
    let mut owners: HashMap<usize, usize> = HashMap::new();
    for step in 0..candidates.len() {
        let (mut next, reached_by) = augmenting_path(step, candidates, &owners);
        // Walk the path back: every step on it hands its candidate on and takes the next one.
        while let Some(candidate) = next {
            let Some(&owner) = reached_by.get(&candidate) else { break };
            next = assigned[owner].replace(candidate);
            owners.insert(candidate, owner);
        }
    }
    assigned
}

/// Breadth-first search for the nearest candidate without an owner, by way of candidates whose owners could take
/// another one. Also gives the step from which each candidate was reached.
fn augmenting_path(
    step: usize,
    candidates: &[Vec<usize>],
    owners: &HashMap<usize, usize>,
) -> (Option<usize>, HashMap<usize, usize>) {
    let mut reached_by = HashMap::new();
    let mut queue = VecDeque::from([step]);
    while let Some(at) = queue.pop_front() {
        for &candidate in &candidates[at] {
            if reached_by.contains_key(&candidate) {
                continue;
            }
            reached_by.insert(candidate, at);
            match owners.get(&candidate) {
                Some(&other) => queue.push_back(other),
                None => return (Some(candidate), reached_by),
            }
        }
    }
    (None, reached_by)
}

/// The steps whose assignment is arbitrary: those without a candidate that could equally well own another step's,
/// the owner of that candidate, and so on along the chain.
///
/// `may_swap` says whether the first step could equally well own the candidate assigned to the second.
pub(super) fn ambiguous(
    candidates: &[Vec<usize>],
    assigned: &[Option<usize>],
    may_swap: impl Fn(usize, usize, usize) -> bool,
) -> Vec<bool> {
    let owners: HashMap<usize, usize> =
        assigned.iter().enumerate().filter_map(|(owner, candidate)| Some(((*candidate)?, owner))).collect();
    let mut ambiguous = vec![false; candidates.len()];
    let mut queue: VecDeque<usize> = (0..candidates.len()).filter(|step| assigned[*step].is_none()).collect();
    while let Some(step) = queue.pop_front() {
        for &candidate in &candidates[step] {
            let Some(&owner) = owners.get(&candidate).filter(|owner| **owner != step) else { continue };
            if !may_swap(step, owner, candidate) {
                continue;
            }
            ambiguous[step] = true;
            if !std::mem::replace(&mut ambiguous[owner], true) {
                queue.push_back(owner);
            }
        }
    }
    ambiguous
}

#[cfg(test)]
mod tests {
    use super::{ambiguous, maximum_matching};

    #[test]
    fn ambiguity_spreads_to_every_step_that_might_have_had_the_candidate() {
        let candidates = [vec![0], vec![1, 0], vec![1], vec![2]];
        let assigned = maximum_matching(&candidates);
        assert_eq!(assigned, [Some(0), Some(1), None, Some(2)]);
        assert_eq!(ambiguous(&candidates, &assigned, |_, _, _| true), [true, true, true, false]);
        assert_eq!(ambiguous(&candidates, &assigned, |_, _, candidate| candidate == 1), [false, true, true, false]);
        assert_eq!(ambiguous(&candidates, &assigned, |_, _, _| false), [false; 4]);
    }

    #[test]
    fn as_many_steps_as_possible_get_a_candidate() {
        assert_eq!(maximum_matching(&[vec![0, 1], vec![0]]), [Some(1), Some(0)]);
        assert_eq!(maximum_matching(&[vec![0], vec![0], vec![1, 0]]), [Some(0), None, Some(1)]);
        assert_eq!(maximum_matching(&[vec![0, 1], vec![1, 2], vec![0], vec![1]]), [Some(1), Some(2), Some(0), None]);
        assert_eq!(maximum_matching(&[vec![], vec![3]]), [None, Some(3)]);
        assert_eq!(maximum_matching(&[]), []);
    }
}
