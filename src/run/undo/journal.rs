//! The plan of an undo, written into a journal of its own.

use std::collections::HashMap;

use crate::api::Body;
use crate::plan::undo::{CompensatingWrite, UndoBatch, UndoDecision, UndoItem, batches};
use crate::plan::{DependsOn, RowId, Step, StepRole, StepSink};
use crate::run::journal::{JournalBuilder, JournalError, PlannedRow, RowState, SheetHeader};
use crate::table::{Row, Value};

/// The columns of the result, after those that say how each row ended.
const HEADER: [&str; 5] = ["What", "Record", "Id", "Sheet", "Row"];

/// Writes a sheet per batch and a row per item into the journal. `sheets` are the labels of the run's own sheets.
///
/// # Errors
/// Where the journal cannot take it.
pub(super) fn write_plan(
    journal: &mut JournalBuilder,
    run: &str,
    items: &[UndoItem],
    sheets: &[String],
) -> Result<(), JournalError> {
    // Steps that others await, by the position of their items.
    let mut numbers: HashMap<usize, u32> = HashMap::new();
    for (index, batch) in batches(items).iter().enumerate() {
        journal.sheet(index as u16, &head(index, batch, run))?;
        for (position, item_index) in batch.items.iter().enumerate() {
            let item = &items[*item_index];
            let row = row(position as u64 + 2, item, sheets);
            journal.row(&row, &planned(item), &|_| false)?;
            if let UndoDecision::Undo(write_back) = &item.decision {
                let id = RowId { sheet: index as u16, row: row.number };
                let step = step(journal.count(), id, item, write_back, &numbers);
                journal.push(&step)?;
                numbers.insert(*item_index, step.number);
            }
        }
    }
    Ok(())
}

fn head(index: usize, batch: &UndoBatch, run: &str) -> SheetHeader {
    let mut header = Row::default();
    header.clear(1);
    HEADER.iter().for_each(|name| header.push_text(name));
    SheetHeader {
        file: format!("run {run}"),
        name: Some(batch.label.clone()),
        label: batch.label.clone(),
        place: index as u32,
        entity: batch.entity,
        header,
        fields: Vec::new(),
        decoding: None,
        ignored: Vec::new(),
        owner: None,
    }
}

fn row(number: u64, item: &UndoItem, sheets: &[String]) -> Row {
    let mut row = Row::default();
    row.clear(number);
    row.push_text(what(item));
    row.push_text(&item.title);
    match item.record {
        Some(id) => row.push(&id.to_string(), Value::Number(id as f64)),
        None => row.push_text(""),
    }
    row.push_text(sheets.get(usize::from(item.row.sheet)).map_or("", String::as_str));
    row.push(&item.row.row.to_string(), Value::Number(item.row.row as f64));
    row
}

/// The first column: what is done, or that nothing is.
fn what(item: &UndoItem) -> &'static str {
    match (item.kind(), &item.decision) {
        (Some(kind), _) => kind.verb(),
        (None, UndoDecision::Skip(_)) => "leave",
        (None, _) => "nothing to do",
    }
}

fn planned(item: &UndoItem) -> PlannedRow {
    let (state, message) = match &item.decision {
        UndoDecision::Undo(write_back) => (RowState::Planned, write_back.note.clone()),
        UndoDecision::NothingToDo(why) => (RowState::Ended, why.clone()),
        UndoDecision::Skip(reason) => (RowState::Ended, format!("not undone: {reason}")),
    };
    PlannedRow { state, status: item.done_status(), record: item.record, message, problems: Vec::new() }
}

fn step(
    number: u32,
    row: RowId,
    item: &UndoItem,
    write_back: &CompensatingWrite,
    numbers: &HashMap<usize, u32>,
) -> Step {
    let mut step = Step::new(number, row, StepRole::Row, item.entity, write_back.write);
    step.body = Body::clone(&write_back.body);
    step.before = write_back.before.clone();
    let awaited = |(position, field): &(usize, Option<String>)| {
        Some(DependsOn { step: *numbers.get(position)?, field: field.clone() })
    };
    step.depends_on = write_back.depends_on.iter().filter_map(awaited).collect();
    step
}
