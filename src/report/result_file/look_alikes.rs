//! The sheet of names that look alike, with a column for what the user decides. It is read by the next import.

use rust_xlsxwriter::Format;

use super::styles::ResultFormats;
use crate::plan::{LookAlikeGroup, LookAlikes};
use crate::run::input::{ALIAS_HEADERS, LOOK_ALIKES_SHEET};
use crate::table::write::WriteError;
use crate::table::write::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use crate::table::write::xlsx::text_width;

/// The width of a column in characters.
const NARROWEST: usize = 12;

/// One line: the columns of the sheet in their order.
struct LookAlikeRow<'l> {
    collection: &'l str,
    name: &'l str,
    rows: u64,
    record: Option<i64>,
    suggestion: &'l str,
    use_instead: &'l str,
}

/// Writes the sheet: the groups to decide about, with their names together, and then what is decided already, so that the
/// result of a result still knows it.
pub(super) fn write(
    writer: &mut WorkbookWriter,
    look_alikes: &LookAlikes,
    formats: &ResultFormats,
) -> Result<(), WriteError> {
    if look_alikes.is_empty() {
        return Ok(());
    }
    let [collection, name, use_instead] = ALIAS_HEADERS;
    let headers = [collection, name, "rows", "in the account", "suggestion", use_instead];
    let text = Format::new().set_num_format("@");
    let header = |text: &'static str| match text == use_instead {
        true => HeaderCell { text, format: &formats.ours, column_format: None },
        false => HeaderCell { text, format: &formats.theirs, column_format: None },
    };
    let mut table = writer.add_table(LOOK_ALIKES_SHEET, NARROWEST, headers.map(header))?;
    let open = look_alikes.groups.iter().flat_map(lines);
    let decided = look_alikes.aliased.iter().map(|alias| LookAlikeRow {
        collection: &alias.collection,
        name: &alias.name,
        rows: alias.rows,
        record: None,
        suggestion: "",
        use_instead: &alias.use_instead,
    });
    for line in open.chain(decided) {
        writer.edit_sheet(table.index, |sheet| {
            let row = table.next_row;
            let texts = [(0, line.collection), (1, line.name), (4, line.suggestion), (5, line.use_instead)];
            for (column, value) in texts {
                sheet.write_string_with_format(row, column, value, &text)?;
            }
            sheet.write_number(row, 2, line.rows as f64)?;
            let record = line.record.map(|id| format!("#{id}")).unwrap_or_default();
            sheet.write_string_with_format(row, 3, record, &text).map(drop)
        })?;
        observe(&mut table, &line);
        table.next_row += 1;
    }
    writer.finish_table(&table, 2)
}

fn lines(group: &LookAlikeGroup) -> impl Iterator<Item = LookAlikeRow<'_>> {
    group.names.iter().map(|name| LookAlikeRow {
        collection: &group.collection,
        name: &name.name,
        rows: name.rows,
        record: name.record,
        suggestion: &group.suggestion,
        use_instead: "",
    })
}

/// Makes room for the texts of a line.
fn observe(table: &mut TableSheet, line: &LookAlikeRow<'_>) {
    for (column, text) in [(0, line.collection), (1, line.name), (4, line.suggestion), (5, line.use_instead)] {
        table.widths.observe_width(table.next_row, column, || text_width(text));
    }
}
