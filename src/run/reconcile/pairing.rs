//! Who gets what, where several steps may have made the same thing.

use std::collections::{HashMap, VecDeque};

/// Gives each asker one of the things it would take, no thing twice, and leaves as few askers as possible without.
///
/// Askers come in order of precedence: one that can be served is served, whoever comes after it. Things come in order
/// of preference, which yields to serving more askers.
pub(super) fn pair(wishes: &[Vec<usize>]) -> Vec<Option<usize>> {
    let mut given: Vec<Option<usize>> = vec![None; wishes.len()];
    let mut takers: HashMap<usize, usize> = HashMap::new();
    for asker in 0..wishes.len() {
        let (mut next, reached_by) = free_thing(asker, wishes, &takers);
        // Along the way back everyone hands on what they had.
        while let Some(thing) = next {
            let Some(&taker) = reached_by.get(&thing) else { break };
            next = given[taker].replace(thing);
            takers.insert(thing, taker);
        }
    }
    given
}

/// The nearest thing that nobody has, reached over things that others would hand on; and who reached each thing.
fn free_thing(
    asker: usize,
    wishes: &[Vec<usize>],
    takers: &HashMap<usize, usize>,
) -> (Option<usize>, HashMap<usize, usize>) {
    let mut reached_by = HashMap::new();
    let mut queue = VecDeque::from([asker]);
    while let Some(at) = queue.pop_front() {
        for &thing in &wishes[at] {
            if reached_by.contains_key(&thing) {
                continue;
            }
            reached_by.insert(thing, at);
            match takers.get(&thing) {
                Some(&other) => queue.push_back(other),
                None => return (Some(thing), reached_by),
            }
        }
    }
    (None, reached_by)
}

/// Whose pairing is anyone's guess: those who went without although they might as well have had another's thing,
/// those who have it, and whoever's thing these might have had instead.
///
/// `may_swap` says whether the first might as well have the thing that the second got.
pub(super) fn contested(
    wishes: &[Vec<usize>],
    pairs: &[Option<usize>],
    may_swap: impl Fn(usize, usize, usize) -> bool,
) -> Vec<bool> {
    let takers: HashMap<usize, usize> =
        pairs.iter().enumerate().filter_map(|(taker, thing)| Some(((*thing)?, taker))).collect();
    let mut contested = vec![false; wishes.len()];
    let mut queue: VecDeque<usize> = (0..wishes.len()).filter(|asker| pairs[*asker].is_none()).collect();
    while let Some(asker) = queue.pop_front() {
        for &thing in &wishes[asker] {
            let Some(&taker) = takers.get(&thing).filter(|taker| **taker != asker) else { continue };
            if !may_swap(asker, taker, thing) {
                continue;
            }
            contested[asker] = true;
            if !std::mem::replace(&mut contested[taker], true) {
                queue.push_back(taker);
            }
        }
    }
    contested
}

#[cfg(test)]
mod tests {
    use super::{contested, pair};

    #[test]
    fn a_guess_spreads_to_all_who_might_have_had_it() {
        let wishes = [vec![0], vec![1, 0], vec![1], vec![2]];
        let pairs = pair(&wishes);
        assert_eq!(pairs, [Some(0), Some(1), None, Some(2)]);
        assert_eq!(contested(&wishes, &pairs, |_, _, _| true), [true, true, true, false]);
        assert_eq!(contested(&wishes, &pairs, |_, _, thing| thing == 1), [false, true, true, false]);
        assert_eq!(contested(&wishes, &pairs, |_, _, _| false), [false; 4]);
    }

    #[test]
    fn nobody_goes_without_who_could_be_served() {
        assert_eq!(pair(&[vec![0, 1], vec![0]]), [Some(1), Some(0)]);
        assert_eq!(pair(&[vec![0], vec![0], vec![1, 0]]), [Some(0), None, Some(1)]);
        assert_eq!(pair(&[vec![0, 1], vec![1, 2], vec![0], vec![1]]), [Some(1), Some(2), Some(0), None]);
        assert_eq!(pair(&[vec![], vec![3]]), [None, Some(3)]);
        assert_eq!(pair(&[]), []);
    }
}
