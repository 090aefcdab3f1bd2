//! Mappings that are kept: in a file, and for the next file with the same headers.

use super::*;
use crate::mapping::RememberedMappings;
use crate::observer::Observer;

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Vec<String>);

impl Observer for Notes {
    fn on_note(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

const DEVICES: (&str, &str) = ("devices.csv", "Zz 1,Zz 2,Zz 3\nA-1,X1,Ready\n");

fn opens(folder: &Path, file: (&str, &str), change: impl FnOnce(&mut InputOptions)) -> (Result<InputSet>, Vec<String>) {
    let mut options = options_in(folder, &[file]);
    options.mapping.remembered = Some(RememberedMappings::new(&folder.join("state")));
    change(&mut options);
    let mut notes = Notes::default();
    let opened = InputSet::open(&options, SheetFilter::Any, &mut notes);
    (opened, notes.0)
}

fn map(options: &mut InputOptions) {
    options.entity = Some("assets".into());
    options.mapping.map = ["Zz 1=asset_id", "Zz 2=product_id", "Zz 3=status_id"].map(String::from).to_vec();
}

#[test]
fn a_mapping_is_remembered_for_the_next_file_with_its_headers() {
    let folder = tempfile::tempdir().unwrap();
    let (opened, notes) = opens(folder.path(), DEVICES, |options| {
        map(options);
        options.mapping.remember = true;
    });
    opened.unwrap();
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].starts_with("devices: the mapping is remembered as devices-")
            && notes[0].ends_with(", for every file with this header row"),
        "{notes:?}"
    );
    let next = ("other.csv", "some notes,,\nZz 1,Zz 2,Zz 3\nA-2,X1,Ready\n");
    let (opened, notes) = opens(folder.path(), next, |_| {});
    let input = opened.unwrap();
    assert_eq!((input.sheets[0].mapping.entity.name, notes.len()), ("assets", 0));
    assert_eq!(input.sheets[0].mapping.header_row, 2);
    let remarks: Vec<String> = input.remarks().into_iter().map(|remark| remark.message).collect();
    assert!(remarks.len() == 1 && remarks[0].starts_with("other: ") && remarks[0].contains("devices-"), "{remarks:?}");
    // It is not asked where something else says what the file is.
    let read = |change: fn(&mut InputOptions)| opens(folder.path(), next, change).0.map(|input| input.remarks().len());
    assert!(read(|options| options.entity = Some("locations".into())).is_err());
    assert!(read(|options| options.mapping.preset = Some("none".into())).is_err());
    assert!(read(|options| options.mapping.remembered = None).is_err());
    assert_eq!(read(|options| options.entity = Some("assets".into())).unwrap(), 1);
    let mut options = options_in(folder.path(), &[next]);
    options.mapping.remembered = Some(RememberedMappings::new(&folder.path().join("state")));
    let filter = SheetFilter::Only(crate::schema::collection("assets").unwrap());
    assert!(InputSet::open(&options, filter, &mut NoObserver).is_err(), "a delete does not go by it");
}

#[test]
fn a_mapping_of_further_records_is_remembered_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = ("assets.csv", "Asset Tag,Model,Status,Who,Since\nA-1,X1,Ready,ada@example.com,2026-01-02\n");
    let (opened, notes) = opens(folder.path(), file, |options| {
        options.mapping.map = ["Who=assigned_to", "Since=checkout_date"].map(String::from).to_vec();
        options.mapping.remember = true;
    });
    assert_eq!((opened.unwrap().sheets.len(), notes.len()), (2, 1), "{notes:?}");
    let (opened, _) = opens(folder.path(), file, |_| {});
    let input = opened.unwrap();
    let names: Vec<&str> = input.sheets.iter().map(|sheet| sheet.mapping.entity.name).collect();
    assert_eq!(names, ["assets", "checkout_asset"]);
}

#[test]
fn headers_that_are_understood_need_not_be_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let remember = |options: &mut InputOptions| options.mapping.remember = true;
    let (_, notes) = opens(folder.path(), SUPPLIERS, remember);
    assert_eq!(notes, ["nothing to remember: the headers are understood without flags"]);
    let (_, notes) = opens(folder.path(), SUPPLIERS, |options| {
        remember(options);
        options.entity = Some("suppliers".into());
    });
    assert!(notes.len() == 1 && notes[0].starts_with("suppliers: the mapping is remembered as "), "{notes:?}");
    let (opened, _) = opens(folder.path(), LOCATIONS, |options| {
        remember(options);
        options.mapping.remembered = None;
    });
    assert_eq!(
        opened.map(drop).unwrap_err().to_string(),
        "neither TALLYPORT_HOME nor a home folder to remember mappings in"
    );
}

#[test]
fn a_mapping_is_saved_as_a_file_that_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved.toml");
    let file = ("devices.csv", "Zz 1,Zz 2,Zz 3,Who,Since\nA-1,X1,Ready,ada@example.com,2026-01-02\n");
    let (opened, notes) = opens(folder.path(), file, |options| {
        map(options);
        options.mapping.map.extend(["Who=assigned_to", "Since=checkout_date"].map(String::from));
        options.mapping.save_to = Some(saved.clone());
    });
    let sheets = opened.unwrap().sheets.len();
    assert_eq!(notes, [format!("saved the mapping to {}", saved.display())]);
    let text = std::fs::read_to_string(&saved).unwrap();
    assert!(text.contains("asset_id") && text.contains("assigned_to") && text.contains("checkout_date"), "{text}");
    let (opened, _) = opens(folder.path(), file, |options| {
        options.entity = Some("assets".into());
        options.mapping.file = Some(saved.clone());
    });
    assert_eq!(opened.unwrap().sheets.len(), sheets);
}
