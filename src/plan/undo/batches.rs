//! The order of an undo: batches, each sent when the previous one has completed.

use super::{UndoDecision, UndoItem};
use crate::plan::order;
use crate::schema::Entity;

/// Position of an undo item; lower ones go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UndoOrder {
    stage: BatchStage,
    rank: usize,
    part: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum BatchStage {
    Moves,
    Records,
    CreatedAgain,
    /// Fields that refer to records that are created again.
    RestoredLast,
    MovesLast,
}

impl UndoOrder {
    /// Prepares an item for its `turn`, counted from the end of the run.
    pub(super) fn prepare(turn: usize) -> Self {
        Self { stage: BatchStage::Moves, rank: turn, part: 0 }
    }

    pub(crate) fn move_back(turn: usize) -> Self {
        Self { part: 1, ..Self::prepare(turn) }
    }

    /// Restores the remaining fields of an item after its `turn`.
    pub(super) fn restore_item(turn: usize) -> Self {
        Self { part: 2, ..Self::prepare(turn) }
    }

    /// Records are deleted in reverse dependency order.
    pub(super) fn delete(entity: &Entity) -> Self {
        Self { stage: BatchStage::Records, rank: usize::MAX - order::rank(entity), part: 0 }
    }

    /// After the deletes of the collection, which free values such as tags.
    pub(super) fn restore(entity: &Entity) -> Self {
        Self { part: 1, ..Self::delete(entity) }
    }

    pub(super) fn recreate(entity: &Entity) -> Self {
        Self { stage: BatchStage::CreatedAgain, rank: order::rank(entity), part: 0 }
    }

    /// The same, after everything that is created again.
    pub(super) fn last(self) -> Self {
        match self.stage {
            BatchStage::Moves => Self { stage: BatchStage::MovesLast, ..self },
            BatchStage::Records => Self { stage: BatchStage::RestoredLast, ..self },
            BatchStage::CreatedAgain | BatchStage::RestoredLast | BatchStage::MovesLast => self,
        }
    }
}

/// Undo items that are sent together.
#[derive(Debug)]
pub(crate) struct UndoBatch {
    /// Name on screen and in the result.
    pub label: String,
    pub entity: &'static Entity,
    /// Indexes of the undo items, in the order of the run.
    pub items: Vec<usize>,
}

/// Groups undo items into batches, in the order in which they are sent.
pub(crate) fn batches(items: &[UndoItem]) -> Vec<UndoBatch> {
    let key = |item: &UndoItem| (item.order, order::rank(item.entity));
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| key(&items[*index]));
    let together = order.chunk_by(|left, right| key(&items[*left]) == key(&items[*right]));
    let batch = |together: &[usize]| {
        let first = &items[*together.first()?];
        let label = label(first.order, first.entity, together, items);
        Some(UndoBatch { label, entity: first.entity, items: together.to_vec() })
    };
    together.filter_map(batch).collect()
}

fn label(order: UndoOrder, entity: &Entity, together: &[usize], items: &[UndoItem]) -> String {
    let writes = together.iter().any(|index| matches!(items[*index].decision, UndoDecision::Undo(_)));
    let suffix = match (order.stage, order.part) {
        _ if entity.is_action() => "",
        (BatchStage::Moves | BatchStage::MovesLast, _) => " (moved)",
        (BatchStage::Records, 0) => "",
        (BatchStage::Records, _) | (BatchStage::RestoredLast, _) if writes => " (restored)",
        (BatchStage::CreatedAgain, _) if writes => " (created)",
        _ => "",
    };
    format!("{}{suffix}", entity.name)
}
