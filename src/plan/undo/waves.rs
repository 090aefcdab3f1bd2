//! The order in which a run is taken back: waves, each of which is sent when the one before has landed.

use super::{Deed, Fate};
use crate::plan::order;
use crate::schema::Entity;

/// Where a deed stands in the order; lower ones go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    stage: Stage,
    rank: usize,
    part: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Moves,
    Records,
    CreatedAgain,
    /// What refers to records that are created again.
    RestoredLast,
    MovesLast,
}

impl Place {
    /// What prepares a thing to move back, in the run's `turn` from its end.
    pub(super) fn prepare(turn: usize) -> Self {
        Self { stage: Stage::Moves, rank: turn, part: 0 }
    }

    pub(super) fn move_back(turn: usize) -> Self {
        Self { part: 1, ..Self::prepare(turn) }
    }

    /// What is left to restore of a thing that has moved back.
    pub(super) fn settle(turn: usize) -> Self {
        Self { part: 2, ..Self::prepare(turn) }
    }

    /// Records go in reverse dependency order.
    pub(super) fn delete(entity: &Entity) -> Self {
        Self { stage: Stage::Records, rank: usize::MAX - order::rank(entity), part: 0 }
    }

    /// After the deletes of the collection: what they held, such as a tag, is free then.
    pub(super) fn restore(entity: &Entity) -> Self {
        Self { part: 1, ..Self::delete(entity) }
    }

    pub(super) fn create_again(entity: &Entity) -> Self {
        Self { stage: Stage::CreatedAgain, rank: order::rank(entity), part: 0 }
    }

    /// The same after all that is created again.
    pub(super) fn last(self) -> Self {
        match self.stage {
            Stage::Moves => Self { stage: Stage::MovesLast, ..self },
            Stage::Records => Self { stage: Stage::RestoredLast, ..self },
            Stage::CreatedAgain | Stage::RestoredLast | Stage::MovesLast => self,
        }
    }
}

/// Deeds that are sent together.
#[derive(Debug)]
pub struct Wave {
    /// What it is called on screen and in the result.
    pub label: String,
    pub entity: &'static Entity,
    /// Positions among the deeds, in the order of the run.
    pub deeds: Vec<usize>,
}

/// The deeds in the order in which they are sent.
pub fn waves(deeds: &[Deed]) -> Vec<Wave> {
    let key = |deed: &Deed| (deed.place, order::rank(deed.entity));
    let mut order: Vec<usize> = (0..deeds.len()).collect();
    order.sort_by_key(|index| key(&deeds[*index]));
    let together = order.chunk_by(|left, right| key(&deeds[*left]) == key(&deeds[*right]));
    let wave = |together: &[usize]| {
        let first = &deeds[*together.first()?];
        let label = label(first.place, first.entity, together, deeds);
        Some(Wave { label, entity: first.entity, deeds: together.to_vec() })
    };
    together.filter_map(wave).collect()
}

fn label(place: Place, entity: &Entity, together: &[usize], deeds: &[Deed]) -> String {
    let writes = together.iter().any(|index| matches!(deeds[*index].fate, Fate::Undo(_)));
    let suffix = match (place.stage, place.part) {
        _ if entity.is_action() => "",
        (Stage::Moves | Stage::MovesLast, _) => " (moved)",
        (Stage::Records, 0) => "",
        (Stage::Records, _) | (Stage::RestoredLast, _) if writes => " (restored)",
        (Stage::CreatedAgain, _) if writes => " (created)",
        _ => "",
    };
    format!("{}{suffix}", entity.name)
}
