//! Rows that are not records: repeated headers, prepared but unused rows, totals (design rule 13).

use crate::mapping::{self, Column, ColumnTarget, Mapping, SkipCondition, SkippedRows};
use crate::schema::fold_header;
use crate::table::{Cell, Row, Value};

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
    "小计", "合計", "総計", "小計", "합계", "총계",
];

/// Recognizes rows that are not records.
pub(super) struct NonRecordFinder {
    /// The user's columns with a header, from 0, and what it says.
    headers: Vec<(usize, String)>,
    /// The columns that an earlier result added: they tell nothing of the row.
    result_columns: Vec<usize>,
    totals_rows: Vec<u64>,
    skips: Vec<SkippedRows>,
    counts: Vec<(NonRecord, u64)>,
    /// The first of the rows at hand that look like totals, and how many they are, if there is nothing but them since.
    total: Option<(u64, String, u64)>,
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
        }
    }

    /// Forgets the rows seen so far.
    pub(super) fn rewind(&mut self) {
        self.counts.clear();
        self.total = None;
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

    /// Notes a row that does not look like a total.
    pub(super) fn forget_total(&mut self) {
        self.total = None;
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
        match self.first_text(row).filter(|text| is_total(text)) {
            None => self.total = None,
            Some(text) => match &mut self.total {
                Some((.., count)) => *count += 1,
                none => *none = Some((row.number, text.trim().to_owned(), 1)),
            },
        }
    }

    /// The cells of a row that an earlier result did not add.
    fn own_cells<'r>(&self, row: &'r Row) -> impl Iterator<Item = Cell<'r>> {
        let columns = (0..row.len()).filter(|column| !self.result_columns.contains(column));
        columns.map(|column| row.cell(column))
    }

    /// Whether a row holds unticked boxes, zeros or empty formulas, and nothing else. A row with nothing in it is no row.
    fn is_unused(&self, row: &Row) -> bool {
        self.own_cells(row).all(|cell| cell.is_blank() || is_unticked(cell))
    }

    /// The first cell with anything in it, if it holds text.
    fn first_text<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let first = self.own_cells(row).find(|cell| !cell.is_blank())?;
        (first.value == Value::Text && first.text.len() < 40).then_some(first.text)
    }

    /// The rows left out so far, by why.
    pub(super) fn counts(&self) -> impl Iterator<Item = (NonRecord, u64)> + '_ {
        self.counts.iter().copied()
    }

    /// The first of the rows at the end that look like totals, its first text, and how many there are.
    pub(super) fn total(&self) -> Option<(u64, &str, u64)> {
        self.total.as_ref().map(|(row, text, count)| (*row, text.as_str(), *count))
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

    use super::{NonRecord, NonRecordFinder, TOTALS, is_total};
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
            assert_eq!(finder.total(), Some((3, word, 1)), "{word}");
            finder.observe(&row(4, &["A-2", "MacBook"]));
            assert_eq!(finder.total(), None, "not at the end");
        }
        let mut finder = finder(&[]);
        finder.observe(&row(2, &["Total Commander", "MacBook"]));
        assert_eq!(finder.total(), None);
    }
}
