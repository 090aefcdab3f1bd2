//! An account with records in every collection, every field filled, and texts that a spreadsheet program might
//! misinterpret.

use serde_json::{Map, Value, json};
use tallyport::schema::{COLLECTIONS, Entity, Field, Kind, TextForm, Wire};

use crate::harness::CliTest;

/// Enough rows to edit each field of the largest collection in a separate row.
pub const RECORDS: usize = 18;

/// Texts that a spreadsheet program or an import might misinterpret.
const ODD: &[&str] = &[
    "=1+1", "+49 30 1234", "-5", "@ada", "'quoted'", "n/a", "-", "#7", "007", "1.5E+15", "TRUE", "<clear>", "tbd",
    " spaced ", "Zürich 東京", "two\nlines", "2024-05-01", "\ttab", "a,b;c", "say \"hi\"", "?", "1,234", "=",
    "_x0041_", "one\r\ntwo", "bell\u{7}", "\u{fffd}", "'=1", "''-5", "''",
];

/// An account with every collection filled.
pub fn account() -> CliTest {
    filled(CliTest::new(), RECORDS)
}

pub fn filled(account: CliTest, records: usize) -> CliTest {
    for entity in COLLECTIONS {
        for number in 0..records {
            let body: Map<String, Value> = entity
                .created_fields()
                .enumerate()
                .map(|(at, field)| (field.name.to_owned(), sample(&account, entity, (at, field), number)))
                .collect();
            let (status, reply) = account.request("POST", entity.path, Some(&Value::Object(body.clone())));
            assert!(status < 300, "{} {body:?}: {reply}", entity.name);
        }
    }
    account
}

/// A valid value for the field, a different one for each number.
pub fn sample(account: &CliTest, entity: &Entity, (at, field): (usize, &Field), number: usize) -> Value {
    let odd = ODD[(number * 5 + at) % ODD.len()];
    match field.kind {
        Kind::Text(TextForm::Plain) if field.is_required() && number == 0 => json!(format!("{} one", entity.singular)),
        // Two departments share a name, two products share a model.
        Kind::Text(TextForm::Plain) if field.is_required() && entity.name != "assets" && number > 15 => json!("Twice"),
        Kind::Text(TextForm::Plain) if field.is_required() => json!(ODD[number % ODD.len()]),
        Kind::Text(TextForm::Plain) if field.name == "notes" && number == 1 => json!("x".repeat(40_000)),
        Kind::Text(TextForm::Plain) if field.name == "model_number" && number > 15 => json!("M"),
        Kind::Text(TextForm::Plain) => json!(odd),
        Kind::Text(TextForm::Email) => json!(format!("{}.{number}@example.com", field.name)),
        Kind::Text(TextForm::Url) => json!(format!("https://example.com/{}/{number}", field.name)),
        Kind::Integer { least } => json!(least + 7 + number as i64),
        Kind::Money => json!(1000 + number),
        Kind::Date => json!(format!("2024-05-{:02}", number + 1)),
        Kind::Boolean => json!(number.is_multiple_of(2)),
        Kind::Currency => json!(["EUR", "USD", "GBP"][number % 3]),
        Kind::Option(choices) => json!(choices.create[number % choices.create.len()]),
        Kind::User => json!(1 + number % 2),
        Kind::CustomFields => {
            let pairs = json!([
                {"name": "Rack", "value": odd}, {"name": "rack (old)", "value": format!("R{number}")},
                {"name": "=PIN", "value": "1234"},
            ]);
            json!(pairs.to_string())
        }
        Kind::Structure => Value::Null,
        Kind::Reference(reference) => {
            let found = account.records(reference.to);
            let within = |record: &&Value| reference.narrowed.is_none_or(|(field, wanted)| record[field] == wanted);
            let found: Vec<&Value> = found.iter().filter(within).collect();
            let record = found[number % found.len()];
            record[if reference.wire == Wire::Tag { "asset_id" } else { "id" }].clone()
        }
    }
}
