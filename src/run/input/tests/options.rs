//! Options as texts, and what they are understood as.

use super::*;
use crate::check::money::DecimalMark;
use crate::check::{Duplicates, FractionalCost, Mode};
use crate::run::input::options::ParsedOptions;
use crate::schema;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn options_that_are_used_are_told_in_the_order_of_the_help() {
    assert!(InputOptions::default().used().shown().is_empty());
    let options = InputOptions {
        entity: Some("assets".into()),
        sheets: texts(&["A", "B"]),
        mapping: MappingOptions {
            map: texts(&["X=name"]),
            ignore: texts(&["Y"]),
            defaults: texts(&["currency=EUR"]),
            values: texts(&["status:a=b"]),
            skip_where: texts(&["Z="]),
            file: Some("m.toml".into()),
            preset: Some("none".into()),
            strict: true,
            remember: true,
            ..MappingOptions::default()
        },
        aliases: Some("a.csv".into()),
        match_on: texts(&["name", "model_number"]),
        delimiter: Some(";".into()),
        encoding: Some("utf-8".into()),
        date_format: Some("DD.MM.YYYY".into()),
        decimal: Some(','),
        fractional_cost: FractionalCost::Round,
        blank: EmptyCells::Clear,
        mode: Mode::Create,
        allow_duplicates: true,
        ..InputOptions::default()
    };
    let shown: Vec<String> =
        options.used().shown().into_iter().map(|(flag, value)| format!("{flag} {value}")).collect();
    assert_eq!(
        shown,
        [
            "--entity assets", "--sheet A, B", "--map X=name", "--ignore Y", "--default currency=EUR",
            "--value status:a=b", "--skip-where Z=", "--mapping m.toml", "--preset none", "--aliases a.csv",
            "--remember yes", "--strict yes", "--match-on name, model_number", "--date-format DD.MM.YYYY",
            "--decimal ,", "--delimiter ;", "--encoding utf-8", "--mode create", "--allow-duplicates yes",
            "--blank clear", "--fractional-cost round",
        ]
    );
    assert!(!options.used().words().contains(&String::from("--remember")), "a repeated run need not remember again");
}

#[test]
fn options_that_make_no_sense_are_refused_with_what_does() {
    let refused = |change: &dyn Fn(&mut InputOptions)| refusal(open(&[LOCATIONS], change));
    let dates = "write it with D, M and Y, such as DD.MM.YYYY, MM/DD/YY or D MMM YYYY";
    let (message, hint) = refused(&|options| options.date_format = Some("tomorrow".into()));
    assert!(message.contains("tomorrow") && hint == dates, "{message} {hint}");
    let cases: [Refusal<'_, InputOptions>; 6] = [
        (&|options| options.delimiter = Some("x".into()), "`x` is not a delimiter", "use `,`, `;`, `|` or `tab`"),
        (
            &|options| options.encoding = Some("x".into()),
            "`x` is not an encoding",
            "use a name such as utf-8, windows-1252, utf-16le or shift_jis",
        ),
        (&|options| options.decimal = Some('x'), "`x` is not a decimal mark", "use `,` or `.`"),
        (
            &|options| options.mapping.map.push("Name".into()),
            "--map 'Name' does not name a field",
            "write it as --map 'Header=field'",
        ),
        (
            &|options| options.match_on = texts(&["weight"]),
            "`locations` has no field `weight` to match on",
            "`tallyport schema locations` lists the fields",
        ),
        (
            &|options| options.match_on = texts(&["name", "zip"]),
            "locations.csv: no column is mapped to `zip`, so --match-on cannot find records by it",
            "add the column, map one with --map 'Header=zip', or match on another field",
        ),
    ];
    for (change, message, hint) in cases {
        assert_eq!(refused(change), (message.to_owned(), hint.to_owned()));
    }
}

#[test]
fn options_are_understood() {
    let rules = |change: &dyn Fn(&mut InputOptions)| {
        let mut options = InputOptions::default();
        change(&mut options);
        ParsedOptions::new(&options, SheetFilter::Any).map(|parsed| (parsed.rules, parsed.read)).unwrap()
    };
    let (plain, read) = rules(&|_| {});
    assert_eq!((plain.decimal, plain.duplicates), (None, Duplicates::Refused));
    assert!(plain.date_format.is_none() && read.delimiter.is_none() && read.encoding.is_none());
    let mark = |mark: char| rules(&|options| options.decimal = Some(mark)).0.decimal;
    assert_eq!((mark(','), mark('.')), (Some(DecimalMark::Comma), Some(DecimalMark::Point)));
    let (all, read) = rules(&|options| {
        options.allow_duplicates = true;
        options.blank = EmptyCells::Clear;
        options.mode = Mode::Update;
        options.fractional_cost = FractionalCost::Round;
        options.date_format = Some("DD.MM.YYYY".into());
        options.delimiter = Some("tab".into());
        options.encoding = Some("windows-1252".into());
    });
    assert_eq!((all.duplicates, all.blank, all.mode), (Duplicates::Allowed, EmptyCells::Clear, Mode::Update));
    assert_eq!(all.fraction, FractionalCost::Round);
    assert!(all.date_format.is_some() && read.delimiter.is_some() && read.encoding.is_some());
}

#[test]
fn the_mapping_file_and_the_option_agree_on_what_the_sheets_hold() {
    let file = ("m.toml", "entity = \"suppliers\"\n");
    let opened = |files: &[(&str, &str)], entity: Option<&str>| {
        open(files, |options| options.entity = entity.map(str::to_owned))
            .map(|input| input.sheets[0].mapping.entity.name)
    };
    assert_eq!(opened(&[LOCATIONS, file], None).unwrap(), "suppliers");
    assert_eq!(opened(&[LOCATIONS, file], Some("suppliers")).unwrap(), "suppliers");
    assert_eq!(opened(&[LOCATIONS], Some("suppliers")).unwrap(), "suppliers");
    assert_eq!(opened(&[LOCATIONS], None).unwrap(), "locations");
    let refused = opened(&[LOCATIONS, file], Some("locations")).unwrap_err().to_string();
    assert_eq!(refused, "the mapping file is for `suppliers`, but --entity says `locations`");
    assert!(opened(&[LOCATIONS], Some("locutions")).unwrap_err().to_string().contains("locutions"));
}

#[test]
fn a_file_is_named_once_and_has_something_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options_in(folder.path(), &[LOCATIONS]);
    options.files.push(options.files[0].clone());
    let refused = refusal(InputSet::open(&options, SheetFilter::Any, &mut NoObserver));
    assert_eq!(refused, ("`locations.csv` is named twice".into(), "name each file once".into()));
    let (message, hint) = refusal(open(&[("things.csv", "Alpha,Beta\n1,2\n")], |_| {}));
    assert!(message.starts_with("things.csv: cannot tell from its name or headers what it contains"), "{message}");
    assert_eq!(hint, "say what it holds with --entity, such as --entity assets");
    let (message, hint) = refusal(open(&[LOCATIONS], |options| options.sheets.push("Berlin".into())));
    assert_eq!(message, "locations.csv has no sheet `Berlin`");
    assert_eq!(hint, "leave --sheet out: the file is a single table");
    let by_its_label = open(&[LOCATIONS], |options| options.sheets.push("Locations".into())).unwrap();
    assert_eq!(by_its_label.label(0), "locations");
}

#[test]
fn a_brace_without_its_other_half_is_no_header() {
    let told = |map: &str| refusal(open(&[LOCATIONS], |options| options.mapping.map.push(map.into())));
    for (map, reason) in [
        ("{name=name", "a brace without its other half"),
        ("name}=name", "a brace without its other half"),
        ("{name} - {}=name", "empty braces"),
        ("{name=custom:X", "a brace without its other half"),
    ] {
        let (message, hint) = told(map);
        assert_eq!(message, format!("--map '{map}': {reason}"));
        assert!(hint.starts_with("write headers in braces"), "{hint}");
    }
    assert!(open(&[LOCATIONS], |options| options.mapping.map.push("{name}=name".into())).is_ok());
}

#[test]
fn required_fields_without_a_column_are_told_where_no_row_could_be_written() {
    let told = |name: &str, text: &str, change: &dyn Fn(&mut InputOptions)| refusal(open(&[(name, text)], change)).0;
    let checkout = told("checkout_asset.csv", "Asset,Notes\nA-1,x\n", &|_| {});
    assert!(checkout.contains("`checkout_date`"), "{checkout}");
    let nameless = told("locations.csv", "City,Country\nBonn,DE\n", &|_| {});
    assert!(nameless.contains("`name`"), "{nameless}");
    let update = told("locations.csv", "City,Country\nBonn,DE\n", &|options| options.mode = Mode::Update);
    assert_eq!(update.matches("no column is mapped to").count().max(1), 1, "only the key: {update}");
    assert!(!update.contains("address_line_1"), "{update}");
    // With ids, or the key, each row says what it lacks.
    open(&[("locations.csv", "_id,City\n1,Bonn\n")], |_| {}).unwrap();
    open(&[("locations.csv", "Name,City\nX,Bonn\n")], |_| {}).unwrap();
}

#[test]
fn an_export_that_lacks_columns_says_which() {
    let rows = "JSS Computer ID,Computer Name,Managed\n1,Mac,Managed\n";
    let (message, _) = refusal(open(&[("jamf.csv", rows)], |_| {}));
    assert!(message.contains("Jamf Pro computers"), "{message}");
    let updated = open(&[("jamf.csv", rows)], |options| options.mode = Mode::Update);
    assert!(updated.is_ok() || !refusal(updated).0.contains("Jamf Pro computers lacks"));
}

#[test]
fn sheets_of_one_collection_are_found_for_a_delete() {
    let only = |files: &[(&str, &str)], change: &dyn Fn(&mut InputOptions)| {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options_in(folder.path(), files);
        change(&mut options);
        let filter = SheetFilter::Only(schema::collection("locations").unwrap());
        InputSet::open(&options, filter, &mut NoObserver)
    };
    // A sheet that is alone in its file holds what is asked for.
    let alone = only(&[("things.csv", "Name\nBerlin\n")], &|_| {}).unwrap();
    assert_eq!((alone.sheets.len(), alone.sheets[0].mapping.entity.name), (1, "locations"));
    alone.validate_keys().unwrap();
    let keyless = only(&[("things.csv", "City\nBerlin\n")], &|_| {}).unwrap();
    let (message, hint) = refusal(keyless.validate_keys().map(|()| alone));
    assert_eq!(message, "no column of things says which records are meant");
    assert_eq!(hint, "add a column `name` or `_id`, or map one with --map 'Header=name'");
    let foreign = only(&[("things.csv", "Id,City\n7,Berlin\n")], &|_| {}).unwrap();
    let (_, hint) = refusal(foreign.validate_keys().map(|()| only(&[LOCATIONS], &|_| {}).unwrap()));
    assert_eq!(hint, "add --map 'Id=_id' if that column holds this account's own ids");
    only(&[("things.csv", "_id,City\n7,Berlin\n")], &|_| {}).unwrap().validate_keys().unwrap();

    let mut kept = only(&[("things.csv", "_id,Name,City\n7,Berlin,Bonn\n")], &|_| {}).unwrap();
    assert!(kept.sheets[0].mapping.feeds("city"));
    kept.keep_only_keys();
    assert!(kept.sheets[0].mapping.feeds("name") && !kept.sheets[0].mapping.feeds("city"));
    // Neither rules nor further records count.
    let file = (
        "m.toml",
        "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"User\"\n[fields.checkout_date]\ndefault = \"2026-01-02\"\n",
    );
    let folder = tempfile::tempdir().unwrap();
    let options = options_in(folder.path(), &[("a.csv", "Asset Tag,User\nA-1,Ada\n"), file]);
    let filter = SheetFilter::Only(schema::collection("assets").unwrap());
    let only = InputSet::open(&options, filter, &mut NoObserver).unwrap();
    assert_eq!((only.sheets.len(), only.sheet_count()), (1, 1));
}

#[test]
fn a_file_that_nothing_tells_gets_the_flag_that_would() {
    let hint = |header: &str| refusal(open(&[("things.csv", &format!("{header}\na,b,c\n"))], |_| {})).1;
    assert_eq!(hint("Name,City,Country"), "say what it holds, such as --entity suppliers");
    let exported = hint("Device ID,Enrollment date,Other");
    assert!(
        exported.starts_with(
            "its headers resemble an export; if it is one, pass --preset intune-devices for Intune devices"
        ),
        "{exported}"
    );
}

#[test]
fn an_export_that_lacks_what_every_record_must_have_is_named() {
    let rows = "serialNumber,deviceName,managedDeviceOwnerType,annotatedAssetId,annotatedUser\nS1,n,company,A-1,u\n";
    let opened = open(&[("devices.csv", rows)], |options| options.entity = Some("assets".into()));
    let error = opened.map(|input| input.remarks().len()).unwrap_err().to_string();
    assert!(
        error.ends_with("recognized as Google ChromeOS devices, but no column is mapped to `product_id` (required)"),
        "{error}"
    );
}
