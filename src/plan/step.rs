//! One write, and the spool that holds a plan's writes on disk until they are sent.
//!
//! A plan of a million rows is not held in memory: steps go to a temporary file as lines of JSON and are read back
//! in order. The journal will take the spool's place, with the same steps.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use serde::{Deserialize, Serialize};

use crate::api::Body;
use crate::schema::{self, Entity};

/// Where a step comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowId {
    /// The position among the sheets of the run.
    pub sheet: u16,
    /// The row's number in its sheet, from 1.
    pub row: u64,
}

/// One write of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    /// From 0, in the order of the plan.
    pub number: u32,
    /// The row that asks for it.
    pub row: RowId,
    /// Whether the step is the row's own, or creates a record that the row names.
    pub part: Part,
    /// The entity's name.
    entity: String,
    pub write: WriteKind,
    pub body: Body,
    /// Fields whose value an earlier step gives.
    pub awaits: Vec<Await>,
    /// For an update: what the fields of `body` held before the run, null where nothing. None where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Body>,
}

/// What a step is to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    Own,
    Missing,
}

/// The kind of write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteKind {
    /// A new record, or an action.
    Create,
    Update(i64),
    Delete(i64),
}

/// A field that names a record an earlier step creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Await {
    pub step: u32,
    /// The field to fill with the new record's id; none where the body holds the value already (an asset's tag).
    pub field: Option<String>,
}

impl Step {
    pub fn new(number: u32, row: RowId, part: Part, entity: &'static Entity, write: WriteKind) -> Self {
        let entity = entity.name.to_owned();
        Self { number, row, part, entity, write, body: Body::new(), awaits: Vec::new(), before: None }
    }

    /// What it writes to; none only where the spool was written by another version.
    pub fn entity(&self) -> Option<&'static Entity> {
        schema::importable().find(|entity| entity.name == self.entity)
    }
}

/// Steps on their way to disk.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    steps: u32,
}

impl Spool {
    /// # Errors
    /// Where no temporary file can be made.
    pub fn new() -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(tempfile::tempfile()?), steps: 0 })
    }

    /// How many steps there are, and so the number of the next.
    pub fn len(&self) -> u32 {
        self.steps
    }

    pub fn is_empty(&self) -> bool {
        self.steps == 0
    }

    /// # Errors
    /// Where the disk is full.
    pub fn push(&mut self, step: &Step) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, step)?;
        self.steps += 1;
        self.file.write_all(b"\n")
    }

    /// The steps in order.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn into_steps(self) -> io::Result<Steps> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        Ok(Steps { lines: BufReader::new(file), line: String::new() })
    }
}

/// The steps of a spool, in order.
#[derive(Debug)]
pub struct Steps {
    lines: BufReader<File>,
    line: String,
}

impl Iterator for Steps {
    type Item = io::Result<Step>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.lines.read_line(&mut self.line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&self.line).map_err(io::Error::from)),
            Err(error) => Some(Err(error)),
        }
    }
}
