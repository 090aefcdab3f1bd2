//! `every-problem.xlsx`: a row for every problem that a workbook can have, and good rows between them.
//!
//! The column `Expect` says what becomes of a row in a fresh sandbox: `ok`, or the code of its problem. A test reads
//! it, so it is the only place where that stands. A file cannot bring about the codes of the service's own troubles;
//! `column.extra` is for text files, `cell.secret` is told of a whole column, and `name.incomplete` needs
//! `--create-missing`.

use jiff::civil::date;

use crate::book::{self, Cell, Sheet, row};
use crate::{Made, unevaluated};

/// Stands in for the result of a formula that is to have none.
const NO_RESULT: &str = "no result";

pub(crate) fn make() -> Made<Vec<u8>> {
    let sheets = [
        assets(),
        products()?,
        more_products()?,
        employees()?,
        categories()?,
        locations()?,
        accessories()?,
        audits()?,
        checkouts()?,
    ];
    unevaluated::without_results(book::write("Someone in a hurry", &sheets)?, NO_RESULT)
}

/// An asset's cells that some row gets wrong; everything else about it is right.
struct Asset {
    serial: Cell,
    name: Cell,
    product: Cell,
    product_id: Cell,
    status: Cell,
    location: Cell,
    bought: Cell,
    warranty: Cell,
    cost: Cell,
    currency: Cell,
    logo: Cell,
    action: Cell,
}

impl Default for Asset {
    fn default() -> Self {
        Self {
            serial: Cell::Blank,
            name: Cell::from("Somebody's desktop"),
            product: Cell::from("EliteDesk 800"),
            product_id: Cell::Blank,
            status: Cell::from("Ready to Deploy"),
            location: Cell::from("Berlin"),
            bought: Cell::Day(date(2024, 1, 17)),
            warranty: Cell::from("2027-01-17"),
            cost: Cell::from(1299u32),
            currency: Cell::from("EUR"),
            logo: Cell::Blank,
            action: Cell::Blank,
        }
    }
}

impl Asset {
    fn into_row(self, tag: &str, expect: &str) -> Vec<Cell> {
        row![
            Cell::from(tag),
            self.name,
            self.serial,
            self.product,
            self.product_id,
            self.status,
            self.location,
            self.bought,
            self.warranty,
            self.cost,
            self.currency,
            self.logo,
            self.action,
            expect,
        ]
    }
}

/// One asset with some cells changed.
macro_rules! asset {
    ($($field:ident: $cell:expr),* $(,)?) => {
        Asset { $($field: Cell::from($cell),)* ..Asset::default() }
    };
}

fn assets() -> Sheet {
    let cases: Vec<(&str, Asset)> = vec![
        ("ok", asset! {}),
        ("ok", asset! { serial: "0012345", bought: "2024-01-17" }),
        ("ok", asset! { status: "In Repair" }),
        ("cell.error", asset! { serial: Cell::Formula { formula: "=NA()", result: "#N/A" } }),
        ("cell.unevaluated", asset! { serial: Cell::Formula { formula: "=CONCATENATE(A2,B2)", result: NO_RESULT } }),
        ("cell.undecoded", asset! { name: "J\u{fffd}rgens Rechner" }),
        ("cell.damaged", asset! { serial: 6_377_021_234_567_890.0 }),
        ("ok", asset! { name: "Jürgens Rechner", warranty: "n/a", cost: "1299 EUR" }),
        ("required.missing", asset! { status: "" }),
        ("required.no_value", asset! { status: "TBD" }),
        ("money.invalid", asset! { cost: "on loan" }),
        ("money.ambiguous", asset! { cost: "1,299" }),
        ("money.fraction", asset! { cost: 1299.5 }),
        ("money.negative", asset! { cost: -45.0 }),
        ("money.currency", asset! { cost: "£900" }),
        ("currency.invalid", asset! { currency: "EURO!" }),
        ("currency.historic", asset! { currency: "DEM" }),
        ("ok", asset! { cost: "£900", currency: "GBP", location: "London" }),
        ("date.invalid", asset! { warranty: "2027-02-31" }),
        ("date.invalid", asset! { warranty: "until further notice" }),
        ("date.ambiguous", asset! { bought: "01/02/2024" }),
        ("date.incomplete", asset! { warranty: "05/2027" }),
        ("date.serial", asset! { bought: Cell::from("45308") }),
        ("url.invalid", asset! { logo: "see the intranet" }),
        ("ok", asset! { logo: "https://example.com/desktop.png" }),
        ("clear.not_allowed", asset! { status: "<clear>" }),
        ("action.invalid", asset! { action: "archive it" }),
        ("name.not_found", asset! { status: "Redy to Deploy" }),
        ("name.not_found", asset! { location: "Berlni" }),
        ("name.not_found", asset! { product: "EliteDesk 880" }),
        ("name.ambiguous", asset! { product: "ProBook 450" }),
        ("name.conflict", asset! { product: "EliteDesk 800", product_id: 1u32 }),
        ("record.missing", asset! { action: "update" }),
        ("ok", asset! { action: "create" }),
    ];
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (number, (expect, asset)) in (1..).zip(cases) {
        rows.push(asset.into_row(&format!("EP-{number:03}"), expect));
    }
    // The first row's tag once more, in another spelling; and a row without any.
    rows.push(asset! { serial: "DUP" }.into_row("ep-001 ", "duplicate.key"));
    rows.push(asset! { serial: "UNTAGGED" }.into_row("", "required.missing"));
    let header = "Asset Tag | Name | Serial Number | Product | product_id | Status | Location | Purchase Date {yyyy-mm-dd} \
        | Warranty Expiration | Purchase Cost | Currency | Logo | _action | Expect";
    Sheet::new("Assets", header, rows)
}

/// Two products of one name, told apart by their model numbers.
fn products() -> Made<Sheet> {
    Sheet::table(
        "Products",
        "Model | Model Number | Category | EOL Months {0} | Expect",
        "
        ProBook 450 | G9 | Laptops | 48 | ok
        ProBook 450 | G10 | Laptops | 48 | ok
        ProBook 440 | G10 | Laptops | 0 | integer.range
        ProBook 460 | G11 | Laptop | 48 | name.not_found
        ",
    )
}

/// A sheet without model numbers cannot say which of the two it means.
fn more_products() -> Made<Sheet> {
    Sheet::table(
        "Products (old list)",
        "Model | Category | Expect",
        "
        ProBook 450 | Laptops | record.ambiguous
        ProDesk 400 | Desktops | ok
        ",
    )
}

fn employees() -> Made<Sheet> {
    Sheet::table(
        "Employees",
        "Full Name | Email | Department | Archived | Expect",
        "
        Ines Duarte | ines.duarte@example.com | Finance | no | ok
        Paul Ziegler | paul.ziegler(at)example.com | Finance | no | email.invalid
        Mary Osei | mary.osei@example.com; m.osei@example.com | Sales | no | email.invalid
        Lars Holm | - | Sales | no | required.no_value
        Ivy Chen | ivy.chen@example.com | Sales | sometimes | boolean.invalid
        Ines Duarte-Silva | Ines.Duarte@example.com | Finance | no | duplicate.key
        Omar Aziz | omar.aziz@example.com | IT | no | ok
        ",
    )
}

fn categories() -> Made<Sheet> {
    Sheet::table(
        "Categories",
        "Category | Type | Expect",
        "
        Headsets | accessory | ok
        Docking Stations | hardware | option.invalid
        Whiteboards | Asset | ok
        ",
    )
}

/// With the ids of the account, and some that are not.
fn locations() -> Made<Sheet> {
    Sheet::table(
        "Locations",
        "ID {0} | Location | City | _action | Expect",
        "
        1 | Headquarters | Chicago | | ok
        HQ-7 | Dresden | Dresden | | id.invalid
        999999 | Leipzig | Leipzig | | record.missing
        1 | Warehouse | Joliet | | name.conflict
             | London | London | create | record.exists
             | Potsdam | Potsdam | | ok
        ",
    )
}

fn accessories() -> Made<Sheet> {
    Sheet::table(
        "Accessories",
        "Item Name | Category | Quantity {0} | Custom Fields | Expect",
        r#"
        Mouse | Keyboards and Mice | 40 | [{"name": "Shelf", "value": "B4"}] | ok
        Keyboard | Keyboards and Mice | a dozen | | integer.invalid
        Trackball | Keyboards and Mice | -3 | | integer.range
        Presenter | Keyboards and Mice | 1,000 | | integer.ambiguous
        Number Pad | Keyboards and Mice | 5 | Shelf = B4 | custom_fields.invalid
        Toner | Printer Supplies | 5 | | name.not_found
        Cable | Cables and Adapters | 200 | | ok
        "#,
    )
}

/// Nobody can tell from a file which users an account has: the service refuses.
fn audits() -> Made<Sheet> {
    Sheet::table(
        "Audits",
        "Audit Date {yyyy-mm-dd} | Scheduled | Completed | Asset Tag | user_id {0} | Expect",
        "
        2025-11-24 | no | yes | EP-001 | 1 | ok
        2025-11-24 | no | yes | EP-002 | 9999 | service.refused
        2025-11-24 | no | yes | EP-000 | 1 | name.not_found
        | no | yes | EP-002 | 1 | required.missing
        ",
    )
}

fn checkouts() -> Made<Sheet> {
    Sheet::table(
        "Asset Checkouts",
        "Asset Tag | Assigned To | Checkout Date {yyyy-mm-dd} | Expect",
        "
        EP-001 | Omar Aziz | 2025-12-01 | ok
        EP-003 | Omar Aziz | 2025-12-01 | checkout.refused
        EP-002 | Omer Azis | 2025-12-01 | name.not_found
        ",
    )
}
