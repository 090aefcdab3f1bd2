//! Results of earlier runs as input: only what is not done is sent.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::check::Conflicts;
use crate::job::ResultTarget;

#[test]
fn only_rows_that_are_not_done_are_sent_again() {
    let office = Office::new();
    let rows = "_status,_id,_message,Name,Url\ncreated,1,fine,Apple,\nfailed,,\"was bad\",Acer,\n\
                unchanged,2,,Dell,https://changed.example\nskipped,,left out,Board,\nnot_sent,,,Asus,\n";
    let finished = office.imports(office.job("manufacturers.result.csv", rows).entity("manufacturers").only_failed());
    assert_eq!(
        finished.rows(),
        [
            "2 created #1: fine",
            "3 created #9",
            "4 failed #2: record.conflict at E: the service has `https://www.dell.com`, and no journal here tells which of \
             the two was changed since the earlier run",
            "5 skipped: left out",
            "6 created #10"
        ]
    );
    let refused = office.plans(office.job("manufacturers.csv", "Name\nAcer\n").only_failed()).err().unwrap();
    assert_eq!(refused.to_string(), "manufacturers has no column `_status`, so it is not a result of an earlier run");
}

/// Manufacturers and what a result says of them: two are made, the third is refused.
struct Imported {
    office: Office,
    path: PathBuf,
    ids: [i64; 2],
}

impl Imported {
    fn new() -> Self {
        let office = Office::new();
        let path = office.folder.path().join("r.csv");
        let rows = "Name,Url,Support Phone\nAcer,https://acer.example,\nAsus,https://asus.example,\nDell,nowhere,\n";
        let finished = office.imports(office.job("manufacturers.csv", rows).result(ResultTarget::File(path.clone())));
        assert_eq!(finished.writes(), ["POST manufacturers 2"]);
        let ids = ["Acer", "Asus"].map(|name| office.id("manufacturers", "name", name));
        Self { office, path, ids }
    }

    /// Somebody else changes a record.
    fn others_change(&self, id: i64, body: Json) {
        let client = &self.office.account.client;
        self.office.runtime.block_on(client.update(entity("manufacturers"), id, body.as_object().unwrap())).unwrap();
    }

    /// Writes the result with other texts under a name.
    fn edits(&self, name: &str, changes: &[(&str, &str)]) -> PathBuf {
        let mut text = std::fs::read_to_string(&self.path).unwrap();
        for (from, to) in changes {
            assert!(text.contains(from), "{from} in {text}");
            text = text.replace(from, to);
        }
        self.office.file(name, &text)
    }

    fn job(path: &Path) -> ImportJob {
        ImportJob::from_path(path).entity("manufacturers")
    }

    fn imports(&self, job: ImportJob) -> Finished {
        self.office.imports(job)
    }

    fn held(&self, id: i64) -> String {
        let records = self.office.records("manufacturers");
        let record = records.iter().find(|record| record["id"] == id).unwrap();
        format!("{} {}", record["url"].as_str().unwrap(), record["support_phone"].as_str().unwrap_or("-"))
    }
}

#[test]
fn what_others_change_in_a_row_that_was_not_edited_stays() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    imported.others_change(acer, json!({"url": "https://other.example"}));
    let carried = |finished: &Finished| {
        let done = [format!("2 created #{acer}"), format!("3 created #{asus}")];
        assert_eq!(finished.rows()[..2], done, "{:?}", finished.rows());
        assert_eq!(imported.held(acer), "https://other.example -");
    };
    // As it was written, with the flag and without it.
    for job in [Imported::job(&imported.path), Imported::job(&imported.path).only_failed()] {
        let finished = imported.imports(job);
        carried(&finished);
        assert!(finished.writes().is_empty(), "{:?}", finished.writes());
    }
    // Another row is corrected: in a copy, in place, and with the columns in another order.
    for (name, edited) in [("copy.csv", "https://one.example"), ("r.csv", "https://two.example")] {
        let path = imported.edits(name, &[("nowhere", edited)]);
        let finished = imported.imports(Imported::job(&path).only_failed());
        carried(&finished);
        assert_eq!(finished.writes().len(), 1, "{name}: {:?}", finished.writes());
    }
    let text = std::fs::read_to_string(&imported.path).unwrap();
    let moved: Vec<String> = text
        .lines()
        .map(|line| {
            let (front, url) = line.rsplit_once(',').unwrap().0.rsplit_once(',').unwrap();
            format!("{url},{front}\n")
        })
        .collect();
    let path = imported.office.file("moved.csv", &moved.concat());
    carried(&imported.imports(Imported::job(&path)));
}

#[test]
fn of_an_edited_row_only_the_edit_is_sent_and_what_others_have_changed_too_is_a_conflict() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    imported.others_change(acer, json!({"url": "https://other.example"}));
    // Another field of the same record.
    let path = imported.edits("phone.csv", &[("https://acer.example,", "https://acer.example,112")]);
    let (_, steps) = imported.office.planned(Imported::job(&path));
    assert_eq!(steps, [format!(r#"manufacturers: update {acer} {{"support_phone":"112"}}"#)]);
    // The same field.
    let changes = [("https://acer.example", "https://new.example"), ("https://asus.example", "https://asus.test")];
    let path = imported.edits("url.csv", &changes);
    let finished = imported.imports(Imported::job(&path));
    let conflict = "record.conflict at E: the service has `https://other.example`; the record was changed on ";
    assert!(finished.rows()[0].starts_with(&format!("2 failed #{acer}: {conflict}")), "{:?}", finished.rows());
    assert!(finished.rows()[0].ends_with(", after the earlier run"), "{:?}", finished.rows());
    assert_eq!(finished.rows()[1], format!("3 updated #{asus}"));
    assert_eq!([acer, asus].map(|id| imported.held(id)), ["https://other.example -", "https://asus.test -"]);
    // The user decides.
    let rows = |job: ImportJob| imported.imports(job.only_failed()).rows().remove(0);
    let kept = rows(ImportJob { conflicts: Some(Conflicts::Theirs), ..Imported::job(&path) });
    assert!(kept.starts_with(&format!("2 unchanged #{acer}: changed on the service on ")), "{kept}");
    assert_eq!(imported.held(acer), "https://other.example -");
    assert_eq!(
        rows(ImportJob { conflicts: Some(Conflicts::Mine), ..Imported::job(&path) }),
        format!("2 updated #{acer}")
    );
    assert_eq!(imported.held(acer), "https://new.example -");
}

#[test]
fn the_result_of_a_result_is_compared_with_its_own_run() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    let folder = imported.office.folder.path();
    // Edits a result in place, with what it said before kept in another file, and imports it.
    let edits = |number: usize, from: &str, to: &str| {
        let name = |number: usize| if number == 1 { String::from("r.csv") } else { format!("r{number}.csv") };
        let path = folder.join(name(number));
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(folder.join(format!("old{number}.csv")), &text).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let result = ResultTarget::File(folder.join(name(number + 1)));
        imported.imports(Imported::job(&path).result(result)).rows()
    };
    let updated = format!("2 updated #{acer}");
    assert_eq!(edits(1, "acer.example", "acer2.example")[0], updated);
    assert_eq!(edits(2, "acer2.example", "acer3.example")[0], updated);
    // As it was once, and an edit all the same.
    assert_eq!(edits(3, "acer3.example", "acer2.example")[0], updated);
    assert_eq!(imported.held(acer), "https://acer2.example -");
    // Old results that were not edited change nothing.
    for old in ["old1.csv", "old2.csv", "old3.csv"] {
        let rows = imported.imports(Imported::job(&folder.join(old)).only_failed()).rows();
        assert!(rows[1].starts_with(&format!("3 created #{asus}")), "{old}: {rows:?}");
        assert_eq!(imported.held(acer), "https://acer2.example -", "{old}");
    }
    // Of the copy of one, nobody knows which update it was.
    let text = std::fs::read_to_string(folder.join("r4.csv")).unwrap();
    let copy = imported.office.file("copy.csv", &text.replace("acer2.example", "acer9.example"));
    let rows = imported.imports(Imported::job(&copy)).rows();
    assert!(rows[0].starts_with(&format!("2 failed #{acer}: record.conflict at E")), "{rows:?}");
    // A row that was carried twice is known all the same.
    assert_eq!(edits(4, "asus.example", "asus5.example")[1], format!("3 updated #{asus}"));
    assert_eq!(imported.held(asus), "https://asus5.example -");
    imported.others_change(acer, json!({"url": "https://other.example"}));
    let rows = edits(5, "acer2.example", "acer6.example");
    assert!(rows[0].starts_with(&format!("2 failed #{acer}: record.conflict at E")), "{rows:?}");
    assert_eq!(imported.held(acer), "https://other.example -");
}

#[test]
fn an_edit_that_was_a_conflict_is_one_when_it_is_imported_again() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    imported.others_change(acer, json!({"url": "https://other.example", "support_phone": "112"}));
    let path = imported
        .edits("r.csv", &[("https://acer.example", "https://new.example"), ("nowhere", "https://dell.example")]);
    let results = ["r2.csv", "r3.csv", "r4.csv"].map(|name| imported.office.folder.path().join(name));
    let imports = |from: &Path, to: &Path| {
        imported.imports(Imported::job(from).only_failed().result(ResultTarget::File(to.to_path_buf()))).rows()
    };
    let conflict = format!(
        "2 failed #{acer}: record.conflict at E: the service has `https://other.example`; the record was changed on "
    );
    for (from, to) in [(&path, &results[0]), (&results[0], &results[1])] {
        let rows = imports(from, to);
        assert!(rows[0].starts_with(&conflict), "{rows:?}");
        assert_eq!(rows[1], format!("3 created #{asus}"));
    }
    // With the other's value nothing is left to send, and what else they have changed stays.
    let text = std::fs::read_to_string(&results[1]).unwrap().replace("https://new.example", "https://other.example");
    std::fs::write(&results[1], text).unwrap();
    assert_eq!(imports(&results[1], &results[2])[0], format!("2 unchanged #{acer}"));
    assert_eq!(imported.held(acer), "https://other.example 112");
    // A row whose status is emptied is sent like any other.
    let text = std::fs::read_to_string(&results[0]).unwrap().replace(&format!("failed,{acer},"), &format!(",{acer},"));
    let rows = imported.imports(Imported::job(&imported.office.file("r2.csv", &text))).rows();
    assert_eq!(
        (rows[0].as_str(), imported.held(acer)),
        (&*format!("2 updated #{acer}"), String::from("https://new.example 112"))
    );
}

#[test]
fn without_the_journal_what_differs_from_the_account_is_asked_about() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    std::fs::remove_dir_all(imported.office.folder.path().join("state").join("runs")).unwrap();
    imported.others_change(acer, json!({"url": "https://other.example"}));
    for path in [imported.path.clone(), imported.edits("copy.csv", &[("nowhere", "https://dell.example")])] {
        let finished = imported.imports(Imported::job(&path).only_failed());
        let expected = format!(
            "2 failed #{acer}: record.conflict at E: the service has `https://other.example`, and no journal here tells \
             which of the two was changed since the earlier run"
        );
        assert_eq!(finished.rows()[..2], [expected, format!("3 created #{asus}")]);
    }
    assert_eq!(imported.held(acer), "https://other.example -");
    let finished = imported.imports(ImportJob { conflicts: Some(Conflicts::Mine), ..Imported::job(&imported.path) });
    assert_eq!(finished.rows()[0], format!("2 updated #{acer}"));
    imported.office.removes("manufacturers", acer);
    std::fs::remove_dir_all(imported.office.folder.path().join("state").join("runs")).unwrap();
    let finished = imported.imports(Imported::job(&imported.path));
    let gone = format!("2 created #{acer}: done by an earlier run; the account has no record `#{acer}`");
    assert_eq!(finished.rows()[0], gone);
    assert!(finished.remarks().iter().any(|remark| remark.contains("the account lacks its record")));
}

#[test]
fn an_edited_status_is_obeyed() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    for id in imported.ids {
        imported.others_change(id, json!({"url": "https://other.example"}));
    }
    let acers = format!("created,{acer},");
    let path = imported.edits("r.csv", &[(acers.as_str(), &format!(",{acer},"))]);
    let finished = imported.imports(Imported::job(&path));
    assert_eq!(finished.rows()[..2], [format!("2 updated #{acer}"), format!("3 created #{asus}")]);
    assert_eq!([acer, asus].map(|id| imported.held(id)), ["https://acer.example -", "https://other.example -"]);
    // What the user says is done is left out.
    let path = imported.edits("done.csv", &[("failed,,", "skipped,,"), ("nowhere", "https://dell.example")]);
    let rows = imported.imports(Imported::job(&path)).rows();
    assert_eq!(rows[2], "4 skipped: edited since the earlier run, and not sent again: empty its `_status` to send it");
}

#[test]
fn rows_added_below_and_rows_to_delete_are_edits() {
    let imported = Imported::new();
    let [acer, asus] = imported.ids;
    let text = std::fs::read_to_string(&imported.path).unwrap();
    let path = imported.office.file("more.csv", &format!("{text},,,Eizo,https://eizo.example,\n"));
    let rows = imported.imports(Imported::job(&path).only_failed()).rows();
    assert!(rows[3].starts_with("5 created #"), "{rows:?}");
    let lines = text.lines().zip(["_action", "delete", "", ""]).map(|(line, action)| format!("{line},{action}\n"));
    let path = imported.office.file("delete.csv", &lines.collect::<String>());
    let rows = imported.imports(Imported::job(&path).confirmed()).rows();
    assert_eq!(rows[..2], [format!("2 deleted #{acer}"), format!("3 created #{asus}")]);
}

#[test]
fn a_check_out_of_unknown_end_is_not_sent_again_unasked() {
    let office = Office::new();
    office.asset("LAP-1");
    let rows = |status: &str| {
        format!(
            "_status,_id,_message,Asset,Employee,Checkout Date\n{status},,,LAP-1,ada.byron@example.com,2026-03-02\n"
        )
    };
    let job = |status: &str| office.job("out.csv", &rows(status)).entity("checkout_asset").only_failed().confirmed();
    let finished = office.imports(job("unknown"));
    assert_eq!(
        finished.rows(),
        [
            "2 unknown: service.unknown at A: an earlier run sent this with unknown outcome; sending it again may apply it twice",
        ]
    );
    assert_eq!(office.holder("LAP-1"), "nobody");
    let finished = office.imports(job("created"));
    assert_eq!((finished.writes().len(), office.holder("LAP-1").as_str()), (0, "nobody"));
    office.imports(job(""));
    assert_eq!(office.holder("LAP-1"), "employee 1");
}

#[test]
fn a_check_out_that_was_made_is_not_made_again_whatever_the_flags_and_edits() {
    let office = Office::new();
    let kind = office.makes("categories", json!({"name": "Mice", "type": "accessory"}));
    office.makes("accessories", json!({"name": "Mouse", "category_id": kind, "quantity": 10}));
    let result = office.folder.path().join("r.csv");
    let rows = "Accessory,Employee,Quantity,Checkout Date\nMouse,ada.byron@example.com,1,2026-03-02\n";
    let job = office.job("out.csv", rows).entity("checkout_accessory").confirmed();
    office.imports(job.result(ResultTarget::File(result.clone())));
    let again = |path: &Path| ImportJob::from_path(path).entity("checkout_accessory").repeat().confirmed();
    for job in [again(&result), again(&result).only_failed()] {
        let finished = office.imports(job);
        assert!(finished.writes().is_empty() && finished.rows()[0].starts_with("2 created"), "{:?}", finished.rows());
    }
    let text = std::fs::read_to_string(&result).unwrap().replace(",1,2026", ",2,2026");
    let finished = office.imports(again(&office.file("r.csv", &text)));
    assert!(finished.writes().is_empty(), "{:?}", finished.writes());
    assert!(finished.rows()[0].ends_with("empty its `_status` to send it"), "{:?}", finished.rows());
    assert!(finished.remarks().iter().any(|remark| remark.contains("not sent again")), "{:?}", finished.remarks());
}

#[test]
fn what_others_do_to_the_further_records_of_a_done_row_stays() {
    let office = Office::new();
    let mapping = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n[also.employees]\n\
                   name = { column = \"Name\" }\nemail = { column = \"Holder\" }\n";
    let mapping = office.file("m.toml", mapping);
    let rows = "Asset Tag,Product,Status,Notes,Holder,Name\n\
                A-1,Latitude 5450,Ready to Deploy,one,ada.byron@example.com,Ada Byron\n\
                A-2,Nope,Ready to Deploy,two,,\n";
    let result = office.folder.path().join("r.csv");
    let job = |path: &Path| ImportJob::from_path(path).mapping_file(&mapping).confirmed();
    let path = office.file("assets.csv", rows);
    office.imports(job(&path).result(ResultTarget::File(result.clone())));
    assert_eq!(office.holder("A-1"), "employee 1");
    let asset = office.id("assets", "asset_id", "A-1");
    let back = json!({"asset_id": asset, "checkin_date": "2026-03-02", "status_id": 1});
    office.makes_action("checkin_asset", back);
    let text = std::fs::read_to_string(&result).unwrap();
    let edit = |name: &str, from: &str, to: &str| office.file(name, &text.replace(from, to));
    office.imports(job(&edit("fixed.csv", "Nope", "Latitude 5450")).only_failed());
    office.imports(job(&edit("notes.csv", ",one,", ",changed,")));
    assert_eq!(office.holder("A-1"), "nobody");
    assert_eq!(office.record("assets", "asset_id", "A-1")["notes"], "changed");
    office.imports(job(&edit("held.csv", "ada.byron@example.com,Ada Byron", "grace.murray@example.com,Grace Murray")));
    assert_eq!(office.holder("A-1"), "employee 2");
}

#[test]
fn a_workbook_names_the_run_that_wrote_it_whatever_it_is_called() {
    let office = Office::new();
    let result = office.folder.path().join("r.xlsx");
    let rows = "Name,Url\nAcer,https://acer.example\nDell,nowhere\n";
    office.imports(office.job("manufacturers.csv", rows).result(ResultTarget::File(result.clone())));
    let acer = office.id("manufacturers", "name", "Acer");
    let client = &office.account.client;
    let body = json!({"url": "https://other.example"});
    office.runtime.block_on(client.update(entity("manufacturers"), acer, body.as_object().unwrap())).unwrap();
    let copy = office.folder.path().join("copy.xlsx");
    std::fs::copy(&result, &copy).unwrap();
    std::fs::remove_file(&result).unwrap();
    // Rows of the user's own that a later run has read.
    office.import("locations.csv", "Name\nUlm\n");
    let finished = office.imports(ImportJob::from_path(&copy).entity("manufacturers").only_failed());
    assert_eq!(finished.rows()[0], format!("2 created #{acer}"), "{:?}", finished.rows());
}

#[test]
fn a_row_that_a_dry_run_would_update_is_compared_with_the_run_before() {
    let imported = Imported::new();
    let [acer, _] = imported.ids;
    imported.others_change(acer, json!({"url": "https://other.example"}));
    let path = imported.edits("r.csv", &[("https://acer.example,", "https://acer.example,112")]);
    let dry = imported.office.folder.path().join("dry.xlsx");
    let mut job = Imported::job(&path).result(ResultTarget::File(dry.clone()));
    job.run.dry_run = true;
    imported.office.plans(job).unwrap().finish_dry_run(&mut Told::default()).unwrap();
    let finished = imported.imports(Imported::job(&dry));
    assert_eq!(finished.rows()[0], format!("2 updated #{acer}"), "{:?}", finished.rows());
    assert_eq!(imported.held(acer), "https://other.example 112");
}

#[test]
fn what_the_user_says_of_a_row_that_the_run_before_did_not_make_counts_as_that() {
    // The row fails once: it says that an edit of another run is done, or that it failed.
    let again = |status: &str| {
        let imported = Imported::new();
        let dell = imported.office.id("manufacturers", "name", "Dell");
        let text = std::fs::read_to_string(&imported.path).unwrap();
        let (kept, _) = text.split_once("failed,").unwrap();
        let first = imported.office.file("r.csv", &format!("{kept}{status},{dell},,Dell,nowhere,\n"));
        let result = imported.office.folder.path().join("r2.csv");
        let rows = imported.imports(Imported::job(&first).result(ResultTarget::File(result.clone()))).rows();
        assert!(rows[2].starts_with(&format!("4 failed #{dell}: ")), "{rows:?}");
        let fixed = std::fs::read_to_string(&result).unwrap().replace("nowhere", "https://dell.example");
        std::fs::write(&result, fixed).unwrap();
        imported.imports(Imported::job(&result)).rows().remove(2)
    };
    let rows = again("created");
    assert!(rows.contains("record.conflict at E: the service has `https://www.dell.com`, and no journal"), "{rows}");
    let rows = again("failed");
    assert!(rows.starts_with("4 updated #"), "{rows}");
}

#[test]
fn of_a_row_whose_further_records_failed_only_what_is_left_is_sent_again() {
    let office = Office::new();
    let mapping = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n[also.employees]\n\
                   name = { column = \"Name\" }\nemail = { column = \"Holder\" }\n";
    let mapping = office.file("m.toml", mapping);
    let rows = "Asset Tag,Product,Status,Notes,Holder,Name\n\
                A-1,Latitude 5450,Ready to Deploy,one,zoe@example.com,Zoe Vale\n";
    let results = ["r1.csv", "r2.csv", "r3.csv"].map(|name| office.folder.path().join(name));
    // Imports a file while somebody else does something between plan and requests.
    let imports = |path: &Path, result: &Path, between: &dyn Fn()| {
        let job = ImportJob::from_path(path).mapping_file(&mapping).confirmed();
        let plan = office.plans(job.result(ResultTarget::File(result.to_path_buf()))).unwrap();
        between();
        let mut told = Told::default();
        let report = office.runtime.block_on(plan.apply(&mut told)).unwrap();
        Finished { report, told, requests: Vec::new() }.rows()
    };
    let asset = || office.id("assets", "asset_id", "A-1");
    let zoe = || assert!(office.makes("employees", json!({"name": "Zoe", "email": "zoe@example.com"})) > 0);
    let told = imports(&office.file("assets.csv", rows), &results[0], &zoe);
    assert!(told[0].starts_with("2 failed #1: asset created; service.refused at E: "), "{told:?}");
    let out = || {
        let body = json!({"asset_id": "A-1", "employee_id": 1, "checkout_date": "2026-03-02"});
        office.makes_action("checkout_asset", body);
    };
    let told = imports(&results[0], &results[1], &out);
    let refused = "service.refused: the service rejected `asset_id`: is checked out already";
    assert_eq!(told, [format!("2 failed #1: employee #7 updated; {refused}")]);
    office.makes_action("checkin_asset", json!({"asset_id": asset(), "checkin_date": "2026-03-02", "status_id": 1}));
    let told = imports(&results[1], &results[2], &|| {});
    assert_eq!(told, ["2 updated #1: check-out to Zoe Vale"]);
    assert_eq!(office.holder("A-1"), "employee 7");
    // Nothing is left of it by now, whatever that result said.
    assert_eq!(imports(&results[1], &results[2], &|| {}), ["2 created #1"]);
}

#[test]
fn whom_a_finished_row_gave_an_asset_contradicts_what_another_file_says() {
    let office = Office::new();
    let mapping = office.file("m.toml", "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n");
    let rows = |holders: [&str; 2]| {
        let row = |(number, holder)| format!("A-{number},Latitude 5450,Ready to Deploy,{holder}\n");
        format!("Asset Tag,Product,Status,Holder\n{}", (1..).zip(holders).map(row).collect::<String>())
    };
    let [ada, grace] = ["ada.byron@example.com", "grace.murray@example.com"];
    let job = |paths: &[&Path]| ImportJob::from_paths(paths).mapping_file(&mapping).confirmed();
    let (first, second) = (office.file("first.csv", &rows([ada, ada])), office.file("second.csv", &rows([ada, grace])));
    let result = office.folder.path().join("r.csv");
    office.imports(job(&[&first]).result(ResultTarget::File(result.clone())));
    let told = office.imports(job(&[&result, &second])).rows();
    assert_eq!(told[..2], ["2 created #1", "3 created #2"].map(|row| format!("{row}: check-out to Ada Byron")));
    assert_eq!(told[2], "2 unchanged #1");
    let contradicts = "3 failed: duplicate.key at D: assigned_to from Holder, D3: another value than in row 3 of ";
    assert!(told[3].starts_with(contradicts), "{told:?}");
}

#[test]
fn only_what_runs_after_the_one_that_left_a_check_out_have_sent_is_done() {
    let office = Office::new();
    let mapping = office.file("m.toml", "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Holder\"\n");
    let results = ["r1.csv", "r2.csv", "r3.csv"].map(|name| office.folder.path().join(name));
    let rows = "Asset Tag,Product,Status,Holder\nA-1,Latitude 5450,Ready to Deploy,ada.byron@example.com\n";
    let imports = |path: &Path, result: &Path, between: &dyn Fn()| {
        let job = ImportJob::from_path(path).mapping_file(&mapping).confirmed();
        let plan = office.plans(job.result(ResultTarget::File(result.to_path_buf()))).unwrap();
        between();
        let report = office.runtime.block_on(plan.apply(&mut Told::default())).unwrap();
        Finished { report, told: Told::default(), requests: Vec::new() }.rows()
    };
    let back = || {
        let asset = office.id("assets", "asset_id", "A-1");
        office.makes_action("checkin_asset", json!({"asset_id": asset, "checkin_date": "2026-03-02", "status_id": 1}));
    };
    let out = || {
        let body = json!({"asset_id": "A-1", "employee_id": 2, "checkout_date": "2026-03-02"});
        office.makes_action("checkout_asset", body);
    };
    let sheet = office.file("assets.csv", rows);
    assert_eq!(imports(&sheet, &results[0], &|| {}), ["2 created #1: check-out to Ada Byron"]);
    back();
    let told = imports(&sheet, &results[1], &out);
    assert!(told[0].starts_with("2 failed #1"), "{told:?}");
    back();
    assert_eq!(imports(&results[1], &results[2], &|| {}), ["2 updated #1: check-out to Ada Byron"]);
    assert_eq!(office.holder("A-1"), "employee 1");
}
