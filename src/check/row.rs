//! Checks one row: its values, or all its problems.

use std::collections::BTreeMap;

use super::cell::{ColumnCheck, ColumnRole, ColumnSurvey, FieldReader, read_other};
use super::checked_row::{CheckedRow, ParsedField, ParsedValue};
use super::date::DateReading;
use super::duplicates::{EarlierRow, SeenRecords, duplicate_hint};
use super::merged_cells::MergedRanges;
use super::money::{CurrencyHint, DecimalMark};
use super::non_records::NonRecordFinder;
use super::problem::{Code, ValueError};
use super::remark::{Remark, RemarkCode};
use super::rules::{Duplicates, RowAction, Rules};
use crate::mapping::{ColumnFacts, ColumnTarget, IdOwnership, Mapping, TimestampColumn};
use crate::schema::{Kind, fold_name_into};
use crate::table::{Row, SheetLayout};
use crate::wording::{counted, thousands};

/// Checks the rows of one sheet.
///
/// Text dates or amounts may be unambiguous only in the context of the whole column. The first pass checks and
/// surveys at the same time. If [`Checker::infer_formats`] then learns something from the surveys, a second pass must
/// follow.
pub struct Checker<'m> {
    mapping: &'m Mapping,
    rules: &'m Rules,
    columns: Vec<ColumnCheck>,
    surveys: Vec<ColumnSurvey>,
    required: Vec<usize>,
    /// The columns of the natural key, if each key field is a plain cell of the row.
    key_columns: Vec<usize>,
    key: String,
    seen: SeenRecords,
    /// Whether unverified ids can be told from another system's by the timestamps next to them, as in an export.
    compares_unverified_ids: bool,
    extra_cells: ExtraCells,
    non_records: NonRecordFinder,
    merged: MergedRanges,
    hidden: HiddenRows,
    unheaded: UnheadedColumns,
    /// Optional cells with a placeholder such as `n/a`, read as blank.
    pub marks_read_as_blank: u64,
}

/// How to treat values to the right of the last header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraCells {
    /// A sign that the row's cells have shifted, as after an unquoted comma in a CSV file.
    Problem,
    /// A side note in a workbook.
    Ignored,
}

impl<'m> Checker<'m> {
    /// `match_on` are the fields that identify a record, used to find duplicates within the sheet.
    pub fn new(mapping: &'m Mapping, rules: &'m Rules, match_on: &[&'static str], extra_cells: ExtraCells) -> Self {
        let columns: Vec<ColumnCheck> =
            mapping.columns.iter().filter_map(|column| column_check(mapping, rules, column)).collect();
        let key_columns: Option<Vec<usize>> = match_on
            .iter()
            .filter(|name| mapping.feeds(name))
            .map(|name| Some(mapping.column_of(name)? as usize))
            .collect();
        let first_is_fed = match_on.first().is_some_and(|name| mapping.feeds(name));
        Self {
            mapping,
            rules,
            surveys: columns.iter().map(|_| ColumnSurvey::default()).collect(),
            columns,
            required: (0..mapping.entity.fields.len())
                .filter(|index| mapping.entity.fields[*index].is_required())
                .collect(),
            key_columns: key_columns.filter(|_| first_is_fed).unwrap_or_default(),
            key: String::new(),
            seen: SeenRecords::default(),
            compares_unverified_ids: mapping.timestamp_column(TimestampColumn::Updated).is_some(),
            extra_cells,
            non_records: NonRecordFinder::new(mapping, &[]),
            merged: MergedRanges::new(Vec::new()),
            hidden: HiddenRows::default(),
            unheaded: UnheadedColumns::new(mapping),
            marks_read_as_blank: 0,
        }
    }

    /// Takes into account what the sheet keeps beside its cells.
    #[must_use]
    pub fn with_layout(self, layout: &SheetLayout) -> Self {
        Self {
            non_records: NonRecordFinder::new(self.mapping, layout.totals_rows()),
            merged: MergedRanges::new(layout.merged_below(self.mapping.header_row)),
            hidden: HiddenRows { layout: layout.clone(), ..HiddenRows::default() },
            ..self
        }
    }

    /// Applies what the surveys show to the columns. Returns whether the rows must be read again.
    pub fn infer_formats(&mut self) -> Inference {
        let mut inference = Inference::Final;
        for (column, survey) in self.columns.iter_mut().zip(&self.surveys) {
            if column.reading.format.is_none()
                && column.reading.order.is_none()
                && survey.dates.needs_order()
                && survey.dates.decide().is_some()
            {
                column.reading.order = survey.dates.decide();
                inference = Inference::NeedsSecondPass;
            }
            if column.mark.is_none() && survey.amounts.needs_mark() && survey.amounts.decide().is_some() {
                column.mark = survey.amounts.decide();
                inference = Inference::NeedsSecondPass;
            }
        }
        inference
    }

    /// Forgets the rows seen so far, but keeps what was inferred, for the next pass.
    pub fn rewind(&mut self) {
        self.seen = SeenRecords::default();
        self.marks_read_as_blank = 0;
        self.non_records.rewind();
        self.merged.rewind();
        (self.hidden.count, self.hidden.first) = (0, Vec::new());
        self.unheaded.filled.clear();
    }

    /// What the rows so far tell about the columns.
    pub fn column_facts(&self) -> ColumnFacts {
        let readings = self.columns.iter().zip(&self.surveys);
        let readings = readings.filter_map(|(column, survey)| Some((column.column, reading(column, survey)?)));
        let unheaded = self.unheaded.filled.iter().map(|(column, filled)| (*column, *filled));
        ColumnFacts { readings: readings.collect(), unheaded: unheaded.collect() }
    }

    /// What the user should know of the rows so far.
    pub fn remarks(&self) -> Vec<Remark> {
        let left_out = self.non_records.counts().map(|(kind, count)| {
            let message = format!("{} {}", counted(count, "row"), kind.text());
            Remark::new(RemarkCode::RowsLeftOut, message)
        });
        let total = self.non_records.total().map(|(row, text)| {
            let row = thousands(row);
            let message =
                format!("row {row} looks like a total (`{text}`) and was read as a record: delete it if it is none");
            Remark::new(RemarkCode::RowsTotal, message)
        });
        left_out.chain(total).chain(self.hidden.remark()).collect()
    }

    /// Checks one row; the result goes into `checked`.
    pub fn check(&mut self, row: &Row, checked: &mut CheckedRow) {
        checked.reset();
        checked.non_record = self.non_records.observe(row);
        if checked.non_record.is_some() {
            checked.action = Some(RowAction::Skip);
            return;
        }
        self.unheaded.observe(row, self.extra_cells);
        self.hidden.observe(row);
        self.merged.advance(row);
        let mut hint: Option<(u32, CurrencyHint)> = None;
        for (column, survey) in self.columns.iter().zip(&mut self.surveys) {
            let cell = row.cell(column.column);
            if cell.is_blank()
                && let Some(error) = self.merged.covered(column.column)
            {
                checked.problems.push(error.at(Some(column.column as u32), ""));
                continue;
            }
            match &column.role {
                ColumnRole::Field { index, field, ids } => {
                    let mut reader = FieldReader {
                        rules: self.rules,
                        column,
                        survey,
                        hint: &mut hint,
                        marks: &mut self.marks_read_as_blank,
                    };
                    match reader.read(cell, field, *ids, checked) {
                        Ok(Some(value)) => {
                            checked.values.push(ParsedField { field: *index, column: column.column as u32, value })
                        }
                        Ok(None) => {}
                        Err(error) => checked.problems.push(error.at(Some(column.column as u32), cell.text)),
                    }
                }
                other => read_other(other, column.column as u32, cell, self.rules.blank, checked),
            }
        }
        self.infer_currency(row, hint, checked);
        self.find_missing(checked);
        self.find_extra_cells(row, checked);
        self.find_duplicate(row, checked);
    }

    /// Compares an amount's currency with the currency column, or uses it as the currency if there is no column and
    /// it is unambiguous.
    fn infer_currency(&self, row: &Row, hint: Option<(u32, CurrencyHint)>, checked: &mut CheckedRow) {
        let currency = self.mapping.entity.fields.iter().position(|field| field.kind == Kind::Currency);
        let (Some((column, hint)), Some(index)) = (hint, currency) else { return };
        let code = match checked.parsed(index) {
            Some(ParsedField { value: ParsedValue::Currency(code), .. }) => *code,
            Some(_) => return,
            None => {
                if let Some(code) = hint.code() {
                    checked.values.push(ParsedField { field: index, column, value: ParsedValue::Currency(code) });
                }
                return;
            }
        };
        if !hint.allows(code) {
            let error = ValueError::new(
                Code::MoneyCurrency,
                format!("the amount is in {hint}, but the currency column says `{code}`"),
                "correct the currency column or the amount",
            );
            checked.problems.push(error.at(Some(column), row.cell(column as usize).text));
        }
    }

    fn find_missing(&self, checked: &mut CheckedRow) {
        for field in &self.required {
            let given = checked.parsed(*field).is_some();
            let at_fault = || {
                let column = self.mapping.column_of(self.mapping.entity.fields[*field].name);
                column.is_some() && checked.problems.iter().any(|problem| problem.column == column)
            };
            if !given && !at_fault() {
                checked.missing.push(*field);
            }
        }
    }

    fn find_extra_cells(&self, row: &Row, checked: &mut CheckedRow) {
        if self.extra_cells == ExtraCells::Ignored {
            return;
        }
        let width = self.mapping.width();
        if let Some(column) = (width..row.len()).find(|column| !row.cell(*column).is_blank()) {
            let error = ValueError::new(
                Code::ColumnExtra,
                format!("value beyond the last header; expected at most {width} values"),
                "put quotes around the value that holds the delimiter, such as \"1,299.00\"",
            );
            checked.problems.push(error.at(Some(column as u32), row.cell(column).text));
        }
    }

    fn find_duplicate(&mut self, row: &Row, checked: &mut CheckedRow) {
        if self.rules.duplicates == Duplicates::Allowed {
            return;
        }
        let id = checked.id.filter(|id| self.compares_unverified_ids || id.ownership == IdOwnership::Verified);
        if checked.action == Some(RowAction::Skip) || (self.key_columns.is_empty() && id.is_none()) {
            return;
        }
        self.key.clear();
        for column in &self.key_columns {
            fold_name_into(row.cell(*column).text, &mut self.key);
            self.key.push('\u{1f}');
        }
        if self.key.starts_with('\u{1f}') {
            self.key.clear();
        }
        let (first, column) = match self.seen.earlier(id.map(|id| id.number), &self.key, row.number) {
            None => return,
            Some(EarlierRow::SameId(first)) => (first, id.map(|id| id.column)),
            Some(EarlierRow::SameKey(first)) => (first, self.key_columns.first().map(|column| *column as u32)),
        };
        let message = format!("duplicate of row {first}");
        let error = ValueError::new(Code::DuplicateKey, message, duplicate_hint(self.mapping.entity));
        let found = column.map_or("", |column| row.cell(column as usize).text);
        checked.problems.push(error.at(column, found));
    }
}

/// Rows that a spreadsheet program does not show.
#[derive(Default)]
struct HiddenRows {
    layout: SheetLayout,
    count: u64,
    first: Vec<u64>,
}

impl HiddenRows {
    /// The hidden rows that a remark names.
    const NAMED: usize = 5;

    fn observe(&mut self, row: &Row) {
        if self.layout.is_hidden(row.number) {
            self.count += 1;
            if self.first.len() < Self::NAMED {
                self.first.push(row.number);
            }
        }
    }

    fn remark(&self) -> Option<Remark> {
        let rows: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        let more = if self.count > rows.len() as u64 { ", …" } else { "" };
        let (count, noun) = (counted(self.count, "hidden row"), if self.count == 1 { "row" } else { "rows" });
        let was = if self.count == 1 { "was" } else { "were" };
        let message = format!("{count} {was} read like any other ({noun} {}{more})", rows.join(", "));
        (self.count > 0).then(|| Remark::new(RemarkCode::RowsHidden, message))
    }
}

/// Filled columns without a header: nothing reads them, and nothing may vanish unnamed.
struct UnheadedColumns {
    /// Which columns, from 0, have a header.
    headed: Vec<bool>,
    filled: BTreeMap<usize, u64>,
}

impl UnheadedColumns {
    fn new(mapping: &Mapping) -> Self {
        let mut headed = vec![false; mapping.width()];
        mapping.columns.iter().for_each(|column| headed[column.index] = true);
        Self { headed, filled: BTreeMap::new() }
    }

    /// Cells beyond the last header may be problems of their own.
    fn observe(&mut self, row: &Row, extra_cells: ExtraCells) {
        let end = match extra_cells {
            ExtraCells::Problem => row.len().min(self.headed.len()),
            ExtraCells::Ignored => row.len(),
        };
        for column in 0..end {
            let is_headed = self.headed.get(column).copied().unwrap_or(false);
            if !is_headed && !row.cell(column).is_blank() {
                *self.filled.entry(column).or_default() += 1;
            }
        }
    }
}

/// How the text dates or amounts of a column are read, where an option or the whole column decides it.
fn reading(column: &ColumnCheck, survey: &ColumnSurvey) -> Option<String> {
    let ColumnRole::Field { field, .. } = &column.role else { return None };
    match field.kind {
        Kind::Date => match (&column.reading.format, column.reading.order.or_else(|| survey.dates.decide())) {
            (Some(format), _) => Some(format.to_string()),
            (None, order) => order.map(|order| order.text().to_owned()),
        },
        Kind::Money => {
            match column.mark.or_else(|| survey.amounts.decide().filter(|mark| *mark == DecimalMark::Comma))? {
                DecimalMark::Comma => Some(String::from("decimal comma")),
                DecimalMark::Point => Some(String::from("decimal point")),
            }
        }
        _ => None,
    }
}

/// Whether the surveys changed how a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inference {
    Final,
    NeedsSecondPass,
}

fn column_check(mapping: &Mapping, rules: &Rules, column: &crate::mapping::Column) -> Option<ColumnCheck> {
    let role = match &column.target {
        ColumnTarget::Field { field, ids } => {
            ColumnRole::Field { index: *field, field: &mapping.entity.fields[*field], ids: *ids }
        }
        ColumnTarget::Related { field, related } => ColumnRole::Related { field: *field, related },
        ColumnTarget::Custom(name) => ColumnRole::Custom(name.clone()),
        ColumnTarget::Id(ownership) => ColumnRole::Id(*ownership),
        ColumnTarget::Action => ColumnRole::Action,
        ColumnTarget::Timestamp(_) | ColumnTarget::Result(_) | ColumnTarget::Ignored(_) => return None,
    };
    let reading = DateReading { format: rules.date_format.clone(), order: None };
    Some(ColumnCheck { column: column.index, role, reading, mark: rules.decimal })
}
