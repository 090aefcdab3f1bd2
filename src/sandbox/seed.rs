//! The sample records of a new account, for sheets to refer to.
//!
//! They are created like those of a client, by the same rules and in the order of the table, so that their ids are the
//! same in every new single-tenant sandbox.

use serde_json::{Value as Json, json};

use super::body::JsonBody;
use super::error::SandboxError;
use super::store::{AccountId, RecordStore, StoreFailure, StoreReply};
use crate::schema;
use SampleValue::{Number, Text, To, Yes};

/// The value of a field in a sample record.
#[derive(Debug, Clone, Copy)]
enum SampleValue {
    Text(&'static str),
    Number(i64),
    Yes,
    /// A reference to the sample record with that name.
    To(&'static str),
}

type Sample = &'static [(&'static str, SampleValue)];

const SAMPLES: &[(&str, &[Sample])] = &[
    (
        "depreciations",
        &[
            &[("name", Text("Computers, 3 years")), ("months", Number(36)), ("minimum_value", Number(0))],
            &[("name", Text("Furniture, 7 years")), ("months", Number(84)), ("minimum_value", Number(50))],
        ],
    ),
    (
        "manufacturers",
        &[
            &[
                ("name", Text("Apple")),
                ("url", Text("https://www.apple.com")),
                ("support_url", Text("https://support.apple.com")),
            ],
            &[
                ("name", Text("Dell")),
                ("url", Text("https://www.dell.com")),
                ("support_email", Text("support@example.com")),
            ],
            &[("name", Text("HP")), ("url", Text("https://www.hp.com"))],
            &[("name", Text("Lenovo")), ("url", Text("https://www.lenovo.com"))],
            &[("name", Text("Logitech")), ("url", Text("https://www.logitech.com"))],
            &[("name", Text("Microsoft")), ("url", Text("https://www.microsoft.com"))],
            &[("name", Text("Samsung")), ("url", Text("https://www.samsung.com"))],
            &[("name", Text("Cisco")), ("url", Text("https://www.cisco.com"))],
        ],
    ),
    (
        "suppliers",
        &[
            &[
                ("name", Text("Northwind IT")),
                ("city", Text("Hamburg")),
                ("country", Text("Germany")),
                ("email", Text("orders@northwind.example.com")),
                ("url", Text("https://northwind.example.com")),
            ],
            &[
                ("name", Text("Contoso Supplies")),
                ("city", Text("Chicago")),
                ("state", Text("IL")),
                ("country", Text("United States")),
            ],
            &[
                ("name", Text("Fabrikam Hardware")),
                ("contact_name", Text("Ines Costa")),
                ("phone", Text("+351 21 555 0100")),
            ],
            &[("name", Text("Adventure Office")), ("email", Text("sales@adventure.example.com"))],
        ],
    ),
    (
        "statuses",
        &[
            &[("name", Text("Ready to Deploy")), ("type", Text("deployable")), ("show_in_nav", Yes)],
            &[("name", Text("In Use")), ("type", Text("deployable")), ("show_in_nav", Yes)],
            &[("name", Text("On Order")), ("type", Text("pending"))],
            &[("name", Text("In Repair")), ("type", Text("undeployable"))],
            &[("name", Text("Lost or Stolen")), ("type", Text("undeployable"))],
            &[("name", Text("Retired")), ("type", Text("archived"))],
        ],
    ),
    (
        "categories",
        &[
            &[
                ("name", Text("Laptops")),
                ("type", Text("asset")),
                ("minimum_quantity", Number(5)),
                ("checkout_email", Yes),
            ],
            &[("name", Text("Desktops")), ("type", Text("asset"))],
            &[("name", Text("Monitors")), ("type", Text("asset"))],
            &[("name", Text("Phones")), ("type", Text("asset"))],
            &[("name", Text("Tablets")), ("type", Text("asset"))],
            &[("name", Text("Printers")), ("type", Text("asset"))],
            &[("name", Text("Network Equipment")), ("type", Text("asset"))],
            &[("name", Text("Furniture")), ("type", Text("asset"))],
            &[("name", Text("Keyboards and Mice")), ("type", Text("accessory"))],
            &[("name", Text("Cables and Adapters")), ("type", Text("accessory"))],
            &[("name", Text("Printer Supplies")), ("type", Text("consumable"))],
            &[("name", Text("Memory")), ("type", Text("component"))],
            &[("name", Text("Storage")), ("type", Text("component"))],
            &[("name", Text("Office Software")), ("type", Text("license"))],
            &[("name", Text("Design Software")), ("type", Text("license"))],
        ],
    ),
    (
        "departments",
        &[
            &[
                ("name", Text("Engineering")),
                ("email", Text("engineering@example.com")),
                ("phone", Text("+1 555 0101")),
            ],
            &[("name", Text("Finance")), ("email", Text("finance@example.com")), ("phone", Text("+1 555 0102"))],
            &[("name", Text("Human Resources")), ("email", Text("hr@example.com")), ("phone", Text("+1 555 0103"))],
            &[("name", Text("IT")), ("email", Text("it@example.com")), ("phone", Text("+1 555 0104"))],
            &[("name", Text("Sales")), ("email", Text("sales@example.com")), ("phone", Text("+1 555 0105"))],
        ],
    ),
    (
        "locations",
        &[
            &[
                ("name", Text("Headquarters")),
                ("address_line_1", Text("100 Main Street")),
                ("city", Text("Chicago")),
                ("zip", Text("60601")),
                ("state", Text("IL")),
                ("country", Text("United States")),
                ("currency", Text("USD")),
            ],
            &[
                ("name", Text("Berlin")),
                ("address_line_1", Text("Torstraße 1")),
                ("city", Text("Berlin")),
                ("zip", Text("10119")),
                ("country", Text("Germany")),
                ("currency", Text("EUR")),
            ],
            &[
                ("name", Text("London")),
                ("city", Text("London")),
                ("country", Text("United Kingdom")),
                ("currency", Text("GBP")),
            ],
            &[
                ("name", Text("Warehouse")),
                ("city", Text("Joliet")),
                ("zip", Text("60432")),
                ("country", Text("United States")),
            ],
        ],
    ),
    (
        "employees",
        &[
            &[
                ("name", Text("Ada Byron")),
                ("email", Text("ada.byron@example.com")),
                ("title", Text("Head of Engineering")),
                ("location_id", To("Headquarters")),
                ("department_id", To("Engineering")),
            ],
            &[
                ("name", Text("Grace Murray")),
                ("email", Text("grace.murray@example.com")),
                ("title", Text("Engineer")),
                ("location_id", To("Headquarters")),
                ("department_id", To("Engineering")),
            ],
            &[
                ("name", Text("Jürgen Weiß")),
                ("email", Text("juergen.weiss@example.com")),
                ("title", Text("Controller")),
                ("location_id", To("Berlin")),
                ("department_id", To("Finance")),
            ],
            &[
                ("name", Text("Mei Tanaka")),
                ("email", Text("mei.tanaka@example.com")),
                ("title", Text("Account Executive")),
                ("location_id", To("London")),
                ("department_id", To("Sales")),
            ],
            &[
                ("name", Text("Noor Haddad")),
                ("email", Text("noor.haddad@example.com")),
                ("title", Text("IT Administrator")),
                ("location_id", To("Headquarters")),
                ("department_id", To("IT")),
            ],
            &[
                ("name", Text("Tom Former")),
                ("email", Text("tom.former@example.com")),
                ("notes", Text("left the company")),
                ("archived", Yes),
            ],
        ],
    ),
    (
        "products",
        &[
            &[
                ("name", Text("MacBook Pro 14")),
                ("model_number", Text("MX2H3")),
                ("end_of_life_type", Text("Months from Asset Purchase Date")),
                ("end_of_life_months", Number(48)),
                ("default_purchase_cost", Number(1999)),
                ("category_id", To("Laptops")),
                ("manufacturer_id", To("Apple")),
                ("depreciation_id", To("Computers, 3 years")),
            ],
            &[
                ("name", Text("Latitude 5450")),
                ("model_number", Text("L5450")),
                ("default_purchase_cost", Number(1299)),
                ("category_id", To("Laptops")),
                ("manufacturer_id", To("Dell")),
                ("depreciation_id", To("Computers, 3 years")),
            ],
            &[
                ("name", Text("ThinkPad T14")),
                ("model_number", Text("21ML")),
                ("end_of_life_type", Text("Individual Per Asset")),
                ("category_id", To("Laptops")),
                ("manufacturer_id", To("Lenovo")),
            ],
            &[
                ("name", Text("EliteDesk 800")),
                ("model_number", Text("G9")),
                ("category_id", To("Desktops")),
                ("manufacturer_id", To("HP")),
            ],
            &[
                ("name", Text("UltraSharp 27")),
                ("model_number", Text("U2723QE")),
                ("category_id", To("Monitors")),
                ("manufacturer_id", To("Dell")),
            ],
            &[
                ("name", Text("iPhone 16")),
                ("model_number", Text("A3287")),
                ("category_id", To("Phones")),
                ("manufacturer_id", To("Apple")),
            ],
            &[
                ("name", Text("Galaxy S24")),
                ("model_number", Text("SM-S921B")),
                ("category_id", To("Phones")),
                ("manufacturer_id", To("Samsung")),
            ],
            &[
                ("name", Text("iPad Air")),
                ("model_number", Text("M2")),
                ("category_id", To("Tablets")),
                ("manufacturer_id", To("Apple")),
            ],
            &[
                ("name", Text("LaserJet Pro")),
                ("model_number", Text("M404dn")),
                ("category_id", To("Printers")),
                ("manufacturer_id", To("HP")),
            ],
            &[
                ("name", Text("Catalyst 1300")),
                ("model_number", Text("C1300-24T")),
                ("category_id", To("Network Equipment")),
                ("manufacturer_id", To("Cisco")),
            ],
        ],
    ),
    (
        "licenses",
        &[&[
            ("name", Text(KEYED_LICENSE)),
            ("purchase_cost", Number(747)),
            ("currency", Text("USD")),
            ("number_of_seats", Number(3)),
            ("category_id", To("Office Software")),
            ("manufacturer_id", To("Microsoft")),
            ("supplier_id", To("Northwind IT")),
        ]],
    ),
];

/// The only license of the type "Product Key": no endpoint can create another.
const KEYED_LICENSE: &str = "Office Home & Business 2024";

/// Its product keys, one per seat.
pub(super) const PRODUCT_KEYS: &[&str] = &["OHB24-AAAAA-11111", "OHB24-BBBBB-22222", "OHB24-CCCCC-33333"];

/// Employees and their managers, which no endpoint can set.
const MANAGERS: &[(&str, &str)] = &[("Grace Murray", "Ada Byron"), ("Noor Haddad", "Ada Byron")];

/// The records created so far: collection, name, id.
type Made = Vec<(&'static str, &'static str, i64)>;

/// Creates the sample records of an account.
pub(super) fn fill(store: &mut RecordStore, account: AccountId) -> Result<(), SandboxError> {
    let mut made: Made = Vec::new();
    for (collection, samples) in SAMPLES {
        for sample in *samples {
            let id = add(store, account, collection, sample, &made)?;
            let name =
                sample.iter().find_map(|given| if let ("name", Text(name)) = given { Some(*name) } else { None });
            made.push((collection, name.unwrap_or_default(), id));
        }
    }
    store.set_product_keys(account, find(&made, "licenses", KEYED_LICENSE)?, PRODUCT_KEYS)?;
    for (employee, manager) in MANAGERS {
        store.set_manager(find(&made, "employees", employee)?, find(&made, "employees", manager)?)?;
    }
    Ok(())
}

fn add(
    store: &mut RecordStore,
    account: AccountId,
    collection: &str,
    sample: Sample,
    made: &Made,
) -> Result<i64, SandboxError> {
    let entity = schema::collection(collection).ok_or_else(|| SandboxError::Seed(format!("no `{collection}`")))?;
    let member = |(field, given): &(&'static str, SampleValue)| {
        let value = match given {
            Text(text) => json!(text),
            Number(number) => json!(number),
            Yes => json!(true),
            To(name) => {
                let reference = entity.field(field).and_then(|field| field.reference_to());
                json!(find(made, reference.map_or("", |reference| reference.to), name)?)
            }
        };
        Ok(((*field).to_owned(), value))
    };
    let body = JsonBody(sample.iter().map(member).collect::<Result<_, SandboxError>>()?);
    match store.create(account, entity, &body) {
        Ok(reply) => id_of(&reply),
        Err(StoreFailure::Broken(error)) => Err(error.into()),
        Err(StoreFailure::Refused(refusal)) => {
            Err(SandboxError::Seed(String::from_utf8_lossy(&refusal.body()).into_owned()))
        }
    }
}

fn id_of(reply: &StoreReply) -> Result<i64, SandboxError> {
    let record: Option<Json> = serde_json::from_slice(&reply.body).ok();
    let id = record.and_then(|record| record["id"].as_i64());
    id.ok_or_else(|| SandboxError::Seed("a record without an id".into()))
}

fn find(made: &Made, collection: &str, name: &str) -> Result<i64, SandboxError> {
    let found = made.iter().find(|(of, named, _)| *of == collection && *named == name);
    found.map(|(.., id)| *id).ok_or_else(|| SandboxError::Seed(format!("no `{name}` in `{collection}`")))
}
