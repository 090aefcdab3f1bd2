//! The sheets `Charts` and `Chart data`: book value by category, spend by month, what runs out.
//!
//! Amounts of different currencies are not drawn on one axis. With rates there is one chart in the base currency;
//! without there is one for each of the currencies that most items have.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    Chart, ChartFont, ChartFormat, ChartLegendPosition, ChartLine, ChartSolidFill, ChartType, Color, Workbook,
    Worksheet, XlsxError,
};

use super::expiring::{expiring, last_day_counted};
use super::formulas::{is_plain, name};
use super::groups::{GroupRow, sheet_name};
use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::{AMBER, BLUE, FAINT, INK, LINE, RegisterStyles, SHADE, TEAL};
use super::{rates, summary};
use crate::register::columns::ColumnSource;
use crate::register::line::ItemState;
use crate::register::totals::{GroupBy, group_key};
use crate::register::write::Register;
use crate::register::{Currency, ItemKind};

const DATA: &str = "Chart data";
/// Currencies drawn without rates, and categories drawn by themselves.
const MOST_CURRENCIES: usize = 3;
const MOST_CATEGORIES: usize = 10;
const MONTHS: i32 = 24;

/// A chart's size and where charts stand: two beside each other.
const WIDTH: u32 = 560;
const GAP: u32 = 16;
const HEIGHT: u32 = 336;
const ROWS_OF_CHART: u32 = 15;
const COLUMNS_OF_CHART: u16 = 9;

/// Rows of `Chart data` that a chart is drawn from: labels in the first column, values in the second and on.
struct ChartData {
    title: String,
    kind: ChartOrientation,
    /// The row of its headers.
    head: u32,
    last: u32,
    series: Vec<(u16, Color)>,
    /// The number format of its axis.
    axis: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChartOrientation {
    Bars,
    Columns,
}

pub(super) fn write(
    workbook: &mut Workbook,
    register: &Register<'_>,
    styles: &RegisterStyles,
    categories: &[GroupRow],
) -> Result<(), XlsxError> {
    let mut data = Worksheet::new();
    sheet::set_up(&mut data, DATA, PageOrientation::Portrait)?;
    data.set_column_width(0, 30)?.set_column_range_width(1, 12, 16)?;
    sheet::write_title(&mut data, styles, "Chart data", "What the charts are drawn from")?;
    let mut drawing = ChartDataSheet { register, styles, data, row: 3, blocks: Vec::new() };
    drawing.book_values(categories)?;
    drawing.spend()?;
    drawing.running_out()?;
    let ChartDataSheet { data, blocks, .. } = drawing;
    draw(workbook.add_worksheet(), register, styles, &blocks)?;
    workbook.push_worksheet(data);
    Ok(())
}

fn draw(
    sheet: &mut Worksheet,
    register: &Register<'_>,
    styles: &RegisterStyles,
    blocks: &[ChartData],
) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Charts", PageOrientation::Portrait)?;
    // A chart cut in two by a page is of no use.
    sheet.set_print_fit_to_pages(1, 1);
    sheet.set_column_range_width(0, 2 * COLUMNS_OF_CHART, 8.43)?;
    sheet::write_title(sheet, styles, "Charts", &lead(register))?;
    for (at, block) in blocks.iter().enumerate() {
        let (row, column) = (3 + at as u32 / 2 * ROWS_OF_CHART, (at % 2) as u16 * COLUMNS_OF_CHART);
        // The last one has a row to itself where it would stand alone.
        let is_alone = at % 2 == 0 && at + 1 == blocks.len();
        let width = if is_alone { 2 * WIDTH + GAP } else { WIDTH };
        sheet.insert_chart(row, column, &chart(block, width))?;
    }
    let rows = 3 + (blocks.len() as u32).div_ceil(2) * ROWS_OF_CHART;
    sheet.set_print_area(0, 0, rows, 2 * COLUMNS_OF_CHART - 1).map(drop)
}

fn lead(register: &Register<'_>) -> String {
    let currencies = currencies(register);
    let mut lead = format!("As of {}.", register.options.as_of);
    match &register.rates {
        Some(rates) => lead += &format!(" Amounts in {}, converted at the rates of this workbook.", rates.base.code),
        None if currencies.len() > MOST_CURRENCIES => {
            let left: Vec<&str> = currencies[MOST_CURRENCIES..].iter().map(|currency| &*currency.code).collect();
            lead += &format!(" Not drawn: {}. Their totals are on the other sheets.", left.join(", "));
        }
        None => {}
    }
    lead
}

/// The currencies of what is held, those of most items first.
fn currencies(register: &Register<'_>) -> Vec<Currency> {
    let mut totals: Vec<_> = register.totals.iter().filter(|total| total.held.items > 0).collect();
    totals.sort_by_key(|total| std::cmp::Reverse(total.held.items));
    totals.into_iter().map(|total| total.currency.clone()).collect()
}

/// The sheet of data in the making.
struct ChartDataSheet<'a> {
    register: &'a Register<'a>,
    styles: &'a RegisterStyles,
    data: Worksheet,
    row: u32,
    blocks: Vec<ChartData>,
}

/// A bar: its label, the cells it adds up, its value.
struct Bar {
    label: String,
    cells: Vec<String>,
    value: Decimal,
}

impl ChartDataSheet<'_> {
    fn book_values(&mut self, categories: &[GroupRow]) -> Result<(), XlsxError> {
        let by_category = sheet_name(GroupBy::Category);
        if let Some(rates) = &self.register.rates {
            let base = rates.base.clone();
            let mut bars: Vec<(String, Bar)> = Vec::new();
            for GroupRow { group, row } in categories {
                let Some(value) = rates.converted(group.amounts.book_value, &group.currency) else { continue };
                let (own, cell) = (group_key(&group.name), format!("'{by_category}'!$L${row}"));
                match bars.iter_mut().find(|(known, _)| *known == own) {
                    Some((_, bar)) => {
                        bar.cells.push(cell);
                        bar.value += value;
                    }
                    None => bars.push((own, Bar { label: group.name.clone(), cells: vec![cell], value })),
                }
            }
            return self.bars(bars.into_iter().map(|(_, bar)| bar).collect(), &base);
        }
        for currency in currencies(self.register).iter().take(MOST_CURRENCIES) {
            let own = categories.iter().filter(|shown| shown.group.currency == *currency);
            let bars = own.map(|GroupRow { group, row }| Bar {
                label: group.name.clone(),
                cells: vec![format!("'{by_category}'!$H${row}")],
                value: group.amounts.book_value,
            });
            self.bars(bars.collect(), currency)?;
        }
        Ok(())
    }

    /// The largest by themselves, the others in one; nothing is drawn of nothing.
    fn bars(&mut self, mut bars: Vec<Bar>, currency: &Currency) -> Result<(), XlsxError> {
        bars.retain(|bar| !bar.value.is_zero());
        bars.sort_by_key(|bar| std::cmp::Reverse(bar.value));
        if bars.is_empty() {
            return Ok(());
        }
        let others = bars.split_off(bars.len().min(MOST_CATEGORIES));
        if !others.is_empty() {
            let label = format!("{} others", others.len());
            let value = others.iter().map(|bar| bar.value).sum();
            bars.push(Bar { label, cells: others.into_iter().flat_map(|bar| bar.cells).collect(), value });
        }
        let title = format!("Book value by category, {}", currency.code);
        let head = self.begin(&title, &["Category", "Book value"])?;
        let money = self.styles.money(&self.styles.cell, currency);
        for Bar { label, cells, value } in bars {
            sheet::text(&mut self.data, (self.row, 0), &label, &self.styles.cell)?;
            match formula_of(&cells) {
                Some(formula) => sheet::formula(&mut self.data, (self.row, 1), &formula, value, &money)?,
                None => sheet::amount(&mut self.data, (self.row, 1), value, &money)?,
            }
            self.row += 1;
        }
        self.end(title, ChartOrientation::Bars, head, vec![(1, BLUE)], String::from("#,##0"));
        Ok(())
    }

    /// What was spent in each of the 24 months up to the register's.
    fn spend(&mut self) -> Result<(), XlsxError> {
        let currencies = currencies_bought(self.register);
        match &self.register.rates {
            Some(rates) => {
                let known = currencies.into_iter().filter(|currency| rates.rate(currency).is_some()).collect();
                self.spend_of(known)
            }
            None => currencies.into_iter().take(MOST_CURRENCIES).try_for_each(|currency| self.spend_of(vec![currency])),
        }
    }

    fn spend_of(&mut self, currencies: Vec<Currency>) -> Result<(), XlsxError> {
        if currencies.is_empty() {
            return Ok(());
        }
        let base = self.register.rates.as_ref().map(|rates| rates.base.clone());
        let drawn = base.clone().unwrap_or_else(|| currencies[0].clone());
        let title = format!("Spend by month, {}", drawn.code);
        let mut titles = vec![String::from("Month")];
        titles.extend(currencies.iter().map(|currency| currency.code.to_string()));
        titles.extend(base.iter().map(|base| format!("All in {}", base.code)));
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let head = self.begin(&title, &titles)?;
        let as_of = self.register.options.as_of;
        let spent = MonthlySpend::of(self.register);
        let month_format = self.styles.date.clone().set_num_format("mmm yyyy");
        for back in (0..MONTHS).rev() {
            let Ok(month) = as_of.first_of_month().checked_sub(back.months()) else { continue };
            sheet::day(&mut self.data, (self.row, 0), month, &month_format)?;
            let (mut terms, mut all) = (Vec::new(), Decimal::ZERO);
            for (column, currency) in (1..).zip(&currencies) {
                let amount = spent.in_month(month, currency);
                self.spent_cell(column, head, currency, amount)?;
                if let Some(rates) = &self.register.rates {
                    let rate_cell = rates::cell(rates, currency).unwrap_or_default();
                    terms.push(format!("{}{}*{rate_cell}", letter(column), self.row + 1));
                    all += amount * rates.rate(currency).unwrap_or_default();
                }
            }
            if let Some(base) = &base {
                let column = currencies.len() as u16 + 1;
                let formula = format!("=ROUND({},{})", terms.join("+"), base.digits);
                let money = self.styles.money(&self.styles.cell, base);
                sheet::formula(&mut self.data, (self.row, column), &formula, base.rounded(all), &money)?;
            }
            self.row += 1;
        }
        let column = if base.is_some() { currencies.len() as u16 + 1 } else { 1 };
        self.end(title, ChartOrientation::Columns, head, vec![(column, TEAL)], String::from("#,##0"));
        Ok(())
    }

    fn spent_cell(&mut self, column: u16, head: u32, currency: &Currency, amount: Decimal) -> Result<(), XlsxError> {
        let money = self.styles.money(&self.styles.cell, currency);
        let at = self.row + 1;
        let (cost, code, bought) =
            (name(ColumnSource::Cost), name(ColumnSource::Currency), name(ColumnSource::PurchaseDate));
        let own = format!("{}${}", letter(column), head + 1);
        let formula = format!(
            "=SUMIFS({cost},{code},{own},{bought},\">=\"&$A{at},{bought},\"<\"&EDATE($A{at},1),{bought},\"<=\"&As_of)"
        );
        match is_plain(&currency.code) {
            true => sheet::formula(&mut self.data, (self.row, column), &formula, amount, &money),
            false => sheet::amount(&mut self.data, (self.row, column), amount, &money),
        }
    }

    /// How many warranties and licenses end in each month, from the register's day to the same day in a year.
    fn running_out(&mut self) -> Result<(), XlsxError> {
        let title = String::from("Warranties and licenses running out");
        let head = self.begin(&title, &["Month", "Warranties", "Licenses", "From", "Before"])?;
        let as_of = self.register.options.as_of;
        let end = last_day_counted(as_of).tomorrow().unwrap_or(Date::MAX);
        let all: Vec<(Date, ItemKind)> = expiring(self.register).map(|(day, line)| (day, line.item.kind)).collect();
        for ahead in 0..=12 {
            let Ok(month) = as_of.first_of_month().checked_add(ahead.months()) else { continue };
            let next = month.checked_add(1.month()).unwrap_or(Date::MAX);
            let (from, before) = (month.max(as_of), next.min(end));
            let (row, at) = (self.row, self.row + 1);
            sheet::text(&mut self.data, (row, 0), &month.strftime("%b %Y").to_string(), &self.styles.cell)?;
            for (column, kind) in [(1, ItemKind::Asset), (2, ItemKind::License)] {
                let count = all.iter().filter(|(day, own)| *own == kind && *day >= from && *day < before).count();
                let (kinds, state, ends) =
                    (name(ColumnSource::Kind), name(ColumnSource::State), name(ColumnSource::ExpiresOn));
                let (kind, held) = (kind.name(), ItemState::Held.name());
                let formula = format!(
                    "=COUNTIFS({kinds},\"{kind}\",{state},\"{held}\",{ends},\">=\"&$D{at},{ends},\"<\"&$E{at})"
                );
                let count = Decimal::from(count as u64);
                sheet::formula(&mut self.data, (row, column), &formula, count, &self.styles.number)?;
            }
            sheet::day(&mut self.data, (row, 3), from, &self.styles.date)?;
            sheet::day(&mut self.data, (row, 4), before, &self.styles.date)?;
            self.row += 1;
        }
        self.end(title, ChartOrientation::Columns, head, vec![(1, BLUE), (2, AMBER)], String::from("0"));
        Ok(())
    }

    /// Begins a block and gives the row of its headers.
    fn begin(&mut self, title: &str, titles: &[&str]) -> Result<u32, XlsxError> {
        let last = summary::last_column(self.register).min(4);
        sheet::section(&mut self.data, self.styles, self.row, title, last)?;
        let head = self.row + 1;
        for (column, title) in (0..).zip(titles) {
            let side = if column == 0 { HeaderAlign::Left } else { HeaderAlign::Right };
            sheet::heading(&mut self.data, self.styles, (head, column), title, side)?;
        }
        self.row = head + 1;
        Ok(head)
    }

    fn end(&mut self, title: String, kind: ChartOrientation, head: u32, series: Vec<(u16, Color)>, axis: String) {
        self.blocks.push(ChartData { title, kind, head, last: self.row - 1, series, axis });
        self.row += 1;
    }
}

/// The sum of some cells; none where that is more than a formula holds.
fn formula_of(cells: &[String]) -> Option<String> {
    (cells.len() <= 200).then(|| format!("={}", cells.join("+")))
}

fn letter(column: u16) -> crate::table::ColumnName {
    crate::table::ColumnName(u32::from(column))
}

/// What was bought by month and currency, whatever has become of it.
struct MonthlySpend(std::collections::BTreeMap<(Date, Currency), Decimal>);

impl MonthlySpend {
    fn of(register: &Register<'_>) -> Self {
        let mut spent = std::collections::BTreeMap::new();
        for line in register.lines.iter().filter(|line| line.state != ItemState::NotYetBought) {
            if let (Ok(cost), Ok(day)) = (&line.item.cost, &line.item.purchase_date) {
                *spent.entry((day.first_of_month(), line.item.currency.clone())).or_default() += *cost;
            }
        }
        Self(spent)
    }

    fn in_month(&self, month: Date, currency: &Currency) -> Decimal {
        self.0.get(&(month, currency.clone())).copied().unwrap_or_default()
    }
}

/// The currencies that anything was bought in, in the time that is drawn; those of most items first.
fn currencies_bought(register: &Register<'_>) -> Vec<Currency> {
    let start = register.options.as_of.first_of_month().checked_sub((MONTHS - 1).months()).unwrap_or(Date::MIN);
    let spent = MonthlySpend::of(register);
    let is_bought = |currency: &Currency| {
        spent.0.iter().any(|((month, own), cost)| *month >= start && own == currency && !cost.is_zero())
    };
    let mut all = currencies(register);
    let others = register.totals.iter().map(|total| total.currency.clone());
    all.extend(others.filter(|other| register.totals.iter().any(|t| t.currency == *other && t.held.items == 0)));
    all.retain(is_bought);
    all.truncate(8);
    all
}

fn chart(block: &ChartData, width: u32) -> Chart {
    let mut chart = Chart::new(if block.kind == ChartOrientation::Bars { ChartType::Bar } else { ChartType::Column });
    for (column, color) in &block.series {
        chart
            .add_series()
            .set_name((DATA, block.head, *column))
            .set_categories((DATA, block.head + 1, 0, block.last, 0))
            .set_values((DATA, block.head + 1, *column, block.last, *column))
            .set_gap(if block.kind == ChartOrientation::Bars { 40 } else { 60 })
            .set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(*color)));
    }
    chart.set_width(width).set_height(HEIGHT);
    chart.chart_area().set_format(ChartFormat::new().set_border(ChartLine::new().set_color(LINE)));
    let title = chart.title();
    title.set_name(&block.title).set_overlay(false).set_font(ChartFont::new().set_size(12).set_bold().set_color(INK));
    match block.series.len() {
        1 => chart.legend().set_hidden(),
        _ => chart.legend().set_position(ChartLegendPosition::Bottom),
    };
    dress(&mut chart, block);
    chart
}

fn dress(chart: &mut Chart, block: &ChartData) {
    let mut font = ChartFont::new();
    font.set_size(9).set_color(FAINT);
    let thin = ChartFormat::new().set_border(ChartLine::new().set_color(LINE)).clone();
    // For bar charts the writer calls the upright axis, that of the categories, y.
    let (labels, values) = match block.kind {
        ChartOrientation::Bars => {
            chart.y_axis().set_reverse().set_font(&font).set_format(&mut thin.clone());
            (true, chart.x_axis())
        }
        ChartOrientation::Columns => {
            let mut upright = font.clone();
            upright.set_rotation(-45);
            chart.x_axis().set_font(&upright).set_num_format("mmm yyyy").set_format(&mut thin.clone());
            (false, chart.y_axis())
        }
    };
    values.set_font(&font).set_num_format(&block.axis).set_min(0).set_major_gridlines(true);
    values.set_format(ChartFormat::new().set_no_border());
    values.set_major_gridlines_line(ChartLine::new().set_color(SHADE));
    if labels {
        values.set_label_position(rust_xlsxwriter::ChartAxisLabelPosition::High);
    }
}
