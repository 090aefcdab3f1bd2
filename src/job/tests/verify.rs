//! What a run sent or a file says, against the account.

use std::collections::BTreeSet;

use serde_json::json;

use super::job_test::{JobTest, refused};
use crate::account::{Account, AccountIdentity, ConnectOptions};
use crate::job::{ImportJob, VerifyJob};
use crate::report::VerifyReport;
use crate::run::journal::{JournalBuilder, RunDetails, RunHeader, RunKind};
use crate::run::verify::{DifferenceKind, VerifyCounts};

const HOLDER: &str = "holder=assigned_to";

const ROWS: &str = "asset_id,product,status,location,cost,currency,notes,custom:Rack,holder\n\
                    A-1,MacBook Pro 14,Ready,Berlin,1000,EUR,one,B4,ada@example.com\n\
                    A-2,MacBook Pro 14,Ready,,500,EUR,two,,\n\
                    A-3,MacBook Pro 14,Ready,Berlin,250,USD,,C1,\n";

/// Two people, a place and what assets refer to.
fn equipped() -> JobTest {
    JobTest::with_lookups()
        .holds("locations", &json!({"name": "Berlin"}))
        .holds("employees", &json!({"name": "Ada Byron", "email": "ada@example.com"}))
        .holds("employees", &json!({"name": "Bob Stone", "email": "bob@example.com"}))
}

/// Three assets, of which the first is checked out. With the name of the run that brought them.
fn imported() -> (JobTest, String) {
    let test = equipped();
    let job = ImportJob::from_path(test.file("assets.csv", ROWS)).map(HOLDER);
    let run = test.imported(job).run_id().to_owned();
    (test, run)
}

impl JobTest {
    fn verify_file(&self) -> VerifyReport {
        self.verify(VerifyJob::from_path(self.folder.path().join("assets.csv")).map(HOLDER)).unwrap()
    }

    fn verify_whole(&self) -> VerifyReport {
        self.verify(VerifyJob::from_path(self.folder.path().join("assets.csv")).map(HOLDER).complete()).unwrap()
    }

    fn verify_run(&self, run: &str) -> VerifyReport {
        self.verify(VerifyJob::of_run(run)).unwrap()
    }

    /// A comparison with a file of that name and text.
    fn compares(&self, name: &str, text: &str) -> VerifyReport {
        self.verify(VerifyJob::from_path(self.file(name, text))).unwrap()
    }

    /// What both comparisons say, of the file and of the run: the same.
    fn verify_both(&self, run: &str) -> [VerifyReport; 2] {
        [self.verify_file(), self.verify_run(run)]
    }
}

/// Each difference as `kind collection record field expected found`.
fn told(report: &VerifyReport) -> BTreeSet<String> {
    let text = |text: &str| if text.is_empty() { String::from("-") } else { text.to_owned() };
    let told = report.differences().iter().map(|difference| {
        let field = difference.field.as_deref().unwrap_or_default();
        let parts = [difference.collection, &difference.record, field, &difference.expected, &difference.found];
        let words: Vec<String> = parts.iter().map(|part| text(part)).collect();
        format!("{} {}", difference.kind.as_str(), words.join(" "))
    });
    told.collect()
}

fn set<const N: usize>(texts: [&str; N]) -> BTreeSet<String> {
    texts.map(str::to_owned).into()
}

fn counts(equal: u64, different: u64, missing: u64, extra: u64) -> VerifyCounts {
    VerifyCounts { equal, different, missing, extra }
}

/// The places that the differences name, by record.
fn sources(report: &VerifyReport) -> Vec<(&str, &str)> {
    report.differences().iter().map(|difference| (difference.record.as_str(), difference.source.as_str())).collect()
}

/// Sums of a field: currency, expected and found.
fn sums(report: &VerifyReport) -> Vec<String> {
    let money = report.sums().iter().flat_map(|sheet| &sheet.money);
    money.map(|sum| format!("{} {} {} {}", sum.field, sum.currency, sum.expected, sum.found)).collect()
}

#[test]
fn nothing_differs_after_an_import_and_nothing_is_sent_to_find_out() {
    let (test, run) = imported();
    let before = test.account.client.requests();
    let whole = test.verify_whole();
    let [file, sent] = test.verify_both(&run);
    for report in [&whole, &file, &sent] {
        // 21 cells of assets and one holder.
        assert_eq!((report.counts(), told(report)), (counts(22, 0, 0, 0), set([])));
        assert!(report.is_equal() && report.problems().is_empty());
        assert_eq!(sums(report), ["purchase_cost EUR 1500 1500", "purchase_cost USD 250 250"]);
        let records: Vec<_> = report.sums().iter().map(|sum| (sum.collection, sum.expected, sum.found)).collect();
        assert_eq!(records, [("assets", 3, 3)]);
        let without: Vec<_> = report.sums()[0].without.iter().map(|lack| (lack.what, lack.records)).collect();
        assert_eq!(without, [("status", 0), ("holder", 2), ("place", 1)]);
    }
    assert_eq!((test.writes_since(&before), test.log_reads_since(&before)), (0, 0));
    let name = test.folder.path().join("assets.csv").display().to_string();
    assert_eq!((&file.title, &file.files, &file.run_id), (&name, &vec![name.clone()], &None));
    assert_eq!(sent.title, format!("run {run} (import of {name})"));
    assert_eq!((sent.run_id.as_deref(), &sent.files), (Some(run.as_str()), &file.files));
    assert_eq!((file.file_digests.len(), sent.file_digests.len()), (1, 0));
    assert_eq!(file.file_digests[0].1.len(), 64);
    assert_eq!(sent.findings.journal.as_ref().unwrap().len(), 64);
    assert_eq!((file.findings.journal.as_ref(), sent.findings.remarks.len()), (None, 0));
}

#[test]
fn what_was_changed_is_found_with_both_values_where_they_stand_and_who_did_it() {
    let (test, run) = imported();
    let before = test.verify_file().findings.read;
    assert_eq!(test.verify_file().findings.read, before, "the same records have the same digest");
    test.changes("assets", 1, &json!({"notes": "theirs", "purchase_cost": 900}));
    // The file says nothing of its place.
    test.changes("assets", 2, &json!({"location_id": 1}));
    test.changes(
        "assets",
        3,
        &json!({"custom_fields": [{"name": "Rack", "value": "D9"}, {"name": "New", "value": "1"}]}),
    );
    let [file, sent] = test.verify_both(&run);
    for report in [&file, &sent] {
        let expected = set([
            "different assets A-1 notes one theirs",
            "different assets A-1 purchase_cost 1000 900",
            "different assets A-3 custom:Rack C1 D9",
        ]);
        assert_eq!((told(report), report.counts()), (expected, counts(19, 3, 0, 0)));
        assert!(!report.is_equal());
        for difference in report.differences() {
            assert_eq!(difference.changed_by.as_deref(), Some("admin@example.com"), "{difference:?}");
            assert!(difference.changed_at.as_ref().unwrap().starts_with("20"), "{difference:?}");
            assert_eq!(difference.id, Some(if difference.record == "A-1" { 1 } else { 3 }));
        }
        assert_eq!(sums(report), ["purchase_cost EUR 1500 1400", "purchase_cost USD 250 250"]);
        assert_ne!(report.findings.read, before);
    }
    assert_eq!(sources(&file), [("A-1", "assets E2"), ("A-1", "assets G2"), ("A-3", "assets H4")]);
    assert_eq!(sources(&sent), [("A-1", "assets row 2"), ("A-1", "assets row 2"), ("A-3", "assets row 4")]);
}

#[test]
fn what_the_log_tells_up_to_the_change_that_a_row_shows_is_no_cause() {
    let (test, _) = imported();
    test.changes("assets", 1, &json!({"notes": "theirs"}));
    for (shown, by) in [("2999-01-01T00:00:00Z", None), ("2000-01-01T00:00:00Z", Some("admin@example.com"))] {
        let report = test.compares("assets.csv", &format!("_id,asset_id,notes,updated_at\n1,A-1,mine,{shown}\n"));
        assert_eq!(told(&report), set(["different assets A-1 notes mine theirs"]), "{shown}");
        assert_eq!(report.differences()[0].changed_by.as_deref(), by, "{shown}");
    }
}

#[test]
fn a_record_that_is_gone_is_missing_and_one_that_only_the_account_has_is_extra() {
    let (test, run) = imported();
    test.deletes("assets", 2);
    let mine = json!({"asset_id": "X-9", "product_id": 1, "status_id": 1, "purchase_cost": 7, "currency": "EUR"});
    test.sends("assets", &mine);
    let missing = "missing assets A-2 - A-2 -";
    let file = test.verify_file();
    assert_eq!((told(&file), file.counts()), (set([missing]), counts(16, 0, 1, 0)));
    assert_eq!((file.sums()[0].expected, file.sums()[0].found), (3, 2));
    assert_eq!(sums(&file), ["purchase_cost EUR 1500 1000", "purchase_cost USD 250 250"]);
    let gone = &file.differences()[0];
    assert_eq!((gone.id, gone.source.as_str(), gone.changed_by.as_deref()), (None, "assets row 3", None));
    let whole = test.verify_whole();
    assert_eq!((told(&whole), whole.counts()), (set([missing, "extra assets X-9 - - X-9"]), counts(16, 0, 1, 1)));
    assert_eq!((whole.sums()[0].expected, whole.sums()[0].found), (3, 3));
    assert_eq!(sums(&whole), ["purchase_cost EUR 1500 1007", "purchase_cost USD 250 250"]);
    let extra = whole.differences().iter().find(|difference| difference.kind == DifferenceKind::Extra).unwrap();
    assert_eq!((extra.id, extra.source.as_str()), (Some(4), "assets"));
    assert_eq!(extra.changed_by.as_deref(), Some("admin@example.com"), "who made it");
    let sent = test.verify_run(&run);
    assert_eq!((told(&sent), sent.counts()), (set([missing]), counts(16, 0, 1, 0)));
    let gone = &sent.differences()[0];
    assert_eq!((gone.id, gone.source.as_str()), (Some(2), "assets row 3"));
    assert_eq!(gone.changed_by.as_deref(), Some("admin@example.com"), "who deleted it");
}

#[test]
fn an_item_that_somebody_else_has_now_is_a_difference_that_names_both() {
    let (test, run) = imported();
    test.sends("checkin_asset", &json!({"asset_id": 1, "checkin_date": "2026-02-01", "status_id": 1}));
    for report in test.verify_both(&run) {
        let moved = set(["different assets A-1 assigned_to Ada Byron -"]);
        assert_eq!((told(&report), report.counts()), (moved, counts(21, 1, 0, 0)));
    }
    test.sends("checkout_asset", &json!({"asset_id": "A-1", "employee_id": 2, "checkout_date": "2026-02-02"}));
    for report in test.verify_both(&run) {
        let moved = set(["different assets A-1 assigned_to Ada Byron Bob Stone"]);
        assert_eq!((told(&report), report.counts()), (moved, counts(21, 1, 0, 0)));
        assert_eq!(report.differences()[0].changed_by.as_deref(), Some("admin@example.com"));
    }
    let [file, sent] = test.verify_both(&run);
    assert_eq!((sources(&file), sources(&sent)), (vec![("A-1", "assets I2")], vec![("A-1", "assets row 2")]));
    test.sends("checkin_asset", &json!({"asset_id": 1, "checkin_date": "2026-02-03", "status_id": 1}));
    test.sends("checkout_asset", &json!({"asset_id": "A-1", "location_id": 1, "checkout_date": "2026-02-03"}));
    for report in test.verify_both(&run) {
        assert_eq!(told(&report), set(["different assets A-1 assigned_to Ada Byron Berlin"]));
    }
}

#[test]
fn names_are_compared_by_the_record_that_they_mean() {
    let (test, run) = imported();
    let stored = test.sends("statuses", &json!({"name": "Stored", "type": "pending"})).unwrap();
    test.changes("assets", 1, &json!({"status_id": stored}));
    for report in test.verify_both(&run) {
        assert_eq!(told(&report), set(["different assets A-1 status_id Ready Stored"]));
    }
    // A name that the account does not have any more is no problem of the row: it is the difference.
    test.changes("assets", 1, &json!({"status_id": 1}));
    test.changes("statuses", 1, &json!({"name": "Deployable"}));
    let [file, sent] = test.verify_both(&run);
    let renamed = ["A-1", "A-2", "A-3"].map(|tag| format!("different assets {tag} status_id Ready Deployable"));
    assert_eq!((told(&file), file.counts()), (renamed.into(), counts(19, 3, 0, 0)));
    assert_eq!((told(&sent), sent.counts()), (set([]), counts(22, 0, 0, 0)), "the run sent an id, and the id is there");
}

#[test]
fn what_the_service_stores_in_another_way_is_no_difference_and_the_case_of_a_text_is_one() {
    let test =
        JobTest::empty().holds("employees", &json!({"name": "Ada Byron", "email": "ada@example.com", "title": "CTO"}));
    let same = test.compares("employees.csv", "name,email,title\n Ada Byron ,ADA@Example.com,CTO  \n");
    assert_eq!((told(&same), same.counts()), (set([]), counts(3, 0, 0, 0)));
    let other = test.compares("employees.csv", "name,email,title\nada byron,ada@example.com,cto\n");
    let differing =
        set(["different employees Ada Byron name ada byron Ada Byron", "different employees Ada Byron title cto CTO"]);
    assert_eq!((told(&other), other.counts()), (differing, counts(1, 2, 0, 0)));
}

#[test]
fn deletes_are_verified_as_gone() {
    let (test, _) = imported();
    let text = "asset_id,_action\nA-2,delete\nA-3,delete\nA-1,skip\n";
    let run = test.imported(ImportJob::from_path(test.file("deletes.csv", text)).entity("assets")).run_id().to_owned();
    let deletes =
        || test.verify(VerifyJob::from_path(test.folder.path().join("deletes.csv")).entity("assets")).unwrap();
    let (file, sent) = (deletes(), test.verify_run(&run));
    assert_eq!((file.counts(), sent.counts()), (counts(2, 0, 0, 0), counts(2, 0, 0, 0)));
    assert!(sent.sums().is_empty(), "{:?}", sent.sums());
    let back = test.sends("assets", &json!({"asset_id": "A-2", "product_id": 1, "status_id": 1}));
    let file = deletes();
    assert_eq!((told(&file), file.counts()), (set(["extra assets A-2 - - A-2"]), counts(1, 0, 0, 1)));
    let extra = &file.differences()[0];
    assert_eq!((extra.id, extra.source.as_str()), (back, "deletes row 2"));
    assert_eq!((file.sums()[0].expected, file.sums()[0].found), (0, 0), "what is to go is not counted");
    assert_eq!(test.verify_run(&run).counts(), counts(2, 0, 0, 0), "it has another id");
}

#[test]
fn rows_that_cannot_be_compared_are_said_and_are_no_success() {
    let (test, _) = imported();
    let text = "asset_id,product,status,notes,purchase_date\nA-1,MacBook Pro 14,Ready,one,not a day\nA-2,,,two,\n";
    let report = test.compares("assets.csv", text);
    assert_eq!((told(&report), report.counts()), (set([]), counts(2, 0, 0, 0)));
    assert!(!report.is_equal());
    let problems: Vec<String> = report
        .findings
        .problems
        .iter()
        .map(|problem| {
            let header = problem.header.as_deref().unwrap_or("-");
            format!("{} {} {header} {}", problem.sheet, problem.row, problem.problem.code().as_str())
        })
        .collect();
    assert_eq!(problems, ["assets 2 purchase_date date.invalid"]);
    assert_eq!(report.problems().groups().len(), 1);
    // A row with a problem whose record is not there is both.
    let report = test.compares("assets.csv", "asset_id,product,purchase_date\nA-9,MacBook Pro 14,never\n");
    assert_eq!((report.findings.problems.len(), report.counts().equal), (1, 0));
}

#[test]
fn a_file_that_was_never_imported_is_missing_as_a_whole_and_its_holders_are_not_told() {
    let test = equipped();
    test.file("assets.csv", ROWS);
    let report = test.verify_file();
    let missing = ["A-1", "A-2", "A-3"].map(|tag| format!("missing assets {tag} - {tag} -"));
    assert_eq!((told(&report), report.counts()), (missing.into(), counts(0, 0, 3, 0)));
    let sheets: Vec<_> = report.sums().iter().map(|sum| (sum.collection, sum.expected, sum.found)).collect();
    assert_eq!(sheets, [("assets", 3, 0)]);
}

#[test]
fn records_are_told_by_tag_name_key_or_number() {
    let test = equipped();
    let report = test.compares("employees.csv", "name,email\nCy Young,cy@example.com\n,dee@example.com\n");
    assert_eq!(
        told(&report),
        set(["missing employees Cy Young - Cy Young -", "missing employees dee@example.com - dee@example.com -"])
    );
    let report =
        test.verify(VerifyJob::from_path(test.file("ids.csv", "id,notes\n77,x\n")).entity("suppliers")).unwrap();
    assert_eq!(told(&report), set(["missing suppliers #77 - #77 -"]));
}

#[test]
fn names_that_the_account_does_not_have_are_what_was_expected() {
    let (test, _) = imported();
    let report = test.compares("assets.csv", "asset_id,location\nA-1,Munich\nA-2,Oslo\nA-3,Berlin\n");
    let differing = set(["different assets A-1 location_id Munich Berlin", "different assets A-2 location_id Oslo -"]);
    assert_eq!((told(&report), report.counts()), (differing, counts(4, 2, 0, 0)));
    let text = "asset_id,holder\nA-1,dee@example.com\nA-2,ada@example.com\n";
    let report = test.verify(VerifyJob::from_path(test.file("assets.csv", text)).map(HOLDER)).unwrap();
    let differing = set([
        "different assets A-1 assigned_to dee@example.com Ada Byron",
        "different assets A-2 assigned_to Ada Byron -",
    ]);
    assert_eq!((told(&report), report.counts()), (differing, counts(2, 2, 0, 0)));
}

#[test]
fn check_ins_and_check_outs_of_a_sheet_that_were_not_made_differ() {
    let test = equipped()
        .holds("categories", &json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", &json!({"name": "Mouse", "category_id": 2, "quantity": 10}))
        .holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .holds("assets", &json!({"asset_id": "T-2", "product_id": 1, "status_id": 1}))
        .holds("checkout_asset", &json!({"asset_id": "T-2", "employee_id": 2, "checkout_date": "2026-01-02"}));
    let mice = "accessory,employee,quantity,checkout_date\nMouse,ada@example.com,2,2026-01-02\n";
    let report = test.compares("checkout_accessory.csv", mice);
    let differing = set(["different accessories Mouse checkout_accessory Ada Byron, 2 -"]);
    assert_eq!((told(&report), report.counts()), (differing, counts(0, 1, 0, 0)));
    assert!(report.sums().is_empty(), "an action is no record");
    assert_eq!((report.differences()[0].id, sources(&report)[0].1), (Some(1), "checkout_accessory row 2"));

    let out = "asset_id,employee,checkout_date\nT-1,ada@example.com,2026-01-02\nT-2,bob@example.com,2026-01-02\n";
    let report = test.compares("checkout_asset.csv", out);
    let differing = set(["different assets T-1 assigned_to Ada Byron -"]);
    assert_eq!((told(&report), report.counts()), (differing, counts(1, 1, 0, 0)));
    assert_eq!(report.differences()[0].id, Some(1));

    let back = "asset_id,checkin_date,status\nT-1,2026-01-03,Ready\nT-2,2026-01-03,Ready\n";
    let report = test.compares("checkin_asset.csv", back);
    let moved = &report.differences()[0];
    assert_eq!((report.counts(), moved.record.as_str(), moved.expected.as_str()), (counts(1, 1, 0, 0), "T-2", ""));
    assert_eq!(moved.found, "Bob Stone", "whom no row names");

    let balls = "accessory,location,quantity,checkout_date\nBall,Berlin,2,2026-01-02\nMouse,Ulm,1,2026-01-02\n";
    let report = test.compares("checkout_accessory.csv", balls);
    let differing = set([
        "different accessories Ball checkout_accessory Berlin, 2 -",
        "different accessories Mouse checkout_accessory Ulm, 1 -",
    ]);
    assert_eq!(told(&report), differing, "named by what the account does not have: {:?}", report.findings.problems);

    test.import("checkout_accessory.csv", mice);
    let report = test.compares("checkout_accessory.csv", mice);
    assert_eq!((told(&report), report.counts()), (set([]), counts(1, 0, 0, 0)), "this machine's journal knows");
}

#[test]
fn of_two_sheets_of_a_collection_an_extra_record_is_told_once() {
    let test = JobTest::empty()
        .holds("suppliers", &json!({"name": "Acme"}))
        .holds("suppliers", &json!({"name": "Globex"}))
        .holds("suppliers", &json!({"name": "Initech"}));
    let files = [test.file("one.csv", "name\nAcme\n"), test.file("two.csv", "name\nGlobex\n")];
    let names = files.each_ref().map(|path| path.display().to_string()).join(", ");
    let report = test.verify(VerifyJob::from_paths(files).entity("suppliers").complete()).unwrap();
    assert_eq!((told(&report), report.counts()), (set(["extra suppliers Initech - - Initech"]), counts(2, 0, 0, 1)));
    let records: Vec<_> = report.sums().iter().map(|sum| (sum.sheet.as_str(), sum.expected, sum.found)).collect();
    assert_eq!(records, [("one", 1, 2), ("two", 1, 1)]);
    assert_eq!(report.title, names);
}

#[test]
fn an_update_of_a_run_is_told_by_the_record_that_it_changed() {
    let (test, first) = imported();
    let text = "asset_id,notes,status,purchase_cost\nA-1,mine,,\nA-2,,Ready,501\n";
    let job = ImportJob::from_path(test.file("changes.csv", text)).entity("assets");
    let run = test.imported(job).run_id().to_owned();
    assert_eq!(test.verify_run(&run).counts(), counts(2, 0, 0, 0));
    let earlier = test.verify_run(&first);
    let differing = set(["different assets A-1 notes one mine", "different assets A-2 purchase_cost 500 501"]);
    assert_eq!(told(&earlier), differing);
    test.changes("assets", 1, &json!({"notes": "other"}));
    let later = test.verify_run(&run);
    assert_eq!((told(&later), later.counts()), (set(["different assets A-1 notes mine other"]), counts(1, 1, 0, 0)));
    assert_eq!(sources(&later), [("A-1", "changes row 2")]);
    assert_eq!(sums(&later), ["purchase_cost EUR 501 501"], "in the currency that the record has");
}

#[test]
fn what_a_run_moved_and_cannot_be_compared_is_said() {
    let test = equipped()
        .holds("categories", &json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", &json!({"name": "Mouse", "category_id": 2, "quantity": 3}))
        .holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}));
    let files = [
        test.file(
            "checkout_accessory.csv",
            "accessory,employee,quantity,checkout_date\n\
             Mouse,ada@example.com,2,2026-01-02\nMouse,bob@example.com,2,2026-01-02\n",
        ),
        test.file("checkout_asset.csv", "asset_id,employee,checkout_date\nT-1,ada@example.com,2026-01-02\n"),
        test.file("maintenances.csv", "asset_id,type,name,start_date,cost\nT-1,repair,Screen,2026-01-03,12\n"),
    ];
    let run = test.imported(ImportJob::from_paths(files)).run_id().to_owned();
    let report = test.verify_run(&run);
    assert_eq!((told(&report), report.counts()), (set([]), counts(6, 0, 0, 0)));
    let remarks: Vec<&str> = report.findings.remarks.iter().map(|remark| remark.message.as_str()).collect();
    assert_eq!(
        remarks,
        [
            "1 row failed: not compared; the result of the run says why",
            "1 move of stock or seats: the service does not say who has them, so not compared",
        ]
    );
    assert!(report.is_equal(), "what was sent is there");
    test.changes("maintenances", 1, &json!({"start_date": "2026-01-09", "cost": 13}));
    test.sends("checkin_asset", &json!({"asset_id": 1, "checkin_date": "2026-02-01", "status_id": 1}));
    let report = test.verify_run(&run);
    let differing = set([
        "different assets T-1 assigned_to Ada Byron -",
        "different maintenances Screen cost 12 13",
        "different maintenances Screen start_date 2026-01-03 2026-01-09",
    ]);
    assert_eq!(told(&report), differing);
}

#[test]
fn amounts_are_added_up_in_the_currency_of_their_row_or_record() {
    let (test, _) = imported();
    let text = "asset_id,cost,currency\nA-1,1000,EUR\nA-2,12,\nA-3,1,GBP\n";
    let report = test.compares("assets.csv", text);
    assert_eq!(sums(&report), ["purchase_cost EUR 1012 1500", "purchase_cost GBP 1 0", "purchase_cost USD 0 250"]);
    assert_eq!(report.counts(), counts(5, 3, 0, 0));
}

#[test]
fn what_a_delete_took_away_is_gone() {
    let (test, _) = imported();
    let run = test.delete("gone.csv", "asset_id\nA-3\n", "assets");
    let report = test.verify_run(&run);
    assert_eq!(
        (report.counts(), report.title.starts_with(&format!("run {run} (delete of "))),
        (counts(1, 0, 0, 0), true)
    );
}

#[test]
fn what_cannot_be_verified_is_an_error() {
    let (test, run) = imported();
    let path = test.folder.path().join("assets.csv");
    let mut of_mode = VerifyJob::from_path(&path).map(HOLDER);
    of_mode.input.mode = crate::check::Mode::Create;
    for (job, message) in [
        (VerifyJob::of_run("20200101-000000-none"), "there is no run `20200101-000000-none`"),
        (VerifyJob::of_run(&run).complete(), "--complete needs a file"),
        (of_mode, "--mode says what an import may do"),
        (VerifyJob::from_path(test.folder.path().join("nowhere.csv")), "nowhere.csv"),
    ] {
        let [said, _] = refused(test.verify(job));
        assert!(said.contains(message), "{said}");
    }
    let other = ConnectOptions::sandbox().with_state_dir(test.account.state_dir());
    let other = test.wait(Account::connect(other)).unwrap();
    let [said, _] = refused(test.wait(other.verify(VerifyJob::of_run(&run))));
    assert!(said.contains("belongs to"), "{said}");

    let id = "20261124-093012-kqzf";
    let (account, details) = (test.account.identity().clone(), RunDetails::default());
    assert!(matches!(account, AccountIdentity::Service { .. }));
    let header = RunHeader { id: id.to_owned(), kind: RunKind::Import, account, undoes: None, details };
    let _planning = JournalBuilder::create(test.store().location(id), &header).unwrap();
    let [said, hint] = refused(test.verify(VerifyJob::of_run(id)));
    assert_eq!(said, format!("run {id} was stopped while its plan was made: nothing was sent"));
    assert_eq!(hint, "there is nothing to verify; import the file again");
}
