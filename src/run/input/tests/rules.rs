//! `--default`, `--value`, `--skip-where`, and the rules of a mapping file.

use super::*;

const PRODUCTS: (&str, &str) = ("products.csv", "Name,Category,Cost\nX1,Laptops,10\nX2,,\nX3,n/a,30\n");

fn flags(change: impl FnOnce(&mut MappingOptions)) -> Result<InputSet> {
    open(&[PRODUCTS], |options| change(&mut options.mapping))
}

/// The rows of [`PRODUCTS`] as they count, and which of them are left out.
fn ruled(change: impl FnOnce(&mut MappingOptions)) -> (Vec<String>, Vec<u64>) {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options_in(folder.path(), &[PRODUCTS]);
    change(&mut options.mapping);
    let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    (rows(&mut input, 0), skipped(&mut input))
}

fn skipped(input: &mut InputSet) -> Vec<u64> {
    let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
    let mut checkers = input.checkers(&sheets, &rules);
    let mut skipped = Vec::new();
    input
        .each_record(0, &mut checkers, &mut |_, row, checked| {
            if checked.action == Some(RowAction::Skip) {
                skipped.push(row.typed.number);
            }
        })
        .unwrap();
    skipped
}

#[test]
fn a_default_stands_in_for_a_value_that_is_missing() {
    let (seen, _) = ruled(|mapping| mapping.defaults.push(String::from(" category = Phones ")));
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(seen[0].starts_with("2 X1|Laptops|10"), "{seen:?}");
    assert!(seen[1].contains("Phones") && seen[2].contains("Phones"), "{seen:?}");
}

#[test]
fn a_value_takes_a_text_for_another() {
    let (seen, _) = ruled(|mapping| mapping.values.push(String::from("category:Laptops= Notebooks ")));
    assert!(seen[0].contains("Notebooks") && !seen[1].contains("Notebooks"), "{seen:?}");
    let folder = tempfile::tempdir().unwrap();
    let mut options = options_in(folder.path(), &[("locations.csv", "Name,custom:Floor\nBerlin,ground\n")]);
    options.mapping.values.push(String::from("custom:Floor:ground=0"));
    let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    assert!(rows(&mut input, 0)[0].contains('0'));
}

#[test]
fn rows_are_left_out_by_a_value_or_by_none() {
    let skipped = |text: &str| ruled(|mapping| mapping.skip_where.push(text.to_owned())).1;
    assert_eq!(skipped(" Category =Laptops"), [2]);
    assert_eq!(skipped("Category="), [3]);
    assert_eq!(skipped("Name= X3 "), [4]);
}

#[test]
fn flags_that_do_not_say_enough_are_refused() {
    let refused = |change: &dyn Fn(&mut MappingOptions)| refusal(flags(change));
    let value = "write it as --value 'field:FROM=TO', such as --value 'status:managed=In use'";
    let skip =
        "write it as --skip-where 'Header=Value'; without a value it leaves out the rows where the cell is blank";
    let cases: [Refusal<'_, MappingOptions>; 7] = [
        (
            &|mapping| mapping.defaults.push("category".into()),
            "--default 'category' does not say a value",
            "write it as --default 'field=VALUE', such as --default currency=EUR",
        ),
        (&|mapping| mapping.values.push("category".into()), "--value 'category' does not say what means what", value),
        (
            &|mapping| mapping.values.push("category:=x".into()),
            "--value 'category:=x' does not say what means what",
            value,
        ),
        (
            &|mapping| mapping.values.push("custom:Floor:=x".into()),
            "--value 'custom:Floor:=x' does not say what means what",
            value,
        ),
        (&|mapping| mapping.skip_where.push("Category".into()), "--skip-where 'Category' does not say a value", skip),
        (&|mapping| mapping.skip_where.push(" =x".into()), "--skip-where ' =x' does not say a value", skip),
        (
            &|mapping| mapping.defaults.push("weight=3".into()),
            "--default 'weight=3': `products` has no field `weight`",
            "`tallyport schema products` lists the fields",
        ),
    ];
    for (change, message, hint) in cases {
        assert_eq!(refused(change), (message.to_owned(), hint.to_owned()));
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused_and_both_named() {
    type Change<'c> = &'c dyn Fn(&mut MappingOptions);
    let cases: [(Change<'_>, &str); 6] = [
        (
            &|mapping| {
                mapping.map.push("Cost=notes".into());
                mapping.ignore.push("Cost".into());
            },
            "products.csv: `--map 'Cost=notes'` and `--ignore 'Cost'` contradict each other",
        ),
        (
            &|mapping| mapping.map.extend(["Cost=notes".into(), "cost=model_number".into()]),
            "products.csv: `--map 'Cost=notes'` and `--map 'cost=model_number'` contradict each other",
        ),
        (
            &|mapping| mapping.map.extend(["Cost=notes".into(), "Cost=custom:Price".into()]),
            "products.csv: `--map 'Cost=notes'` and `--map 'Cost=custom:Price'` contradict each other",
        ),
        (
            &|mapping| mapping.defaults.extend(["category=Phones".into(), "category=Laptops".into()]),
            "`--default 'category=Phones'` and `--default 'category=Laptops'` contradict each other",
        ),
        (
            &|mapping| mapping.defaults.extend(["category=Phones".into(), "category_id=Laptops".into()]),
            "`--default 'category=Phones'` and `--default 'category_id=Laptops'` contradict each other",
        ),
        (
            &|mapping| mapping.values.extend(["category:a=Phones".into(), "category:A=Laptops".into()]),
            "`--value 'category:a=Phones'` and `--value 'category:A=Laptops'` contradict each other",
        ),
    ];
    for (change, message) in cases {
        let (found, hint) = refusal(flags(change));
        assert!(found.ends_with(message), "{found}");
        assert_eq!(hint, "leave out one of them");
    }
    // The same twice, and one flag for each of two columns that are alike.
    flags(|mapping| {
        mapping.ignore.extend(["Cost".into(), "cost".into()]);
        mapping.map.push("Cost=".into());
        mapping.defaults.extend(["category=Phones".into(), "category=phones ".into()]);
        mapping.values.extend(["category:a=Phones".into(), "category:b=Laptops".into()]);
    })
    .unwrap();
    let alike = ("products.csv", "Name,Category,Rack,rack\nX1,Laptops,1,2\n");
    open(&[alike], |options| options.mapping.map.extend(["Rack=notes".into(), "rack=model_number".into()])).unwrap();
}

#[test]
fn a_flag_concerns_one_of_the_sheets() {
    let both =
        |text: &str| open(&[LOCATIONS, PRODUCTS], |options| options.mapping.defaults.push(text.to_owned())).map(drop);
    both("currency=EUR").unwrap();
    both("category=Phones").unwrap();
    assert!(both("weight=3").unwrap_err().to_string().ends_with("has no field `weight`"));
    let assets = ("assets.csv", "Asset Tag,Model,Status\nA-1,X1,Ready\n");
    let assigned = open(&[assets], |options| {
        options.mapping.map.push("Model|Status=assigned_to".into());
        options.mapping.defaults.push("checkout_date=2026-01-02".into());
    });
    assert_eq!(assigned.map(|input| input.sheets.len()).unwrap_or(2), 2);
}

#[test]
fn a_default_for_the_key_would_make_all_rows_one() {
    let refused = refusal(flags(|mapping| mapping.defaults.push("name=X".into())));
    assert_eq!(refused.0, "--default 'name=X' would give several rows the same key");
    assert_eq!(refused.1, "fill in the column; `name` tells the records of products apart");
    let file = ("m.toml", "entity = \"products\"\n[fields.name]\ncolumn = \"Name\"\ndefault = \"X\"\n");
    let (message, _) = refusal(open(&[PRODUCTS, file], |_| {}));
    assert!(message.ends_with(": the default of name would give several rows the same key"), "{message}");
}

#[test]
fn what_a_value_is_not_is_told_with_its_place() {
    let (message, hint) = refusal(flags(|mapping| mapping.defaults.push("default_purchase_cost=lots".into())));
    assert!(
        message.starts_with("--default 'default_purchase_cost=lots': ") && !message.contains("`lots` for"),
        "{message}"
    );
    assert!(!hint.is_empty());
    let other = "entity = \"products\"\n[fields.default_purchase_cost]\ncolumn = \"Cost\"\notherwise = \"lots\"\nvalues = { 10 = \"1\" }\n";
    let (message, _) = refusal(open(&[PRODUCTS, ("m.toml", other)], |_| {}));
    assert!(message.contains("lots"), "{message}");
    // No value is a choice, too.
    let none = "entity = \"products\"\n[fields.default_purchase_cost]\ncolumn = \"Cost\"\nvalues = { 10 = \"\" }\n";
    open(&[PRODUCTS, ("m.toml", none)], |_| {}).unwrap();
}

#[test]
fn a_format_of_dates_is_looked_at_before_the_rows() {
    let file = |format: &str| {
        format!("entity = \"assets\"\n[fields.purchase_date]\ncolumn = \"Bought\"\nformat = \"{format}\"\n")
    };
    let assets = ("assets.csv", "Asset Tag,Model,Status,Bought\nA-1,X1,Ready,31.01.2026\n");
    let opened = |format: &str| open(&[assets, ("m.toml", &file(format))], |_| {});
    opened("DD.MM.YYYY").unwrap();
    let (message, hint) = refusal(opened("someday"));
    assert!(message.contains("someday"), "{message}");
    assert_eq!(hint, "write it with D, M and Y, such as DD.MM.YYYY, MM/DD/YY or D MMM YYYY");
}

#[test]
fn amounts_of_different_units_do_not_stand_in_one_field() {
    let text = |one: &str, other: &str| format!("Name,Category,{one},{other}\nX1,Laptops,10,\n");
    let file = |field: &str, one: &str, other: &str| {
        format!("entity = \"products\"\n[fields.{field}]\nfirst_of = [\"{one}\", \"{other}\"]\n")
    };
    let opened = |field: &str, one: &str, other: &str| {
        open(&[("products.csv", &text(one, other)), ("m.toml", &file(field, one, other))], |_| {})
    };
    opened("default_purchase_cost", "Alpha (EUR)", "Beta (EUR)").unwrap();
    opened("notes", "Alpha (EUR)", "Beta (USD)").unwrap();
    let (message, hint) = refusal(opened("default_purchase_cost", "Alpha (EUR)", "Beta (USD)"));
    assert!(message.ends_with("the columns of default_purchase_cost have different units or currencies"), "{message}");
    assert_eq!(hint, "read one of them, and ignore the others");
}

#[test]
fn further_records_stand_in_sheets_of_their_own_that_belong_to_another() {
    let file = "entity = \"assets\"\nignore = [\"City\"]\n[fields.location_id]\ncolumn = \"Building\"\n\
                [fields.assigned_to]\ncolumn = \"Mail\"\n[fields.checkout_date]\ndefault = \"2026-01-05\"\n\
                [also.locations]\nname = { column = \"Building\" }\ncity = { column = \"City\" }\n";
    let text = "Asset tag,Product,Status,Building,City,Mail\nA-1,X1,Ready,HQ,Bonn,ada@example.com\n\
                A-2,X1,Ready,,Bonn,\n";
    let skipped = format!("_action,{text}").replace("\nA-", "\n,A-") + "skip,A-3,X1,Ready,HQ,Bonn,\n";
    let folder = tempfile::tempdir().unwrap();
    let options = options_in(folder.path(), &[("assets.csv", &skipped), ("m.toml", file)]);
    let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
    let names: Vec<&str> = input.sheets.iter().map(|sheet| sheet.mapping.entity.name).collect();
    assert_eq!(names, ["locations", "assets", "checkout_asset"]);
    assert_eq!((input.sheet_count(), input.further_of(1), input.further_of(0)), (1, vec![0, 2], vec![]));
    assert_eq!([0, 1, 2, 3].map(|index| input.owner_of(index)), [Some(1), None, Some(1), None]);
    assert_eq!(input.further_sheets(), [(0, 1), (2, 1)]);
    let headers: Vec<(u32, Option<u16>, String)> =
        input.sheet_headers().into_iter().map(|header| (header.place, header.owner, header.label)).collect();
    let label = || String::from("assets");
    assert_eq!(headers, [(0, Some(1), label()), (0, None, label()), (0, Some(1), label())]);
    let rules = input.sheet_rules();
    let plans: Vec<(u16, Option<u16>, bool)> = (0..3)
        .map(|index| input.sheet_plan(index, &rules[index]))
        .map(|plan| (plan.index, plan.owner, plan.is_assigned))
        .collect();
    assert_eq!(plans, [(0, Some(1), false), (1, None, true), (2, Some(1), false)]);
    assert_eq!(input.mappings().len(), 1);
    input.validate_keys().unwrap();
    let seen = rows(&mut input, 1);
    let firsts: Vec<&str> = seen.iter().map(|row| row.split_inclusive(' ').next().unwrap()).collect();
    assert_eq!(firsts, ["2 ", "locations: ", "checkout_asset: ", "3 ", "4 "], "{seen:?}");
}
