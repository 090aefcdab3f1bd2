//! Decisions about look-alike names.

use super::*;
use crate::check::NameDecision;

fn decisions(text: &str) -> std::result::Result<Vec<NameDecision>, (String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("aliases.csv");
    std::fs::write(&path, text).unwrap();
    let read = crate::run::input::aliases::read_aliases(&path, &ReadOptions::default());
    read.map_err(|error| {
        let message = error.to_string();
        let start = message.find("aliases.csv").unwrap();
        (message[start..].to_owned(), error.hint().unwrap_or_default())
    })
}

#[test]
fn a_list_of_decisions_is_read_below_its_header_wherever_that_stands() {
    let text = "Decisions of today,,,\n,,,\nName,Use Instead,note,Collection\nHP Inc, HP ,x,manufacturers\n\
                Del,,,\nBerlin HQ,Berlin,,location\n";
    let read = decisions(text).unwrap();
    let shown: Vec<(&str, &str, &str)> = read
        .iter()
        .map(|decision| (decision.collection, decision.name.as_str(), decision.use_instead.as_str()))
        .collect();
    assert_eq!(shown, [("manufacturers", "HP Inc", "HP"), ("locations", "Berlin HQ", "Berlin")]);
    assert!(read[0].place.ends_with("aliases.csv, row 4") && read[1].place.ends_with("row 6"), "{read:?}");
}

#[test]
fn a_list_that_does_not_say_enough_is_refused() {
    let header = "collection,name,use instead\n";
    assert_eq!(
        decisions("name,use instead\nA,B\n").unwrap_err(),
        (
            "aliases.csv: no header row with the columns `collection`, `name`, `use instead`".into(),
            "write them as the first row, with a decision in each row below".into()
        )
    );
    assert_eq!(
        decisions(&format!("{header}manufacturers,A,B\nmanufacturers,,HP\nnonsense,A,B\n")).unwrap_err(),
        (
            "aliases.csv, row 3: no name that `HP` is used instead of".into(),
            "fill in the column `name`, or empty `use instead`".into()
        )
    );
    assert_eq!(
        decisions(&format!("{header}nonsense s,A,B\n")).unwrap_err().0,
        "aliases.csv, row 2: `nonsense s` is not a collection"
    );
    assert_eq!(decisions(&format!("{header}manufactures,A,B\n")).unwrap_err().1, "did you mean `manufacturers`?");
    assert_eq!(
        decisions(&format!("{header}xyzzy,A,B\n")).unwrap_err().1,
        "write one such as manufacturers or locations; `tallyport schema` lists them"
    );
    assert_eq!(
        decisions(&format!("{header}checkout_asset,A,B\n")).unwrap_err(),
        (
            "aliases.csv, row 2: `checkout_asset` is not a collection".into(),
            "write one such as manufacturers or locations; `tallyport schema` lists them".into()
        )
    );
}

#[test]
fn decisions_of_a_file_and_of_the_sheet_of_a_result_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("book.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let tables: [(&str, &[&[&str]]); 2] = [
        ("Suppliers", &[&["Name", "Url"], &["Acme Inc", ""]]),
        (LOOK_ALIKES_SHEET, &[&["collection", "name", "use instead"], &["suppliers", "Acme Inc", "Acme"]]),
    ];
    for (name, rows) in tables {
        let sheet = book.add_worksheet().set_name(name).unwrap();
        for (row, cells) in rows.iter().enumerate() {
            for (column, text) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *text).unwrap();
            }
        }
    }
    book.save(&path).unwrap();
    let options = InputOptions { files: vec![path.clone()], ..InputOptions::default() };
    let input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    let aliases = |input: &InputSet| format!("{:?}", input.rules.aliases);
    assert!(aliases(&input).contains("Acme Inc") && input.skipped.is_empty(), "{}", aliases(&input));
    assert_eq!(input.sheets.len(), 1);
    let filter = SheetFilter::Only(crate::schema::collection("suppliers").unwrap());
    let input = InputSet::open(&options, filter, &mut NoObserver).unwrap();
    assert!(!aliases(&input).contains("Acme Inc"), "a delete takes names as they are");
    // As a file of its own, the sheet of a result is read, too.
    let mut options = options_in(folder.path(), &[SUPPLIERS]);
    options.aliases = Some(path);
    let input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    assert!(aliases(&input).contains("Acme Inc"));
    assert!(!aliases(&open(&[SUPPLIERS], |_| {}).unwrap()).contains("Acme"));
}
