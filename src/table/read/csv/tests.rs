#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;

use super::*;
use crate::table::formula::{text_of_formula, unescape_formula};

/// Rows as number and cells.
type Rows = Vec<(u64, Vec<String>)>;

fn open(bytes: &[u8]) -> Result<CsvReader, ReadFault> {
    CsvReader::open(ReopenableInput::spool(&mut &*bytes)?, None, None)
}

fn read(bytes: &[u8]) -> Result<Rows, LocatedFault> {
    let mut rows = Vec::new();
    open(bytes)?.each_row(0, &mut |row| {
        rows.push((row.number, row.cells().map(|cell| cell.text.to_owned()).collect()));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn rows(text: &str) -> Rows {
    read(text.as_bytes()).unwrap()
}

fn row(number: u64, cells: &[&str]) -> (u64, Vec<String>) {
    (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
}

#[test]
fn blank_lines_are_left_out_but_counted() {
    assert_eq!(rows("a,b\n\n,\n 1,2\r\n\r\n3,4"), [row(1, &["a", "b"]), row(4, &[" 1", "2"]), row(6, &["3", "4"])]);
}

#[test]
fn a_cell_over_several_lines_is_one_row() {
    let text = "a,b\n\"x\ny\nz\",\"say \"\"hi\"\"\"\r\n\n1,2\n";
    assert_eq!(rows(text), [row(1, &["a", "b"]), row(2, &["x\ny\nz", "say \"hi\""]), row(4, &["1", "2"])]);
}

#[test]
fn inch_marks_in_unquoted_cells_are_kept() {
    assert_eq!(
        rows("name,size\nScreen,19\"\nTV,5'11\",x\n")[1..],
        [row(2, &["Screen", "19\""]), row(3, &["TV", "5'11\"", "x"])]
    );
}

#[test]
fn quotes_of_other_programs_are_understood() {
    assert_eq!(rows("tag,place\nA-1, \"HQ, North\"\n")[1..], [row(2, &["A-1", "HQ, North"])]);
    assert_eq!(rows("tag,place\nA-1,“HQ, North”\n")[1..], [row(2, &["A-1", "HQ, North"])]);
    assert_eq!(rows("tag,place\nA-1,“HQ”\n")[1..], [row(2, &["A-1", "“HQ”"])], "no comma: as typed");
}

#[test]
fn a_row_with_broken_quotes_is_marked() {
    let mut faults = Vec::new();
    let text = b"name,site\n\"HQ \\\"North, wing B\\\"\",\"Oslo\"\nTV,\"19\"\"\"\nTV,\"19\"x\n";
    let note = &mut |row: &mut Row| {
        faults.push(row.quote_fault());
        ControlFlow::Continue(())
    };
    open(text).unwrap().each_row(0, note).unwrap();
    assert_eq!(faults, [None, Some(0), None, Some(1)]);
}

#[test]
fn ragged_rows_are_kept_as_they_are() {
    assert_eq!(rows("a,b,c\n1\n1,2,3,4,5\n")[1..], [row(2, &["1"]), row(3, &["1", "2", "3", "4", "5"])]);
}

#[test]
fn excels_sep_line_is_no_row() {
    assert_eq!(rows("sep=;\r\na;b\r\n1;2\r\n"), [row(1, &["a", "b"]), row(2, &["1", "2"])]);
    assert_eq!(rows("\u{FEFF}sep=;\na;b\n"), [row(1, &["a", "b"])]);
}

#[test]
fn cr_alone_ends_lines_in_old_mac_files() {
    assert_eq!(rows("a,b\r1,\"x\ry\"\r\r3,4\r"), [row(1, &["a", "b"]), row(2, &["1", "x\ny"]), row(4, &["3", "4"])]);
}

#[test]
fn an_unclosed_quote_is_told_where_it_opens() {
    let at_end = read(b"a,b\n\n1,\"x\n2,y\n3,z\n").unwrap_err();
    assert!(matches!((at_end.row, &at_end.fault), (Some(3), ReadFault::UnclosedQuote)), "{at_end:?}");
    let closed_by_another = read(b"a,b\n\"1,x\n2,y\n3,\"z\"\n4,w\n").unwrap_err();
    assert!(matches!((closed_by_another.row, &closed_by_another.fault), (Some(2), ReadFault::UnclosedQuote)));
}

#[test]
fn an_unclosed_quote_takes_bounded_memory() {
    let mut text = b"a,b\n1,\"x\n".to_vec();
    text.extend(b"some,row\n".repeat(LONGEST_RECORD / 8));
    let error = read(&text).unwrap_err();
    assert!(matches!((error.row, &error.fault), (Some(2), ReadFault::UnclosedQuote)));
}

#[test]
fn a_line_without_end_is_refused() {
    let text = vec![b'x'; LONGEST_RECORD + 1024 * 1024];
    assert!(matches!(read(&text).unwrap_err().fault, ReadFault::RecordTooLong));
    for cells in [MOST_COLUMNS + 1, 2 * MOST_COLUMNS + 1, 1_000_000] {
        for cell in ["", "\"x\""] {
            let line = vec![cell; cells].join(",");
            let error = read_commas(format!("a,b\n{line}\n").as_bytes()).unwrap_err();
            assert!(matches!((error.row, error.fault), (Some(2), ReadFault::TooLarge { .. })), "{cells} {cell}");
        }
    }
}

#[test]
fn a_long_line_is_read_like_any_other() {
    let (long, widest) = ("x".repeat(20_000), vec!["x"; MOST_COLUMNS].join(","));
    for (line, cells, last) in [
        (format!("{long},b"), 2, "b"),
        (format!("{long},b\r"), 2, "b"),
        (format!("\"{long}\",\"b\"\r"), 2, "b"),
        (format!("{long},\"b \"\"c\"\"\""), 2, "b \"c\""),
        (widest, MOST_COLUMNS, "x"),
    ] {
        let text = format!("a,b\n{line}\nc,d\n");
        let rows = rows(&text);
        assert_eq!((rows[1].1.len(), rows[1].1[cells - 1].as_str()), (cells, last));
        assert_eq!(rows[2], (3, vec![String::from("c"), String::from("d")]));
        assert_eq!(read_in_blocks(text.as_bytes(), 100), (rows, None));
    }
}

#[test]
fn a_file_of_white_space_is_empty() {
    assert!(matches!(open(b"\xEF\xBB\xBF \r\n\n").err(), Some(ReadFault::Empty)));
}

#[test]
fn what_was_detected_is_told() {
    let decoding = open("a;b\nZoë;2\n".as_bytes()).unwrap().decoding;
    assert_eq!(
        decoding.to_owned(),
        Decoding {
            delimiter: Delimiter::Semicolon,
            encoding: Encoding::UTF_8,
            certainty: Certainty::Certain,
            encoding_certainty: Certainty::Certain,
            replacement_chars: ReplacementChars::Absent
        }
    );
}

#[test]
fn reading_stops_when_told_to() {
    let mut seen = 0;
    let stop = &mut |_: &mut Row| {
        seen += 1;
        ControlFlow::Break(())
    };
    open(b"a,b\n1,2\n3,4\n").unwrap().each_row(0, stop).unwrap();
    assert_eq!(seen, 1);
}

/// Cells with everything that matters to a CSV reader.
fn cell() -> impl Strategy<Value = String> {
    "[a-z0-9 ,;\"'äß€\n\r\t|=\u{a0}-]{0,8}"
}

/// What the csv crate reads from the same text, as a peer for tables without CR in a cell.
fn peer(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// What an escaped cell holds.
fn value_of(cell: &str) -> &str {
    text_of_formula(cell).unwrap_or_else(|| unescape_formula(cell))
}

/// The rows of a file read in blocks of about `size` bytes, each row twice; and the row of the fault, if there is one.
fn read_in_blocks(bytes: &[u8], size: usize) -> (Rows, Option<Option<u64>>) {
    let (mut rows, mut row) = (Rows::new(), Row::default());
    let blocks = open(bytes).and_then(|mut csv| csv.blocks("a.csv").map_err(|located| located.fault));
    let Ok(Some(blocks)) = blocks else { return (rows, Some(None)) };
    let mut blocks = blocks.of_size(size);
    while let Some(block) = blocks.next() {
        let mut block = match block {
            Ok(block) => block,
            Err(error) => return (rows, Some(error.row)),
        };
        let mut places = Vec::new();
        let cells = |row: &Row| row.cells().map(|cell| cell.text.to_owned()).collect::<Vec<_>>();
        let end = block.each_row(&mut row, &mut |row, place| places.push((row.number, cells(row), place)));
        for (number, known, place) in places {
            block.read_again(place, &mut row).unwrap();
            assert_eq!((row.number, cells(&row)), (number, known.clone()));
            rows.push((number, known));
        }
        if let Err(error) = end {
            return (rows, Some(error.row));
        }
    }
    (rows, None)
}

#[test]
fn rows_before_a_line_that_became_damaged_are_read() {
    for (text, expected) in
        [(&b"a,b\nc,d\n\xff,e\nf,g\n"[..], 2), (b"\xff,b\nc,d\n", 0), (b"a,b\n\"c\nd\",\"e\n\xff\"\n", 1)]
    {
        let mut blocks = RecordBlocks::new("a.csv", Box::new(text), text.len() as u64, Delimiter::Comma).unwrap();
        let (mut block, mut row, mut rows) = (blocks.next().unwrap().unwrap(), Row::default(), 0);
        let fault = block.each_row(&mut row, &mut |_, _| rows += 1).unwrap_err();
        assert_eq!((rows, fault.row), (expected, Some(expected + 1)), "{fault}");
    }
}

proptest! {
    #[test]
    fn blocks_hold_what_the_file_holds(text in "([a,;\"\r\n]|\"a\n\"|x,y\r?\n){0,40}", size in 1_usize..40) {
        let mut rows = Rows::new();
        let whole = open(text.as_bytes()).map_err(LocatedFault::from).and_then(|mut csv| csv.each_row(0, &mut |row| {
            rows.push((row.number, row.cells().map(|cell| cell.text.to_owned()).collect()));
            ControlFlow::Continue(())
        }));
        let (blocks, fault) = read_in_blocks(text.as_bytes(), size);
        prop_assert_eq!(blocks, rows);
        prop_assert_eq!(fault, whole.err().map(|located| located.row));
    }

    #[test]
    fn quoted_cells_are_cut_as_the_parser_cuts_them(line in "[ab,;\"'= ]{0,16}") {
        let mut cells = Vec::new();
        if cut_quoted(line.as_bytes(), b',', |cell| cells.push(cell)) {
            let text = format!("{line}\n");
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let record = reader.records().next().transpose().unwrap().unwrap_or_default();
            let cut: Vec<&str> = cells.iter().map(|cell| &line[cell.clone()]).collect();
            prop_assert!(line.is_empty() || record.iter().eq(cut), "{:?} {:?}", record, cells);
            prop_assert_eq!(quote_fault(line.as_bytes(), b','), None);
        }
    }

    #[test]
    fn any_table_comes_back_the_same(
        table in prop::collection::vec(prop::collection::vec(cell(), 1..6), 1..20),
        crlf: bool,
    ) {
        let terminator = if crlf { ::csv::Terminator::CRLF } else { ::csv::Terminator::Any(b'\n') };
        let mut writer = ::csv::WriterBuilder::new().flexible(true).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["id", "name", "x"]).unwrap();
        for record in &table {
            writer.write_record(record).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let source = ReopenableInput::spool(&mut &text[..]).unwrap();
        let mut csv = CsvReader::open(source, Some(Delimiter::Comma), None).unwrap();
        // A table whose only line ends are CR in quoted cells is taken for an old Mac file.
        prop_assume!(csv.detected.line_ending == super::encoding::LineEnding::Lf);
        let mut read = Vec::new();
        csv.each_row(0, &mut |row| {
            let typed = |column: usize| row.escaped_text(column).unwrap_or(row.cell(column).text).to_owned();
            read.push((row.number, (0..row.len()).map(typed).collect::<Vec<_>>()));
            ControlFlow::Continue(())
        }).unwrap();
        let is_blank = |cells: &Vec<String>| cells.iter().all(|cell| crate::table::is_blank(value_of(cell)));
        let written: Vec<_> = (2u64..)
            .zip(table)
            .filter(|(_, cells)| !is_blank(cells))
            .collect();
        prop_assert_eq!(&read[1..], &written[..]);
    }

    #[test]
    fn quotes_mean_what_they_mean_to_the_csv_crate(text in "[ab,\" \n]{0,40}") {
        let text = format!("x,y\n{text}\n");
        prop_assume!(QuoteStyle::detect(&text, b',') == QuoteStyle::Plain);
        if let Ok(rows) = read_commas(text.as_bytes()) {
            let peer: Vec<_> = peer(text.as_bytes())
                .into_iter()
                .filter(|cells| !cells.iter().all(|cell| crate::table::is_blank(cell)))
                .collect();
            prop_assert_eq!(rows.into_iter().map(|(_, cells)| cells).collect::<Vec<_>>(), peer);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
    }
}

fn read_commas(bytes: &[u8]) -> Result<Rows, LocatedFault> {
    let mut rows = Vec::new();
    CsvReader::open(ReopenableInput::spool(&mut &*bytes)?, Some(Delimiter::Comma), None)?.each_row(0, &mut |row| {
        rows.push((row.number, row.cells().map(|cell| cell.text.to_owned()).collect()));
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}
