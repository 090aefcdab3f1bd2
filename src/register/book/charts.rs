//! The sheet `Charts`, drawn from the sheet `Chart data`.

use rust_xlsxwriter::{
    Chart, ChartAxisLabelPosition, ChartFont, ChartFormat, ChartLegendPosition, ChartLine, ChartSolidFill, ChartType,
    Workbook, Worksheet,
};

use super::chart_data::{self, ChartData, ChartKind, MAX_CURRENCIES, currencies};
use super::groups::GroupRow;
use super::page::{Page, XlsxResult};
use crate::register::content::Register;
use crate::table::write::styles::{FAINT, INK, LINE, PageStyles, SHADE};

/// The size of a chart, in pixels, and of the cells it covers. There are two charts beside each other.
const WIDTH: u32 = 560;
const GAP: u32 = 16;
const HEIGHT: u32 = 336;
const CHART_ROWS: u32 = 15;
const CHART_COLUMNS: u16 = 9;
const FIRST_ROW: u32 = 3;

pub(super) fn write(
    workbook: &mut Workbook,
    register: &Register<'_>,
    styles: &PageStyles,
    categories: &[GroupRow],
) -> XlsxResult {
    let mut data_sheet = Worksheet::new();
    let charts = chart_data::write(&mut data_sheet, register, styles, categories)?;
    draw(workbook.add_worksheet(), register, styles, &charts)?;
    workbook.push_worksheet(data_sheet);
    Ok(())
}

fn draw(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles, charts: &[ChartData]) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Charts")?;
    // On one page, so that no chart is cut in two.
    page.sheet.set_print_fit_to_pages(1, 1);
    page.sheet.set_column_range_width(0, 2 * CHART_COLUMNS, 8.43)?;
    page.title("Charts", &lead(register))?;
    for (index, data) in charts.iter().enumerate() {
        let (row, column) = (FIRST_ROW + index as u32 / 2 * CHART_ROWS, (index % 2) as u16 * CHART_COLUMNS);
        // A last chart without a neighbour gets the full width.
        let is_alone = index % 2 == 0 && index + 1 == charts.len();
        let width = if is_alone { 2 * WIDTH + GAP } else { WIDTH };
        page.sheet.insert_chart(row, column, &chart(data, width))?;
    }
    let rows = FIRST_ROW + (charts.len() as u32).div_ceil(2) * CHART_ROWS;
    page.sheet.set_print_area(0, 0, rows, 2 * CHART_COLUMNS - 1).map(drop)
}

fn lead(register: &Register<'_>) -> String {
    let currencies = currencies(register);
    let mut lead = format!("As of {}.", register.options.as_of);
    match &register.rates {
        Some(rates) => lead += &format!(" Amounts in {}, converted at the rates of this workbook.", rates.base.code),
        None if currencies.len() > MAX_CURRENCIES => {
            let left: Vec<&str> = currencies[MAX_CURRENCIES..].iter().map(|currency| &*currency.code).collect();
            lead += &format!(" Not drawn: {}. Their totals are on the other sheets.", left.join(", "));
        }
        None => {}
    }
    lead
}

fn chart(data: &ChartData, width: u32) -> Chart {
    let is_bars = data.kind == ChartKind::Bars;
    let mut chart = Chart::new(if is_bars { ChartType::Bar } else { ChartType::Column });
    for (column, color) in &data.series {
        chart
            .add_series()
            .set_name((chart_data::SHEET, data.header_row, *column))
            .set_categories((chart_data::SHEET, data.header_row + 1, 0, data.last_row, 0))
            .set_values((chart_data::SHEET, data.header_row + 1, *column, data.last_row, *column))
            .set_gap(if is_bars { 40 } else { 60 })
            .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(*color)));
    }
    chart.set_width(width).set_height(HEIGHT);
    chart.chart_area().set_format(ChartFormat::new().set_border(ChartLine::new().set_color(LINE)));
    let title = chart.title();
    title.set_name(&data.title).set_overlay(false).set_font(ChartFont::new().set_size(12).set_bold().set_color(INK));
    match data.series.len() {
        1 => chart.legend().set_hidden(),
        _ => chart.legend().set_position(ChartLegendPosition::Bottom),
    };
    format_axes(&mut chart, data);
    chart
}

fn format_axes(chart: &mut Chart, data: &ChartData) {
    let mut font = ChartFont::new();
    font.set_size(9).set_color(FAINT);
    let mut thin = ChartFormat::new().set_border(ChartLine::new().set_color(LINE)).clone();
    // The writer calls the axis of the categories of a bar chart y, although it is the vertical one.
    let values = match data.kind {
        ChartKind::Bars => {
            chart.y_axis().set_reverse().set_font(&font).set_format(&mut thin);
            chart.x_axis().set_label_position(ChartAxisLabelPosition::High)
        }
        ChartKind::Columns => {
            let mut rotated = font.clone();
            rotated.set_rotation(-45);
            chart.x_axis().set_font(&rotated).set_num_format("mmm yyyy").set_format(&mut thin);
            chart.y_axis()
        }
    };
    values.set_font(&font).set_num_format(data.number_format).set_min(0).set_major_gridlines(true);
    values.set_format(ChartFormat::new().set_no_border());
    values.set_major_gridlines_line(ChartLine::new().set_color(SHADE));
}
