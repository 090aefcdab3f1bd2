#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{IndexSet, LookAlikes, NameColumn, NameTally, OwnNames, Place, SheetNames, is_covered};
use crate::catalog::Catalog;
use crate::check::{
    Aliases, CheckedRow, NameDecision, ParsedField, ParsedValue, RecurringCell, RenamedCell, TextCache, TextId,
};
use crate::mapping::Ids;
use crate::schema::{self, fold_name};
use crate::table::Row;

const MAKERS: &str = "manufacturers";

impl NameTally {
    /// A sheet with one column that refers to makers.
    fn of_makers() -> Self {
        Self {
            sheets: vec![Some(SheetNames { columns: vec![NameColumn::new(0, MAKERS, Place::Referred)], own: None })],
        }
    }

    fn add(&mut self, name: &str, from: Option<&str>) {
        self.sheets[0].as_mut().unwrap().columns[0].add(name, from);
    }
}

/// Sixty invented makers. Some are near each other on purpose.
const TRUE_NAMES: [&str; 60] = [
    "Abendrot Systeme", "Alder Computing", "Alder Networks", "Arcadia Optik", "Bélanger Micro", "Birch & Sons",
    "Bluefin Storage", "Borealis Data", "Bright Harbour", "Cask Robotics", "Cedar Point Devices", "Cobalt Displays",
    "Côte d'Azur Imaging", "Delphi Works", "Drumlin Electric", "Eastgate Printing", "Ebony Keys", "Ember Audio",
    "Ember Video", "Falkenberg Instruments", "Fjord Mobile", "Foxglove Semiconductor", "Gélinas Vision",
    "Granite Peak", "Greystone Terminals", "Halcyon Laptops", "Hartmann Messtechnik", "Heron Telecom", "Ibex Power",
    "Indigo Cables", "Ironwood Servers", "Juniper Hill", "Kestrel Drones", "Königsberg Technik", "Larkspur Tablets",
    "Level 7 Hardware", "Level 77 Hardware", "Lindqvist Scanners", "Magnolia Docks", "Marlin Projectors",
    "Meridian Clocks", "Mill & Stone", "Nadir Cameras", "Northwind Radios", "Obsidian Touch", "Ostrava Kabel",
    "Pelican Cases", "Peña Electrónica", "Quarry Logic", "Quill Pens", "Redwood Batteries", "Saffron Chips",
    "Sable Monitors", "Tamarack Printers", "Tern Headsets", "Umber Adapters", "Vesper Lighting", "Willow Networks",
    "Yarrow Sensors", "Zephyr Cooling",
];

/// A small generator of numbers that are the same in every run (Knuth's linear congruence).
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn choose<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len())]
    }
}

/// A spelling of a name as people write it: case, blanks, punctuation, legal form, accents, order of the words.
fn spelling(name: &str, sequence: &mut Sequence) -> String {
    let mut words: Vec<String> = name.split(' ').map(str::to_owned).collect();
    if sequence.below(6) == 0 && words.len() == 2 {
        words.reverse();
        words[0].push(',');
    }
    let mut text = words.join(sequence.choose(&[" ", " ", " ", "  ", "-", ""]));
    if sequence.below(3) == 0 {
        text = text.replace(['é', 'É'], "e").replace('ô', "o").replace('ö', "oe").replace('ñ', "n").replace('ó', "o");
    }
    text += sequence.choose(&[
        "", "", "", " Inc.", " Inc", ", Inc.", " GmbH", " GmbH & Co. KG", " Ltd.", " Limited", " AG", " S.A.",
        " Corp.", " Corporation", " Co.,Ltd.", " B.V.", " S. p. A.",
    ]);
    match sequence.below(4) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        _ => text + sequence.choose(&["", "", " ", "."]),
    }
}

/// Four hundred different spellings, each with the maker that it means.
fn spellings() -> BTreeMap<String, &'static str> {
    let mut sequence = Sequence(7);
    let mut spellings = BTreeMap::new();
    for name in TRUE_NAMES.iter().cycle() {
        spellings.insert(spelling(name, &mut sequence).trim().to_owned(), *name);
        if spellings.len() == 400 {
            break;
        }
    }
    spellings
}

fn report(names: impl IntoIterator<Item = String>, aliases: &Aliases) -> LookAlikes {
    let mut tally = NameTally::of_makers();
    for name in names {
        match aliases.find(MAKERS, &name) {
            Some(decision) if decision.use_instead != name => tally.add(&decision.use_instead, Some(&name)),
            _ => tally.add(&name, None),
        }
    }
    tally.report(None, aliases)
}

fn decision(name: &str, use_instead: &str) -> NameDecision {
    NameDecision {
        collection: MAKERS,
        name: name.to_owned(),
        use_instead: use_instead.to_owned(),
        place: String::from("test"),
    }
}

#[test]
fn four_hundred_spellings_of_sixty_makers_are_grouped_and_decided_once() {
    let spellings = spellings();
    let shown = report(spellings.keys().cloned(), &Aliases::default());
    for group in &shown.groups {
        let makers: BTreeSet<&str> = group.names.iter().map(|name| spellings[&name.name]).collect();
        assert_eq!(makers.len(), 1, "a false group: {group:?}");
    }
    // A true group is shown if all its spellings that would be records of their own stand in one.
    let mut records: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (spelling, maker) in &spellings {
        records.entry(maker).or_default().insert(fold_name(spelling).into_owned());
    }
    let groups: Vec<BTreeSet<String>> = (shown.groups.iter())
        .map(|group| group.names.iter().map(|name| fold_name(&name.name).into_owned()).collect())
        .collect();
    let wanted: Vec<&BTreeSet<String>> = records.values().filter(|names| names.len() > 1).collect();
    let found = wanted.iter().filter(|names| groups.contains(names)).count();
    assert!(wanted.len() > 50, "{}", wanted.len());
    assert!(found * 100 >= wanted.len() * 95, "{found} of {}", wanted.len());

    let taken =
        shown.groups.iter().flat_map(|group| group.names.iter().map(|name| decision(&name.name, &group.suggestion)));
    let aliases = Aliases::new(taken).unwrap();
    let second = report(spellings.keys().cloned(), &aliases);
    assert_eq!(second.groups, [], "the second run asks nothing");
    assert!(!second.aliased.is_empty());
}

fn account(names: &[(i64, &str)]) -> Catalog {
    let mut catalog = Catalog::default();
    for (id, name) in names {
        let record = serde_json::json!({"id": id, "name": name});
        catalog.insert_known(schema::collection(MAKERS).unwrap(), *id, record.as_object().unwrap().clone());
    }
    catalog
}

fn shown(tally: &NameTally, account: &Catalog, aliases: &Aliases) -> Vec<String> {
    tally.report(Some(account), aliases).remarks().into_iter().map(|remark| remark.message).collect()
}

fn tally(names: &[&str]) -> NameTally {
    let mut tally = NameTally::of_makers();
    names.iter().for_each(|name| tally.add(name, None));
    tally
}

#[test]
fn the_name_of_the_account_is_suggested() {
    let names = tally(&["Dell Inc.", "Dell Inc.", "DELL Inc.", "Lenovo"]);
    let report = names.report(Some(&account(&[(3, "Dell"), (4, "Apple")])), &Aliases::default());
    assert_eq!(report.groups.len(), 1);
    assert_eq!(report.groups[0].suggestion, "Dell");
    assert_eq!(
        report.remarks()[0].message,
        "manufacturers: `Dell` (#3), `Dell Inc.` (2 rows) and `DELL Inc.` (1 row) look alike"
    );
}

#[test]
fn names_that_need_no_new_record_are_not_shown() {
    let both = account(&[(3, "Dell"), (4, "Dell Inc.")]);
    assert!(shown(&tally(&["Dell", "dell", "Dell Inc."]), &both, &Aliases::default()).is_empty());
    assert!(shown(&tally(&["Dell", "DELL", " dell"]), &Catalog::default(), &Aliases::default()).is_empty());
}

#[test]
fn a_name_that_stands_for_itself_is_left_alone_but_still_meant_by_others() {
    let catalog = account(&[(3, "Dell")]);
    let settled = Aliases::new([decision("Dell Inc.", "Dell Inc.")]).unwrap();
    assert!(shown(&tally(&["Dell Inc."]), &catalog, &settled).is_empty());
    let meant = Aliases::new([decision("Dell", "Dell"), decision("Dell Inc.", "Dell")]).unwrap();
    let names = tally(&["Dell", "Dell GmbH"]);
    assert_eq!(
        shown(&names, &Catalog::default(), &meant)[0],
        "manufacturers: `Dell` (1 row) and `Dell GmbH` (1 row) look alike"
    );
}

#[test]
fn a_decision_for_a_name_that_nobody_has_is_an_error_once_it_is_used() {
    let aliases = Aliases::new([decision("Dell Inc.", "Del"), decision("HP Inc.", "HPE")]).unwrap();
    let mut names = tally(&["Lenovo"]);
    assert_eq!(names.validate_aliases(&account(&[(3, "Dell")]), &aliases), Ok(()));
    names.add("Del", Some("Dell Inc."));
    let error = names.validate_aliases(&account(&[(3, "Dell")]), &aliases).unwrap_err();
    assert_eq!(
        error.to_string(),
        "test: `Dell Inc.` in manufacturers is to be `Del`, which is neither in the account nor in the file"
    );
    assert_eq!(crate::error::Diagnostic::hint(&error).unwrap().split('?').next(), Some("did you mean `Dell`"));
    names.add("Del", None);
    assert_eq!(names.validate_aliases(&account(&[(3, "Dell")]), &aliases), Ok(()), "a row says it itself");
    let mut spelled = tally(&[]);
    spelled.add("Acme", Some("ACME"));
    assert_eq!(spelled.validate_aliases(&Catalog::default(), &aliases), Ok(()), "only its spelling is decided");
}

#[test]
fn memory_is_bounded_and_the_limit_is_told() {
    let mut names = NameTally::of_makers();
    for number in 0..super::MOST_NAMES + 5 {
        names.add(&format!("Maker {number}"), None);
    }
    names.add(&"x".repeat(super::LONGEST_NAME + 1), None);
    let report = names.report(None, &Aliases::default());
    assert_eq!(report.limited, [MAKERS]);
    assert!(report.groups.is_empty());
}

#[test]
fn names_counted_block_by_block_are_those_counted_row_by_row() {
    let mut sequence = Sequence(7);
    // More different names than are kept; some come again, some of them in place of others.
    let rows: Vec<(String, Option<&str>)> = (0..super::MOST_NAMES + 9_000)
        .map(|number| {
            let name = if number % 3 == 0 { sequence.below(number + 1) } else { number };
            (format!("Maker {name}"), Some("ACME").filter(|_| number % 1_000 == 7))
        })
        .collect();
    let count = |rows: &[(String, Option<&str>)]| {
        let mut names = NameTally::of_makers();
        rows.iter().for_each(|(name, from)| names.add(name, *from));
        names
    };
    let alone = count(&rows);
    let mut merged = NameTally::default();
    rows.chunks(1_300).for_each(|block| merged.merge(count(block)));
    let column = |names: &NameTally| {
        let NameColumn { typed, renamed, is_full, .. } = &names.sheets[0].as_ref().unwrap().columns[0];
        (typed.clone().into_iter().collect::<Vec<_>>(), renamed.clone(), *is_full)
    };
    assert_eq!(column(&merged), column(&alone));
    assert!(column(&alone).2, "there are more names than are kept");
}

#[test]
fn a_renamed_cell_is_counted_in_its_own_column() {
    let column = |column| NameColumn::new(column, MAKERS, Place::Referred);
    let mut names = SheetNames { columns: vec![column(0), column(1)], own: None };
    let mut row = Row::default();
    ["Dell", "ACME"].iter().for_each(|name| row.push_text(name));
    let value = |column| ParsedField { field: 0, column, value: ParsedValue::Name(Ids::Marked) };
    let mut checked = CheckedRow { values: vec![value(0), value(1)], ..CheckedRow::default() };
    checked.renamed.push(RenamedCell { column: 1, from: "Acme Inc".into(), to: "ACME".into() });
    names.observe(&row, &checked);
    let counted: Vec<_> = names.columns.iter().map(|column| (column.typed.len(), column.renamed.len())).collect();
    assert_eq!(counted, [(1, 0), (0, 1)]);
}

/// A sheet of makers, beside one that names them.
#[test]
fn a_record_that_a_sheet_writes_is_one_that_names_are_compared_with() {
    let own = OwnNames { column: 0, collection: MAKERS, names: IndexSet::default() };
    let mut makers = SheetNames { columns: Vec::new(), own: Some(own) };
    let mut row = Row::default();
    row.push_text(" Dell Inc. ");
    makers.observe(&row, &CheckedRow::default());
    let mut names = tally(&["DELL"]);
    names.sheets.push(Some(makers));
    let alike = "manufacturers: `Dell Inc.` and `DELL` (1 row) look alike";
    assert_eq!(shown(&names, &Catalog::default(), &Aliases::default())[0], alike);
    let aliases = Aliases::new([decision("Dell", "dell inc.")]).unwrap();
    names.add("dell inc.", Some("Dell"));
    assert_eq!(names.validate_aliases(&Catalog::default(), &aliases), Ok(()));
}

#[test]
fn recurring_cells_are_counted_as_the_names_that_they_hold() {
    let mut names = SheetNames { columns: vec![NameColumn::new(1, MAKERS, Place::Referred)], own: None };
    let (mut cache, mut random) = (TextCache::default(), fastrand::Rng::with_seed(7));
    let (mut expected, mut recurred) = (HashMap::new(), 0);
    for _ in 0..20_000 {
        // More than are remembered, and some of them far oftener than others.
        let name = format!("Maker {}", random.u32(..20) * random.u32(..20));
        let mut row = Row::default();
        ["A-1", &name].iter().for_each(|text| row.push_text(text));
        let value = ParsedField { field: 0, column: 1, value: ParsedValue::Name(Ids::Marked) };
        let mut checked = CheckedRow { values: vec![value], ..CheckedRow::default() };
        match cache.get(&name) {
            Some(((), text)) => checked.recurring.push(RecurringCell { column: 1, text }),
            None => cache.insert(&name, ()),
        }
        recurred += checked.recurring.len();
        names.observe(&row, &checked);
        *expected.entry(name.into_boxed_str()).or_insert(0) += 1;
    }
    let counted: HashMap<Box<str>, u64> = names.columns[0].typed.clone().into_iter().collect();
    assert_eq!(counted, expected);
    assert!(expected.len() > TextId::SLOTS && recurred > 5_000, "{} {recurred}", expected.len());
}

#[test]
fn names_are_compared_and_tags_are_not() {
    for (collection, expected) in
        [("manufacturers", true), ("employees", true), ("assets", false), ("checkout_asset", false)]
    {
        assert_eq!(is_covered(collection), expected, "{collection}");
    }
}
