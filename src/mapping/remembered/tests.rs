#![allow(clippy::unwrap_used)]

use jiff::civil::date;
use tempfile::TempDir;

use super::{HeaderFingerprint, RememberedMapping, RememberedMappings, UnsavedMapping, choose_remembered};
use crate::mapping::{ColumnTarget, IdOwnership, Mapping, MappingFile, MappingOverrides, MappingSource};
use crate::schema::collection;
use crate::table::Row;

fn header(cells: &[&str]) -> Row {
    let mut row = Row::default();
    row.clear(1);
    cells.iter().for_each(|cell| row.push_text(cell));
    row
}

fn fingerprint(cells: &[&str]) -> Option<HeaderFingerprint> {
    HeaderFingerprint::of(&header(cells))
}

/// A mapping file for assets, applied to a header row.
fn mapping(header: &Row, text: &str, source: MappingSource) -> Mapping {
    mapping_of("assets", header, text, source)
}

fn mapping_of(entity: &str, header: &Row, text: &str, source: MappingSource) -> Mapping {
    let entity = collection(entity).unwrap();
    let file = MappingFile::parse(text, source, "test").unwrap();
    let overrides = MappingOverrides {
        map: file.overrides(entity),
        rules: file.rules(entity),
        skips: file.skips(entity),
        ..MappingOverrides::default()
    };
    Mapping::new(entity, header, &overrides).unwrap()
}

fn unsaved<'m>(header: &'m Row, mapping: &'m Mapping) -> UnsavedMapping<'m> {
    let (stem, file) = ("Geräte 2026 (neu)", "Geräte 2026 (neu).csv");
    UnsavedMapping {
        header,
        mapping,
        further: Vec::new(),
        preset: Some("intune"),
        stem,
        file,
        sheet: None,
        date: date(2026, 11, 28),
    }
}

#[test]
fn a_fingerprint_is_that_of_one_header_row() {
    let known = fingerprint(&["Tag No", "Cost (EUR)", "Model"]);
    assert_eq!(fingerprint(&["tag no ", "COST  (EUR)", "Model", "", " "]), known);
    assert_eq!(fingerprint(&["_status", "_id", "_message", "Tag No", "Cost (EUR)", "Model"]), known, "its result");
    for other in [
        &["Cost (EUR)", "Tag No", "Model"][..],
        &["Tag No", "Cost (USD)", "Model"],
        &["Tag No", "Cost (EUR)", "Model", "Notes"],
        &["Tag No", "Cost (EUR)"],
        &["Tag No", "", "Cost (EUR)", "Model"],
        &["Tag NoCost (EUR)", "Model"],
    ] {
        assert_ne!(fingerprint(other), known, "{other:?}");
    }
    assert_eq!(fingerprint(&["", " "]), None);
    assert_eq!(fingerprint(&["_status", "_id"]), None);
}

#[test]
fn a_remembered_mapping_is_the_mapping_that_was_made() {
    let folder = TempDir::new().unwrap();
    let store = RememberedMappings::new(folder.path());
    let header = header(&["Tag No", "State", "Own", "Key", "Odd"]);
    let text = "[assets]\n\"Tag No\" = \"asset_id\"\nKey = \"_id\"\n[assets.fields.status_id]\ncolumn = \"State\"\n\
                values = { managed = \"In use\" }\ndefault = \"Ready\"\n[[assets.skip]]\ncolumn = \"Own\"\nis = [\"me\"]\n";
    let made = mapping(&header, text, MappingSource::CommandLine);
    assert_eq!(store.remember(&unsaved(&header, &made)).unwrap().unwrap(), store.list().unwrap()[0].name);
    let found = store.find(&HeaderFingerprint::of(&header).unwrap()).unwrap().remove(0);
    let RememberedMapping { name, entity, date, file, columns, preset, mapping: kept, .. } = found;
    assert!(name.starts_with("geräte-2026-neu-"), "{name}");
    assert_eq!((entity.name, date, columns), ("assets", jiff::civil::date(2026, 11, 28), 5));
    assert_eq!((file.as_str(), preset.as_deref()), ("Geräte 2026 (neu).csv", Some("intune")));
    let entity = collection("assets").unwrap();
    let overrides = MappingOverrides {
        map: kept.overrides(entity),
        rules: kept.rules(entity),
        skips: kept.skips(entity),
        is_lenient: true,
        ..MappingOverrides::default()
    };
    let again = Mapping::new(entity, &header, &overrides).unwrap();
    let targets = |mapping: &Mapping| -> Vec<ColumnTarget> {
        mapping
            .columns
            .iter()
            .map(|column| column.target.clone())
            .filter(|to| !matches!(to, ColumnTarget::Ignored(_)))
            .collect()
    };
    assert_eq!(targets(&again), targets(&made));
    assert!(targets(&again).contains(&ColumnTarget::Id(IdOwnership::Verified)));
    assert_eq!(again.derived[0].rule.values, made.derived[0].rule.values);
    assert_eq!(again.skips.len(), 1);
}

#[test]
fn a_mapping_is_kept_for_each_collection_and_that_of_an_earlier_version_until_it_is_replaced() {
    let folder = TempDir::new().unwrap();
    let store = RememberedMappings::new(folder.path());
    let header = header(&["Item", "Count"]);
    let known = HeaderFingerprint::of(&header).unwrap();
    let remember = |entity: &str| {
        let text = format!("[{entity}]\nItem = \"name\"\nCount = \"quantity\"\n");
        let made = mapping_of(entity, &header, &text, MappingSource::CommandLine);
        store.remember(&unsaved(&header, &made)).unwrap().unwrap()
    };
    let kept = || -> Vec<&str> { store.find(&known).unwrap().iter().map(|found| found.entity.name).collect() };
    let first = remember("consumables");
    let mappings = folder.path().join("mappings");
    let path = |stem: String| mappings.join(stem).with_extension("toml");
    std::fs::rename(path(format!("{}-consumables", known.as_str())), path(known.as_str().to_owned())).unwrap();
    assert_eq!(kept(), ["consumables"]);
    let second = remember("accessories");
    assert_eq!(kept(), ["accessories", "consumables"]);
    assert!(second.contains("-accessories-") && second != first, "{first} {second}");
    assert_eq!((remember("consumables"), remember("accessories")), (first, second), "each keeps its name");
    assert_eq!(std::fs::read_dir(&mappings).unwrap().count(), 2);
}

#[test]
fn the_name_of_a_sheet_goes_before_a_mapping_of_another_collection() {
    let header = header(&["Item", "Count"]);
    let known = |entity: &str, file: &str| {
        let made = mapping_of(entity, &header, &format!("[{entity}]\nItem = \"name\"\n"), MappingSource::CommandLine);
        let fingerprint = HeaderFingerprint::of(&header).unwrap();
        let text = UnsavedMapping { file, ..unsaved(&header, &made) }.to_text(&fingerprint, "list-5f0c");
        RememberedMapping::parse(&text, fingerprint.as_str(), None).unwrap()
    };
    let chosen = |found: &[(&str, &str)], sheet: Option<&str>, stem: &str| {
        let found = found.iter().map(|(entity, file)| known(entity, file)).collect();
        let chosen = choose_remembered(found, (sheet, stem), std::slice::from_ref(&header));
        chosen.map(|chosen| chosen.map(|chosen| chosen.entity.name)).map_err(|error| error.to_string())
    };
    let both = [("accessories", "jan.xlsx"), ("consumables", "jan.xlsx")];
    assert_eq!(chosen(&both, Some("Accessories"), "feb"), Ok(Some("accessories")));
    assert_eq!(chosen(&both, Some("Sheet1"), "consumables 2026"), Ok(Some("consumables")));
    assert!(chosen(&both, None, "feb").unwrap_err().ends_with("for `accessories`, `consumables`"));
    let one = [("consumables", "consumables.csv")];
    assert_eq!(chosen(&one, None, "feb"), Ok(Some("consumables")));
    assert_eq!(chosen(&one, None, "accessories"), Ok(None), "another collection");
    assert_eq!(chosen(&[("consumables", "accessories.csv")], None, "accessories"), Ok(Some("consumables")), "as said");
    assert_eq!(chosen(&[], None, "feb"), Ok(None));
}

#[test]
fn what_a_rule_says_of_passwords_is_never_kept() {
    let folder = TempDir::new().unwrap();
    let store = RememberedMappings::new(folder.path());
    let header = header(&["Asset tag", "Password", "Note"]);
    let text = "[assets]\nPassword = \"\"\n[assets.custom.PIN]\ndefault = \"4711\"\n[assets.custom.Remark]\n\
                column = \"Note\"\ndefault = \"none\"\n";
    let made = mapping(&header, text, MappingSource::MappingFile);
    store.remember(&unsaved(&header, &made)).unwrap();
    let path = std::fs::read_dir(folder.path().join("mappings")).unwrap().next().unwrap().unwrap().path();
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(!kept.contains("4711"), "{kept}");
    assert!(kept.contains("Remark") && kept.contains("none"), "{kept}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }
}

#[test]
fn a_damaged_file_is_named_and_can_be_forgotten() {
    let folder = TempDir::new().unwrap();
    let store = RememberedMappings::new(folder.path());
    let header = header(&["Tag No"]);
    let made = mapping(&header, "[assets]\n\"Tag No\" = \"asset_id\"\n", MappingSource::CommandLine);
    store.remember(&unsaved(&header, &made)).unwrap();
    let known = HeaderFingerprint::of(&header).unwrap();
    let stem = format!("{}-assets", known.as_str());
    let path = folder.path().join("mappings").join(format!("{stem}.toml"));
    let whole = std::fs::read_to_string(&path).unwrap();
    for damaged in [
        &whole[..whole.len() / 2],
        "",
        &whole.replace(known.as_str(), "0123456789abcdef"),
        &whole.replace("2026-", "x"),
        &whole.replace("\"assets\"", "\"locations\""),
    ] {
        std::fs::write(&path, damaged).unwrap();
        let error = store.find(&known).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(error.hint().unwrap().split('`').nth(1), Some(&*format!("tallyport mappings forget {stem}")));
        assert!(store.list().unwrap()[0].mapping.is_err());
    }
    store.forget(&stem).unwrap();
    assert!(store.find(&known).unwrap().is_empty());
    assert!(store.list().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_can_change_is_not_trusted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let store = RememberedMappings::new(folder.path());
    let header = header(&["Tag No"]);
    let made = mapping(&header, "[assets]\n\"Tag No\" = \"asset_id\"\n", MappingSource::CommandLine);
    store.remember(&unsaved(&header, &made)).unwrap();
    std::fs::set_permissions(folder.path().join("mappings"), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(store.find(&HeaderFingerprint::of(&header).unwrap()).is_err());
    assert!(store.remember(&unsaved(&header, &made)).is_err());
    assert!(store.list().is_err());
}
