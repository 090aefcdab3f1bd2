//! Writing behind: a second thread writes rows while the caller makes the next ones.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::super::WriteError;
use super::table_writer::TableWriter;
use crate::table::Row;

/// Rows per batch: a hand-over costs some microseconds, a row about one.
const BATCH: usize = 256;
/// Bytes per batch: a record may hold long texts.
const BATCH_BYTES: usize = 256 << 10;
/// Batches that may wait for the writer.
const AHEAD: usize = 4;

/// Some rows on their way to the writer. Those behind `filled` are empty and keep their buffers.
#[derive(Default)]
struct WriteBatch {
    rows: Vec<Row>,
    filled: usize,
    bytes: usize,
}

/// Where rows are handed over to the writer.
pub(crate) struct RowQueue {
    batch: WriteBatch,
    batches: SyncSender<WriteBatch>,
    recycled: Receiver<WriteBatch>,
}

/// The writer has failed: more rows are of no use.
#[derive(Debug)]
pub(crate) struct WriterStopped;

impl RowQueue {
    /// Takes the content of a row, and leaves it the buffers of an earlier one.
    pub(crate) fn push(&mut self, row: &mut Row) -> Result<(), WriterStopped> {
        let WriteBatch { rows, filled, bytes } = &mut self.batch;
        if *filled == rows.len() {
            rows.push(Row::default());
        }
        *bytes += row.text_len();
        std::mem::swap(&mut rows[*filled], row);
        *filled += 1;
        if *filled < BATCH && *bytes < BATCH_BYTES { Ok(()) } else { self.hand_over() }
    }

    fn hand_over(&mut self) -> Result<(), WriterStopped> {
        let empty = self.recycled.try_recv().unwrap_or_default();
        self.batches.send(std::mem::replace(&mut self.batch, empty)).map_err(|_| WriterStopped)
    }
}

/// Writes the rows that `fill` pushes, on a second thread. Returns when all are written.
///
/// # Errors
/// Those of the writer, else those of `fill`.
pub(crate) fn write_behind<T, E: From<WriteError>>(
    output: &mut dyn TableWriter,
    fill: impl FnOnce(&mut RowQueue) -> Result<T, E>,
) -> Result<T, E> {
    thread::scope(|scope| {
        let (batches, incoming) = sync_channel(AHEAD);
        let (used, recycled) = channel();
        let writer = scope.spawn(move || write_all(output, incoming, &used));
        let mut queue = RowQueue { batch: WriteBatch::default(), batches, recycled };
        let filled = fill(&mut queue);
        if filled.is_ok() {
            // The writer may have failed; joining it says why.
            let _ = queue.hand_over();
        }
        drop(queue);
        match writer.join() {
            Ok(Ok(())) => filled,
            Ok(Err(error)) => Err(error.into()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn write_all(
    output: &mut dyn TableWriter,
    batches: Receiver<WriteBatch>,
    used: &Sender<WriteBatch>,
) -> Result<(), WriteError> {
    for mut batch in batches {
        batch.rows[..batch.filled].iter().try_for_each(|row| output.row(row))?;
        if batch.bytes <= BATCH_BYTES {
            (batch.filled, batch.bytes) = (0, 0);
            // There may be no more rows.
            let _ = used.send(batch);
        }
    }
    Ok(())
}
