//! Walks the tables: what the guide counts, and what every line must have.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, HashSet};

use super::*;

/// Parameters as the guide prints them: list, get, create, update, delete.
const GUIDE: &[(&str, [usize; 5])] = &[
    ("accessories", [19, 1, 17, 18, 1]),
    // The guide prints the filter `category_id` twice; see `PRINTED_TWICE`.
    ("assets", [21, 1, 17, 18, 1]),
    ("audits", [12, 1, 8, 9, 1]),
    ("categories", [7, 1, 6, 7, 1]),
    ("components", [17, 1, 16, 17, 1]),
    ("consumables", [17, 1, 16, 17, 1]),
    ("departments", [7, 1, 3, 4, 1]),
    ("depreciations", [7, 1, 3, 4, 1]),
    ("employees", [10, 1, 8, 9, 1]),
    ("licenses", [20, 1, 19, 20, 1]),
    ("locations", [14, 1, 12, 13, 1]),
    ("maintenances", [12, 1, 8, 9, 1]),
    ("manufacturers", [10, 1, 7, 8, 1]),
    ("products", [15, 1, 14, 15, 1]),
    ("statuses", [8, 1, 4, 5, 1]),
    ("suppliers", [17, 1, 14, 15, 1]),
];

/// Parameters of the actions as the guide prints them.
const GUIDE_ACTIONS: &[(&str, usize)] = &[
    ("checkin_asset", 7),
    ("checkin_accessory", 5),
    ("checkin_component", 4),
    ("checkin_license", 6),
    ("checkout_asset", 9),
    ("checkout_accessory", 7),
    ("checkout_component", 5),
    ("checkout_consumable", 6),
    ("checkout_license", 8),
];

/// Parameters of the listings as the guide prints them.
const GUIDE_LISTINGS: &[(&str, usize)] = &[("activity", 17), ("tenants", 0)];

/// limit, sort, order, offset.
const PAGING: usize = 4;

/// A parameter the guide prints twice in one list, and which is one.
const PRINTED_TWICE: &[(&str, &str)] = &[("assets", "category_id")];

/// Sorted by without being a field: every record has the first two, and `eol` is said of products alone.
const SORTS_BEYOND_FIELDS: &[&str] = &["created_at", "updated_at", "eol"];

fn everything() -> impl Iterator<Item = &'static Entity> {
    importable().chain([&ACTIVITY, &TENANTS])
}

fn list_parameters(entity: &Entity) -> usize {
    let twice = PRINTED_TWICE.iter().filter(|(name, _)| *name == entity.name).count();
    PAGING + entity.filters().count() + twice
}

fn parameters(entity: &Entity) -> [usize; 5] {
    let create = entity.created_fields().count();
    let update = entity.updated_fields().count() + 1;
    [list_parameters(entity), 1, create, update, 1]
}

#[test]
fn every_collection_has_the_parameters_of_the_guide() {
    assert_eq!(GUIDE.len(), COLLECTIONS.len());
    for (name, counts) in GUIDE {
        assert_eq!(parameters(collection(name).unwrap()), *counts, "{name}");
    }
}

#[test]
fn every_action_has_the_parameters_of_the_guide() {
    let counted: Vec<_> = ACTIONS.iter().map(|action| (action.name, action.created_fields().count())).collect();
    assert_eq!(counted, GUIDE_ACTIONS);
}

#[test]
fn the_guide_has_91_endpoints_and_679_parameters() {
    let collections: usize = COLLECTIONS.iter().flat_map(|entity| parameters(entity)).sum();
    let actions: usize = ACTIONS.iter().map(|action| action.created_fields().count()).sum();
    let listings: usize = GUIDE_LISTINGS.iter().map(|(_, count)| count).sum();
    assert_eq!(GUIDE_LISTINGS[0].1, list_parameters(&ACTIVITY));
    assert_eq!(GUIDE_LISTINGS[1].1, TENANTS.filters().count());
    assert_eq!(COLLECTIONS.len() * 5 + ACTIONS.len() + GUIDE_LISTINGS.len(), 91);
    assert_eq!(collections + actions + listings, 679);
}

#[test]
fn no_name_means_two_entities() {
    let mut owners = HashMap::new();
    for entity in everything() {
        let names: HashSet<_> = [entity.name, entity.singular, entity.path]
            .iter()
            .chain(entity.also)
            .map(|name| fold_header(name))
            .collect();
        for name in names {
            let other = owners.insert(name.clone(), entity.name);
            assert_eq!(other, None, "`{name}` is said of {other:?} and {}", entity.name);
        }
    }
}

#[test]
fn an_entity_is_found_by_any_of_its_names() {
    for entity in everything() {
        for name in [entity.name, entity.singular, entity.path].iter().chain(entity.also) {
            assert_eq!(find(name).map(|found| found.name), Some(entity.name), "{name}");
        }
    }
    assert_eq!(find("Asset Checkouts").map(|found| found.name), Some("checkout_asset"));
    assert_eq!(find("ASSETS").map(|found| found.name), Some("assets"));
    assert!(find("dragons").is_none());
}

#[test]
fn a_slip_of_the_finger_finds_its_entity() {
    assert_eq!(nearest("asets"), Some("assets"));
    assert_eq!(nearest("checkout-aset"), Some("checkout_asset"));
    assert_eq!(nearest("employes"), Some("employees"));
    assert_eq!(nearest("qqqq"), None);
}

#[test]
fn field_names_are_unique() {
    for entity in everything() {
        let names: HashSet<_> = entity.fields.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), entity.fields.len(), "{}", entity.name);
    }
}

#[test]
fn records_refer_to_collections_before_their_own() {
    for (position, entity) in COLLECTIONS.iter().enumerate() {
        for field in entity.fields.iter().filter(|field| field.is_written()) {
            let Some(reference) = field.reference_to() else { continue };
            let target = COLLECTIONS.iter().position(|other| other.name == reference.to);
            assert!(target.is_some_and(|target| target < position), "{}.{}", entity.name, field.name);
        }
    }
}

#[test]
fn references_name_fields_that_exist() {
    for entity in everything() {
        for field in entity.fields {
            let Some(reference) = field.reference_to() else {
                assert!(field.related.is_empty(), "{}.{} is no reference", entity.name, field.name);
                continue;
            };
            let target = collection(reference.to).expect(reference.to);
            for related in field.related {
                let described = target.field(related.field);
                assert!(described.is_some_and(Field::is_written), "{}.{}", target.name, related.field);
            }
            if let Some((narrowing, _)) = reference.narrowed {
                assert!(target.field(narrowing).is_some(), "{}.{narrowing}", target.name);
            }
        }
    }
}

/// Guide: where it says String an asset goes by its tag, where it says Integer by its system id.
#[test]
fn assets_go_by_tag_or_by_id_as_the_guide_types_them() {
    let wire = |entity: &str| find(entity).unwrap().field("asset_id").unwrap().reference_to().unwrap().wire;
    for tagged in ["checkout_asset", "checkout_component", "maintenances", "audits"] {
        assert_eq!(wire(tagged), Wire::Tag, "{tagged}");
    }
    for by_id in ["checkin_asset", "checkin_component", "checkin_license", "checkout_license", "activity"] {
        assert_eq!(wire(by_id), Wire::Id, "{by_id}");
    }
}

#[test]
fn keys_are_written_and_can_be_searched() {
    for entity in everything() {
        assert_eq!(entity.key.is_empty(), !entity.is_collection(), "{}", entity.name);
        for key in entity.key {
            let field = entity.field(key).expect(key);
            assert!(field.create != Use::No && field.filter, "{}.{key}", entity.name);
        }
    }
}

#[test]
fn sorts_are_fields_with_the_default_first() {
    for entity in COLLECTIONS {
        let default = if entity.name == "audits" { "audit_date" } else { entity.key[0] };
        let default = if entity.field("name").is_some() { "name" } else { default };
        assert_eq!(entity.sorts[0], default, "{}", entity.name);
        for sort in entity.sorts {
            let known = entity.field(sort).is_some() || SORTS_BEYOND_FIELDS.contains(sort);
            assert!(known, "{}.{sort}", entity.name);
        }
    }
}

#[test]
fn every_line_is_worded_for_people() {
    for entity in everything() {
        assert!(entity.help.ends_with('.'), "{}", entity.name);
        for field in entity.fields {
            let at = format!("{}.{}", entity.name, field.name);
            assert!(field.help.ends_with('.'), "{at}: {}", field.help);
            assert!(!field.help.contains("Exact search"), "{at}");
            assert!(!field.is_written() || !field.example.is_empty(), "{at} has no example");
            assert!(field.help.len() < 120, "{at}: {} bytes of help", field.help.len());
        }
    }
}

#[test]
fn examples_of_options_are_options() {
    for entity in everything() {
        for field in entity.fields {
            if let Kind::Option(choices) = field.kind {
                assert!(choices.create.contains(&field.example), "{}.{}", entity.name, field.name);
                assert_eq!(choices.create.len(), choices.update.len());
            }
        }
    }
}

#[test]
fn examples_are_what_the_kind_takes() {
    for entity in everything() {
        for field in entity.fields.iter().filter(|field| !field.example.is_empty()) {
            let example = field.example;
            let right = match field.kind {
                Kind::Integer { least } => example.parse::<i64>().is_ok_and(|number| number >= least),
                Kind::Money => example.parse::<i64>().is_ok(),
                Kind::Date => example.parse::<jiff::civil::Date>().is_ok(),
                Kind::Boolean => ["yes", "no"].contains(&example),
                Kind::Text(TextForm::Email) => example.contains('@'),
                Kind::Text(TextForm::Url) => url::Url::parse(example).is_ok(),
                Kind::Text(TextForm::Plain) | Kind::Currency | Kind::Option(_) | Kind::Reference(_) => true,
                Kind::User | Kind::CustomFields | Kind::Structure => true,
            };
            assert!(right, "{}.{}: {example}", entity.name, field.name);
        }
    }
}

/// A header word belongs to one field of an entity, or to one detail of one record it refers to.
#[test]
fn no_header_word_means_two_fields() {
    let mut collisions = Vec::new();
    for entity in importable() {
        let mut owners: HashMap<String, String> = HashMap::new();
        let mut own = |word: &str, owner: String| {
            let folded = fold_header(word);
            if let Some(other) = owners.insert(folded, owner.clone()) {
                collisions.push(format!("{}: `{word}` is said of {other} and {owner}", entity.name));
            }
        };
        for field in entity.fields.iter().filter(|field| field.is_written()) {
            for word in std::iter::once(&field.name).chain(field.also) {
                own(word, field.name.to_owned());
            }
            for related in field.related {
                for word in related.also {
                    own(word, format!("{}'s {}", field.name, related.field));
                }
            }
        }
    }
    assert_eq!(collisions, Vec::<String>::new());
}

/// A column of records' own ids must never feed a field.
#[test]
fn words_that_need_a_question_are_not_synonyms() {
    for entity in importable() {
        for field in entity.fields {
            for word in field.also.iter().chain(field.related.iter().flat_map(|related| related.also)) {
                let folded = fold_header(word);
                assert!(!["id", "number", "no", "owner", "value", ""].contains(&folded.as_str()), "{word}");
            }
        }
    }
}

#[test]
fn fields_that_are_not_written_have_no_header_words() {
    for entity in everything() {
        for field in entity.fields.iter().filter(|field| !field.is_written()) {
            assert!(field.also.is_empty(), "{}.{}", entity.name, field.name);
        }
    }
}

fn feeds(entity: &str, header: &str) -> Option<String> {
    let folded = fold_header(header);
    for field in find(entity)?.fields.iter().filter(|field| field.is_written()) {
        let mut words = std::iter::once(&field.name).chain(field.also);
        if words.any(|word| fold_header(word) == folded) {
            return Some(field.name.to_owned());
        }
        let related = field.related.iter().find(|related| related.also.iter().any(|word| fold_header(word) == folded));
        if let Some(related) = related {
            return Some(format!("{}>{}", field.name, related.field));
        }
    }
    None
}

#[test]
fn headers_of_real_inventories_are_understood() {
    for (entity, header, field) in [
        ("assets", "Asset #", "asset_id"),
        ("assets", "Asset No.", "asset_id"),
        ("assets", "HB.asset_id", "asset_id"),
        ("assets", "assetTag", "asset_id"),
        ("assets", "HB.name", "asset_name"),
        ("assets", "cf: Serial number,type:text", "asset_serial"),
        ("assets", "Warranty Expiration (YYYY-MM-DD)", "warranty_expiration_date"),
        ("assets", "HB.warranty_expires", "warranty_expiration_date"),
        ("assets", "PONumber", "order_number"),
        ("assets", "ORDEN DE  COMPRA", "order_number"),
        ("assets", "HB.purchase_time", "purchase_date"),
        ("assets", "Purchase Date (YYYY-MM-DD)", "purchase_date"),
        ("assets", "HB.purchase_price", "purchase_cost"),
        ("assets", "preis_euro", "purchase_cost"),
        ("assets", "Model", "product_id"),
        ("assets", "Brand & Model", "product_id"),
        ("assets", "Asset Type", "product_id>category_id"),
        ("assets", "Category", "product_id>category_id"),
        ("assets", "Manufacturer.Name", "product_id>manufacturer_id"),
        ("assets", "cf:brand, type:option", "product_id>manufacturer_id"),
        ("assets", "HB.model_number", "product_id>model_number"),
        ("assets", "install_status", "status_id"),
        ("assets", "HB.purchase_from", "supplier_id"),
        ("assets", "Location.Name", "location_id"),
        ("assets", "Checked Out To: Location", "location_id"),
        ("assets", "部门名称", "department_id"),
        ("assets", "HB.description", "notes"),
        ("employees", "Name [displayName] Required", "name"),
        ("employees", "User name [userPrincipalName] Required", "email"),
        ("employees", "Job title [jobTitle]", "title"),
        ("employees", "Office [physicalDeliveryOfficeName]", "location_id"),
        ("employees", "AFFILIATION", "department_id"),
        ("employees", "City [city]", "location_id>city"),
        ("assets", "PCost", "purchase_cost"),
        ("licenses", "total_licenses", "number_of_seats"),
        ("licenses", "# of Seats", "number_of_seats"),
        ("licenses", "ExpiryDate", "expiration_date"),
        ("accessories", "accessory_name", "name"),
        ("accessories", "category_name", "category_id"),
        ("accessories", "supplier_name", "supplier_id"),
        ("accessories", "Qty.", "quantity"),
        ("consumables", "HB.quantity", "quantity"),
        ("consumables", "Seuil minimum", "minimum_quantity"),
        ("components", "component_name", "name"),
        ("locations", "ZIP or postal code [postalCode]", "zip"),
        ("locations", "Country or region [country]", "country"),
        ("suppliers", "dealerPhoneNumber", "phone"),
        ("suppliers", "Supplier Postcode", "zip"),
        ("depreciations", "assetDecayType", "name"),
        ("audits", "nextAssessmentDate", "next_audit_date"),
        ("checkout_asset", "Assigned To", "employee_id"),
        ("checkout_asset", "Checked Out To: Email", "employee_id>email"),
        ("checkin_asset", "expected_checkout", "checkin_date"),
    ] {
        assert_eq!(feeds(entity, header).as_deref(), Some(field), "{entity}: {header}");
    }
}

#[test]
fn headers_that_mean_something_else_are_left_alone() {
    for (entity, header) in [
        ("assets", "ID"),
        ("assets", "Number"),
        ("assets", "Warranty Months"),
        ("assets", "invoice_no"),
        ("assets", "Checked Out To: Name"),
        ("employees", "Activated"),
        ("employees", "Username"),
        ("employees", "Street address [streetAddress]"),
        ("checkout_asset", "Name"),
        ("employees", "Initial password [passwordProfile] Required"),
        ("employees", "Employee ID"),
        ("employees", "Manager"),
        ("checkout_asset", "Owner"),
    ] {
        assert_eq!(feeds(entity, header), None, "{entity}: {header}");
    }
}

#[test]
fn the_log_speaks_of_all_that_can_be_moved_in_its_own_words() {
    let Kind::Option(events) = ACTIVITY.field("event").unwrap().kind else { panic!("no options") };
    for action in ACTIONS {
        let (_, reference) = action.item().unwrap();
        let item = collection(reference.to).unwrap();
        let Role::Action(verb) = action.role else { panic!("no action") };
        assert!(item.log_type().is_some() && item.log_filter().is_some(), "{}", action.name);
        assert!(events.create.contains(&verb.log_event()), "{}", action.name);
    }
    let logged: Vec<_> = COLLECTIONS.iter().filter_map(|entity| entity.log_type()).collect();
    assert_eq!(logged, ["Asset", "License", "Accessory", "Component", "Consumable", "Maintenance", "Audit"]);
    let holders: Vec<_> = find("checkout_license").unwrap().holders().map(|field| field.name).collect();
    assert_eq!(holders, ["employee_id", "asset_id"]);
    assert_eq!(find("checkin_asset").unwrap().holders().count(), 0);
}

#[test]
fn what_a_type_of_item_takes_depends_on_a_field_of_the_item() {
    for action in ACTIONS {
        for field in action.fields.iter().filter(|field| field.item_type.is_some()) {
            let (_, item) = action.item().unwrap();
            assert!(!field.is_required(), "{} {}", action.name, field.name);
            assert!(collection(item.to).unwrap().meaning(Meaning::ItemType).is_some(), "{}", action.name);
        }
    }
    let types: HashSet<_> = collection("licenses").unwrap().item_types().collect();
    assert_eq!(types, HashSet::from(["Dynamic", "Product Key"]));
}

#[test]
fn what_a_field_implies_is_an_option_of_its_entity() {
    for entity in importable() {
        for implied in entity.fields.iter().filter_map(|field| field.implies) {
            let Kind::Option(choices) = entity.field(implied.field).unwrap().kind else { panic!("{}", implied.field) };
            assert!(choices.create.contains(&implied.option), "{} {}", entity.name, implied.option);
            assert!(entity.field(implied.unless).is_some(), "{} {}", entity.name, implied.unless);
        }
    }
}
