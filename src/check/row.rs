//! Checks one row: its values, or all its problems.

mod conflicts;
mod currency;
mod stages;
mod unheaded;

use std::collections::VecDeque;

use self::conflicts::find_conflicts;
use self::unheaded::UnheadedColumns;
use super::cell::{ColumnCheck, ColumnRole, ColumnSurvey, FieldReader, read_other};
use super::checked_row::{CheckedRow, ParsedField, ParsedValue, RecurringCell};
use super::duplicates::{EarlierRow, KeyHasher, KeyHashes, SeenRecords, SeenSerials};
use super::fill::{DerivedCell, RowFiller, source_error};
use super::merged_cells::MergedRanges;
use super::money::DecimalMark;
use super::non_records::NonRecordFinder;
use super::problem::{Code, Problem, ValueError};
use super::remark::{Remark, RemarkCode};
use super::remarks::RemarkKind;
use super::rules::{RowAction, Rules};
use super::text;
use super::text_cache::TextCache;
use crate::mapping::{Column, ColumnFacts, DerivedColumn, Mapping, RecordOrigin, Strip, TimestampColumn};
use crate::schema::{Field, Kind, Meaning};
use crate::table::{Row, SheetLayout, Value};
use crate::wording::counted;
pub(super) use currency::AmountCurrency;
pub(crate) use stages::RowDigest;

/// Checks the rows of one sheet.
///
/// Text dates or amounts may be unambiguous only in the context of the whole column. The first pass checks and
/// surveys at the same time. If [`Checker::infer_formats`] then learns something from the surveys, a second pass must
/// follow.
pub(crate) struct Checker<'m> {
    mapping: &'m Mapping,
    rules: &'m Rules,
    columns: Vec<ColumnCheck>,
    surveys: Vec<ColumnSurvey>,
    /// The columns without which a row says nothing of a further record.
    identifying: Vec<u32>,
    required: Vec<usize>,
    /// The fields whose values need another to have an effect.
    implying: Vec<usize>,
    /// The fields of an action of which one has to say who holds the item, with the columns that feed them.
    holders: Vec<(usize, Option<u32>)>,
    /// The field of serial numbers and the column that feeds it.
    serial: Option<(usize, usize)>,
    hasher: KeyHasher,
    /// Whether the keys of a row that counts as it is are those of its cells.
    has_own_keys: bool,
    /// The keys of the rows that are checked next.
    expected: VecDeque<KeyHashes>,
    /// What the amounts of the row at hand show of their currency.
    amounts: Vec<AmountCurrency>,
    seen: SeenRecords,
    serials: SeenSerials,
    /// Whether unverified ids can be told from another system's by the timestamps next to them, as in an export.
    compares_unverified_ids: bool,
    extra_cells: ExtraCells,
    non_records: NonRecordFinder,
    merged: MergedRanges,
    hidden: HiddenRows,
    unheaded: UnheadedColumns,
    filler: RowFiller,
}

/// How to treat values to the right of the last header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtraCells {
    /// A sign that the row's cells have shifted, as after an unquoted comma in a CSV file.
    Problem,
    /// A side note in a workbook.
    Ignored,
}

impl<'m> Checker<'m> {
    /// `match_on` are the fields that identify a record, used to find duplicates within the sheet.
    pub(crate) fn new(
        mapping: &'m Mapping,
        rules: &'m Rules,
        match_on: &[&'static str],
        extra_cells: ExtraCells,
    ) -> Self {
        let columns = mapping.columns.iter().filter_map(|column| column_check(mapping, rules, match_on, column));
        let columns: Vec<ColumnCheck> = columns.collect();
        let key_columns: Option<Vec<usize>> = match_on
            .iter()
            .filter(|name| mapping.feeds(name))
            .map(|name| Some(mapping.column_of(name)? as usize))
            .collect();
        let first_is_fed = match_on.first().is_some_and(|name| mapping.feeds(name));
        let key_columns = key_columns.filter(|_| first_is_fed).unwrap_or_default();
        let serial = serial_column(mapping);
        let hasher = KeyHasher::new(key_columns, serial.map(|(_, column)| column));
        let has_own_keys = hasher.columns().all(|column| mapping.derived_at(column).is_none());
        Self {
            mapping,
            rules,
            surveys: columns.iter().map(|_| ColumnSurvey::default()).collect(),
            columns,
            identifying: mapping.identifying_columns().collect(),
            required: (0..mapping.entity.fields.len())
                .filter(|index| mapping.entity.fields[*index].is_required() && mapping.linked_field() != Some(*index))
                .collect(),
            implying: (0..mapping.entity.fields.len())
                .filter(|index| mapping.entity.fields[*index].implies.is_some())
                .collect(),
            holders: holder_fields(mapping),
            serial,
            has_own_keys,
            hasher,
            expected: VecDeque::new(),
            amounts: Vec::new(),
            seen: SeenRecords::default(),
            serials: SeenSerials::default(),
            compares_unverified_ids: mapping.timestamp_column(TimestampColumn::Updated).is_some(),
            extra_cells,
            non_records: NonRecordFinder::new(mapping, &[]),
            merged: MergedRanges::new(Vec::new()),
            hidden: HiddenRows::default(),
            unheaded: UnheadedColumns::new(mapping),
            filler: RowFiller::new(mapping, &rules.aliases),
        }
    }

    /// Takes into account what the sheet keeps beside its cells.
    #[must_use]
    pub(crate) fn with_layout(self, layout: &SheetLayout) -> Self {
        Self {
            non_records: NonRecordFinder::new(self.mapping, layout.totals_rows()),
            merged: MergedRanges::new(layout.merged_below(self.mapping.header_row)),
            hidden: HiddenRows { layout: layout.clone(), ..HiddenRows::default() },
            ..self
        }
    }

    /// Takes into account only which cells are merged.
    #[must_use]
    pub(crate) fn with_merged(self, layout: &SheetLayout) -> Self {
        Self { merged: MergedRanges::new(layout.merged_below(self.mapping.header_row)), ..self }
    }

    /// Applies what the surveys show to the columns. Returns whether the rows must be read again.
    pub(crate) fn infer_formats(&mut self) -> Inference {
        let mut inference = Inference::Final;
        for (column, survey) in self.columns.iter_mut().zip(&self.surveys) {
            let orders = survey.dates.needed();
            if column.reading.format.is_none() && column.reading.orders != orders {
                column.reading.orders = orders;
                inference = Inference::NeedsSecondPass;
            }
            if survey.dates.is_swapped() && !column.reading.swapped {
                column.reading.swapped = true;
                inference = Inference::NeedsSecondPass;
            }
            if column.mark.is_none() && survey.amounts.needs_mark() && survey.amounts.decide().is_some() {
                column.mark = survey.amounts.decide();
                inference = Inference::NeedsSecondPass;
            }
            if column.names_people && !column.is_last_name_first && survey.names.is_last_name_first() {
                column.is_last_name_first = true;
                inference = Inference::NeedsSecondPass;
            }
        }
        inference
    }

    /// Forgets the rows seen so far, but keeps what was inferred, for the next pass.
    pub(crate) fn rewind(&mut self) {
        self.seen = SeenRecords::default();
        self.serials = SeenSerials::default();
        self.non_records.rewind();
        self.merged.rewind();
        self.surveys.iter_mut().for_each(|survey| survey.cache = TextCache::default());
        (self.hidden.count, self.hidden.first) = (0, Vec::new());
        self.unheaded.rewind();
    }

    /// What the rows so far tell about the columns.
    pub(crate) fn column_facts(&self) -> ColumnFacts {
        let readings = self.columns.iter().zip(&self.surveys);
        let readings = readings.filter_map(|(column, survey)| Some((column.column, reading(column, survey)?)));
        let unheaded = self.unheaded.filled();
        ColumnFacts { readings: readings.collect(), unheaded: unheaded.collect() }
    }

    /// What the user should know of the rows so far.
    pub(crate) fn remarks(&self) -> Vec<Remark> {
        let left_out = self.non_records.counts().map(|(kind, count)| {
            let message = format!("{} {}", counted(count, "row"), kind.text(self.mapping));
            Remark::new(RemarkCode::RowsLeftOut, message)
        });
        let totals = self.non_records.totals().map(|total| Remark::new(RemarkCode::RowsTotal, total.message()));
        left_out.chain(totals).chain(self.hidden.remark()).collect()
    }

    /// Prepares for the check of these rows, which is faster then.
    pub(crate) fn expect(&mut self, rows: &[KeyHashes]) {
        self.seen.touch(rows.iter().filter_map(|keys| keys.key));
        self.serials.touch(rows.iter().filter_map(|keys| keys.serial));
        self.expected.clear();
        self.expected.extend(rows);
    }

    /// What the rows that [`Checker::expect`] is told of are hashed by.
    pub(crate) fn row_hasher(&self) -> KeyHasher {
        let keys: Option<Vec<usize>> =
            self.hasher.key_columns.iter().map(|column| self.likely_source(*column)).collect();
        let serial = self.hasher.serial_column.and_then(|column| self.likely_source(column));
        self.hasher.with_columns(keys.unwrap_or_default(), serial)
    }

    /// The column of the sheet whose text a column likely has, unless a rule makes another text of it.
    fn likely_source(&self, column: usize) -> Option<usize> {
        match self.mapping.derived_at(column) {
            Some(derived) => derived.source.columns().first().copied().filter(|_| derived.only_copies()),
            None => Some(column),
        }
    }

    /// Checks one row; the result goes into `checked`, whose columns are those of the row that is returned: the row as
    /// it counts, with defaults in place of missing values.
    pub(crate) fn check<'r>(&'r mut self, typed: &'r Row, checked: &mut CheckedRow) -> &'r Row {
        let mut filler = std::mem::take(&mut self.filler);
        let is_filled = filler.fill(typed, self.mapping, &self.rules.aliases, checked);
        let row = if is_filled { filler.filled() } else { typed };
        let expected = self.expected.pop_front().filter(|keys| keys.row == typed.number);
        let keys = expected.filter(|_| !is_filled && self.has_own_keys);
        self.check_filled((typed, row), &filler, keys, checked);
        self.filler = filler;
        if is_filled { self.filler.filled() } else { typed }
    }

    /// Checks a row again that was completed after it was filled.
    pub(crate) fn check_again(&mut self, typed: &Row, row: &Row, checked: &mut CheckedRow) {
        let filler = std::mem::take(&mut self.filler);
        self.check_filled((typed, row), &filler, None, checked);
        self.filler = filler;
    }

    /// `keys` are those of the row, where they are known.
    fn check_filled(
        &mut self,
        (typed, row): (&Row, &Row),
        filler: &RowFiller,
        keys: Option<KeyHashes>,
        checked: &mut CheckedRow,
    ) {
        self.check_cells((typed, row), filler, checked);
        let keys = keys.unwrap_or_else(|| self.hasher.hashes(row));
        let digest = self.digest(keys, checked);
        let repetition = self.compare(&digest);
        self.complete((typed, row), repetition, checked);
    }

    /// Checks a row by itself.
    fn check_cells(&mut self, (typed, row): (&Row, &Row), filler: &RowFiller, checked: &mut CheckedRow) {
        checked.reset();
        let is_filled = |column: &u32| !row.cell(*column as usize).is_blank();
        checked.says_record = !self.mapping.origin.is_further() || self.identifying.iter().any(is_filled);
        // Whether the row is a record is told by its own.
        if !self.mapping.origin.is_further() {
            checked.non_record = self.non_records.observe(typed);
        }
        if checked.non_record.is_some() {
            checked.action = Some(RowAction::Skip);
            return;
        }
        self.unheaded.observe(typed, self.extra_cells);
        self.hidden.observe(typed);
        self.merged.advance(typed);
        self.amounts.clear();
        self.read_cells(row, &filler.replaced, checked);
        find_conflicts(self.mapping, row, checked);
        self.infer_currency(row, checked);
        self.add_implied(checked);
        self.find_missing(checked);
        self.check_holder(row, checked);
        find_quote_fault(typed, checked);
        self.find_extra_cells(typed, checked);
    }

    /// Reads every cell but those of the columns in `replaced`.
    fn read_cells(&mut self, row: &Row, replaced: &[usize], checked: &mut CheckedRow) {
        for (column, survey) in self.columns.iter().zip(&mut self.surveys) {
            if replaced.contains(&column.column) {
                continue;
            }
            let (cell, at) = (row.cell(column.column), Some(column.column as u32));
            let derived = column.derived.and_then(|index| Some((index, checked.derived.get(index)?)));
            let of_source = derived.and_then(|(index, from)| source_error(from.origin, &self.mapping.derived[index]));
            if let Some(error) = of_source {
                checked.problems.push(error.at(at, cell.text));
                continue;
            }
            if cell.is_blank() {
                let source = derived.and_then(|(_, derived)| derived.source).or(at);
                if let Some(error) = source.and_then(|source| self.merged.covered(source as usize)) {
                    checked.problems.push(error.at(at, ""));
                    continue;
                }
            }
            if let Some((index, DerivedCell { source, .. })) = derived {
                let first = source.map(|column| column as usize);
                remark_left_out_parts(&self.mapping.derived[index], first, row, checked);
                if matches!(column.role, ColumnRole::Field { .. }) {
                    remark_shortened_path(&self.mapping.derived[index], first, row, checked);
                }
            }
            let is_cacheable = column.is_cacheable && cell.value == Value::Text;
            if is_cacheable && let Some((value, text)) = survey.cache.get(cell.text) {
                column.accept(value, checked);
                if column.names_records {
                    checked.recurring.push(RecurringCell { column: column.column as u32, text });
                }
                continue;
            }
            let remarks = checked.remarks.len();
            let read = match &column.role {
                ColumnRole::Field { field, ids, .. } => {
                    let mut reader = FieldReader { rules: self.rules, column, survey, amounts: &mut self.amounts };
                    reader.read(cell, field, *ids, checked)
                }
                _ => read_other(column, cell, self.rules.blank, checked),
            };
            // The value is not moved before it is where it stays: see `accept`.
            if let Ok(Some(value)) = &read {
                column.accept(value, checked);
                // A remark is made for every cell.
                if is_cacheable && checked.remarks.len() == remarks {
                    survey.cache.insert(cell.text, *value);
                }
            }
            if let Err(error) = read {
                let error = if column.role.is_required() { error.not_empty() } else { error };
                checked.problems.push(error.at(at, cell.text));
            }
        }
    }

    /// Adds what a value needs to have an effect, unless the row says something else.
    fn add_implied(&self, checked: &mut CheckedRow) {
        if self.implying.is_empty() {
            return;
        }
        let entity = self.mapping.entity;
        let implied = |given: &ParsedField| {
            let implied = entity.fields[given.field].implies.filter(|_| given.value != ParsedValue::Clear)?;
            let is_given = |name| entity.field_index(name).is_some_and(|field| checked.parsed(field).is_some());
            let field = entity.field_index(implied.field)?;
            let Kind::Option(choices) = entity.fields[field].kind else { return None };
            let position = choices.create.iter().position(|option| *option == implied.option)?;
            let is_open = !is_given(implied.field) && !is_given(implied.unless);
            is_open.then_some(ParsedField { field, column: given.column, value: ParsedValue::Option(position) })
        };
        let added: Option<ParsedField> = checked.values.iter().find_map(implied);
        checked.values.extend(added);
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

    /// The service refuses to hand something out to nobody or to two, or to take it back from nobody.
    fn check_holder(&self, row: &Row, checked: &mut CheckedRow) {
        let mut given = self.holders.iter().filter(|(field, _)| checked.parsed(*field).is_some());
        let first = given.next();
        if let (Some((first, _)), Some((second, column))) = (first, given.next()) {
            let [first, second] = [first, second].map(|field| self.mapping.entity.fields[*field].name);
            let error = ValueError::new(
                Code::ColumnConflict,
                format!("two holders, in `{first}` and in `{second}`; expected one"),
                "leave one of the two cells empty",
            );
            let found = column.map_or("", |column| row.cell(column as usize).text);
            checked.problems.push(error.at(*column, found));
        }
        if self.holders.is_empty() || first.is_some() || !checked.says_record {
            return;
        }
        let columns = || self.holders.iter().filter_map(|(_, column)| *column);
        let is_at_fault = |problem: &Problem| columns().any(|column| problem.column == Some(column));
        if checked.problems.iter().any(is_at_fault) {
            return;
        }
        // A holder beside an asset: `-` is read as empty, which says nothing of who has it.
        if self.mapping.origin == RecordOrigin::Assignment {
            checked.says_record = false;
            return;
        }
        let name = |(field, _): &(usize, Option<u32>)| format!("`{}`", self.mapping.entity.fields[*field].name);
        let names: Vec<String> = self.holders.iter().map(name).collect();
        let column = columns().next();
        let error = ValueError::new(
            Code::RequiredMissing,
            format!("missing holder; expected a value for {}", names.join(" or ")),
            "name the holder, or leave the row out",
        );
        checked.problems.push(error.at(column, column.map_or("", |column| row.cell(column as usize).text)));
    }

    fn find_extra_cells(&self, row: &Row, checked: &mut CheckedRow) {
        if self.extra_cells == ExtraCells::Ignored {
            return;
        }
        if let Some(column) = self.unheaded.extra_cell(row) {
            let width = self.unheaded.allowed(row);
            let error = ValueError::new(
                Code::ColumnExtra,
                format!("value beyond the last header; expected at most {width} values"),
                "put quotes around the value that holds the delimiter, or add the header that is missing",
            );
            checked.problems.push(error.at(Some(column as u32), row.cell(column).text));
        }
    }

    /// The number of columns of a header row that is too short, in a text file: every row goes beyond it.
    pub(crate) fn short_header(&self) -> Option<usize> {
        self.unheaded.short_header()
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

/// How the text dates or amounts of a column are read, where an option or the whole column decides it.
fn reading(column: &ColumnCheck, survey: &ColumnSurvey) -> Option<String> {
    let ColumnRole::Field { field, .. } = &column.role else { return None };
    match field.kind {
        Kind::Date => match &column.reading.format {
            Some(format) => Some(format.to_string()),
            None => survey.dates.decide().text(),
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

/// Broken quotes shift the cells behind them, so that even a row that looks good is not what was meant.
fn find_quote_fault(row: &Row, checked: &mut CheckedRow) {
    if let Some(column) = row.quote_fault() {
        let error = ValueError::new(
            Code::CellQuotes,
            "broken quotes: text after a closing quote, or a blank before an opening one; values may have shifted",
            "put quotes around the whole value, and double those inside it, such as \"19\"\" rack\"",
        );
        checked.problems.push(error.at(Some(column as u32), row.cell(column).text));
    }
}

/// How to read a column; none if it is not read.
fn column_check(mapping: &Mapping, rules: &Rules, match_on: &[&'static str], column: &Column) -> Option<ColumnCheck> {
    let derived = mapping.derived.iter().position(|derived| derived.column == column.index);
    let rule = derived.map(|index| &mapping.derived[index]);
    // The unit of a derived amount is that of the columns it comes from, which are alike.
    let header = match rule.map(|derived| derived.source.columns()) {
        Some([first, ..]) => mapping.header(*first as u32).unwrap_or_default(),
        Some([]) => "",
        None => &column.header,
    };
    let mut check =
        ColumnCheck::new(mapping.entity, rules, (column.index, header), &column.target)?.with_formats(&mapping.formats);
    check.derived = derived;
    check.names_records = mapping.named_collection(column).is_some();
    let is_tag = mapping
        .entity
        .meaning(Meaning::Tag)
        .is_some_and(|tag| mapping.column_of(tag.name) == Some(column.index as u32));
    check.is_serial |= is_tag && mapping.serial_columns().contains(&column.index);
    // A key is compared as it is written.
    check.names_people &= !match_on.iter().any(|name| mapping.column_of(name) == Some(column.index as u32));
    Some(check.with_format(rule.and_then(|derived| derived.rule.format.as_deref())))
}

/// The fields that may name the holder, if the action takes one and leaves open which, with their columns.
fn holder_fields(mapping: &Mapping) -> Vec<(usize, Option<u32>)> {
    let holders: Vec<&Field> = mapping.entity.holders().collect();
    let is_open = !holders.iter().any(|field| field.is_required());
    let holders = holders.into_iter().filter(|_| is_open);
    holders.filter_map(|field| Some((mapping.entity.field_index(field.name)?, mapping.column_of(field.name)))).collect()
}

/// Remarks a path of which only the last part is the value: another path may have the same.
fn remark_shortened_path(derived: &DerivedColumn, first: Option<usize>, row: &Row, checked: &mut CheckedRow) {
    let Some(first) = first.filter(|_| derived.rule.strip.contains(&Strip::PathParents)) else { return };
    let path = text::trimmed(row.cell(first).text);
    if Strip::PathParents.apply(path).is_some_and(|last| last == row.cell(derived.column).text) {
        checked.remark(RemarkKind::PathShortened, first, path);
    }
}

/// Remarks the words for nothing among the cells that a value is joined from: a last name may be `Null`.
fn remark_left_out_parts(derived: &DerivedColumn, first: Option<usize>, row: &Row, checked: &mut CheckedRow) {
    let Some((_, columns)) = derived.source.joined(first) else { return };
    if row.cell(derived.column).is_blank() {
        return;
    }
    for column in columns {
        let text = text::trimmed(row.cell(*column).text);
        if text::is_no_value_mark(text) {
            checked.remark(RemarkKind::NoValue, *column, text);
        }
    }
}

fn serial_column(mapping: &Mapping) -> Option<(usize, usize)> {
    let serial = mapping.entity.meaning(Meaning::Serial)?.name;
    Some((mapping.entity.field_index(serial)?, mapping.column_of(serial)? as usize))
}

/// Whether the surveys changed how a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inference {
    Final,
    NeedsSecondPass,
}

#[cfg(test)]
mod tests;
