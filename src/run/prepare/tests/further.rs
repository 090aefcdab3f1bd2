//! Rows that make more than their own record: who holds it, and what they describe.

use serde_json::json;

use super::*;
use crate::check::RemarkCode;

const HEADER: &str = "Asset tag,Product,Status,UPN,User,Place,Since\n";
const MAPPING: &str = "entity = \"assets\"\n\
                       [fields.assigned_to]\nfirst_of = [\"UPN\", \"Place\"]\n\
                       [fields.\"assigned_to.name\"]\ncolumn = \"User\"\n\
                       [fields.checkout_date]\ncolumn = \"Since\"\n";

const DESCRIBED: &str = "entity = \"assets\"\nignore = [\"City\", \"Title\", \"Name\"]\n\
                         [fields.location_id]\ncolumn = \"Building\"\n\
                         [fields.assigned_to]\ncolumn = \"Mail\"\n\
                         [fields.checkout_date]\ndefault = \"2026-01-05\"\n\
                         [also.locations]\nname = { column = \"Building\" }\ncity = { column = \"City\" }\n\
                         address_line_1 = { default = \"unknown\" }\ncountry = { default = \"DE\" }\n\
                         [also.employees]\nemail = { column = \"Mail\" }\nname = { column = \"Name\" }\n\
                         title = { column = \"Title\" }\n";
const DESCRIBED_HEADER: &str = "Asset tag,Product,Status,Building,City,Mail,Name,Title\n";

/// Asset rows: `tag,UPN,User,Place,Since`.
fn sheet(rows: &[&str]) -> String {
    let line = |row: &&str| {
        let (tag, rest) = row.split_once(',').unwrap();
        format!("{tag},Latitude 5450,Ready to Deploy,{rest}\n")
    };
    format!("{HEADER}{}", rows.iter().map(line).collect::<String>())
}

impl Office {
    fn assigning(&self, rows: &[&str]) -> ImportJob {
        self.mapped("mapping.toml", MAPPING, &sheet(rows))
    }

    fn describing(&self, rows: &[&str]) -> ImportJob {
        self.mapped("described.toml", DESCRIBED, &format!("{DESCRIBED_HEADER}{}\n", rows.join("\n")))
    }

    fn mapped(&self, name: &str, mapping: &str, rows: &str) -> ImportJob {
        self.job("assets.csv", rows).mapping_file(self.file(name, mapping)).confirmed()
    }
}

#[test]
fn a_new_asset_goes_to_its_holder_and_stays_there() {
    let office = Office::new();
    let rows = [
        "A-1,ada.byron@example.com,Ada Byron,,2026-01-05",
        "A-2,,,Warehouse,2026-01-06",
        "A-3,,,,",
        "A-4,grace murray,,,2026-01-07",
    ];
    let (summary, steps) = office.planned(office.assigning(&rows));
    assert_eq!(
        steps,
        [
            r#"assets: create {"asset_id":"A-1","product_id":2,"status_id":1}"#,
            r#"assets: create {"asset_id":"A-2","product_id":2,"status_id":1}"#,
            r#"assets: create {"asset_id":"A-3","product_id":2,"status_id":1}"#,
            r#"assets: create {"asset_id":"A-4","product_id":2,"status_id":1}"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-01-05","employee_id":1} after 0"#,
            r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-01-06","location_id":4} after 1"#,
            r#"checkout_asset: create {"asset_id":"A-4","checkout_date":"2026-01-07","employee_id":2} after 3"#,
        ]
    );
    let estimate = summary.planned.clone().unwrap();
    assert_eq!((estimate.requests, estimate.emails, estimate.people, summary.counts().rows()), (7, 2, 2, 4));
    let finished = office.imports(office.assigning(&rows));
    assert_eq!(
        finished.rows(),
        [
            "2 created #1: check-out to Ada Byron",
            "3 created #2: check-out to Warehouse",
            "4 created #3",
            "5 created #4: check-out to Grace Murray",
        ]
    );
    let holders = ["A-1", "A-2", "A-3", "A-4"].map(|tag| office.holder(tag));
    assert_eq!(holders, ["employee 1", "location 4", "nobody", "employee 2"]);
    let again = office.imports(office.assigning(&rows));
    assert_eq!((again.writes().len(), again.report.summary().counts().unchanged), (0, 4), "{:?}", again.rows());
}

#[test]
fn a_row_says_which_of_several_columns_a_value_comes_from() {
    let office = Office::new();
    let mapping = "entity = \"assets\"\n[fields.asset_id]\nfirst_of = [\"Tag No\", \"Serial number\"]\n\
                   [fields.asset_name]\njoin = \"{Model} {Serial number}\"\n\
                   [fields.notes]\nfirst_of = [\"Remark\", \"Comment\"]\n";
    let rows = "Tag No,Serial number,Model,Status,Remark,Comment\nT-1,S-1,Latitude 5450,Ready to Deploy,,\n\
                n/a,S-2,Latitude 5450,Ready to Deploy,,spare\n";
    let job = || office.mapped("sources.toml", mapping, rows);
    let from = ["asset_id from Tag No, A2", "asset_id from Serial number, B3; notes from Comment, F3"];
    let told = |done: &str| [format!("2 {done} #1: {}", from[0]), format!("3 {done} #2: {}", from[1])];
    assert_eq!(office.imports(job()).rows(), told("created"));
    assert_eq!(office.imports(job()).rows(), told("unchanged"));
}

#[test]
fn an_asset_comes_back_from_one_holder_before_it_goes_to_another() {
    let office = Office::new();
    office.imports(office.assigning(&["A-1,ada.byron@example.com,,,2026-01-05", "A-2,,,,", "A-3,,,Berlin,2026-01-05"]));
    let moved = ["A-1,grace.murray@example.com,,,2026-02-01", "A-2,,,London,2026-02-02", "A-3,,,,"];
    let (summary, steps) = office.planned(office.assigning(&moved));
    assert_eq!(
        steps,
        [
            r#"checkin_asset: create {"asset_id":1,"checkin_date":"2026-02-01","status_id":1}"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01","employee_id":2} after 0"#,
            r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-02-02","location_id":3}"#,
        ]
    );
    assert_eq!((summary.counts().updated, summary.counts().unchanged), (2, 1));
    let finished = office.imports(office.assigning(&moved));
    assert_eq!(
        finished.rows(),
        [
            "2 updated #1: check-in from Ada Byron, check-out to Grace Murray",
            "3 updated #2: check-out to London",
            "4 unchanged #3",
        ]
    );
    let changes: Vec<String> = finished
        .report
        .rows()
        .flat_map(|(_, row)| row.unwrap().outcome.changes)
        .map(|change| format!("{}: {} > {} in {}", change.field, change.old, change.new, change.column))
        .collect();
    assert_eq!(changes, ["assigned_to: Ada Byron > Grace Murray in 3", "assigned_to:  > London in 5"]);
    // A blank is no opinion.
    assert_eq!(["A-1", "A-2", "A-3"].map(|tag| office.holder(tag)), ["employee 2", "location 3", "location 2"]);
}

#[test]
fn the_check_in_carries_the_status_that_the_row_sets() {
    let office = Office::new();
    office.imports(office.assigning(&["A-1,ada.byron@example.com,,,2026-01-05"]));
    let rows = format!("{HEADER}A-1,Latitude 5450,In Use,grace.murray@example.com,,,2026-02-01\n");
    let (_, steps) = office.planned(office.mapped("mapping.toml", MAPPING, &rows));
    assert_eq!(
        steps,
        [
            r#"assets: update 1 {"status_id":2}"#,
            r#"checkin_asset: create {"asset_id":1,"checkin_date":"2026-02-01","status_id":2} after 0"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01","employee_id":2} after 0 after 1"#,
        ]
    );
    // A status that the run makes is known when the check-in is sent.
    let rows = format!("{HEADER}A-1,Latitude 5450,Spare,grace.murray@example.com,,,2026-02-01\n");
    let job =
        || office.mapped("mapping.toml", MAPPING, &rows).create_missing().default_value("status_id.type=deployable");
    let (_, steps) = office.planned(job());
    assert_eq!(
        steps,
        [
            r#"statuses: create {"name":"Spare","type":"deployable"}"#,
            r"assets: update 1 after 0:status_id",
            r#"checkin_asset: create {"asset_id":1,"checkin_date":"2026-02-01"} after 0:status_id after 1"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-02-01","employee_id":2} after 1 after 2"#,
        ]
    );
    let finished = office.imports(job());
    assert_eq!((finished.report.summary().counts().updated, office.holder("A-1").as_str()), (1, "employee 2"));
    assert_eq!(
        office.record("assets", "asset_id", "A-1")["status_id"],
        office.record("statuses", "name", "Spare")["id"]
    );
}

#[test]
fn nothing_is_checked_out_that_its_status_keeps() {
    let office = Office::new();
    office.asset("A-9");
    let rows = format!(
        "{HEADER}A-1,Latitude 5450,In Repair,ada.byron@example.com,,,\nA-9,Latitude 5450,Retired,,,Berlin,2026-01-05\n"
    );
    let finished = office.imports(office.mapped("mapping.toml", MAPPING, &rows));
    assert_eq!(
        finished.rows(),
        [
            "2 created #2: not checked out to Ada Byron: its status `In Repair` (undeployable) does not allow it",
            "3 updated #1: not checked out to Berlin: its status `Retired` (archived) does not allow it",
        ]
    );
    let remarks = &finished.report.summary().remarks;
    let withheld = remarks.iter().find(|remark| remark.code == RemarkCode::HolderWithheld).unwrap();
    assert!(withheld.message.contains("left without the holder that the sheet names"), "{}", withheld.message);
    assert_eq!(finished.writes(), ["POST assets 1", "PUT assets 1"]);
    assert_eq!(["A-1", "A-9"].map(|tag| office.holder(tag)), ["nobody", "nobody"]);
    // What stays in repair is not said again as a change.
    let again = office.imports(office.mapped("mapping.toml", MAPPING, &rows));
    assert_eq!(again.writes(), [""; 0]);
}

#[test]
fn a_row_says_that_its_holder_was_left_out() {
    let office = Office::new();
    let import = |holders: [&str; 2]| {
        let rows =
            holders.iter().zip(1..).map(|(holder, tag)| format!("A-{tag},Latitude 5450,In Use,{holder},Berlin\n"));
        let text = format!("Asset Tag,Model,Status,Checked Out To,Default Location\n{}", rows.collect::<String>());
        office.imports(office.job("list.csv", &text).create_missing_in(["all"]).confirmed())
    };
    assert_eq!(
        import(["Ada Byron", "New A"]).rows(),
        [
            "2 created #1: check-out to Ada Byron",
            "3 created #2: not checked out to `New A`: not found in employees or locations"
        ]
    );
    let again = import(["New B", "New A"]);
    assert_eq!(
        again.rows(),
        ["B", "A"].map(|who| {
            let (row, id) = if who == "B" { (2, 1) } else { (3, 2) };
            format!("{row} unchanged #{id}: not checked out to `New {who}`: not found in employees or locations")
        })
    );
    let told = again.remarks().into_iter().find(|remark| remark.contains("left out")).unwrap();
    assert!(
        told.starts_with("`Checked Out To`: 2 holders left out: `New B`, `New A` not found in employees"),
        "{told}"
    );
    assert!(told.ends_with("(first D2)"), "{told}");
    assert_eq!(["A-1", "A-2"].map(|tag| office.holder(tag)), ["employee 1", "nobody"]);
}

#[test]
fn a_check_out_that_a_status_did_not_allow_is_left_until_it_does() {
    let office = Office::new();
    let rows = format!(
        "{HEADER}A-1,Latitude 5450,In Repair,ada.byron@example.com,,,\nA-2,Latitude 5450,In Repair,mei.tanaka@example.com,,,\n\
         A-3,Latitude 5450,In Repair,grace.murray@example.com,,,\nA-4,Latitude 5450,In Use,,,Berlin,2026-01-05\n"
    );
    let path = |name: &str| office.folder.path().join(name);
    let import = |from: &str, to: &str| {
        let job = ImportJob::from_path(path(from)).mapping_file(path("mapping.toml")).confirmed();
        office.imports(job.entity("assets").result(crate::job::ResultTarget::File(path(to))))
    };
    office.file("mapping.toml", MAPPING);
    office.file("assets.csv", &rows);
    let kept =
        |name: &str| format!("not checked out to {name}: its status `In Repair` (undeployable) does not allow it");
    let first = import("assets.csv", "r.csv");
    let created = |name: &str, row: u64| format!("{row} created #{}: {}", row - 1, kept(name));
    assert_eq!(
        first.rows()[..3],
        ["Ada Byron", "Mei Tanaka", "Grace Murray"]
            .into_iter()
            .zip(2..)
            .map(|(name, row)| created(name, row))
            .collect::<Vec<_>>()
    );
    // The status is corrected in the result, and one in the account.
    let text = std::fs::read_to_string(path("r.csv")).unwrap();
    office.file("r.csv", &text.replace("A-1,Latitude 5450,In Repair", "A-1,Latitude 5450,In Use"));
    let in_use = office.id("statuses", "name", "In Use");
    let body = json!({"status_id": in_use});
    let changed = office.account.client.update(entity("assets"), 2, body.as_object().unwrap());
    office.runtime.block_on(changed).unwrap();
    let second = import("r.csv", "r2.csv");
    assert_eq!(
        second.rows(),
        [
            String::from("2 updated #1: check-out to Ada Byron"),
            String::from("3 updated #2: check-out to Mei Tanaka"),
            created("Grace Murray", 4),
            String::from("5 created #4: check-out to Berlin"),
        ]
    );
    assert_eq!(second.writes(), ["POST checkout/asset 2", "PUT assets 1"]);
    // What is left is told, and sent, whatever runs were between.
    let third = import("r2.csv", "r3.csv");
    assert_eq!((third.rows()[2].as_str(), third.writes()), (created("Grace Murray", 4).as_str(), vec![]));
    let text = std::fs::read_to_string(path("r3.csv")).unwrap();
    office.file("r3.csv", &text.replace("A-3,Latitude 5450,In Repair", "A-3,Latitude 5450,In Use"));
    let fourth = import("r3.csv", "r4.csv");
    assert_eq!(fourth.writes(), ["POST checkout/asset 1", "PUT assets 1"]);
    assert_eq!(import("r4.csv", "r5.csv").writes(), [""; 0]);
    assert_eq!(["A-1", "A-2", "A-3"].map(|tag| office.holder(tag)), ["employee 1", "employee 4", "employee 2"]);
}

#[test]
fn an_older_result_does_not_send_again_the_check_out_that_a_later_run_has_sent() {
    let office = Office::new();
    let path = |name: &str| office.folder.path().join(name);
    let job = |from: &str, to: &str| {
        let job = ImportJob::from_path(path(from)).mapping_file(path("mapping.toml")).confirmed();
        job.entity("assets").result(crate::job::ResultTarget::File(path(to)))
    };
    office.file("mapping.toml", MAPPING);
    office.file("assets.csv", &format!("{HEADER}A-1,Latitude 5450,In Repair,ada.byron@example.com,,,\n"));
    assert_eq!(office.imports(job("assets.csv", "r.csv")).writes(), ["POST assets 1"]);
    let in_use = office.id("statuses", "name", "In Use");
    let body = json!({"status_id": in_use});
    let changed = office.account.client.update(entity("assets"), 1, body.as_object().unwrap());
    office.runtime.block_on(changed).unwrap();
    let later = office.imports(job("r.csv", "r2.csv"));
    assert_eq!(later.writes(), ["POST checkout/asset 1"]);
    office.makes("checkin_asset", json!({"asset_id": 1, "status_id": in_use, "checkin_date": "2026-01-05"}));

    let again = office.imports(job("r.csv", "r3.csv"));
    assert_eq!(again.writes(), [""; 0]);
    let told = again.rows().remove(0);
    assert!(told.starts_with("2 created #1: check-out to Ada Byron done by run "), "{told}");
    assert_eq!(office.imports(job("r3.csv", "r4.csv")).writes(), [""; 0]);
    assert_eq!(office.holder("A-1"), "nobody");
    let text = std::fs::read_to_string(path("r.csv")).unwrap();
    office.file("r.csv", &text.replace("ada.byron@", "mei.tanaka@"));
    assert_eq!(
        office.imports(job("r.csv", "r5.csv")).writes(),
        ["POST checkout/asset 1"],
        "nobody has given it to Mei"
    );
    office.makes("checkin_asset", json!({"asset_id": 1, "status_id": in_use, "checkin_date": "2026-01-06"}));
    office.file("r.csv", &text);
    assert_eq!(office.imports(job("r.csv", "r6.csv").repeat()).writes(), ["POST checkout/asset 1"]);
}

#[test]
fn what_only_the_whole_plan_shows_against_a_holder_is_said_of_the_row_that_is_not_sent() {
    let office = Office::new();
    office.makes("employees", json!({"name": "Zed Gone", "email": "zed@example.com", "archived": true}));
    let finished = office.imports(office.assigning(&["A-1,zed@example.com,,,2026-01-05", "A-2,,,,"]));
    assert_eq!(
        finished.rows(),
        [
            "2 failed: checkout.refused at D: assigned_to from UPN, D2: the employee `Zed Gone` is archived; nothing can be \
             checked out to them",
            "3 created #1",
        ]
    );
    assert_eq!(finished.writes(), ["POST assets 1"]);
}

#[test]
fn a_name_of_a_person_and_a_place_is_a_question() {
    let office = Office::new();
    let location =
        |name: &str| json!({"name": name, "address_line_1": "Main Street 1", "city": "Oslo", "country": "NO"});
    office.makes("locations", location("Mei Tanaka"));
    let rows =
        ["A-1,Mei Tanaka,,,2026-01-05", "A-2,mei.tanaka@example.com,,,2026-01-05", "A-3,Nobody Known,,,2026-01-05"];
    let finished = office.imports(office.assigning(&rows));
    assert_eq!(
        finished.rows(),
        [
            "2 failed: name.ambiguous at D: assigned_to from UPN, D2: `Mei Tanaka` is a person and a location",
            "3 created #1: check-out to Mei Tanaka",
            "4 failed: name.not_found at D: assigned_to from UPN, D4: `Nobody Known` not found in employees",
        ]
    );
    assert_eq!((office.holder("A-2").as_str(), office.records("assets").len()), ("employee 4", 1));
}

#[test]
fn a_row_whose_holder_has_a_problem_sends_nothing() {
    let office = Office::new();
    let rows = ["A-1,nobody@example.com,,,2026-01-05", "A-2,ada.byron@example.com,,,2026-13-05", "A-3,,,,"];
    let (summary, steps) = office.planned(office.assigning(&rows));
    assert_eq!(steps, [r#"assets: create {"asset_id":"A-3","product_id":2,"status_id":1}"#]);
    assert_eq!((summary.counts().failed, summary.counts().created), (2, 1));
    let finished = office.imports(office.assigning(&rows));
    assert_eq!(finished.writes(), ["POST assets 1"]);
    assert!(finished.rows()[0].starts_with("2 failed: name.not_found at D: "), "{:?}", finished.rows());
    assert!(finished.rows()[1].starts_with("3 failed: date.invalid at G: "), "{:?}", finished.rows());
}

#[test]
fn a_holder_is_made_from_the_row_where_people_may_be_made() {
    let office = Office::new();
    let rows = ["A-1,cy@example.com,Cy Young,,2026-01-05", "A-2,CY@example.com,Cy Young,,2026-01-05"];
    let job = || office.assigning(&rows).create_missing_in(["all"]);
    let (_, steps) = office.planned(job());
    assert_eq!(
        steps[2..],
        [
            r#"employees: create {"email":"cy@example.com","name":"Cy Young"}"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-01-05"} after 0 after 2:employee_id"#,
            r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-01-05"} after 1 after 2:employee_id"#,
        ]
    );
    let finished = office.imports(job());
    assert_eq!(finished.rows(), ["2 created #1: check-out to cy@example.com", "3 created #2: check-out to Cy Young"]);
    let cy = office.id("employees", "email", "cy@example.com");
    assert_eq!(["A-1", "A-2"].map(|tag| office.holder(tag)), [format!("employee {cy}"), format!("employee {cy}")]);
}

#[test]
fn an_asset_whose_tag_is_edited_is_checked_out_under_its_new_tag() {
    let office = Office::new();
    office.asset("A-1");
    let rows = format!("_id,{HEADER}1,A-7,Latitude 5450,Ready to Deploy,ada.byron@example.com,,,2026-01-05\n");
    let job = || office.mapped("mapping.toml", MAPPING, &rows);
    let (_, steps) = office.planned(job());
    assert_eq!(
        steps,
        [
            r#"assets: update 1 {"asset_id":"A-7"}"#,
            r#"checkout_asset: create {"asset_id":"A-7","checkout_date":"2026-01-05","employee_id":1} after 0"#,
        ]
    );
    office.imports(job());
    assert_eq!(office.holder("A-7"), "employee 1");
}

#[test]
fn one_record_is_made_however_many_rows_describe_it() {
    let office = Office::new();
    let rows = [
        "A-1,Latitude 5450,Ready to Deploy,HQ,,eve@example.com,Eve Adams,",
        "A-2,Latitude 5450,Ready to Deploy,HQ,Bonn,eve@example.com,Eve Adams,Engineer",
        "A-3,Latitude 5450,Ready to Deploy,hq,Bonn,,,",
        "A-4,Latitude 5450,Ready to Deploy,,,,,",
    ];
    let (summary, steps) = office.planned(office.describing(&rows));
    assert_eq!(
        steps,
        [
            r#"locations: create {"address_line_1":"unknown","city":"Bonn","country":"DE","name":"HQ"}"#,
            r#"employees: create {"email":"eve@example.com","name":"Eve Adams","title":"Engineer"}"#,
            r#"assets: create {"asset_id":"A-1","product_id":2,"status_id":1} after 0:location_id"#,
            r#"assets: create {"asset_id":"A-2","product_id":2,"status_id":1} after 0:location_id"#,
            r#"assets: create {"asset_id":"A-3","product_id":2,"status_id":1} after 0:location_id"#,
            r#"assets: create {"asset_id":"A-4","product_id":2,"status_id":1}"#,
            r#"checkout_asset: create {"asset_id":"A-1","checkout_date":"2026-01-05"} after 2 after 1:employee_id"#,
            r#"checkout_asset: create {"asset_id":"A-2","checkout_date":"2026-01-05"} after 3 after 1:employee_id"#,
        ]
    );
    assert_eq!((summary.counts().created, summary.counts().rows()), (4, 4));
    let finished = office.imports(office.describing(&rows));
    assert_eq!(
        finished.rows(),
        [
            "2 created #1: location #5 created; employee #7 created; check-out to Eve Adams",
            "3 created #2: check-out to Eve Adams",
            "4 created #3",
            "5 created #4",
        ]
    );
    let again = office.imports(office.describing(&rows));
    assert_eq!((again.writes().len(), again.report.summary().counts().unchanged), (0, 4), "{:?}", again.rows());
}

#[test]
fn a_described_record_that_is_there_is_compared_and_a_blank_empties_nothing() {
    let office = Office::new();
    let rows = [
        "A-1,Latitude 5450,Ready to Deploy,Berlin,,ada.byron@example.com,Ada Byron,Director",
        "A-2,Latitude 5450,Ready to Deploy,London,Croydon,,,",
    ];
    let text = format!("{DESCRIBED_HEADER}{}\n", rows.join("\n"));
    let mapping = DESCRIBED.replace("address_line_1 = { default = \"unknown\" }\ncountry = { default = \"DE\" }\n", "");
    let (_, steps) = office.planned(office.mapped("described.toml", &mapping, &text));
    assert_eq!(
        steps[..2],
        [r#"locations: update 3 {"city":"Croydon"}"#, r#"employees: update 1 {"title":"Director"}"#]
    );
    assert_eq!(steps.len(), 5, "{steps:?}");
}

#[test]
fn rows_that_contradict_each_other_send_nothing_and_name_the_earlier_row() {
    let office = Office::new();
    let rows = [
        "A-1,Latitude 5450,Ready to Deploy,HQ,Bonn,,,",
        "A-2,Latitude 5450,Ready to Deploy,HQ,Hamburg,,,",
        "A-3,Latitude 5450,Nowhere,Annex,Oslo,,,",
        "A-4,Latitude 5450,Ready to Deploy,Annex,Oslo,,,",
    ];
    let finished = office.imports(office.describing(&rows));
    assert_eq!(
        finished.rows(),
        [
            "2 created #1: location #5 created",
            "3 failed: record.contradicted at E: locations.city from City, E3: another value than in row 2, which describes the same location: `Bonn`",
            "4 failed: name.not_found at C: `Nowhere` not found in statuses",
            "5 created #2: location #6 created",
        ]
    );
    assert_eq!(office.record("locations", "name", "HQ")["city"], "Bonn");
    assert_eq!(finished.writes(), ["POST assets 2", "POST locations 2"]);
}

#[test]
fn a_row_with_a_problem_does_not_miss_what_it_would_make_itself() {
    let office = Office::new();
    let rows = [
        "A-1,Nope,Ready to Deploy,East,Bonn,zb@example.com,Zoe Bell,",
        "A-2,Nope,Ready to Deploy,East,Bonn,zb@example.com,Zoe Bell,",
        "A-3,Latitude 5450,Ready to Deploy,,,nobody,Zoe Bell,",
    ];
    let finished = office.imports(office.describing(&rows));
    assert_eq!(
        finished.rows(),
        [
            "2 failed: name.not_found at B: `Nope` not found in products",
            "3 failed: name.not_found at B: `Nope` not found in products",
            "4 failed: email.invalid at F: employees.email from Mail, F4: invalid e-mail address; expected one such as \
             `ada.byron@example.com`",
        ]
    );
    assert!(finished.writes().is_empty(), "{:?}", finished.writes());
    // What no row makes is missing all the same.
    let alone = "entity = \"assets\"\nignore = [\"City\", \"Title\", \"Name\", \"Mail\"]\n\
                 [fields.location_id]\ncolumn = \"Building\"\n";
    let text = format!("{DESCRIBED_HEADER}{}\n", rows[0]);
    let finished = office.imports(office.mapped("alone.toml", alone, &text));
    let missing = ["`Nope` not found in products", "`East` not found in locations"];
    assert!(missing.iter().all(|missing| finished.rows()[0].contains(missing)), "{:?}", finished.rows());
}

#[test]
fn what_the_first_of_several_rows_cannot_make_is_told_at_each() {
    let office = Office::new();
    let mapping =
        DESCRIBED.replace("address_line_1 = { default = \"unknown\" }\n", "currency = { column = \"Name\" }\n");
    let rows =
        ["A-1,Latitude 5450,Ready to Deploy,East,Bonn,,XXQ,", "A-2,Latitude 5450,Ready to Deploy,East,Bonn,,EUR,"];
    let text = format!("{DESCRIBED_HEADER}{}\n", rows.join("\n"));
    let finished = office.imports(office.mapped("described.toml", &mapping, &text));
    assert!(!finished.rows().iter().any(|row| row.contains("not found")), "{:?}", finished.rows());
    assert!(finished.rows()[1].starts_with("3 created"), "{:?}", finished.rows());
}

#[test]
fn a_row_that_is_skipped_or_deletes_describes_nothing() {
    let office = Office::new();
    office.asset("A-2");
    let rows = format!(
        "_action,{DESCRIBED_HEADER}skip,A-1,Latitude 5450,Ready to Deploy,HQ,Bonn,eve@example.com,Eve Adams,\n\
         delete,A-2,Latitude 5450,Ready to Deploy,HQ,Bonn,eve@example.com,Eve Adams,\n\
         ,A-3,Latitude 5450,Ready to Deploy,,,,,\n"
    );
    let (summary, steps) = office.planned(office.mapped("described.toml", DESCRIBED, &rows));
    assert_eq!(steps, [r#"assets: create {"asset_id":"A-3","product_id":2,"status_id":1}"#, "assets: delete 1"]);
    assert_eq!((summary.counts().skipped, summary.counts().deleted, summary.counts().created), (1, 1, 1));
}

#[test]
fn a_new_holder_of_an_asset_that_is_there_is_told_at_the_cell_that_names_him() {
    let office = Office::new();
    office.asset("A-1");
    let job = office.assigning(&["A-1,cy@example.com,Cy Young,,2026-01-05"]).create_missing_in(["all"]);
    let finished = office.imports(job);
    assert_eq!(finished.rows(), ["2 updated #1: check-out to cy@example.com"]);
    let row = finished.report.rows().next().unwrap().1.unwrap();
    let changes: Vec<(u32, &str, &str)> =
        row.outcome.changes.iter().map(|change| (change.column, change.field.as_str(), change.new.as_str())).collect();
    assert_eq!(changes, [(3, "assigned_to", "cy@example.com")]);
}
