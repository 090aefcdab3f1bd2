//! What was decided, put into a journal of its own.

use std::collections::HashMap;

use super::super::Error;
use crate::api::Body;
use crate::plan::RowStatus;
use crate::plan::undo::{Deed, Fate, Undoing, Wave, waves};
use crate::plan::{Await, Part, RowId, Step, StepSink, WriteKind};
use crate::run::journal::{JournalBuilder, PlanSink, PlannedRow, RowState, SheetHeader};
use crate::table::{Row, Value};

/// The columns of the result, after those that say how each row ended.
const HEADER: [&str; 5] = ["What", "Record", "Id", "Sheet", "Row"];

/// Writes a sheet per wave and a row per deed into the draft. `sheets` are the labels of the run's own sheets.
///
/// # Errors
/// Where the journal cannot take it.
pub(super) fn keep(draft: &mut JournalBuilder, run: &str, deeds: &[Deed], sheets: &[String]) -> Result<(), Error> {
    // Steps that others await, by the position of their deeds.
    let mut numbers: HashMap<usize, u32> = HashMap::new();
    for (index, wave) in waves(deeds).iter().enumerate() {
        draft.sheet(index as u16, &head(index, wave, run))?;
        for (position, deed_index) in wave.deeds.iter().enumerate() {
            let deed = &deeds[*deed_index];
            let row = row(position as u64 + 2, deed, sheets);
            draft.row(&row, &planned(deed), &|_| false)?;
            if let Fate::Undo(undoing) = &deed.fate {
                let id = RowId { sheet: index as u16, row: row.number };
                let step = step(draft.count(), id, deed, undoing, &numbers);
                draft.push(&step)?;
                numbers.insert(*deed_index, step.number);
            }
        }
    }
    Ok(())
}

fn head(index: usize, wave: &Wave, run: &str) -> SheetHeader {
    let mut header = Row::default();
    header.clear(1);
    HEADER.iter().for_each(|name| header.push_text(name));
    SheetHeader {
        file: format!("run {run}"),
        name: Some(wave.label.clone()),
        label: wave.label.clone(),
        place: index as u32,
        entity: wave.entity,
        header,
        fields: Vec::new(),
        decoding: None,
        ignored: Vec::new(),
    }
}

fn row(number: u64, deed: &Deed, sheets: &[String]) -> Row {
    let mut row = Row::default();
    row.clear(number);
    row.push_text(what(deed));
    row.push_text(&deed.title);
    match deed.record {
        Some(id) => row.push(&id.to_string(), Value::Number(id as f64)),
        None => row.push_text(""),
    }
    row.push_text(sheets.get(usize::from(deed.row.sheet)).map_or("", String::as_str));
    row.push(&deed.row.row.to_string(), Value::Number(deed.row.row as f64));
    row
}

/// The first column: what is done, or that nothing is.
fn what(deed: &Deed) -> &'static str {
    match (deed.kind(), &deed.fate) {
        (Some(kind), _) => super::shown::verb(kind),
        (None, Fate::Left(_)) => "leave",
        (None, _) => "nothing to do",
    }
}

fn planned(deed: &Deed) -> PlannedRow {
    let (state, status, message) = match &deed.fate {
        Fate::Undo(undoing) => {
            let status = match undoing.write {
                WriteKind::Create => RowStatus::Created,
                WriteKind::Update(_) => RowStatus::Updated,
                WriteKind::Delete(_) => RowStatus::Deleted,
            };
            (RowState::Planned, status, undoing.note.clone())
        }
        Fate::Nothing(why) => (RowState::Ended, RowStatus::Unchanged, why.clone()),
        Fate::Left(obstacle) => (RowState::Ended, RowStatus::Skipped, format!("not undone: {obstacle}")),
    };
    PlannedRow { state, status, record: deed.record, message, problems: Vec::new() }
}

fn step(number: u32, row: RowId, deed: &Deed, undoing: &Undoing, numbers: &HashMap<usize, u32>) -> Step {
    let mut step = Step::new(number, row, Part::Own, deed.entity, undoing.write);
    step.body = Body::clone(&undoing.body);
    step.before = undoing.before.clone();
    let awaited = |(position, field): &(usize, Option<String>)| {
        Some(Await { step: *numbers.get(position)?, field: field.clone() })
    };
    step.awaits = undoing.awaits.iter().filter_map(awaited).collect();
    step
}
