#![allow(clippy::unwrap_used)]

use super::*;
use crate::schema::collection;

fn row(number: u64, cells: &[&str]) -> Row {
    let mut row = Row::default();
    row.clear(number);
    cells.iter().for_each(|cell| row.push_text(cell));
    row
}

fn overrides(pairs: &[(&str, &str)]) -> MappingOverrides {
    let entry = |(header, target): &(&str, &str)| MappingOverride {
        header: (*header).to_owned(),
        target: (*target).to_owned(),
        source: MappingSource::CommandLine,
    };
    MappingOverrides { map: pairs.iter().map(entry).collect(), ..MappingOverrides::default() }
}

fn assets(headers: &[&str], pairs: &[(&str, &str)]) -> Result<Mapping, Vec<MappingError>> {
    Mapping::new(collection("assets").unwrap(), &row(1, headers), &overrides(pairs))
}

#[test]
fn names_synonyms_custom_and_own_columns_are_known() {
    let mapping = assets(
        &["Asset Tag", "Serial No", "Model", "Category", "custom:Rack", "_action", "_id", "Colour"],
        &[("Serial No", "asset_serial")],
    )
    .unwrap();
    assert!(mapping.feeds("asset_id"));
    assert!(mapping.feeds("asset_serial"));
    assert!(mapping.feeds("product_id"));
    let to: Vec<&ColumnTarget> = mapping.columns.iter().map(|column| &column.target).collect();
    assert!(matches!(to[3], ColumnTarget::Related { related: "category_id", .. }));
    assert_eq!(to[4], &ColumnTarget::Custom(String::from("Rack")));
    assert_eq!(to[5], &ColumnTarget::Action);
    assert_eq!(to[6], &ColumnTarget::Id(IdOwnership::Verified));
    assert_eq!(to[7], &ColumnTarget::Ignored(Ignored::Unknown));
}

#[test]
fn a_misspelt_field_is_a_fault_until_mapped_or_ignored() {
    let errors = assets(&["asset_id", "purchse_cost"], &[]).unwrap_err();
    assert!(matches!(&errors[..], [MappingError::Misspelt { field, .. }] if field == "purchase_cost"), "{errors:?}");
    assert!(assets(&["asset_id", "purchse_cost"], &[("purchse_cost", "")]).is_ok());
}

#[test]
fn two_columns_for_one_field_are_a_fault_unless_one_has_its_name() {
    let errors = assets(&["Asset Tag", "Tag"], &[]).unwrap_err();
    assert!(matches!(&errors[..], [MappingError::Twice { field, .. }] if field == "asset_id"), "{errors:?}");
    let many = assets(&["Name"; 2_000], &[]).unwrap_err();
    let [MappingError::Twice { more, .. }] = &many[..] else { panic!("{} errors", many.len()) };
    assert_eq!(*more, 1_998, "one error for a field, however many columns there are");
    let mapping = assets(&["asset_id", "Asset Tag"], &[]).unwrap();
    assert_eq!(mapping.columns[1].target, ColumnTarget::Ignored(Ignored::Superseded));
}

#[test]
fn a_name_may_stand_beside_its_id() {
    let mapping = assets(&["asset_id", "product_id", "product_name"], &[]).unwrap();
    let ids: Vec<Ids> = mapping
        .columns
        .iter()
        .filter_map(|column| match column.target {
            ColumnTarget::Field { ids, .. } => Some(ids),
            _ => None,
        })
        .collect();
    assert_eq!(ids, [Ids::Bare, Ids::Bare, Ids::Marked]);
}

#[test]
fn an_email_alone_names_the_employee_of_a_checkout() {
    let checkout = crate::schema::find("checkout_asset").unwrap();
    let mapping =
        Mapping::new(checkout, &row(1, &["Asset Tag", "Email", "Checkout Date"]), &MappingOverrides::default())
            .unwrap();
    assert!(mapping.feeds("employee_id"));
}

#[test]
fn passwords_are_never_read() {
    let employees = collection("employees").unwrap();
    let mapping =
        Mapping::new(employees, &row(1, &["name", "email", "Initial password"]), &MappingOverrides::default()).unwrap();
    assert_eq!(mapping.columns[2].target, ColumnTarget::Ignored(Ignored::Secret));
}

#[test]
fn passwords_that_were_asked_to_be_ignored_are_not_copied_either() {
    let employees = collection("employees").unwrap();
    let map = vec![MappingOverride {
        header: "Initial password".into(),
        target: String::new(),
        source: MappingSource::CommandLine,
    }];
    let overrides = MappingOverrides { map, ..MappingOverrides::default() };
    let mapping = Mapping::new(employees, &row(1, &["name", "email", "Initial password"]), &overrides).unwrap();
    assert_eq!(mapping.columns[2].target, ColumnTarget::Ignored(Ignored::Secret));
}

#[test]
fn wishes_that_cannot_be_met_are_faults() {
    let absent = assets(&["asset_id"], &[("Tag No", "asset_id")]).unwrap().absent;
    assert!(matches!(&absent[..], [MappingError::NoSuchHeader { .. }]), "another sheet may have it");
    let errors = assets(&["asset_id", "X"], &[("X", "asset_sreial")]).unwrap_err();
    assert!(
        matches!(&errors[..], [MappingError::NoSuchField { nearest: Some(near), .. }] if near == "asset_serial"),
        "{errors:?}"
    );
}

#[test]
fn the_header_is_found_under_titles() {
    let rows = [
        row(1, &["Inventory 2026", "", ""]),
        row(3, &["as of March, all sites"]),
        row(4, &["Asset Tag", "Model", "Status"]),
        row(5, &["LAP-1", "MacBook", "Ready"]),
    ];
    assert_eq!(find_header(&rows, &[collection("assets").unwrap()]), Some(2));
}

#[test]
fn a_row_of_values_is_no_header() {
    let assets = collection("assets").unwrap();
    let unknown = [
        row(1, &["資産", "品目", "場所", "数"]),
        row(2, &["A-1", "Name", "Location", "3"]),
        row(3, &["A-2", "Chair", "Office", "4"]),
    ];
    assert_eq!(find_header(&unknown, &[assets]), Some(0), "two of its values are words for fields");
    let addresses = [
        row(1, &["Wer", "Was", "Wo"]),
        row(2, &["ada@example.com", "Model", "Status"]),
        row(3, &["bob@example.com", "Chair", "New"]),
    ];
    assert_eq!(find_header(&addresses, &[assets]), Some(0));
    let one_word =
        [row(1, &["Wer", "Was", "Wo"]), row(2, &["Ada", "Notes", "Hall"]), row(3, &["Bob", "Chair", "Hall"])];
    assert_eq!(find_header(&one_word, &[assets]), Some(0));
    let title =
        [row(1, &["Equipment", "", ""]), row(2, &["Kennung", "Teil", "Ort"]), row(3, &["A-1", "Chair", "Hall"])];
    assert_eq!(find_header(&title, &[assets]), Some(1));
    let few_known = [row(1, &["Serial", "x", "y"]), row(2, &["S-1", "a", "b"])];
    assert_eq!(find_header(&few_known, &[assets]), Some(0));
}

#[test]
fn a_sheet_is_known_by_name_file_or_headers() {
    let none: &[Row] = &[];
    let detected = |sheet, stem, rows: &[Row]| {
        let detected = detect_entity(sheet, stem, rows).unwrap();
        (detected.entity.name, detected.overruled.map(|entity| entity.name))
    };
    assert_eq!(detected(Some("Assets"), "book", none), ("assets", None));
    assert_eq!(detected(Some("checkout asset"), "book", none), ("checkout_asset", None));
    assert_eq!(detected(None, "2026-03 employees final", none), ("employees", None));
    let rows = [row(1, &["Asset Tag", "Model", "Status", "Serial Number"])];
    assert_eq!(detected(Some("Sheet1"), "inv", &rows), ("assets", None));
    let assets = [row(1, &["Asset Tag", "Model", "Status", "Location"])];
    assert_eq!(detected(None, "06 locations new", &assets), ("assets", Some("locations")), "the headers are clear");
    assert_eq!(detected(None, "locations", &assets), ("assets", Some("locations")), "even against the whole name");
    assert_eq!(detected(Some("Locations"), "x", &assets), ("assets", Some("locations")));
    let both = [row(1, &["Name", "Address", "Status", "Model"])];
    assert_eq!(detected(None, "locations", &both), ("locations", None), "the headers fit what the name says");
    assert_eq!(
        detect_entity(None, "x", &[row(1, &["foo", "bar"])]).unwrap_err(),
        EntityDetectionError::Unknown(Vec::new())
    );
}

#[test]
fn a_form_is_no_list() {
    let form = [
        row(1, &["Travel expenses", "", "", ""]),
        row(2, &["Name:", "Ada Byron", "Department:", "Finance"]),
        row(3, &["Cost:", "120.50", "Location:", "Berlin"]),
        row(4, &["Total:", "120.50", "", ""]),
    ];
    assert!(matches!(detect_entity(None, "form", &form), Err(EntityDetectionError::Unknown(_))));
    let list = [row(1, &["Full name:", "Email:", "Job title:"]), row(2, &["Ada", "ada@example.com", "Clerk"])];
    assert_eq!(detect_entity(None, "list", &list).unwrap().entity.name, "employees");
}

#[test]
fn what_is_not_recognized_says_what_came_close() {
    let sheet = [row(1, &["Monthly payment", "Cost", "Notes"])];
    let error = detect_entity(None, "calculation", &sheet).unwrap_err();
    assert!(error.to_string().contains("; closest: "), "{error}");
    assert!(error.flag().is_some_and(|flag| flag.starts_with("--entity ")));
}

/// Header rows of tables that people keep or that other programs write, one a line.
#[test]
fn tables_of_other_kinds_are_no_tools_export() {
    for header in include_str!("../../tests/fixtures/other-tables.txt").lines() {
        let recognition = recognize(&[row(1, &header.split(',').collect::<Vec<_>>())]);
        let names: Vec<&str> = (recognition.found.iter().map(|found| found.preset))
            .chain(recognition.candidates.iter().copied())
            .map(|preset| preset.name)
            .collect();
        assert_eq!(names, Vec::<&str>::new(), "{header}");
    }
}

#[test]
fn a_header_in_braces_may_feed_a_second_field() {
    let header = ["Serial number", "Model"];
    let mapping =
        assets(&header, &[("{Serial number}", "asset_id"), ("Serial number", "asset_serial"), ("Model", "product_id")])
            .unwrap();
    assert_eq!((mapping.column_of("asset_id"), mapping.column_of("asset_serial")), (Some(2), Some(0)));
    assert_eq!(mapping.sheet_column_of("asset_id"), Some(0));
}

#[test]
fn a_saved_mapping_reads_back() {
    let mapping =
        assets(&["Tag No", "Model", "Category", "Rack", "Colour"], &[("Tag No", "asset_id"), ("Rack", "custom:Rack")])
            .unwrap();
    let mut file = MappingText::default();
    file.add(&mapping);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mapping.toml");
    std::fs::write(&path, file.to_text()).unwrap();
    let saved = MappingFile::read(&path).unwrap();
    let overrides =
        MappingOverrides { map: saved.overrides(mapping.entity), strict: true, ..MappingOverrides::default() };
    let again =
        Mapping::new(mapping.entity, &row(1, &["Tag No", "Model", "Category", "Rack", "Colour"]), &overrides).unwrap();
    let to = |mapping: &Mapping| mapping.columns.iter().map(|column| column.target.clone()).collect::<Vec<_>>();
    assert_eq!(to(&again)[..4], to(&mapping)[..4]);
}

#[test]
fn presets_name_only_what_the_schema_has() {
    for (name, entity) in [("bluetally", "accessories"), ("snipe-it", "assets"), ("snipe-it", "consumables")] {
        let entity = collection(entity).unwrap();
        for entry in MappingFile::preset(name).unwrap().overrides(entity) {
            let wished = MappingOverrides {
                map: vec![MappingOverride { source: MappingSource::Preset, ..entry.clone() }],
                ..MappingOverrides::default()
            };
            let header = row(1, &["name", &entry.header]);
            let errors = Mapping::new(entity, &header, &wished).err().unwrap_or_default();
            assert!(
                !errors.iter().any(|fault| matches!(fault, MappingError::NoSuchField { .. })),
                "{name}: {entry:?} {errors:?}"
            );
        }
    }
}

#[test]
fn rules_that_are_saved_read_back() {
    let text = r#"
        ignore = ["Shelf"]
        formats = { date = "DD/MM/YYYY", decimal = "," }
        [fields.asset_id]
        first_of = ["Tag", "Serial number"]
        [fields.status_id]
        column = "State"
        strip = ["suffix:brackets", "tags:html"]
        values = { "managed" = "In use", "b.\"q" = "", "lost" = { kind = "archived", name = "Lost" } }
        otherwise = { kind = "Pending", name = "Unknown" }
        default = { kind = "deployable", name = "Ready to \"Deploy\"" }
        [fields.purchase_date]
        column = "Enrolled"
        format = "DD.MM.YYYY"
        [fields."product_id.category_id"]
        join = "{{ {OS} {State}"
        [custom."OS = x"]
        column = "OS"
        [[skip]]
        column = ["State", "OS"]
        blank = true
        [[skip]]
        column = "State"
        is = ["a", "b"]
    "#;
    let header = row(1, &["Tag", "Serial number", "Model", "State", "OS", "Enrolled", "Shelf", "Location"]);
    let entity = collection("assets").unwrap();
    let mapped = |text: &str| {
        let file = MappingFile::parse(text, MappingSource::MappingFile, "m.toml").unwrap();
        let (map, rules, skips) = (file.overrides(entity), file.rules(entity), file.skips(entity));
        let formats = file.formats(entity);
        let overrides = MappingOverrides { map, rules, skips, formats, ..MappingOverrides::default() };
        Mapping::new(entity, &header, &overrides).unwrap()
    };
    let saved = |mapping: &Mapping| {
        let mut text = MappingText::default();
        text.add(mapping);
        text.to_text()
    };
    let mapping = mapped(text);
    assert_eq!((mapping.derived.len(), mapping.skips.len()), (4, 2));
    let once = saved(&mapping);
    for line in [
        "default = { kind = \"deployable\", name = 'Ready to \"Deploy\"' }\n",
        "otherwise = { kind = \"Pending\", name = \"Unknown\" }\n",
        "lost = { kind = \"archived\", name = \"Lost\" }\n",
        "[assets.formats]\ndate = \"DD/MM/YYYY\"\ndecimal = \",\"\n",
    ] {
        assert!(once.contains(line), "{line}: {once}");
    }
    let again = mapped(&once);
    assert_eq!(saved(&again), once);
    let shown = |mapping: &Mapping| {
        let described = mapping.describe("s", None, &ColumnFacts::default());
        let mut lines: Vec<String> =
            described.used().map(|column| format!("{} {:?} {}", column.header, column.field, column.cell)).collect();
        lines.sort();
        lines
    };
    assert_eq!(shown(&again), shown(&mapping), "{once}");
}

#[test]
fn each_mistake_in_a_mapping_file_names_its_line_and_what_to_do() {
    for (text, message, hint) in [
        ("entity = \"asets\"", "line 1: not a collection", "schema"),
        ("[formats]\nmark = \",\"", "line 2: unknown key `mark`", "decimal"),
        ("[formats]\ndecimal = \"comma\"", "line 1: not a decimal mark", "write decimal"),
        ("copy_of = [\"okta-users\", \"okta\"]", "line 1: no such preset", "okta-users"),
        ("\nfeilds = 1", "line 2: `feilds` is not a collection", "[fields.NAME]"),
        ("[aset.fields.a]\ncolumn = \"A\"", "line 1: `aset` is not a collection", "did you mean `assets`"),
        ("[fields.notes]\ncolum = \"A\"", "line 2: unknown key `colum`", "column, first_of or join"),
        ("[fields.notes]\ncolumn = \"A\"\njoin = \"{A}\"", "line 1: more than one of", "one of them"),
        ("[fields.notes]\nfirst_of = []", "line 2: an empty list", "name the headers"),
        ("[fields.notes]\njoin = \"A\"", "line 2: `join`: no header", "braces"),
        ("[fields.notes]\njoin = \"{A\"", "line 2: `join`: a brace", "braces"),
        ("[fields.notes]\n\n", "line 1: the rule says nothing", "column"),
        ("[fields.notes]\ncolumn = \"A\"\nstrip = \"x\"", "line 3: no such stripping", "`suffix:guest`"),
        ("[fields.notes]\ncolumn = \"A\"\notherwise = \"keep\"", "line 1: `otherwise` without", "values ="),
        ("[fields.notes]\ncolumn = \"A\"\nvalues = \"x\"", "line 3: expected a table", "column"),
        (
            "[fields.status_id]\ncolumn = \"A\"\ndefault = { kind = \"deployable\" }",
            "line 3: a kind without a `name`",
            "name = \"Ready to Deploy\"",
        ),
        (
            "[fields.status_id]\ncolumn = \"A\"\nvalues = { b = \"B\",\n c = { name = \"Ready\" } }",
            "line 4: a table without a `kind`",
            "kind = \"deployable\"",
        ),
        (
            "[fields.status_id]\ndefault = { kind = \"deployable\", nam = \"Ready\" }",
            "line 2: unknown key `nam`",
            "a rule takes",
        ),
        ("[fields.status_id]\ndefault = [\"A\"]", "line 2: expected a text in quotes, or a kind", "a rule takes"),
        (
            "[fields.notes]\ndefault = 2026-01-01",
            "line 2: expected a text in quotes, found a date",
            "put the date in quotes",
        ),
        ("[fields.notes]\ncolumn = \"A\"\ninvert = \"x\"", "line 3: expected a boolean", "column"),
        ("[fields.notes]\ncolumn = [\"A\"]", "line 2: expected a text in quotes", "column"),
        ("[fields]\nnotes = \"A\"", "line 2: `notes` needs a rule", "column"),
        ("[also.employees]\nname = \"A\"", "line 2: `name` needs a rule", "column ="),
        ("[also.gadgets]\nname = { column = \"A\" }", "line 1: `also` needs the name of a collection", "schema"),
        ("[also.checkout_asset]\nasset_id = { column = \"A\" }", "line 1: `also` needs the name", "schema"),
        ("[also.employees]", "line 1: `also.employees` says nothing", "a rule for each field"),
        ("[[skip]]\ncolumn = \"A\"", "line 1: a skip needs one of", "blank = true"),
        ("[[skip]]\nis = [\"A\"]", "line 1: missing field `column`", "column ="),
        ("[[skip]]\ncolumn = \"A\"\nin = [\"B\"]", "line 3: unknown key `in`", "column ="),
        ("ignore = \"A\"", "line 1: `ignore` is not written", "ignore = [\"Header\""),
        ("[assets]\n\"Tag\" = 1", "line 2: the target of `Tag`", "asset_id"),
        ("sk-0123456789", "line 1: ", "TOML"),
        ("key = \"sk-0123456789\"", "line 1: `key` is not", "[fields.NAME]"),
        ("preset = 1", "line 1: expected a text", "quotes"),
        ("\npreset = \"intunes-devices\"", "line 2: no such preset", "did you mean `intune-devices`?"),
        ("preset = \"sk-0123456789\"", "line 1: no such preset", "tallyport presets"),
        ("[Fields.notes]\ncolumn = \"A\"", "line 1: `Fields` is not", "did you mean `fields`?"),
        ("[skip]\ncolumn = \"A\"\nblank = true", "line 1: `skip` is not written", "[[skip]]"),
        ("[fields.notes]\ncolumn = \"A\"\n\n[fields.notes]", "line 4: this group or key is there twice", "one of them"),
        ("[custom]\nOS = \"A\"", "line 2: `OS` needs a rule", "{ column = \"Header\" }"),
        (
            "[fields.notes]\ncolumn = \"A\"\nvalues = { a = \"x\", \" A\" = \"y\" }",
            "line 1: `values` says twice",
            "keep one of them",
        ),
        (
            "[fields.assigned_to]\ncolumn = \"A\"\n[fields.assigned_to.name]\ncolumn = \"B\"",
            "line 3: `assigned_to.name` is one name",
            "[fields.\"assigned_to.name\"]",
        ),
    ] {
        let error = MappingFile::parse(text, MappingSource::MappingFile, "m.toml").unwrap_err();
        let (shown, advice) = (error.to_string(), crate::error::Diagnostic::hint(&error).unwrap());
        assert!(shown.contains(message) && shown.starts_with("m.toml, "), "{text}: {shown}");
        assert!(advice.contains(hint), "{text}: {advice}");
        assert!(!shown.contains("0123456789") && !advice.contains("0123456789"), "{shown} {advice}");
    }
}

#[test]
fn rules_that_do_not_fit_the_sheet_say_so() {
    let entity = collection("assets").unwrap();
    let header = row(1, &["Asset Tag", "Serial number", "Status", "Notes", "Password"]);
    for (rule, message) in [
        ("[fields.nots]\ncolumn = \"Notes\"", "m.toml, line 1: `assets` has no field `nots`"),
        ("\n[fields.notes]\ncolumn = \"Seriel number\"", "m.toml, line 2: no column `Seriel number`"),
        ("[fields.notes]\njoin = \"{Notes} {X}\"", "m.toml, line 1: no column `X`"),
        (
            "[fields.notes]\ncolumn = \"Password\"",
            "m.toml, line 1: `Password` looks like passwords, which are never read",
        ),
        (
            "[[skip]]\ncolumn = \"Password\"\nis = [\"x\"]",
            "m.toml, line 1: `Password` looks like passwords, which are never read",
        ),
        (
            "[fields.notes]\ncolumn = \"Notes\"\ninvert = true",
            "m.toml, line 1: `invert` is for fields with yes or no only, which `notes` is not",
        ),
        ("[fields.notes]\nformat = \"DD.MM.YYYY\"", "m.toml, line 1: `format` is for dates only, which `notes` is not"),
        ("[fields.purchase_date]\nformat = \"DD.MM.YYYY\"", "m.toml, line 1: no column is mapped to `purchase_date`"),
        (
            "[fields.status]\ncolumn = \"Status\"\n[fields.status_id]\ncolumn = \"Notes\"",
            "m.toml, line 3: `status_id` is already mapped by m.toml, line 1",
        ),
        (
            "[fields.location_id]\n\ndefault = { kind = \"deployable\", name = \"Berlin\" }",
            "m.toml, line 3: the records that `location_id` names have no kinds",
        ),
        (
            "[fields.status_id]\nvalues = { new = { kind = \"ready\", name = \"Ready\" } }",
            "m.toml, line 2: no such kind of statuses",
        ),
        (
            "[custom.OS]\ndefault = { kind = \"deployable\", name = \"A\" }",
            "m.toml, line 2: the records that `custom:OS` names have no kinds",
        ),
        ("[[skip]]\ncolumn = \"Owner\"\nblank = true", "m.toml, line 1: no column `Owner`"),
    ] {
        let file = MappingFile::parse(rule, MappingSource::MappingFile, "m.toml").unwrap();
        let (rules, skips) = (file.rules(entity), file.skips(entity));
        let mapping = Mapping::new(entity, &header, &MappingOverrides { rules, skips, ..MappingOverrides::default() });
        let errors = mapping.map_or_else(|errors| errors, |mapping| mapping.absent);
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [message]);
    }
}

/// Every header that an export writes over the fields of assets, and what the service sent beside them.
fn exported(more: &[&str]) -> Result<Mapping, Vec<MappingError>> {
    let own = [
        "id", "asset_id", "asset_name", "asset_serial", "product_id", "product_name", "status_id", "status_name",
        "notes", "custom:Rack", "created_at", "updated_at",
    ];
    assets(&[&own[..], more].concat(), &[])
}

#[test]
fn what_the_service_sent_beside_a_field_feeds_nothing() {
    // Spelled like a field, in other letters, a word that people use for one.
    let sent = ["note_s", "Notes", "ID", "Updated_At", "tag", "product", "custom: Rack", "serial_number"];
    let mapping = exported(&sent).unwrap();
    for header in sent {
        let column = mapping.columns.iter().find(|column| column.header == header).unwrap();
        assert!(matches!(column.target, ColumnTarget::Ignored(_)), "{column:?}");
    }
    assert_eq!((mapping.id_column(), mapping.column_of("notes")), (Some(0), Some(8)));
    assert_eq!(mapping.timestamp_column(TimestampColumn::Updated), Some(11));
    let names = mapping.columns.iter().filter(|column| column.header.starts_with("product_"));
    assert!(names.into_iter().all(|column| matches!(column.target, ColumnTarget::Field { .. })));
}

#[test]
fn a_field_without_a_column_of_its_own_is_still_fed_by_what_people_call_it() {
    let mapping = exported(&["supplier", "_action"]).unwrap();
    assert!(mapping.feeds("supplier_id"));
    let errors = exported(&["purchse_cost"]).unwrap_err();
    assert!(matches!(&errors[..], [MappingError::Misspelt { field, .. }] if field == "purchase_cost"), "{errors:?}");
}

#[test]
fn the_id_of_a_result_goes_before_that_of_the_sheet_it_was_made_from() {
    assert_eq!(exported(&[]).unwrap().id_ownership(), IdOwnership::Unverified);
    let mapping = exported(&["_id"]).unwrap();
    assert_eq!((mapping.id_column(), mapping.id_ownership()), (Some(12), IdOwnership::Verified));
    assert_eq!(
        mapping.columns[0].target,
        ColumnTarget::Id(IdOwnership::Unverified),
        "a row that no run has seen has no other"
    );
}

#[test]
fn a_qualifier_makes_a_header_a_question_until_mapped_or_ignored() {
    for (header, field) in [
        ("Asset Tag (old)", "asset_id"),
        ("Serial Number (monitor)", "asset_serial"),
        ("Location (previous)", "location_id"),
        ("Purchase Cost (k EUR)", "purchase_cost"),
        ("Category [former]", "product_id.category_id"),
        ("Purchase Date (invoice)", "purchase_date"),
    ] {
        let errors = assets(&["New Tag", header], &[("New Tag", "asset_id")]).unwrap_err();
        assert!(
            matches!(&errors[..], [MappingError::Qualified { field: fed, .. }] if fed == field),
            "{header}: {errors:?}"
        );
        let ignored = assets(&["asset_id", header], &[(header, "")]).unwrap();
        assert_eq!(ignored.columns[1].target, ColumnTarget::Ignored(Ignored::OnRequest), "{header}");
        assert!(
            assets(&["New Tag", header, "Notes"], &[("New Tag", "custom:New"), (header, field)]).is_ok(),
            "{header}"
        );
    }
}

#[test]
fn a_flag_for_the_plain_header_is_not_for_the_qualified_one() {
    let errors = assets(&["asset_id", "Serial Number (monitor)"], &[("Serial Number", "asset_serial")]).unwrap_err();
    assert!(errors.iter().any(|error| matches!(error, MappingError::NoSuchHeader { .. })), "{errors:?}");
    let mapping = assets(&["asset_id", "Purchase Cost (EUR)"], &[("Purchase Cost", "purchase_cost")]).unwrap();
    assert!(mapping.feeds("purchase_cost"), "a currency tells no other column");
}

#[test]
fn units_formats_and_currencies_change_nothing() {
    let mapping = assets(
        &["Asset Tag (required)", "Purchase Date (TT.MM.JJJJ)", "Purchase Cost (EUR)", "Serial [serialNumber]"],
        &[],
    )
    .unwrap();
    for field in ["asset_id", "purchase_date", "purchase_cost", "asset_serial"] {
        assert!(mapping.feeds(field), "{field}");
    }
    assert!(assets(&["asset_id", "Cost in CHF"], &[]).unwrap().feeds("purchase_cost"));
}

#[test]
fn a_missing_field_names_the_columns_that_were_not_understood() {
    let mapping = assets(&["Tag No.", "Colour", "Model"], &[]).unwrap();
    let not_understood = mapping.not_understood();
    let unfed: Vec<_> = mapping.unfed_fields().map(|field| field.name).collect();
    assert_eq!(unfed, ["asset_id", "status_id"]);
    assert_eq!(
        missing_field_text("asset_id", &not_understood),
        "no column is mapped to `asset_id` (required); not understood: `Tag No.`, `Colour`"
    );
    assert_eq!(missing_field_hint("asset_id", &not_understood), "say which: --map 'Tag No.=asset_id'");
    assert_eq!(missing_field_hint("asset_id", &[]), "add a column `asset_id`");
}

#[test]
fn a_secret_column_is_never_read_not_even_on_purpose() {
    for header in ["SIM PIN", "Kennwort", "custom:WiFi Key", "Initial password [passwordProfile] Required"] {
        let mapping = assets(&["asset_id", header], &[]).unwrap();
        assert_eq!(mapping.columns[1].target, ColumnTarget::Ignored(Ignored::Secret), "{header}");
        for target in ["custom:Code", "notes", "asset_name", "no_such_field"] {
            let errors = assets(&["asset_id", header], &[(header, target)]).unwrap_err();
            assert!(matches!(errors[..], [MappingError::Secret { .. }]), "{header}: {errors:?}");
        }
    }
    // However lenient its preset is.
    let lenient = MappingOverrides { is_lenient: true, ..overrides(&[("Code [passwordProfile]", "asset_name")]) };
    let header = row(1, &["asset_id", "Code [passwordProfile]"]);
    let errors = Mapping::new(collection("assets").unwrap(), &header, &lenient).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "column `Code [passwordProfile]` (B1) looks like passwords, which are never read"
    );
}

#[test]
#[ignore = "runs in a process of its own: see the module `fuzz`"]
fn fuzz_mapping_files() {
    let rules = b"entity = \"assets\"\nignore = [\"A\"]\n[fields.status_id]\nfirst_of = [\"A\", \"B\"]\nvalues = { a = \"b\" }\n\
        otherwise = \"error\"\n[fields.notes]\nfirst_of = [\"A\"]\njoin = \"{A} {B}\"\n[custom.OS]\njoin = \"{A} {B}\"\n[[skip]]\ncolumn = \"A\"\nis = [\"x\"]\n";
    let inputs: [&[u8]; 3] = [include_bytes!("presets/snipe-it.toml"), include_bytes!("presets/bluetally.toml"), rules];
    let words =
        ["[assets]", "=", "\"", "\"\"\"", "custom:", "[[", "]", "{", "}", "\n", "asset_id", "product_id.name", "\\"];
    crate::fuzz::each_mutation(&inputs, &words, 4, |bytes| {
        let _ = MappingFile::parse(&String::from_utf8_lossy(bytes), MappingSource::MappingFile, "m.toml");
    });
}

#[test]
fn the_hint_for_a_kind_names_the_kinds_and_the_fields_that_have_them() {
    let entity = collection("assets").unwrap();
    for (rule, hint) in [
        ("[fields.location_id]\ndefault = { kind = \"a\", name = \"B\" }", "a kind is for `status_id`"),
        (
            "[fields.status_id]\ndefault = { kind = \"a\", name = \"B\" }",
            "use one of `deployable`, `pending`, `undeployable`, `archived`",
        ),
    ] {
        let rules = MappingFile::parse(rule, MappingSource::MappingFile, "m.toml").unwrap().rules(entity);
        let overrides = MappingOverrides { rules, ..MappingOverrides::default() };
        let errors = Mapping::new(entity, &row(1, &["Asset Tag", "Model"]), &overrides).unwrap_err();
        assert!(errors[0].hint().ends_with(hint), "{}", errors[0].hint());
    }
}

/// A default is used where the tool says nothing: it may fill new records, and change none. A kind does so, and what
/// describes another record is used only to create it.
#[test]
fn what_presets_say_by_default_changes_no_record() {
    for preset in PRESETS {
        let file = MappingFile::preset(preset.name).unwrap();
        let rules = crate::schema::importable().flat_map(|entity| file.rules(entity));
        for rule in rules.filter(|rule| !rule.target.contains('.')) {
            let is_kind = rule.default.is_none_or(|default| default.record_kind.is_some());
            assert!(is_kind, "{}: {}", preset.name, rule.target);
        }
    }
}

#[test]
fn a_short_header_with_one_mistake_is_a_misspelt_field() {
    for (header, field) in [("Serail", "asset_serial"), ("Modle", "product_id"), ("Statsu", "status_id")] {
        let errors = assets(&["asset_id", header], &[]).unwrap_err();
        assert!(matches!(&errors[..], [MappingError::Misspelt { field: found, .. }] if found == field), "{errors:?}");
    }
    for header in ["Device", "Mode", "Modem", "SMART", "Teams", "County", "Notes 2", "Month"] {
        let mapping = assets(&["asset_id", header], &[]).unwrap();
        assert!(matches!(mapping.columns[1].target, ColumnTarget::Ignored(_)), "{header}");
    }
}

#[test]
fn a_quantity_that_a_checkin_cannot_take_is_never_dropped() {
    let of = |entity: &str, header: &str, pairs: &[(&str, &str)]| {
        Mapping::new(collection_or_action(entity), &row(1, &["Item", "Checkin date", header]), &overrides(pairs))
    };
    let is_asked = |mapped: &Result<Mapping, Vec<MappingError>>| {
        matches!(mapped.as_ref().map_err(Vec::as_slice), Err([MappingError::Quantity { .. }]))
    };
    for header in ["Quantity", "Qty.", "Qty returned", "returned_quantity", "Anzahl", "Menge (Stück)"] {
        for entity in ["checkin_accessory", "checkin_component"] {
            assert!(is_asked(&of(entity, header, &[])), "{entity}: {header}");
            assert!(of(entity, header, &[(header, "")]).is_ok(), "{entity}: {header}");
            assert!(is_asked(&of(entity, header, &[(header, "quantity")])), "{entity}: {header}");
        }
    }
    for header in ["Seats", "Quantity", "Anzahl", "Cantidad"] {
        let headers = |action: &str, day: &str| {
            Mapping::new(collection_or_action(action), &row(1, &["License", day, header]), &overrides(&[]))
        };
        assert!(is_asked(&headers("checkin_license", "Checkin date")), "{header}");
        let out = headers("checkout_license", "Checkout date").unwrap();
        assert_eq!(out.column_of("quantity"), Some(2), "{header}");
    }
    for header in ["Colour", "Account", "Discount"] {
        assert!(of("checkin_accessory", header, &[]).is_ok(), "{header}");
    }
    // What only one person can hold has no quantity either way.
    let assets = row(1, &["Asset", "Checkin date", "Status", "Quantity"]);
    assert!(Mapping::new(collection_or_action("checkin_asset"), &assets, &overrides(&[])).is_ok());
}

fn collection_or_action(name: &str) -> &'static Entity {
    crate::schema::importable().find(|entity| entity.name == name).unwrap()
}

#[test]
fn a_list_of_people_is_no_list_of_locations() {
    let of = |headers: &[&str]| detect_entity(None, "x", &[row(1, headers)]).map(|detected| detected.entity.name);
    assert_eq!(of(&["Prénom", "Nom", "Département", "E-mail"]), Ok("employees"));
    assert_eq!(of(&["First name", "Last name", "Department", "Email"]), Ok("employees"));
    // The last name of a person, or the name of a place.
    assert!(matches!(of(&["Nom", "Département", "E-mail"]), Err(EntityDetectionError::Ambiguous(_))));
    assert_eq!(of(&["Nom", "Ville", "Département", "Pays"]), Ok("locations"));
}

#[test]
fn a_tag_and_a_name_may_be_of_assets_or_of_maintenances() {
    let of = |headers: &[&str]| detect_entity(None, "x", &[row(1, headers)]).map(|detected| detected.entity.name);
    for headers in [&["Asset Tag", "Name"][..], &["_id", "Asset Tag", "Name"], &["Asset Tag", "Name", "Notes"]] {
        let Err(EntityDetectionError::Ambiguous(entities)) = of(headers) else { panic!("{headers:?}") };
        assert!(["assets", "maintenances"].iter().all(|name| entities.contains(name)), "{entities:?}");
    }
    assert_eq!(of(&["Asset Tag", "Name", "Type", "Start date"]), Ok("maintenances"));
    assert_eq!(of(&["Asset Tag", "Name", "Product", "Status"]), Ok("assets"));
}

/// What the headers feed, one after the other.
fn fields_of(entity: &str, headers: &[&str]) -> Vec<&'static str> {
    let entity = collection(entity).unwrap();
    let mapping = Mapping::new(entity, &row(1, headers), &MappingOverrides::default()).unwrap();
    mapping.fed_fields().map(|field| field.name).collect()
}

#[test]
fn countries_and_states_of_locations_are_known_by_any_tools_words() {
    for (country, state) in [
        ("Country/Region", "State/Province"),
        ("Country or region", "State or province"),
        ("Country", "State"),
        ("country_code", "Region"),
        ("Land", "Bundesland"),
        ("Land", "Staat"),
        ("Land/Region", "Bundesland/Kanton"),
        ("Land", "Provinz"),
        ("Pays", "Département"),
        ("Pays/Région", "Province"),
        ("Pays", "État"),
        ("País", "Provincia"),
        ("País o región", "Estado o provincia"),
        ("País", "Estado"),
        ("Paese", "Regione"),
        ("Land", "Provincie"),
        ("国家/地区", "省"),
    ] {
        for entity in ["locations", "suppliers"] {
            assert_eq!(fields_of(entity, &["name", country, state]), ["name", "country", "state"], "{country} {state}");
        }
    }
}

#[test]
fn a_state_of_an_asset_is_its_status() {
    for state in ["State", "Estado", "Statut"] {
        assert_eq!(fields_of("assets", &["Asset Tag", "Model", state]), ["asset_id", "product_id", "status_id"]);
    }
    // The place of an employee's or asset's row says nothing of the record itself.
    assert_eq!(fields_of("employees", &["Name", "Email", "State", "Country"]), ["name", "email"]);
}
