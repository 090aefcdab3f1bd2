//! The chart on the Summary sheet: rows by sheet and status.

use rust_xlsxwriter::{
    Chart, ChartAxisLabelPosition, ChartDataLabel, ChartFont, ChartFormat, ChartLegendPosition, ChartLine, ChartPoint,
    ChartSolidFill, ChartType,
};

use super::styles::status_colors;
use crate::plan::RowStatus;
use crate::table::write::styles::{FAINT, INK, LINE, SHADE};

const WIDTH_PIXELS: u32 = 492;
/// A row of the Summary sheet.
const ROW_PIXELS: u32 = 25;
/// In the table, the column of the first status, after that of the rows.
const FIRST_STATUS: u16 = 2;

/// The cells that the chart is drawn from.
#[derive(Debug)]
pub(super) struct CountsTable {
    /// The row of its headers.
    pub(super) head: u32,
    /// Its last row of numbers, the total not included.
    pub(super) last: u32,
    /// What its columns count, from the third on.
    pub(super) columns: Vec<RowStatus>,
}

/// A bar for each sheet, stacked by status; with one sheet a bar for each status.
pub(super) fn chart(sheet: &str, table: &CountsTable, rows: u32) -> Chart {
    let mut chart = match table.last - table.head {
        1 => by_status(sheet, table),
        _ => by_sheet(sheet, table),
    };
    chart.set_width(WIDTH_PIXELS).set_height(rows * ROW_PIXELS);
    chart.chart_area().set_format(ChartFormat::new().set_no_border());
    let title = chart.title();
    title.set_name("Rows by outcome").set_overlay(false);
    title.set_font(ChartFont::new().set_size(11).set_color(INK));
    chart
}

fn by_sheet(sheet: &str, table: &CountsTable) -> Chart {
    let mut chart = Chart::new(ChartType::BarStacked);
    for (column, &status) in (FIRST_STATUS..).zip(&table.columns) {
        let series = chart.add_series();
        series
            .set_name((sheet, table.head, column))
            .set_categories((sheet, table.head + 1, 0, table.last, 0))
            .set_values((sheet, table.head + 1, column, table.last, column))
            .set_gap(45)
            .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(status_colors(status).bar)));
    }
    chart.legend().set_position(ChartLegendPosition::Bottom);
    format_axes(&mut chart);
    chart
        .x_axis()
        .set_major_gridlines_line(ChartLine::new().set_color(SHADE))
        .set_label_position(ChartAxisLabelPosition::High);
    chart
}

fn by_status(sheet: &str, table: &CountsTable) -> Chart {
    let last = FIRST_STATUS + table.columns.len() as u16 - 1;
    let points: Vec<ChartPoint> = table
        .columns
        .iter()
        .map(|&status| ChartPoint::new().set_format(ChartSolidFill::new().set_color(status_colors(status).bar)))
        .collect();
    let mut chart = Chart::new(ChartType::Bar);
    let mut label = ChartDataLabel::new();
    label.show_value().set_num_format("#,##0").set_font(ChartFont::new().set_color(INK));
    chart
        .add_series()
        .set_categories((sheet, table.head, FIRST_STATUS, table.head, last))
        .set_values((sheet, table.head + 1, FIRST_STATUS, table.head + 1, last))
        .set_gap(60)
        .set_points(&points)
        .set_data_label(&label);
    chart.legend().set_hidden();
    format_axes(&mut chart);
    chart.x_axis().set_major_gridlines(false).set_hidden(true);
    chart
}

/// The first line of the table at the top, as it is read; whole numbers below.
fn format_axes(chart: &mut Chart) {
    let mut font = ChartFont::new();
    font.set_size(9).set_color(FAINT);
    // For bar charts the writer calls the upright axis, that of the categories, y.
    chart
        .y_axis()
        .set_reverse()
        .set_font(&font)
        .set_format(ChartFormat::new().set_border(ChartLine::new().set_color(LINE)));
    chart.x_axis().set_font(&font).set_num_format("#,##0").set_min(0).set_format(ChartFormat::new().set_no_border());
}
