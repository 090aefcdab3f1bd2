//! Rows that are not records: repeated headers, prepared but unused rows, totals (design rule 13).

use crate::mapping::{self, Column, ColumnTarget, Mapping, SkipCondition, SkippedRows};
use crate::schema::fold_header;
use crate::table::{Cell, Row, Value};
use crate::wording::thousands;

/// Why a row is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NonRecord {
    /// The header once more, as in printed lists.
    RepeatedHeader,
    /// Nothing but unticked boxes, and formulas that found nothing.
    Unused,
    /// The totals row that a table declares.
    TotalsRow,
    /// A rule of the mapping leaves it out, the one with this index.
    Skipped(usize),
}

impl NonRecord {
    /// What such a row is, for its `_message`.
    pub(crate) fn text(self, mapping: &Mapping) -> String {
        String::from(match self {
            NonRecord::RepeatedHeader => "left out: the header again",
            NonRecord::Unused => "left out: nothing but unticked boxes, zeros and empty formulas",
            NonRecord::TotalsRow => "left out: the totals row of the table",
            NonRecord::Skipped(rule) => return mapping.skips.get(rule).map(SkippedRows::text).unwrap_or_default(),
        })
    }
}

/// What a total is called in its first cell, folded.
const TOTALS: &[&str] = &[
    "total", "totals", "grandtotal", "subtotal", "sum", "overall", "summe", "gesamt", "gesamtsumme", "gesamtbetrag",
    "insgesamt", "zwischensumme", "totalgénéral", "soustotal", "somme", "suma", "totalgeneral", "sumatotal", "totale",
    "totalegenerale", "somma", "totaal", "eindtotaal", "subtotaal", "soma", "summa", "totalt", "ialt", "yhteensä",
    "razem", "celkem", "spolu", "összesen", "toplam", "geneltoplam", "итого", "всего", "jumlah", "合计", "总计",
    "小计", "合計", "総計", "小計", "합계", "총계", "소계",
];

/// Those among [`TOTALS`] that stand below each group of a list.
const SUBTOTALS: &[&str] = &["subtotal", "zwischensumme", "soustotal", "subtotaal", "小计", "小計", "소계"];

/// Recognizes rows that are not records.
pub(super) struct NonRecordFinder {
    /// The user's columns with a header, from 0, and what it says.
    headers: Vec<(usize, String)>,
    /// The columns that an earlier result added: they tell nothing of the row.
    result_columns: Vec<usize>,
    totals_rows: Vec<u64>,
    skips: Vec<SkippedRows>,
    counts: Vec<(NonRecord, u64)>,
    /// The rows at hand that look like totals, if there is nothing but them and notes since.
    total: Option<TotalRows>,
    /// The rows that look like totals of a group, with more records below.
    subtotals: Option<TotalRows>,
}

/// Rows that look like totals, and the notes below them, such as `As of 2026-01-01`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TotalRows {
    /// The first of them.
    pub row: u64,
    /// Its first text.
    pub text: String,
    pub totals: u64,
    /// Rows with a single text.
    pub notes: u64,
    /// Whether one of them holds more than what it is called. Without figures it may be a record that is called so, and
    /// what follows may be records of which only the name is known.
    has_figures: bool,
}

impl NonRecordFinder {
    /// `totals_rows` are the rows that the file itself declares to be totals.
    pub(super) fn new(mapping: &Mapping, totals_rows: &[u64]) -> Self {
        let is_result = |column: &&Column| matches!(column.target, ColumnTarget::Result(_));
        let (results, own): (Vec<&Column>, Vec<&Column>) = mapping.sheet_columns().partition(is_result);
        Self {
            headers: own.into_iter().map(|column| (column.index, column.header.clone())).collect(),
            result_columns: results.into_iter().map(|column| column.index).collect(),
            totals_rows: totals_rows.to_vec(),
            skips: mapping.skips.clone(),
            counts: Vec::new(),
            total: None,
            subtotals: None,
        }
    }

    /// Forgets the rows seen so far.
    pub(super) fn rewind(&mut self) {
        self.counts.clear();
        (self.total, self.subtotals) = (None, None);
    }

    /// Whether the row is no record, and why.
    pub(super) fn observe(&mut self, row: &Row) -> Option<NonRecord> {
        let found = self.classify(row);
        self.note(found, row);
        found
    }

    /// Notes what a row is.
    pub(super) fn note(&mut self, found: Option<NonRecord>, row: &Row) {
        match found {
            Some(kind) => match self.counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => self.counts.push((kind, 1)),
            },
            None => self.note_total(row),
        }
    }

    /// Notes a record: what stands above it is no total of the whole list.
    pub(super) fn note_record(&mut self) {
        let Some(total) = self.total.take().filter(TotalRows::is_subtotal) else { return };
        match &mut self.subtotals {
            Some(first) => first.totals += total.totals,
            none => *none = Some(TotalRows { notes: 0, ..total }),
        }
    }

    fn classify(&self, row: &Row) -> Option<NonRecord> {
        if self.totals_rows.contains(&row.number) {
            return Some(NonRecord::TotalsRow);
        }
        if self.repeats_header(row) {
            return Some(NonRecord::RepeatedHeader);
        }
        if self.is_unused(row) {
            return Some(NonRecord::Unused);
        }
        self.skips.iter().position(|skip| is_skipped(skip, row)).map(NonRecord::Skipped)
    }

    /// Whether every cell says what its header says. One cell may do so by chance: a supplier may be called `Name`.
    fn repeats_header(&self, row: &Row) -> bool {
        let mut repeated = 0;
        for (column, header) in &self.headers {
            let cell = row.cell(*column);
            if cell.is_blank() {
                continue;
            }
            if cell.value != Value::Text || !is_same_text(cell.text, header) {
                return false;
            }
            repeated += 1;
        }
        repeated >= 2
    }

    fn note_total(&mut self, row: &Row) {
        let is_note = self.total.is_some() && self.may_be_note(row);
        let Some(text) = self.first_text(row).filter(|text| is_total(text)) else {
            match &mut self.total {
                Some(total) if total.has_figures && is_note => total.notes += 1,
                _ => self.note_record(),
            }
            return;
        };
        let has_figures = self.filled_cells(row).nth(1).is_some();
        let total = self.total.get_or_insert_with(|| TotalRows::new(row.number, text.trim().to_owned()));
        total.totals += 1;
        total.has_figures |= has_figures;
    }

    /// Whether the row may be a note below a total: it holds one text and nothing else, where others hold more.
    pub(super) fn may_be_note(&self, row: &Row) -> bool {
        let mut filled = self.filled_cells(row);
        let is_text = filled.next().is_some_and(|cell| cell.value == Value::Text);
        is_text && self.headers.len() > 1 && filled.next().is_none()
    }

    /// The cells of a row that an earlier result did not add.
    fn own_cells<'r>(&self, row: &'r Row) -> impl Iterator<Item = Cell<'r>> {
        let columns = (0..row.len()).filter(|column| !self.result_columns.contains(column));
        columns.map(|column| row.cell(column))
    }

    fn filled_cells<'r>(&self, row: &'r Row) -> impl Iterator<Item = Cell<'r>> {
        self.own_cells(row).filter(|cell| !cell.is_blank())
    }

    /// Whether a row holds unticked boxes, zeros or empty formulas, and nothing else. A row with nothing in it is no row.
    fn is_unused(&self, row: &Row) -> bool {
        self.own_cells(row).all(|cell| cell.is_blank() || is_unticked(cell))
    }

    /// The first cell with anything in it, if it holds text.
    fn first_text<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let first = self.filled_cells(row).next()?;
        (first.value == Value::Text && first.text.len() < 40).then_some(first.text)
    }

    /// The rows left out so far, by why.
    pub(super) fn counts(&self) -> impl Iterator<Item = (NonRecord, u64)> + '_ {
        self.counts.iter().copied()
    }

    /// The rows at the end that look like totals.
    pub(super) fn total(&self) -> Option<&TotalRows> {
        self.total.as_ref()
    }

    /// All rows that look like totals of a group, or of the list.
    pub(super) fn totals(&self) -> impl Iterator<Item = &TotalRows> {
        self.subtotals.iter().chain(&self.total)
    }
}

impl TotalRows {
    fn new(row: u64, text: String) -> Self {
        Self { row, text, totals: 0, notes: 0, has_figures: false }
    }

    fn is_subtotal(&self) -> bool {
        self.has_figures && SUBTOTALS.contains(&fold_header(&self.text).as_str())
    }

    /// What they look like, and what to do.
    pub(super) fn message(&self) -> String {
        let (row, text) = (thousands(self.row), &self.text);
        let look_like = match self.totals {
            1 => format!("row {row} looks like a total (`{text}`)"),
            totals => format!("{totals} rows from row {row} on look like totals (`{text}`)"),
        };
        let rest = match (self.totals, self.notes) {
            (1, 0) => " and was read as a record: delete it if it is not a record",
            (_, 0) => " and were read as records: delete those that are not",
            (_, 1) => ", and the row after like a note; all were read as records: delete those that are not",
            (_, _) => ", and the rows after like notes; all were read as records: delete those that are not",
        };
        format!("{look_like}{rest}")
    }
}

fn is_skipped(skip: &SkippedRows, row: &Row) -> bool {
    let fits = |column: &usize| {
        let cell = row.cell(*column);
        match &skip.condition {
            SkipCondition::Is(texts) if cell.is_blank() => texts.iter().any(|text| text.trim().is_empty()),
            SkipCondition::Is(texts) => texts.iter().any(|text| mapping::is_same_text(text, cell.text)),
            SkipCondition::Blank => cell.is_blank(),
            SkipCondition::Filled => !cell.is_blank(),
        }
    };
    skip.columns.iter().all(fits)
}

fn is_same_text(cell: &str, header: &str) -> bool {
    let cell = cell.trim();
    cell == header || (cell.len() == header.len() && cell.to_lowercase() == header.to_lowercase())
}

fn is_unticked(cell: Cell<'_>) -> bool {
    match cell.value {
        Value::Boolean(ticked) => !ticked,
        Value::Number(number) => number == 0.0,
        Value::Text => {
            // Nearly every text begins like a tag or a name.
            if matches!(cell.text.as_bytes(), [b'A'..=b'E' | b'G'..=b'N' | b'P'..=b'Z' | b'1'..=b'9', ..]) {
                return false;
            }
            let text = cell.text.trim();
            let is_false =
                ["FALSE", "FALSCH", "FAUX", "FALSO", "ONWAAR", "☐"].iter().any(|word| text.eq_ignore_ascii_case(word));
            is_false || (text.contains('0') && text.chars().all(|char| matches!(char, '0' | '.' | ',')))
        }
        Value::Blank => true,
        Value::Date(_) | Value::Error | Value::Structure | Value::Unevaluated => false,
    }
}

fn is_total(text: &str) -> bool {
    // Nearly every text is a plain code or name, of which folding leaves letters and digits.
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'-' | b'_')) {
        let is_code = text.bytes().any(|byte| byte.is_ascii_digit());
        let letters = || text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
        return !is_code && TOTALS.iter().any(|total| total.bytes().eq(letters()));
    }
    TOTALS.contains(&fold_header(text).as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{NonRecord, NonRecordFinder, SUBTOTALS, TOTALS, TotalRows, is_total};
    use crate::mapping::{Mapping, MappingOverrides};
    use crate::schema::{collection, fold_header};
    use crate::table::{Row, Value};

    fn row(number: u64, cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(number);
        cells.iter().for_each(|cell| row.push_text(cell));
        row
    }

    fn finder(totals_rows: &[u64]) -> NonRecordFinder {
        let header = row(1, &["Asset Tag", "Model", "Status", "Insured"]);
        let mapping = Mapping::new(collection("assets").unwrap(), &header, &MappingOverrides::default()).unwrap();
        NonRecordFinder::new(&mapping, totals_rows)
    }

    #[test]
    fn a_repeated_header_is_no_record() {
        let mut finder = finder(&[]);
        assert_eq!(finder.observe(&row(2, &["A-1", "MacBook", "Ready", ""])), None);
        assert_eq!(finder.observe(&row(3, &["Asset Tag", "MODEL", "", "Insured"])), Some(NonRecord::RepeatedHeader));
        assert_eq!(finder.observe(&row(4, &["", "Model", "", ""])), None, "one cell may be a value");
        assert_eq!(finder.observe(&row(5, &["A-2", "Model", "Status", ""])), None);
        assert_eq!(finder.counts().collect::<Vec<_>>(), [(NonRecord::RepeatedHeader, 1)]);
    }

    #[test]
    fn plain_words_are_totals_as_folding_says() {
        for text in ["Total", "grand-total", " SUB_TOTAL ", "Sum", "Total 2024", "A-1", "Summer", "", "-", "Ada Byron"]
        {
            assert_eq!(is_total(text), TOTALS.contains(&fold_header(text).as_str()), "{text:?}");
        }
    }

    #[test]
    fn prepared_rows_are_no_records() {
        let mut finder = finder(&[]);
        let mut boxes = row(2, &["", ""]);
        boxes.push("FALSE", Value::Boolean(false));
        boxes.push("- €", Value::Number(0.0));
        assert_eq!(finder.observe(&boxes), Some(NonRecord::Unused));
        for cells in [["", "", "FALSE", ""], ["", "0", "", "falsch"], ["", "0,00", "", ""]] {
            assert_eq!(finder.observe(&row(3, &cells)), Some(NonRecord::Unused), "{cells:?}");
        }
        for cells in [["A-1", "", "FALSE", ""], ["", "1", "", ""], ["", ".", "", ""], ["", "", "TRUE", ""]] {
            assert_eq!(finder.observe(&row(4, &cells)), None, "{cells:?}");
        }
    }

    #[test]
    fn declared_totals_are_left_out_and_others_are_remarked_at_the_end() {
        let mut declared = finder(&[3]);
        assert_eq!(declared.observe(&row(2, &["A-1", "MacBook"])), None);
        assert_eq!(declared.observe(&row(3, &["Total", "1"])), Some(NonRecord::TotalsRow));
        assert_eq!(declared.total(), None);
        for word in ["Total", "Grand total:", "Summe", "TOTAL GÉNÉRAL", "合计"] {
            let mut finder = finder(&[]);
            finder.observe(&row(2, &["A-1", "MacBook"]));
            finder.observe(&row(3, &["", word, "", "12"]));
            assert_eq!(finder.total().map(|total| (total.row, total.text.as_str())), Some((3, word)), "{word}");
            finder.observe(&row(4, &["A-2", "MacBook"]));
            assert_eq!(finder.total(), None, "not at the end");
        }
        let mut finder = finder(&[]);
        finder.observe(&row(2, &["Total Commander", "MacBook"]));
        assert_eq!(finder.total(), None);
    }

    #[test]
    fn the_totals_of_groups_are_remarked_wherever_they_are() {
        assert!(SUBTOTALS.iter().all(|word| TOTALS.contains(word)));
        let mut finder = finder(&[]);
        let record: &[&str] = &["A-1", "MacBook"];
        let subtotal: &[&str] = &["Subtotal", "", "", "12"];
        let rows =
            [record, subtotal, record, subtotal, record, &["Total", "", "", "24"], record, &["Subtotal"], record];
        rows.iter().zip(2..).for_each(|(cells, number)| {
            finder.observe(&row(number, cells));
        });
        let told: Vec<String> = finder.totals().map(TotalRows::message).collect();
        let expected =
            "2 rows from row 3 on look like totals (`Subtotal`) and were read as records: delete those that are not";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn notes_below_a_total_do_not_hide_it() {
        let told = |rows: &[&[&str]]| {
            let mut finder = finder(&[]);
            rows.iter().zip(2..).for_each(|(cells, number)| {
                finder.observe(&row(number, cells));
            });
            finder.total().map(TotalRows::message)
        };
        let total: &[&str] = &["Total", "", "", "12"];
        let note: &[&str] = &["As of 2026-01-01"];
        assert_eq!(
            told(&[total, note]).unwrap(),
            "row 2 looks like a total (`Total`), and the row after like a note; all were read as records: delete those that are not"
        );
        assert_eq!(
            told(&[total, total, note, &["", "Printed by Ada"]]).unwrap(),
            "2 rows from row 2 on look like totals (`Total`), and the rows after like notes; all were read as records: delete \
             those that are not"
        );
        assert_eq!(told(&[total, note, &["A-1", "MacBook"]]), None, "not at the end");
        assert_eq!(told(&[&["Total"], note]), None, "it may be a record that is called so");
    }
}
