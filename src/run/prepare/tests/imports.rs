//! What an import looks up, plans, tells and sends.

use serde_json::json;

use super::*;
use crate::catalog::{LogPosition, Mirror, RefreshMode, RefreshOptions};
use crate::check::{Conflicts, Mode};
use crate::plan::{CreateMissing, RowStatus};
use crate::run::input::{InputSet, SheetFilter};
use crate::run::journal::{JournalBuilder, JournalLocation, RunDetails, RunHeader, RunKind};
use crate::run::prepare::{AccountReading, PreparedRun, RunPlanner};
use crate::run::previous_result::RowSelection;

const SUPPLIERS: &str = "Name,City,Notes\nNorthwind IT,Hamburg,\nAcme,Ulm,new\nContoso Supplies,Boston,\n";

impl Office {
    /// Plans a file as that reading does, with what is told meanwhile.
    fn prepares(&self, job: &ImportJob, reading: AccountReading) -> (PreparedRun, Told) {
        let (mut told, account) = (Told::default(), &self.account);
        let mut input = InputSet::open(&job.input, SheetFilter::Any, &mut told).unwrap();
        let (id, kind) = (String::from("20261124-093012-kqzf"), RunKind::Import);
        let details = RunDetails::default();
        let header = RunHeader { id, kind, account: account.identity.clone(), undoes: None, details };
        let steps = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
        let (create_missing, selection) = (&CreateMissing::Nothing, RowSelection::All);
        let planner = RunPlanner { account, kind, create_missing, selection, reading };
        let prepared = self.runtime.block_on(planner.plan(&mut input, steps, &mut told)).unwrap();
        (prepared, told)
    }

    /// Leaves a local snapshot of manufacturers, as an export does.
    fn mirrors_manufacturers(&self) {
        let mirror = Mirror::open(&self.account.mirror_path().unwrap()).unwrap().unwrap();
        let options = RefreshOptions { mode: RefreshMode::Full, concurrency: 1, now: "2026-11-24T09:30:00Z" };
        let wanted = [entity("manufacturers")];
        self.runtime.block_on(mirror.refresh(&self.account.client, &wanted, options, &mut |_, _| {})).unwrap();
    }
}

#[test]
fn rows_are_compared_with_the_account_and_only_what_differs_is_sent() {
    let office = Office::new();
    let (summary, steps) = office.planned(office.job("suppliers.csv", SUPPLIERS));
    assert_eq!(
        steps,
        [r#"suppliers: create {"city":"Ulm","name":"Acme","notes":"new"}"#, r#"suppliers: update 2 {"city":"Boston"}"#,]
    );
    let estimate = summary.planned.clone().unwrap();
    assert_eq!((estimate.requests, estimate.emails, estimate.people), (2, 0, 0));
    let counts = summary.counts();
    assert_eq!((counts.created, counts.updated, counts.unchanged, counts.rows()), (1, 1, 1, 3));
    assert_eq!(office.records("suppliers").len(), 4);

    let finished = office.import("suppliers.csv", SUPPLIERS);
    assert_eq!(finished.rows(), ["2 unchanged #1", "3 created #5", "4 updated #2"]);
    assert_eq!(finished.writes(), ["POST suppliers 1", "PUT suppliers 1"]);
    assert_eq!(
        finished.told.phases,
        ["checking", "looking up names", "looking up suppliers", "looking up suppliers", "planning", "sending"]
    );
    assert_eq!(office.record("suppliers", "name", "Contoso Supplies")["city"], "Boston");
    assert_eq!(office.record("suppliers", "name", "Acme")["notes"], "new");
    let again = office.import("suppliers.csv", SUPPLIERS);
    assert_eq!(again.rows(), ["2 unchanged #1", "3 unchanged #5", "4 unchanged #2"]);
}

#[test]
fn progress_is_told_step_by_step() {
    let office = Office::new();
    let finished = office.import("manufacturers.csv", "Name\nA\nB\nC\n");
    assert_eq!(finished.told.rows, [(1, 0), (2, 0), (3, 0)]);
    assert_eq!(finished.told.questions, [""; 0]);
    assert_eq!(finished.told.waits.iter().flatten().count(), 0);
    assert!(finished.told.remaining.iter().all(|left| left.requests <= 3 && left.per_hour.is_none()));
    assert!(finished.told.remaining.iter().all(|left| left.allowed_now == u64::MAX), "{:?}", finished.told.remaining);
}

#[test]
fn rows_that_the_service_refuses_count_as_failed() {
    let options = SandboxOptions { faults: "POST manufacturers nth=2 refuse".parse().unwrap(), ..Default::default() };
    let office = Office::with(options);
    let finished = office.import("manufacturers.csv", "Name\nA\nB\nC\n");
    assert_eq!(finished.told.rows, [(1, 0), (2, 1), (3, 1)]);
    let counts = finished.report.summary().counts();
    assert_eq!((counts.created, counts.failed), (2, 1));
    assert!(finished.rows()[1].starts_with("3 failed: service.refused: "), "{:?}", finished.rows());
}

#[test]
fn a_run_stops_at_its_most_errors() {
    let options = SandboxOptions { faults: "POST manufacturers refuse".parse().unwrap(), ..Default::default() };
    let office = Office::with(options);
    let rows: String = (0..50).map(|number| format!("M{number}\n")).collect();
    let finished = office.imports(office.job("manufacturers.csv", &format!("Name\n{rows}")).max_errors(2));
    let summary = finished.report.summary();
    assert_eq!(summary.stopped.as_deref(), Some("too many rows failed (--max-errors)"));
    let counts = summary.counts();
    assert!(counts.failed >= 2 && counts.not_sent > 0, "{counts:?}");
}

#[test]
fn bad_rows_are_planned_with_their_problems_and_counted_before_anything_is_sent() {
    let office = Office::new();
    let rows = "Name,Email,Location\nAda Byron,nowhere,Atlantis\nBob Hale,bob@example.com,Berlin\n";
    let job = office.job("employees.csv", rows).max_errors(1);
    let finished = office.imports(job);
    assert_eq!(finished.report.summary().counts().failed, 1);
    assert_eq!(finished.report.summary().stopped.as_deref(), Some("too many rows failed (--max-errors)"));
    assert_eq!(
        finished.rows(),
        [
            "2 failed: email.invalid at B: invalid e-mail address; expected one such as `ada.byron@example.com`; \
             name.not_found at C: `Atlantis` not found in locations",
            "3 not_sent: not sent: too many rows failed (--max-errors)",
        ]
    );
    assert_eq!(finished.told.rows, [] as [(u64, u64); 0]);
}

#[test]
fn names_are_made_where_that_is_wanted() {
    let office = Office::new();
    let rows = "Name,Manufacturer,Category\nPixel 9,Google,Phones\nPixel 8,google,Phones\n";
    let refused = office.import("products.csv", rows);
    let expected = [
        "name.not_found at B: `Google` not found in manufacturers",
        "name.not_found at B: `google` not found in manufacturers",
    ];
    assert_eq!(refused.rows(), [format!("2 failed: {}", expected[0]), format!("3 failed: {}", expected[1])]);
    let (summary, steps) = office.planned(office.job("products.csv", rows).create_missing());
    assert_eq!(
        steps,
        [
            r#"manufacturers: create {"name":"Google"}"#,
            r#"products: create {"category_id":4,"name":"Pixel 9"} after 0:manufacturer_id"#,
            r#"products: create {"category_id":4,"name":"Pixel 8"} after 0:manufacturer_id"#,
        ]
    );
    assert!(remarks(&summary).contains(&String::from("would also create missing records: 1 manufacturer")));
    let finished = office.imports(office.job("products.csv", rows).create_missing_in(["manufacturers"]));
    assert_eq!(finished.report.summary().counts().created, 2);
    let made = office.record("manufacturers", "name", "Google");
    assert_eq!(office.record("products", "name", "Pixel 8")["manufacturer_id"], made["id"]);
    assert!(finished.remarks().contains(&String::from("also created missing records: 1 manufacturer")));
}

#[test]
fn what_is_known_of_the_account_is_kept_to_tell_changes_of_others_from_ones_own() {
    let office = Office::new();
    let suppliers = office.job("suppliers.csv", SUPPLIERS);
    let (prepared, told) = office.prepares(&suppliers, AccountReading::Cached);
    assert_eq!(prepared.snapshot.sizes, [(String::from("suppliers"), 4)]);
    assert_eq!((&prepared.snapshot.log, prepared.snapshot.account.is_empty()), (&LogPosition::Unknown, false));
    assert_eq!(prepared.totals.rows, 3);
    assert_eq!((prepared.totals.creates, prepared.totals.updates), (1, 1));
    assert_eq!(prepared.overridden, 0);
    assert!(told.waits.iter().all(Option::is_none) && !told.waits.is_empty());

    let laptop = office.asset("LAP-1");
    let out =
        office.job("checkout_asset.csv", "Asset,Employee,Checkout Date\nLAP-1,ada.byron@example.com,2026-03-02\n");
    let (prepared, _) = office.prepares(&out, AccountReading::Cached);
    let LogPosition::After(cursor) = &prepared.snapshot.log else { panic!("{:?}", prepared.snapshot.log) };
    assert_eq!(
        (cursor.kind.as_deref(), cursor.event.as_deref(), cursor.item_id),
        (Some("Asset"), Some("Create"), Some(laptop))
    );
    // A laptop's category notifies.
    assert_eq!((prepared.estimate.emails, prepared.estimate.people), (1, 1));

    for reading in [AccountReading::Fresh, AccountReading::Complete] {
        let (prepared, _) = office.prepares(&out, reading);
        assert_eq!(prepared.snapshot, Default::default(), "{reading:?}");
    }
}

#[test]
fn a_comparison_reads_what_rows_name_or_the_whole_of_their_collections() {
    let office = Office::new();
    let job = office.job("products.csv", "Name,Category,Manufacturer\niPad Air,Tablets,Apple\n");
    let known = |reading| {
        let (prepared, _) = office.prepares(&job, reading);
        let of = |collection| prepared.catalog.known_records(collection).count();
        (of("products"), of("manufacturers"), of("locations"))
    };
    let (products, manufacturers, locations) = known(AccountReading::Complete);
    assert_eq!((products, manufacturers, locations), (10, 8, 0));
    let (products, _, locations) = known(AccountReading::Fresh);
    assert!((1..=10).contains(&products) && locations == 0, "{products}");
}

#[test]
fn a_blank_key_may_be_any_record() {
    let office = Office::new();
    let job = office.job("products.csv", "Name,Model Number,Category\n,G9,Desktops\n");
    let (prepared, _) = office.prepares(&job, AccountReading::Cached);
    assert_eq!(prepared.totals.rows, 1);
    assert_eq!(prepared.catalog.known_records("products").count(), 10);
}

#[test]
fn users_are_found_by_what_they_did() {
    let office = Office::new();
    office.asset("LAP-1");
    let rows = "Asset,Audit Date,Scheduled,Completed,User\nLAP-1,2026-03-02,no,yes,ADMIN@example.com\n\
                LAP-1,2026-03-03,no,yes,nobody@example.com\n";
    let finished = office.import("audits.csv", rows);
    assert_eq!(
        finished.rows(),
        [
            "2 created #1",
            "3 failed: name.not_found at E: unknown user; expected the e-mail address of a user who appears in the activity log",
        ]
    );
    assert_eq!(office.records("audits")[0]["user_id"], 1);
    assert!(finished.reads().contains(&"GET activity 2"), "{:?}", finished.reads());
}

#[test]
fn a_local_copy_that_was_brought_up_to_date_answers_for_large_collections() {
    let mut office = Office::with(SandboxOptions { page_limit: 50, ..SandboxOptions::default() });
    let rows: String = (0..150).map(|number| format!("M{number:03}\n")).collect();
    assert_eq!(office.import("manufacturers.csv", &format!("Name\n{rows}")).report.summary().counts().created, 150);
    office.mirrors_manufacturers();
    office.makes("manufacturers", json!({"name": "Newest"}));
    let more = "Name,Url\nM007,https://seven.example\nnewest,https://new.example\nUnheard,\n";

    office.connect_again();
    // What a client has learned of the length of pages goes with it.
    office.runtime.block_on(office.account.client.all(entity("suppliers"), &[])).unwrap();
    let job = office.job("more.csv", more).entity("manufacturers");
    let (prepared, told) = office.prepares(&job, AccountReading::Cached);
    assert_eq!(told.notes, ["manufacturers: 159 records from the local snapshot, brought up to date just now"]);
    assert_eq!((prepared.totals.creates, prepared.totals.updates), (1, 2));

    let (_, told) = office.prepares(&job, AccountReading::Fresh);
    assert_eq!(told.notes, [""; 0]);
    let path = office.account.mirror_path().unwrap();
    let held = Mirror::open(&path).unwrap();
    let (prepared, told) = office.prepares(&job, AccountReading::Cached);
    assert_eq!((told.notes.len(), told.warnings.len(), prepared.totals.updates), (0, 0, 2), "another process has it");
    drop(held);
    std::fs::write(&path, "not a database, but long enough to look like one".repeat(50)).unwrap();
    let (prepared, told) = office.prepares(&job, AccountReading::Cached);
    assert_eq!((told.notes.len(), prepared.totals.updates), (0, 2));
    assert_eq!(told.warnings.len(), 1);
    assert!(told.warnings[0].ends_with("; everything is read from the service instead"), "{:?}", told.warnings);
}

#[test]
fn check_outs_from_stock_are_sent_once_unless_they_are_to_be_repeated() {
    let office = Office::new();
    let category = office.id("categories", "name", "Printer Supplies");
    let toner = office.makes("consumables", json!({"name": "Toner", "quantity": 9, "category_id": category}));
    let rows = "Consumable,Employee,Quantity,Checkout Date\nToner,ada.byron@example.com,2,2026-03-02\n";
    let left = || office.record("consumables", "name", "Toner")["available"].as_i64();
    let name = "checkout_consumable.csv";
    let first = office.import(name, rows);
    assert_eq!((first.report.summary().counts().created, left()), (1, Some(7)), "{:?}", first.rows());
    let again = office.import(name, rows);
    let run = first.report.run_id();
    assert_eq!(again.rows(), [format!("2 unchanged: done by run {run}")]);
    assert_eq!((again.writes().len(), left()), (0, Some(7)));
    let repeated = office.imports(office.job(name, rows).repeat());
    assert_eq!((repeated.writes(), left()), (vec!["POST checkout/consumable 1"], Some(5)));
    assert_eq!(office.record("consumables", "name", "Toner")["id"], toner);
}

#[test]
fn an_export_that_somebody_else_changed_is_a_conflict_until_it_is_said_who_wins() {
    let office = Office::new();
    let held = office.record("suppliers", "name", "Northwind IT");
    let text = |name: &str| held[name].as_str().unwrap().to_owned();
    let export = format!(
        "id,name,city,created_at,updated_at\n1,Northwind IT,Kiel,{},2020-01-01T00:00:00.000Z\n",
        text("created_at")
    );
    let job = || office.job("suppliers.csv", &export);
    let refused = office.imports(job());
    assert_eq!(refused.report.summary().counts().failed, 1);
    assert!(
        refused.rows()[0].contains("record.conflict at C: the service has `Hamburg`; the record was changed on "),
        "{:?}",
        refused.rows()
    );
    let with = |conflicts: Conflicts| {
        let mut job = job();
        job.conflicts = Some(conflicts);
        office.imports(job)
    };
    let status =
        |finished: &Finished| finished.report.rows().map(|(_, row)| row.unwrap().outcome.status).next().unwrap();
    let skipped = with(Conflicts::Skip);
    assert_eq!((status(&skipped), skipped.rows()[0].contains("#1")), (RowStatus::Skipped, true));
    assert!(skipped.rows()[0].contains("the row is skipped: `city` is `Hamburg` on the service, `Kiel` in the sheet"));
    let theirs = with(Conflicts::Theirs);
    assert_eq!((status(&theirs), theirs.writes().len()), (RowStatus::Unchanged, 0));
    assert!(theirs.rows()[0].contains("its values are kept"), "{:?}", theirs.rows());
    let mine = with(Conflicts::Mine);
    assert_eq!((status(&mine), mine.writes().len()), (RowStatus::Updated, 1));
    assert_eq!(office.record("suppliers", "name", "Northwind IT")["city"], "Kiel");
}

#[test]
fn a_row_that_is_not_sent_keeps_the_id_that_it_came_with() {
    let office = Office::new();
    let rows = "_id,_action,Name,Email\n1,skip,Engineering,\n2,,Finance,nowhere\n3,,Human Resources,hr@example.com\n";
    let finished = office.import("departments.csv", rows);
    assert_eq!(
        finished.rows(),
        [
            "2 skipped #1",
            "3 failed #2: email.invalid at D: invalid e-mail address; expected one such as `ada.byron@example.com`",
            "4 unchanged #3",
        ]
    );
    // An id of another system is in a column of its own.
    let foreign = office.import("departments.csv", "Id,Name,Email\n77,Legal,nowhere\n");
    assert!(foreign.rows()[0].starts_with("2 failed: "), "{:?}", foreign.rows());
}

#[test]
fn lines_that_are_no_records_are_skipped_and_say_what_they_are() {
    let office = Office::new();
    let finished = office.import("suppliers.csv", "Name,City,Notes\nAcme,Ulm,\nName,City,Notes\n");
    assert_eq!(finished.report.summary().counts().skipped, 1);
    assert!(finished.rows()[1].starts_with("3 skipped: "), "{:?}", finished.rows());
    let told = finished.remarks();
    assert!(told.iter().any(|remark| remark.starts_with("suppliers: 1 row ")), "{told:?}");
    assert_eq!(office.records("suppliers").len(), 5);
}

#[test]
fn a_sheet_without_rows_is_refused() {
    let office = Office::new();
    let error = office.plans(office.job("suppliers.csv", "Name,City\n")).err().unwrap();
    assert!(error.to_string().ends_with("suppliers.csv holds a header but no rows"), "{error}");
}

#[test]
fn an_earlier_run_that_was_not_finished_is_told() {
    let options = SandboxOptions { faults: "POST manufacturers refuse".parse().unwrap(), ..Default::default() };
    let office = Office::with(options);
    let rows: String = (0..50).map(|number| format!("M{number}\n")).collect();
    let job = office.job("manufacturers.csv", &format!("Name\n{rows}"));
    let stopped = office.imports(job.max_errors(1));
    let (id, file) =
        (stopped.report.run_id().to_owned(), office.folder.path().join("manufacturers.csv").display().to_string());
    drop(stopped);
    let (summary, _) = office.planned(office.job("manufacturers.csv", "Name\nG\n"));
    assert_eq!(
        remarks(&summary),
        [format!("run {id} of {file} is unfinished; `tallyport resume {id}` continues it, this import starts anew")]
    );
    let (summary, _) = office.planned(office.job("other.csv", "Name\nG\n").entity("manufacturers"));
    assert_eq!(remarks(&summary), [""; 0]);
}

#[test]
fn remarks_of_several_sheets_name_their_sheet() {
    let office = Office::new();
    let rows = "Name,City,Notes\nUlm,TBA,\n";
    let one = office.planned(office.job("suppliers.csv", rows)).0;
    let paths = [office.file("suppliers.csv", rows), office.file("manufacturers.csv", "Name\nAcme\n")];
    let several = office.planned(ImportJob::from_paths(paths)).0;
    let (one, several) = (remarks(&one), remarks(&several));
    assert_eq!((one.len(), several.len()), (1, 1), "{one:?} {several:?}");
    assert_eq!(several[0], format!("suppliers: {}", one[0]));
}

#[test]
fn sheets_are_sent_in_the_order_in_which_they_need_each_other() {
    let office = Office::new();
    let people = office.file("employees.csv", "Name,Email,Location\nEve,eve@example.com,HQ\n");
    let places = office.file("locations.csv", "Name,Address,City,Country\nHQ,Main Street 1,Bonn,Germany\n");
    let (summary, steps) = office.planned(ImportJob::from_paths([people, places]).mode(Mode::Create));
    assert_eq!(
        steps,
        [
            r#"locations: create {"address_line_1":"Main Street 1","city":"Bonn","country":"Germany","name":"HQ"}"#,
            r#"employees: create {"email":"eve@example.com","name":"Eve"} after 0:location_id"#,
        ]
    );
    assert_eq!(summary.counts().created, 2);
}

#[test]
fn a_row_of_an_export_does_without_what_cannot_be_made_of_it() {
    let office = Office::new();
    let rows = "First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required],Department\n\
                Eve,Adams,eve@example.com,/,B7\nCy,Young,cy@example.com,/,B7\n";
    let refused = office.imports(office.job("users.csv", rows));
    assert_eq!(refused.report.summary().counts().failed, 2, "{:?}", refused.rows());
    let finished = office.imports(office.job("users.csv", rows).create_missing());
    assert_eq!(finished.report.summary().counts().created, 2, "{:?}", finished.rows());
    assert!(office.record("employees", "email", "eve@example.com")["department_id"].is_null());
    let told = finished.remarks().into_iter().find(|remark| remark.contains("`B7`")).unwrap();
    assert!(told.starts_with("`Department`: 2 values left out: `B7` not found in departments"), "{told}");
    assert!(told.ends_with("(first E2)"), "{told}");
    let rows_of = |finished: &Finished| finished.rows().into_iter().map(|row| row[row.find(':').unwrap()..].to_owned());
    assert_eq!(rows_of(&finished).collect::<Vec<_>>(), [": department left out: `B7` not found in departments"; 2]);
    // Where the user says that the column names one, it is a problem.
    let job = office.job("users.csv", &rows.replace("@example", "@other")).map("Department=department_id");
    let finished = office.imports(job.create_missing());
    assert_eq!(finished.report.summary().counts().failed, 2, "{:?}", finished.rows());
}
