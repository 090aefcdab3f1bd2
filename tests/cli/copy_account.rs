//! `sandbox --copy-account`: the copy is served as the account was, the account is only read, and the file appears whole or
//! not at all.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use tallyport::sandbox::{SandboxOptions, Seed, StoreLocation};
use tallyport::schema::COLLECTIONS;

use crate::harness::{CliTest, CommandOutput, KEY, assert_output, sheet_rows, some_of, tallyport};
use crate::reference_server::Shapes;
use crate::roundtrip::filled;
use crate::shapes::{CHECKOUTS, EVERY_COLLECTION, ShapeTest};

const COPY: [&str; 4] = ["sandbox", "--data", "copy.db", "--copy-account"];

/// The copy in a folder, as an account of its own.
fn opened(folder: &Path, tenants: &[(i64, String)]) -> CliTest {
    CliTest::with(SandboxOptions {
        store: StoreLocation::File(folder.join("copy.db")),
        tenants: tenants.to_vec(),
        seed: Seed::Empty,
        ..SandboxOptions::default()
    })
}

/// What is in a folder, but for the state of tallyport.
fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "state").collect();
    names.sort();
    names
}

/// The files of two exports, which have to be the same to the byte.
#[track_caller]
fn assert_same_files(one: &Path, other: &Path) {
    assert_eq!(files(one), files(other));
    assert_eq!(files(one).len(), COLLECTIONS.len());
    for name in files(one) {
        let [one, other] = [one, other].map(|folder| fs::read_to_string(folder.join(&name)).unwrap());
        assert_eq!(one, other, "{name}");
    }
}

/// An account with all collections filled, and something checked out of each that can be.
fn with_holders() -> CliTest {
    let account = filled::account();
    let statuses = account.records("statuses");
    let deployable = statuses.iter().find(|status| status["type"] == "deployable").unwrap();
    for (action, body) in [
        ("assets/1", json!({"status_id": deployable["id"]})),
        ("assets/2", json!({"status_id": deployable["id"]})),
        ("checkout/asset", json!({"asset_id": account.records("assets")[0]["asset_id"], "employee_id": 4})),
        ("checkout/asset", json!({"asset_id": account.records("assets")[1]["asset_id"], "location_id": 4})),
        ("checkout/accessory", json!({"accessory_id": 1, "employee_id": 4, "quantity": 2})),
        (
            "checkout/component",
            json!({"component_id": 1, "asset_id": account.records("assets")[2]["asset_id"], "quantity": 1}),
        ),
        ("checkout/consumable", json!({"consumable_id": 1, "employee_id": 6, "quantity": 3})),
        ("checkout/license", json!({"license_id": 1, "employee_id": 4, "quantity": 1})),
    ] {
        let mut body = body;
        let method = if action.starts_with("checkout") { "POST" } else { "PUT" };
        if method == "POST" {
            body["checkout_date"] = json!("2024-06-03");
        }
        let (status, reply) = account.request(method, action, Some(&body));
        assert!(status < 300, "{action} {body}: {reply}");
    }
    account
}

/// A record without the values that a copy leaves out.
fn without_secrets(mut record: Value) -> Value {
    for field in record.get_mut("custom_fields").and_then(Value::as_array_mut).into_iter().flatten() {
        if field["name"] == "=PIN" {
            assert_ne!(field["value"], "", "the account has a secret to leave out");
            field["value"] = json!("");
        }
    }
    record
}

#[test]
fn every_record_of_every_collection_is_served_as_the_account_served_it() {
    let account = with_holders();
    let log = account.request("GET", "activity?limit=1000", None).1;
    let (code, document) = account.json(&COPY);
    assert_eq!(code, 0, "{document}");
    assert_eq!(account.request("GET", "activity?limit=1000", None).1, log, "the account was only read");
    let copy = opened(account.folder(), &[]);
    for entity in COLLECTIONS {
        let expected: Vec<Value> = account.records(entity.name).into_iter().map(without_secrets).collect();
        assert_eq!(copy.records(entity.name), expected, "{}", entity.name);
        assert_eq!(document["records"][entity.name], filled::RECORDS, "{}", entity.name);
    }
    assert_eq!(copy.request("GET", "activity", None).1, json!([]));
    let left_out = &document["left_out"];
    assert_eq!(left_out["without_holder"], json!({"licenses": 1, "accessories": 2, "components": 1, "consumables": 3}));
    let with_custom_fields = COLLECTIONS.iter().filter(|entity| entity.field("custom_fields").is_some()).count();
    assert_eq!(left_out["secrets"], with_custom_fields * filled::RECORDS);
    let requests = &document["requests"];
    assert_eq!(requests["total"], requests["estimated"]);
    assert!(requests["by_kind"].as_object().unwrap().keys().all(|kind| kind.starts_with("GET ")), "{requests}");
    let bytes = fs::read(account.path("copy.db")).unwrap();
    assert!(!bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes()));
}

#[test]
fn a_copy_goes_on_where_the_account_stood() {
    let account = with_holders();
    account.run(&COPY).exits(0);
    let copy = opened(account.folder(), &[]);
    let send = |method: &str, path: &str, body: Value| {
        let (status, reply) = copy.request(method, path, Some(&body));
        assert!(status < 300, "{path} {body}: {status} {reply}");
        reply
    };
    let made = send("POST", "statuses", json!({"name": "New", "type": "pending"}));
    assert_eq!(made["id"], filled::RECORDS + 1);
    let held = &copy.records("accessories")[0];
    let employee = copy.records("employees")[3].clone();
    assert_eq!(employee["number_of_accessories"], 2);
    let body = json!({"accessory_id": 1, "employee_id": 4, "quantity": 1, "checkout_date": "2024-06-04"});
    let after = send("POST", "checkout/accessory", body);
    assert_eq!(after["available"].as_i64(), held["available"].as_i64().map(|left| left - 1));
    assert_eq!(copy.records("employees")[3]["number_of_accessories"], 3, "what was held before counts");
    let too_many = json!({"accessory_id": 1, "employee_id": 4, "quantity": after["available"].as_i64().unwrap() + 1,
        "checkout_date": "2024-06-04"});
    assert_eq!(copy.request("POST", "checkout/accessory", Some(&too_many)).0, 422, "stock is what it is");
    for in_use in ["licenses/1", "accessories/1", "employees/4"] {
        assert_eq!(copy.request("DELETE", in_use, None).0, 422, "{in_use}");
    }
    let tag = copy.records("assets")[0]["asset_id"].clone();
    let again = json!({"asset_id": tag, "employee_id": 6, "checkout_date": "2024-06-04"});
    assert_eq!(copy.request("POST", "checkout/asset", Some(&again)).0, 422, "it has a holder");
    let returned = send("POST", "checkin/asset", json!({"asset_id": 1, "checkin_date": "2024-06-04", "status_id": 1}));
    assert_eq!((&returned["deployed_to"], &returned["checkout_date"]), (&json!([]), &Value::Null));
    let updated = send("PUT", "assets/1", json!({"purchase_cost": 7}));
    assert_eq!((&updated["purchase_cost"], &updated["created_at"]), (&json!(7), &returned["created_at"]));
    assert!(updated["updated_at"].as_str() > returned["updated_at"].as_str());
}

/// Changes of each kind: new records, changed ones, unchanged ones, a holder who changes, and a problem.
const CHANGES: [(&str, &str); 4] = [
    ("locations", "name|city\nZürich Süd|Zug\nR&D + Lab|Bonn\nUlm|Ulm"),
    ("employees", "name|email|title|location\nAda|ada@example.com|CEO|Ulm\nEve|eve@example.com||Zürich Süd"),
    (
        "assets",
        "asset_id|product|status|purchase_cost|assigned_to|custom:MAC\n0001|MacBook|Ready|1299|bob@example.com|aa\n\
         0002|MacBook|Stored|1400||bb\n0003|MacBook|Nowhere|5||cc\n0004|MacBook|Ready|7|eve@example.com|",
    ),
    ("accessories", "name|quantity|category\nMouse|12|Mice\nPad|4|Mice"),
];

#[test]
fn a_copy_exports_and_plans_like_the_account_with_every_reply_shape() {
    for test in some_of(Shapes::ALL, 1).into_iter().map(ShapeTest::new) {
        test.ends("first.xlsx", &EVERY_COLLECTION, "created");
        test.ends("out.xlsx", &CHECKOUTS, "created");
        let sent = test.server.received().len();
        let output = test.run(&COPY).exits(0);
        let received = test.server.received();
        assert!(received[sent..].iter().all(|request| request.method == "GET"), "{:?}", test.shapes);
        assert!(
            output.stderr.contains(&format!("takes about {} requests", received.len() - sent)),
            "{}",
            output.stderr
        );

        test.run(&["export", "--all", "-o", "account/"]).exits(0);
        test.run(&["export", "--all", "-o", "copy/", "--sandbox=copy.db"]).exits(0);
        assert_same_files(&test.path("account"), &test.path("copy"));
        for folder in ["account", "copy"] {
            fs::remove_dir_all(test.path(folder)).unwrap();
        }
        test.run(&["export", "--all", "-o", "account/", "--format", "jsonl"]).exits(0);
        test.run(&["export", "--all", "-o", "copy/", "--format", "jsonl", "--sandbox=copy.db"]).exits(0);
        assert_same_files(&test.path("account"), &test.path("copy"));

        test.workbook("changes.xlsx", &CHANGES);
        let plan = |result: &str, more: &[&str]| {
            let holders = "assigned_to=assigned_to";
            let words = [
                "import", "changes.xlsx", "--map", holders, "--quota", "10000/h", "--dry-run", "--yes", "--json",
                "--result", result,
            ];
            let planned = test.run(&[&words[..], more].concat()).exits(1);
            let mut document: Value = serde_json::from_str(&planned.stdout).unwrap();
            // The look-ups differ: the sandbox has longer pages than some shapes.
            for field in ["run_id", "seconds", "result", "next", "requests"] {
                document.as_object_mut().unwrap().remove(field);
            }
            let rows = CHANGES.map(|(sheet, _)| sheet_rows(&test.path(result), sheet));
            (document, rows)
        };
        let (planned, rows) = plan("account.xlsx", &[]);
        let (rehearsed, rehearsed_rows) = plan("copy.xlsx", &["--sandbox=copy.db"]);
        assert_eq!(rows, rehearsed_rows, "{:?}", test.shapes);
        for (name, part) in planned.as_object().unwrap() {
            assert_eq!(part, &rehearsed[name], "{:?}: {name}", test.shapes);
        }
        let counts = &planned["counts"];
        assert_eq!((&counts["created"], &counts["failed"]), (&json!(4), &json!(1)), "{counts}");
    }
}

/// The rows of a sheet: the header, how many, and the row of a number from 0.
type Rows = (&'static str, &'static str, usize, fn(usize) -> String);

/// Some 1,500 records over all collections, with holders of assets.
const COMPANY: [Rows; 16] = [
    ("locations", "name|city|country", 60, |n| format!("Site {n}|City {}|Germany", n % 7)),
    ("departments", "name|email|phone", 40, |n| format!("Department {n}|d{n}@example.com|+49 30 {n}")),
    ("manufacturers", "name|url", 40, |n| format!("Maker {n}|https://maker{n}.example")),
    ("suppliers", "name|city", 40, |n| format!("Supplier {n}|Town {}", n % 5)),
    ("categories", "name|type", 40, |n| format!("Category {n}|{}", TYPES[n % 5])),
    ("depreciations", "name|months", 10, |n| format!("Rule {n}|{}", 12 + n)),
    ("statuses", "name|type", 6, |n| format!("Status {n}|{}", ["deployable", "pending"][n % 2])),
    ("products", "name|model_number|category|manufacturer", 120, |n| {
        format!("Model {}|MN-{n}|Category {}|Maker {}", n / 2, n % 8 * 5, n % 40)
    }),
    ("employees", "name|email|location|department", 250, |n| {
        format!("Person {}|p{n}@example.com|Site {}|Department {}", n / 2, n % 60, n % 40)
    }),
    (
        "assets",
        "asset_id|asset_name|product|model_number|status|purchase_cost|purchase_date|custom:MAC|assigned_to",
        500,
        |n| {
            let holder = if n % 5 < 3 { format!("p{}@example.com", n % 250) } else { String::new() };
            format!(
                "A-{n}|Notebook {n}|Model {}|MN-{}|Status 0|{}|2024-03-{:02}|aa:{n}|{holder}",
                n % 120 / 2,
                n % 120,
                n + 100,
                n % 28 + 1
            )
        },
    ),
    ("accessories", "name|quantity|category", 80, |n| format!("Mouse {n}|{}|Category {}", n + 1, n % 8 * 5 + 1)),
    ("components", "name|quantity|category", 60, |n| format!("RAM {n}|{}|Category {}", n + 1, n % 8 * 5 + 2)),
    ("consumables", "name|quantity|category", 60, |n| format!("Toner {n}|{}|Category {}", n + 1, n % 8 * 5 + 3)),
    ("licenses", "name|number_of_seats|category", 60, |n| format!("App {n}|{}|Category {}", n + 1, n % 8 * 5 + 4)),
    ("maintenances", "type|name|start_date|asset_id|cost", 90, |n| format!("repair|Repair {n}|2024-06-01|A-{n}|{n}")),
    ("audits", "audit_date|scheduled|completed|asset_id|user_id", 60, |n| format!("2024-06-01|no|yes|A-{n}|1")),
];

const TYPES: [&str; 5] = ["asset", "accessory", "component", "consumable", "license"];

/// Every seventh record changed, some moved, some new, some deleted, and a few with a problem.
const REHEARSED: [Rows; 5] = [
    ("locations", "name|city", 30, |n| format!("Site {}|Moved {n}", n * 7)),
    ("employees", "email|name|location|_action", 60, |n| match n {
        50.. => format!("p{n}@example.com|||delete"),
        _ => format!("p{}@example.com|Person {n}|Site {n}|", n * 7),
    }),
    ("assets", "asset_id|purchase_cost|custom:MAC|assigned_to|notes", 120, |n| {
        format!("A-{}|{}||p{}@example.com|<clear>", n * 4, n + 7, n % 260)
    }),
    ("accessories", "name|quantity|category", 40, |n| format!("Mouse {}|{}|Category 1", n * 3, n + 5)),
    ("maintenances", "type|name|start_date|asset_id|cost", 40, |n| {
        format!("repair|Repair {}|2024-06-01|A-{}|7", n * 3, n * 3)
    }),
];

fn company(rows: &[Rows]) -> Vec<(&'static str, String)> {
    let sheet = |(name, header, count, row): &Rows| {
        let rows: String = (0..*count).map(|number| format!("\n{}", row(number))).collect();
        (*name, format!("{header}{rows}"))
    };
    rows.iter().map(sheet).collect()
}

#[test]
fn a_copy_of_fifteen_hundred_records_exports_and_plans_like_the_account() {
    let account = CliTest::new();
    for (name, rows) in [("company.xlsx", &COMPANY[..]), ("changes.xlsx", &REHEARSED[..])] {
        let sheets = company(rows);
        crate::shapes::write_workbook(
            &account.path(name),
            &sheets.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>(),
        );
    }
    let holders = ["--map", "assigned_to=assigned_to", "--yes"];
    account.run(&[&["import", "company.xlsx"], &holders[..]].concat()).exits(0);
    let records: usize = COLLECTIONS.iter().map(|entity| account.records(entity.name).len()).sum();
    assert_eq!(records, COMPANY.iter().map(|(_, _, count, _)| count).sum::<usize>());
    account.run(&COPY).exits(0);
    for format in some_of([&[][..], &["--format", "jsonl"]], 1) {
        account.run(&[&["export", "--all", "-o", "account/"], format].concat()).exits(0);
        account.run(&[&["export", "--all", "-o", "copy/", "--sandbox=copy.db"], format].concat()).exits(0);
        assert_same_files(&account.path("account"), &account.path("copy"));
        for folder in ["account", "copy"] {
            fs::remove_dir_all(account.path(folder)).unwrap();
        }
    }
    account.run(&[&["import", "changes.xlsx", "--plan", "account.xlsx"], &holders[..]].concat()).exits(1);
    account
        .run(&[&["import", "changes.xlsx", "--plan", "copied.xlsx", "--sandbox=copy.db"], &holders[..]].concat())
        .exits(1);
    let plan = |name: &str, sheet: &str| {
        let mut rows = sheet_rows(&account.path(name), sheet);
        // What is of the account itself, and of this plan of it.
        rows.retain(|row| !["account", "made", "requests", "head", "digest"].contains(&row[0].as_str()));
        rows.retain(|row| !row[0].starts_with("tallyport apply "));
        rows
    };
    for sheet in [
        "Plan", "locations", "employees", "assets", "accessories", "maintenances", "checkin_asset", "checkout_asset",
        "_plan",
    ] {
        let [real, rehearsed] = ["account.xlsx", "copied.xlsx"].map(|name| plan(name, sheet));
        assert_eq!(real, rehearsed, "{sheet}");
        assert!(real.len() > 10, "{sheet}: {}", real.len());
    }
}

#[test]
fn a_tenant_is_copied_alone() {
    let tenants = [(7, String::from("North")), (9, String::from("South"))];
    let options = |tenants: &[(i64, String)]| SandboxOptions { tenants: tenants.to_vec(), ..SandboxOptions::default() };
    let account = CliTest::with(options(&tenants));
    let output = account.run(&COPY).exits(0);
    assert!(output.stdout.contains("next: tallyport import FILE --sandbox=copy.db --tenant 7"), "{}", output.stdout);
    let copy = opened(account.folder(), &tenants);
    assert_eq!(copy.records("locations"), account.records("locations"));
    assert_eq!(copy.request("GET", "statuses", None).0, 200);
    drop(copy);
    let other = opened(account.folder(), &tenants[1..]);
    assert_eq!(other.records("locations"), Vec::<Value>::new());
}

#[test]
fn users_that_audits_name_are_known() {
    let test = ShapeTest::new(Shapes::Data);
    test.ends("first.xlsx", &EVERY_COLLECTION, "created");
    let audit = |user: i64| json!({"audit_date": "2024-07-01", "asset_id": "0001", "scheduled": true, "completed": false, "user_id": user});
    test.server.holds("audits", audit(17));
    test.run(&COPY).exits(0);
    let copy = opened(test.folder(), &[]);
    let (status, reply) = copy.request("POST", "audits", Some(&audit(17)));
    assert_eq!(status, 201, "{reply}");
    let refusal = copy.request("POST", "audits", Some(&audit(99))).1;
    assert_eq!(refusal["errors"], json!({"user_id": ["there is no user `99`"]}));
}

#[test]
fn an_existing_file_is_replaced_on_request_only_and_only_if_it_is_a_sandboxs() {
    let account = CliTest::new().with_lookups().sheet("notes.txt", &"not a sandbox\n".repeat(400));
    assert_output!(account.run(&COPY), @"
    exit code 0
    --- stdout
    Copy of http://127.0.0.1:49152/api/v1, in 0.5 s (35 requests)
      statuses             1 record
      categories           1 record
      products             1 record
    left out: the activity log
    wrote `copy.db`
    next: tallyport import FILE --sandbox=copy.db
    --- stderr
    about 3 records: the copy takes about 35 requests of the 10,000 an hour
    ");
    assert_output!(account.run(&COPY), @"
    exit code 2
    --- stderr
    error: `copy.db` exists already
      hint: name another file, or pass --force to replace this sandbox
    ");
    let account = account.holds("statuses", json!({"name": "Stored", "type": "pending"}));
    let forced = account.run(&[&COPY[..], &["--force"]].concat()).exits(0);
    assert!(forced.stdout.contains("2 records"), "{}", forced.stdout);
    assert_eq!(files(account.folder()), ["copy.db", "notes.txt"]);
    let notes = ["sandbox", "--data", "notes.txt", "--copy-account", "--force"];
    assert_output!(account.run(&notes), @"
    exit code 2
    --- stderr
    error: `notes.txt` is not a sandbox data file
      hint: name another file: only a sandbox's data file is replaced
    ");
    assert!(fs::read_to_string(account.path("notes.txt")).unwrap().starts_with("not a sandbox"));
    let copy = opened(account.folder(), &[]);
    assert_output!(account.run(&[&COPY[..], &["--force"]].concat()), @"
    exit code 2
    --- stderr
    error: `copy.db` is in use by another sandbox
      hint: stop the other sandbox, or use another file
    ");
    assert_eq!(copy.records("statuses").len(), 2);
}

#[test]
fn nothing_is_written_for_a_wrong_key_a_dead_service_or_a_missing_folder() {
    let account = CliTest::new();
    let wrong = CommandOutput::run(account.command(&COPY).env("BLUETALLY_API_KEY", "wrong"));
    assert_output!(wrong, @"
    exit code 3
    --- stderr
    error: the service does not accept the API key (401): the API key is missing or wrong: send it as `Authorization: Bearer KEY`
      hint: create a key under Settings > API Keys; the one in use is from BLUETALLY_API_KEY
    ");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut dead = tallyport(account.folder(), &COPY);
    dead.env("BLUETALLY_BASE_URL", format!("http://{closed}/api/v1")).env("BLUETALLY_API_KEY", KEY);
    CommandOutput::run(dead).exits(3);
    assert_output!(account.run(&["sandbox", "--data", "no/such/copy.db", "--copy-account"]), @"
    exit code 2
    --- stderr
    error: cannot create `no/such/copy.db`: there is no such folder
      hint: name a file in a folder that exists and is writable
    ");
    assert_output!(account.run(&["sandbox", "--copy-account"]), @"
    exit code 2
    --- stderr
    error: the following required arguments were not provided:
      --data <FILE>

    Usage: tallyport sandbox --data <FILE> --copy-account --base-url <URL>

    For more information, try '--help'.
    ");
    assert_output!(account.run(&[&COPY[..], &["--empty"]].concat()), @"
    exit code 2
    --- stderr
    error: the argument '--copy-account' cannot be used with '--empty'

    Usage: tallyport sandbox --data <FILE> --copy-account --base-url <URL>

    For more information, try '--help'.
    ");
    assert_eq!(files(account.folder()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn an_interrupted_copy_leaves_nothing_behind_and_two_do_not_run_at_once() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    // Measuring takes 16 requests; then the service asks to wait for an hour.
    let options = SandboxOptions { seed: Seed::Empty, quota: Some(18), ..SandboxOptions::default() };
    let account = CliTest::with(options);
    let mut child = account.command(&COPY).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let waiting = said.lines().map_while(Result::ok).find(|line| line.contains("waiting until"));
    assert!(waiting.is_some());
    assert_output!(account.run(&COPY), @"
    exit code 2
    --- stderr
    error: another copy to `copy.db` is running
      hint: wait until it has finished, or name another file
    ");
    assert_eq!(files(account.folder()).len(), 1, "the file that is being written");
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert_eq!(files(account.folder()), [""; 0]);
}
