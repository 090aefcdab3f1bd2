//! The result's colours and formats. Colour never stands alone: the word is always in the cell.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use crate::plan::RowStatus;
use crate::table::write::styles::{FAINT, INK, LINE, SHADE};
use crate::table::write::workbook::WorkbookWriter;
use crate::table::write::xlsx::CellMark;

/// The fill of wrong cells.
pub(super) const INVALID: Color = Color::RGB(0x00FF_C7CE);

/// The fill of cells that an update would change.
pub(super) const CHANGED: Color = Color::RGB(0x00FF_EB9C);

/// A status's colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatusColors {
    /// Of a cell, light.
    pub(super) fill: Color,
    /// Of the word in it.
    pub(super) ink: Color,
    /// Of a bar in the chart.
    pub(super) bar: Color,
}

const GREEN: StatusColors = colors(0x00C6_EFCE, 0x0000_6100, 0x002E_9E5B);
const TEAL: StatusColors = colors(0x00C6_EFCE, 0x0000_6100, 0x008F_CFA8);
const RED: StatusColors = colors(0x00FF_C7CE, 0x009C_0006, 0x00D6_4545);
const AMBER: StatusColors = colors(0x00FF_EB9C, 0x007F_4F00, 0x00F0_A030);
const PALE_AMBER: StatusColors = colors(0x00FF_F6DA, 0x007F_4F00, 0x00F5_D08A);
const GREY: StatusColors = colors(0x00ED_EDED, 0x0059_5959, 0x00B8_C0C8);
const LIGHT_GREY: StatusColors = colors(0x00ED_EDED, 0x0059_5959, 0x00DD_E2E7);
const SLATE: StatusColors = colors(0x00C6_EFCE, 0x0000_6100, 0x005B_7083);

const fn colors(fill: u32, ink: u32, bar: u32) -> StatusColors {
    StatusColors { fill: Color::RGB(fill), ink: Color::RGB(ink), bar: Color::RGB(bar) }
}

pub(super) fn status_colors(status: RowStatus) -> StatusColors {
    match status {
        RowStatus::Created => GREEN,
        RowStatus::Updated => TEAL,
        RowStatus::Deleted => SLATE,
        RowStatus::Unchanged => GREY,
        RowStatus::Skipped => LIGHT_GREY,
        RowStatus::NotSent => PALE_AMBER,
        RowStatus::Failed => RED,
        RowStatus::Unknown => AMBER,
    }
}

/// Whether a message runs over several lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextWrap {
    SingleLine,
    MultiLine,
}

/// The formats of a result's own cells. Those of the user's values are in `CellFormats`.
#[derive(Debug)]
pub(super) struct ResultFormats {
    /// The header of our three columns.
    pub(super) ours: Format,
    /// The header of the user's columns.
    pub(super) theirs: Format,
    /// The number of the format in the workbook, as are the next ones.
    pub(super) id: u32,
    messages: [u32; 4],
    statuses: Vec<(RowStatus, u32)>,
}

impl ResultFormats {
    /// The formats of a new workbook.
    pub(super) fn new(workbook: &mut WorkbookWriter) -> Self {
        let top = Format::new().set_align(FormatAlign::Top);
        let header = Format::new().set_bold().set_align(FormatAlign::VerticalCenter).set_num_format("@");
        let id = top.clone().set_num_format("0").set_align(FormatAlign::Left).set_font_color(FAINT);
        let message = top.clone().set_num_format("@");
        let wrong = message.clone().set_background_color(INVALID);
        let messages = [message.clone(), message.set_text_wrap(), wrong.clone(), wrong.set_text_wrap()];
        let mut number = |format: Format| workbook.register_format(&format);
        Self {
            ours: header.clone().set_background_color(INK).set_font_color(Color::White),
            theirs: header.set_background_color(SHADE).set_border_bottom(FormatBorder::Thin).set_border_color(LINE),
            id: number(id),
            messages: messages.map(&mut number),
            statuses: RowStatus::all().map(|status| (status, number(status_format(&top, status)))).collect(),
        }
    }

    pub(super) fn message(&self, mark: CellMark, wrap: TextWrap) -> u32 {
        self.messages[2 * usize::from(mark == CellMark::Invalid) + usize::from(wrap == TextWrap::MultiLine)]
    }

    pub(super) fn status(&self, status: RowStatus) -> u32 {
        self.statuses.iter().find(|known| known.0 == status).map_or(self.messages[0], |known| known.1)
    }
}

fn status_format(base: &Format, status: RowStatus) -> Format {
    let colors = status_colors(status);
    let format = base.clone().set_background_color(colors.fill).set_font_color(colors.ink);
    match status {
        RowStatus::Failed | RowStatus::Unknown => format.set_bold(),
        _ => format,
    }
}
