//! Reading ahead: a second thread parses while the caller works on the rows.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::cell::Row;
use super::error::ReadError;
use super::workbook::Workbook;

/// Rows per batch: a hand-over costs some microseconds, a row less than one.
const BATCH: usize = 512;
/// Bytes per batch: rows may be very wide or long.
const BATCH_BYTES: usize = 1024 * 1024;
/// A batch of more bytes is not used again, since its rows keep their buffers.
const RECYCLED_BYTES: usize = 256 * 1024;
/// Batches under way: enough that neither thread waits for the other's scheduling, and little memory.
const AHEAD: usize = 2;

/// Some rows on their way from the reader; the ones behind `filled` are empty and keep their buffers.
struct RowBatch<P> {
    rows: Vec<Row>,
    /// What was prepared for each of them.
    prepared: Vec<P>,
    filled: usize,
    /// About how much memory the filled ones take.
    bytes: usize,
}

/// Takes some rows, and what was prepared for each of them.
pub(crate) type OnRows<'a, P> = dyn FnMut(&[Row], &[P]) -> ControlFlow<()> + 'a;

/// As [`Workbook::each_row`], from the row numbered `skip_to` on, some rows at a time, and parsed on a second thread, where
/// `prepare` is called for each, too. `on_rows` runs on the caller's thread, in order.
///
/// # Errors
///
/// A fault of the file, after the rows before it.
pub(crate) fn each_batch_ahead<P: Send>(
    workbook: &mut Workbook,
    (sheet, skip_to): (usize, u64),
    mut prepare: impl FnMut(&Row) -> P + Send,
    on_rows: &mut OnRows<'_, P>,
) -> Result<(), ReadError> {
    let (full, incoming) = sync_channel::<RowBatch<P>>(AHEAD);
    let (used, recycled) = channel::<RowBatch<P>>();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(workbook, (sheet, skip_to), &mut prepare, &full, &recycled));
        deliver(incoming, &used, on_rows);
        match reader.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads until the sheet ends or the receiver is gone.
fn read<P>(
    workbook: &mut Workbook,
    (sheet, skip_to): (usize, u64),
    prepare: &mut impl FnMut(&Row) -> P,
    full: &SyncSender<RowBatch<P>>,
    recycled: &Receiver<RowBatch<P>>,
) -> Result<(), ReadError> {
    let mut batch = RowBatch::default();
    let result = workbook.each_row_mut(sheet, &mut |row| {
        if row.number < skip_to {
            return ControlFlow::Continue(());
        }
        batch.prepared.push(prepare(row));
        batch.take(row);
        if batch.filled < BATCH && batch.bytes < BATCH_BYTES {
            return ControlFlow::Continue(());
        }
        let empty = recycled.try_recv().unwrap_or_default();
        match full.send(std::mem::replace(&mut batch, empty)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    // The receiver may be gone.
    let _ = full.send(batch);
    result
}

/// Returns early, and so stops the reader, when `on_rows` says so.
fn deliver<P>(incoming: Receiver<RowBatch<P>>, used: &Sender<RowBatch<P>>, on_rows: &mut OnRows<'_, P>) {
    for mut batch in incoming {
        if on_rows(&batch.rows[..batch.filled], &batch.prepared) == ControlFlow::Break(()) {
            return;
        }
        if batch.bytes <= RECYCLED_BYTES {
            (batch.filled, batch.bytes) = (0, 0);
            batch.prepared.clear();
            // The reader may be done.
            let _ = used.send(batch);
        }
    }
}

impl<P> Default for RowBatch<P> {
    fn default() -> Self {
        Self { rows: Vec::new(), prepared: Vec::new(), filled: 0, bytes: 0 }
    }
}

impl<P> RowBatch<P> {
    /// Takes the row's content and leaves it the buffers of an earlier one.
    fn take(&mut self, row: &mut Row) {
        if self.filled == self.rows.len() {
            self.rows.push(Row::default());
        }
        self.bytes += row.size();
        std::mem::swap(&mut self.rows[self.filled], row);
        self.filled += 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::table::{Input, ReadOptions};

    fn workbook(folder: &tempfile::TempDir, text: &str) -> Workbook {
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        Workbook::open(&Input::Path(path), &ReadOptions::default()).unwrap()
    }

    #[test]
    fn rows_arrive_in_order_from_the_one_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::from("id,name\n");
        (2..5000).for_each(|number| text.push_str(&format!("{number},x\n")));
        let mut workbook = workbook(&folder, &text);
        let mut expected = 2;
        let check = &mut |row: &Row| {
            assert_eq!(row.number, expected);
            assert_eq!(row.cell(0).text, expected.to_string());
            expected += 1;
            ControlFlow::Continue(())
        };
        let on_rows = &mut |rows: &[Row], numbers: &[u64]| {
            assert!(rows.iter().map(|row| row.number).eq(numbers.iter().copied()));
            rows.iter().try_for_each(&mut *check)
        };
        each_batch_ahead(&mut workbook, (0, 2), |row| row.number, on_rows).unwrap();
        assert_eq!(expected, 5000);
    }

    #[test]
    fn a_break_stops_the_reader_and_a_second_reading_starts_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut workbook = workbook(&folder, &"1,x\n".repeat(100_000));
        for _ in 0..2 {
            let mut seen = 0;
            let stop = &mut |_: &Row| {
                seen += 1;
                if seen < 700 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let on_rows = &mut |rows: &[Row], _: &[()]| rows.iter().try_for_each(&mut *stop);
            each_batch_ahead(&mut workbook, (0, 1), |_| (), on_rows).unwrap();
            assert_eq!(seen, 700);
        }
    }

    #[test]
    fn a_fault_comes_after_the_rows_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut workbook = workbook(&folder, &format!("{}1,\"x\n", "1,x\n".repeat(1000)));
        let mut seen = 0;
        let count = &mut |_: &Row| {
            seen += 1;
            ControlFlow::Continue(())
        };
        let on_rows = &mut |rows: &[Row], _: &[()]| rows.iter().try_for_each(&mut *count);
        let error = each_batch_ahead(&mut workbook, (0, 1), |_| (), on_rows).unwrap_err();
        assert_eq!((seen, error.row), (1000, Some(1001)));
    }
}
