//! Undoing what a run did to records, and leaving alone what others did.

use serde_json::{Value as Json, json};

use super::job_test::{JobTest, refused, summary, told};
use crate::account::{Account, ConnectOptions};
use crate::job::{ImportJob, RunStatus, UndoJob};
use crate::observer::{NoObserver, Observer};
use crate::plan::{RowId, RowStatus, Step, StepOutcome, StepResult, StepRole, StepSink as _, WriteKind};
use crate::run::journal::{
    AccountSnapshot, Journal, JournalBuilder, JournalWriter, RunDetails, RunHeader, RunKind, RunPhase, SheetHeader,
    WriteCommand,
};
use crate::schema;

const ASSETS: &str = "asset_id,asset_name,product,status,purchase_cost,notes\n\
    LAP-1,Ada's laptop,MacBook Pro 14,Ready,1299,first\n\
    LAP-2,Bob's laptop,MacBook Pro 14,Ready,1399,\n\
    LAP-3,Cy's laptop,MacBook Pro 14,Ready,1499,\n";

/// Answers every question, and keeps it with the phases.
#[derive(Default)]
struct Asked {
    answer: bool,
    questions: Vec<String>,
    phases: Vec<String>,
}

impl Observer for Asked {
    fn on_phase(&mut self, name: &str, _: Option<u64>) {
        self.phases.push(name.to_owned());
    }

    fn can_confirm(&self) -> bool {
        true
    }

    fn confirm(&mut self, question: &str) -> bool {
        self.questions.push(question.to_owned());
        self.answer
    }
}

#[test]
fn what_a_run_created_is_gone_after_its_undo_in_reverse_order() {
    let test = JobTest::with_lookups();
    let before = test.everything();
    let files = [
        test.file("locations.csv", "name,city\nBerlin,Berlin\nBonn,Bonn\n"),
        test.file("employees.csv", "name,email,location\nAda Byron,ada@example.com,Berlin\n"),
        test.file(
            "assets.csv",
            "asset_id,product,status,location\nT-1,MacBook Pro 14,Ready,Bonn\nT-2,MacBook Pro 14,Ready,\n",
        ),
    ];
    let names = files.each_ref().map(|path| path.display().to_string()).join(", ");
    let run = test.imported(ImportJob::from_paths(files)).run_id().to_owned();
    assert_eq!(
        test.undo_text(&run).lines().map(str::trim).collect::<Vec<_>>()[..2],
        [
            format!("Undo of run {run} (import of {names})").as_str(),
            "5  delete         2 locations, 1 employee, 2 assets",
        ]
    );
    let requests = test.account.client.requests();
    let report = test.undo(&run).unwrap();
    assert_eq!((report.status(), summary(&report, RowStatus::Deleted)), (RunStatus::Succeeded, 5));
    assert!(report.is_persistent());
    assert_eq!(test.log_reads_since(&requests), 0, "no move is to be found again");
    assert_eq!(
        told(&report),
        [
            "assets 2 deleted: ", "assets 3 deleted: ", "employees 2 deleted: ", "locations 2 deleted: ",
            "locations 3 deleted: "
        ]
    );
    assert_eq!(test.everything(), before);
    let cells = test.cells(report.run_id());
    let texts = |sheet: usize| cells[sheet].1.iter().map(|row| row.join(" ")).collect::<Vec<_>>();
    assert_eq!(cells.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["assets", "employees", "locations"]);
    assert_eq!(texts(0), ["delete T-1 1 assets 2", "delete T-2 2 assets 3"]);
    assert_eq!(texts(1), ["delete Ada Byron 1 employees 2"]);
    assert_eq!(texts(2), ["delete Berlin 1 locations 2", "delete Bonn 2 locations 3"]);

    let journal = Journal::open_read_only(&test.store().path(report.run_id())).unwrap();
    let header = journal.header().unwrap();
    assert_eq!((header.kind, header.undoes.as_deref()), (RunKind::Undo, Some(run.as_str())));
    assert_eq!(header.details.files, [format!("run {run}")]);
    assert_eq!(header.details.result.file_name().unwrap().to_str().unwrap(), format!("{run}.undo.result.xlsx"));
    let sheets = journal.sheets().unwrap();
    assert_eq!(sheets[1].file, format!("run {run}"));
    assert_eq!(
        (0..5).filter_map(|column| sheets[1].header_of(column)).collect::<Vec<_>>().join(" "),
        "What Record Id Sheet Row"
    );
    assert_eq!(
        (sheets[1].place, sheets[1].name.as_deref(), sheets[1].entity.name),
        (1, Some("employees"), "employees")
    );

    assert!(test.undo_text(&run).contains("5  nothing to do  already deleted"), "{}", test.undo_text(&run));
    let again = test.undo(&run).unwrap();
    assert_eq!(told(&again)[0], "assets 2 unchanged: already deleted");
}

#[test]
fn records_that_others_changed_or_refer_to_are_kept() {
    let test = JobTest::with_lookups();
    let files = [
        test.file("categories.csv", "name,type\nMice,asset\n"),
        test.file("products.csv", "name,category\nX1,Mice\nX2,Mice\n"),
        test.file("suppliers.csv", "name,city\nAcme,Ulm\nGlobex,Bonn\n"),
    ];
    let run = test.imported(ImportJob::from_paths(files)).run_id().to_owned();
    test.sends("assets", &json!({"asset_id": "THEIRS", "product_id": 2, "status_id": 1}));
    test.changes("suppliers", 1, &json!({"city": "Senden", "notes": "theirs"}));
    let report = test.undo(&run).unwrap();
    assert_eq!((report.status(), summary(&report, RowStatus::Skipped)), (RunStatus::RowsFailed, 3));
    let mut rows = told(&report);
    rows.sort_unstable();
    assert_eq!(
        rows,
        [
            "categories 2 skipped: not undone: still referenced by a record that stays: asset THEIRS",
            "products 2 skipped: not undone: still referenced by a record that stays: asset THEIRS",
            "products 3 deleted: ",
            "suppliers 2 skipped: not undone: changed by someone else since: `city`, `notes`",
            "suppliers 3 deleted: ",
        ]
    );
    let cells = test.cells(report.run_id());
    let left = cells.iter().find(|(label, _)| label == "suppliers").unwrap();
    assert_eq!(left.1[0].join(" "), "leave Acme 1 suppliers 2");
    assert_eq!(test.records("suppliers").len(), 1);
    assert_eq!(
        test.records("products").iter().map(|product| product["name"].clone()).collect::<Vec<_>>(),
        [json!("MacBook Pro 14"), json!("X1")]
    );
    let text = test.undo_text(&run);
    assert!(text.contains("3 cannot be undone") && text.contains("2  nothing to do  already deleted"), "{text}");
}

#[test]
fn updates_are_restored_field_by_field() {
    let test = JobTest::with_lookups();
    test.import("assets.csv", ASSETS);
    let mut before = test.everything();
    let text = "asset_id,asset_name,purchase_cost,notes,custom:Rack\n\
                LAP-1,Renamed,99,<clear>,A1\nLAP-2,,77,added,B2\nLAP-3,,,,C3\n";
    let job = ImportJob::from_path(test.file("changed.csv", text)).entity("assets");
    let run = test.imported(job).run_id().to_owned();
    assert_eq!(test.record("assets", "asset_id", "LAP-1")["asset_name"], "Renamed");
    test.changes("assets", 2, &json!({"purchase_cost": 78}));
    let report = test.undo(&run).unwrap();
    let assets = before.get_mut("assets").unwrap();
    assets[1].insert(String::from("purchase_cost"), json!(78));
    // A custom field that the run added is emptied: a service may keep one that is left out.
    let emptied = json!([{"name": "Rack", "value": ""}]);
    assets.iter_mut().for_each(|asset| drop(asset.insert(String::from("custom_fields"), emptied.clone())));
    assert_eq!(test.everything(), before);
    assert_eq!(
        told(&report),
        [
            "assets (restored) 2 updated: ",
            "assets (restored) 3 updated: ",
            "assets (restored) 4 skipped: not undone: changed by someone else since: `purchase_cost`",
            "assets (restored) 5 updated: ",
        ]
    );
    assert_eq!(
        test.cells(report.run_id())[0].1.iter().map(|row| row.join(" ")).collect::<Vec<_>>(),
        [
            "restore LAP-1 1 changed 2", "restore LAP-2 2 changed 3", "leave LAP-2 2 changed 3",
            "restore LAP-3 3 changed 4"
        ]
    );
    let again = test.undo_text(&run);
    assert!(again.contains("2  nothing to do  already as it was before"), "{again}");
}

#[test]
fn deleted_records_are_created_again_once_and_what_named_them_gets_their_new_ids() {
    let test = JobTest::with_lookups()
        .holds("products", &json!({"name": "ThinkPad", "category_id": 1, "notes": "good", "model_number": "T14"}))
        .holds("assets", &json!({"asset_id": "T-1", "product_id": 2, "status_id": 1, "purchase_cost": 900}))
        .holds(
            "maintenances",
            &json!({
                "asset_id": "T-1", "type": "hardware support", "name": "Fan", "start_date": "2026-03-02", "cost": 12,
            }),
        );
    let works = test.delete(
        "works.csv",
        "asset_id,type,name,start_date\nT-1,hardware support,Fan,2026-03-02\n",
        "maintenances",
    );
    let assets = test.delete("assets.csv", "asset_id\nT-1\n", "assets");
    let products = test.delete("products.csv", "name,model_number\nThinkPad,T14\n", "products");
    assert_eq!((test.records("assets").len(), test.records("products").len()), (0, 1));

    let report = test.undo(&products).unwrap();
    let note = "previously #2; history and references stay with the old id";
    assert_eq!(told(&report), [format!("products (created) 2 created: {note}")]);
    assert_eq!(test.cells(report.run_id())[0].1[0].join(" "), "create again ThinkPad 2 products 2");
    let product = test.record("products", "name", "ThinkPad");
    assert_eq!(
        (&product["id"], &product["notes"], &product["model_number"]),
        (&json!(3), &json!("good"), &json!("T14"))
    );
    assert!(test.undo_text(&products).contains("1  nothing to do  already created again"));

    // The product of the asset has another id by now, which the undo of the product's delete tells.
    let report = test.undo(&assets).unwrap();
    assert_eq!((report.status(), summary(&report, RowStatus::Created)), (RunStatus::Succeeded, 1));
    let asset = test.record("assets", "asset_id", "T-1");
    assert_eq!((&asset["product_id"], &asset["purchase_cost"]), (&json!(3), &json!(900)));
    let report = test.undo(&works).unwrap();
    assert_eq!(report.status(), RunStatus::Succeeded, "{:?}", told(&report));
    let work = test.record("maintenances", "name", "Fan");
    assert_eq!((&work["type"], &work["cost"]), (&json!("hardware support"), &json!(12)));
    assert_eq!(test.undo(&products).unwrap().status(), RunStatus::Succeeded);
    assert_eq!(test.records("products").len(), 2, "once, not twice");
}

#[test]
fn an_undo_asks_first_and_says_what_cannot_be_undone_again() {
    let test = JobTest::with_lookups();
    let run = test.import("assets.csv", ASSETS);
    let mut no = Asked::default();
    let [said, _] = refused(test.wait(test.account.undo(UndoJob::new(&run), &mut no)));
    assert_eq!(
        (no.questions, said.as_str()),
        (vec![String::from("this makes 3 changes. Continue?")], "nothing was sent")
    );
    assert_eq!(no.phases.first().map(String::as_str), Some("looking at assets"));
    let [said, hint] = refused(test.wait(test.account.undo(UndoJob::new(&run), &mut NoObserver)));
    assert_eq!((said.as_str(), hint.as_str()), ("this makes 3 changes; nothing was sent", "pass --yes to confirm"));
    assert_eq!(test.records("assets").len(), 3);
    let mut yes = Asked { answer: true, ..Asked::default() };
    test.wait(test.account.undo(UndoJob::new(&run), &mut yes)).unwrap();
    assert!(test.records("assets").is_empty());
}

#[test]
fn the_estimate_counts_requests_and_mails() {
    let test = JobTest::with_lookups()
        .holds("employees", &json!({"name": "Ada", "email": "ada@example.com"}))
        .holds("assets", &json!({"asset_id": "T-1", "product_id": 1, "status_id": 1}))
        .holds("checkout_asset", &json!({"asset_id": "T-1", "employee_id": 1, "checkout_date": "2024-06-01"}));
    test.changes("categories", 1, &json!({"checkout_email": true}));
    let run = test.import("checkin_asset.csv", "asset_id,checkin_date,status\nT-1,2024-07-01,Ready\n");
    let plan = test.plan_undo(UndoJob::new(&run)).unwrap();
    let estimate = plan.estimate();
    assert_eq!((estimate.requests, estimate.emails, estimate.people), (1, 1, 1));
    assert_eq!((plan.undone(), plan.summary.writes(), plan.summary.left()), (run.as_str(), 1, 0));
    drop(plan);
    let mut no = Asked::default();
    refused(test.wait(test.account.undo(UndoJob::new(&run), &mut no)));
    assert_eq!(no.questions, ["this makes 1 change, sends 1 e-mail to 1 person. Continue?"]);
}

#[test]
fn what_cannot_be_undone_at_all_is_an_error() {
    let test = JobTest::with_lookups();
    let [said, hint] = refused(test.plan_undo(UndoJob::default()));
    assert_eq!((said.as_str(), hint.as_str()), ("no run to undo on this machine", "`tallyport runs` lists all runs"));
    let run = test.import("assets.csv", ASSETS);
    let undo = test.undo(&run).unwrap().run_id().to_owned();
    let [said, hint] = refused(test.undo(&undo));
    assert_eq!(said, format!("run {undo} is itself the undo of run {run}"));
    assert_eq!(hint, "bring the sheets in again with `tallyport import`");
    let [said, _] = refused(test.undo("20200101-000000-none"));
    assert_eq!(said, "there is no run `20200101-000000-none`");
    assert_eq!(test.plan_undo(UndoJob::default()).unwrap().undone(), run, "the newest that is no undo");
    let other = ConnectOptions::sandbox().with_state_dir(test.account.state_dir());
    let other = test.wait(Account::connect(other)).unwrap();
    let [said, _] = refused(test.wait(other.undo(UndoJob::new(&run), &mut NoObserver)));
    assert!(said.starts_with("the run belongs to"), "{said}");
}

/// The journal of a run of one step, which was sent and has no outcome, or that outcome.
fn sent_run(test: &JobTest, id: &str, outcome: Option<StepResult>) {
    let (account, details) = (test.account.identity().clone(), RunDetails::default());
    let header = RunHeader { id: id.to_owned(), kind: RunKind::Import, account, undoes: None, details };
    let mut builder = JournalBuilder::create(test.store().location(id), &header).unwrap();
    let locations = schema::find("locations").unwrap();
    builder.sheet(0, &SheetHeader::without_columns(locations)).unwrap();
    builder.push(&Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, locations, WriteKind::Create)).unwrap();
    let mut writer = JournalWriter::start(builder.finish(&AccountSnapshot::default()).unwrap()).unwrap();
    writer.append(WriteCommand::RecordIntent(0));
    if let Some(result) = outcome {
        let (record, after, message, problems) = (None, None, String::new(), Vec::new());
        writer.append(WriteCommand::RecordOutcome(
            StepOutcome { step: 0, result, record, after, message, problems }.into(),
        ));
    }
    drop(writer.finish().unwrap());
}

#[test]
fn a_run_of_which_a_request_is_lost_is_finished_first_and_one_that_was_never_sent_is_none() {
    let test = JobTest::empty();
    let (lost, unknown, planning) = ("20261124-093011-aaaa", "20261124-093012-bbbb", "20261124-093013-cccc");
    sent_run(&test, lost, None);
    let [said, hint] = refused(test.plan_undo(UndoJob::new(lost)));
    assert_eq!(said, format!("run {lost} has 1 request with unknown outcome"));
    assert_eq!(hint, format!("finish it first: tallyport resume {lost}"));
    sent_run(&test, unknown, Some(StepResult::Unknown));
    let text = test.undo_text(unknown);
    assert!(text.contains("1 cannot be undone") && text.contains("1 × outcome of the step unknown"), "{text}");
    let (account, details) = (test.account.identity().clone(), RunDetails::default());
    let header = RunHeader { id: planning.to_owned(), kind: RunKind::Import, account, undoes: None, details };
    let unsent = JournalBuilder::create(test.store().location(planning), &header).unwrap();
    // As a killed process leaves it.
    let copy = std::fs::read(test.store().path(planning)).unwrap();
    let wal = test.store().path(planning).with_extension("sqlite-wal");
    let copied_wal = std::fs::read(&wal).unwrap();
    drop(unsent);
    std::fs::write(test.store().path(planning), copy).unwrap();
    std::fs::write(wal, copied_wal).unwrap();
    let [said, hint] = refused(test.plan_undo(UndoJob::new(planning)));
    assert_eq!(said, format!("run {planning} was stopped while its plan was made: nothing was sent"));
    assert_eq!(hint, "there is nothing to undo");
    assert_eq!(test.plan_undo(UndoJob::default()).unwrap().undone(), unknown, "the newest that was sent");
}

#[test]
fn an_undo_that_was_stopped_is_continued_and_not_begun_again() {
    let test = JobTest::with_lookups();
    let run = test.import("assets.csv", ASSETS);
    let undo = test.undo(&run).unwrap().run_id().to_owned();
    let totals = |id: &str| Journal::open_read_only(&test.store().path(id)).unwrap().totals().unwrap();
    let journal = Journal::open(&test.store().path(&undo), &undo).unwrap();
    journal.record_end(RunPhase::Stopped, Some("interrupted"), &totals(&undo)).unwrap();
    drop(journal);
    let [said, hint] = refused(test.undo(&run));
    assert_eq!(said, format!("run {run} is being undone by run {undo}, which is not finished"));
    assert_eq!(hint, format!("continue that one: tallyport resume {undo}"));
    assert_eq!(test.store().undos_of(&run).unwrap()[0].id, undo);
}

#[test]
fn steps_that_were_never_sent_are_told_of() {
    let test = JobTest::with_lookups()
        .holds("categories", &json!({"name": "Mice", "type": "accessory"}))
        .holds("accessories", &json!({"name": "Mouse", "category_id": 2, "quantity": 1}))
        .holds("employees", &json!({"name": "Ada", "email": "ada@example.com"}));
    // Nobody has a mouse that could be checked in; the first refusal stops the run.
    let mut checkins = String::from("accessory,employee,checkin_date\n");
    (1..=28).for_each(|day| checkins.push_str(&format!("Mouse,ada@example.com,2024-06-{day:02}\n")));
    let files = [
        test.file("assets.csv", "asset_id,product,status\nA-1,MacBook Pro 14,Ready\n"),
        test.file("checkin_accessory.csv", &checkins),
    ];
    let stopped = test.imported(ImportJob::from_paths(files).max_errors(1));
    assert_eq!((stopped.status(), summary(&stopped, RowStatus::Created)), (RunStatus::Stopped, 1));
    let run = stopped.run_id().to_owned();
    let [said, _] = refused(test.undo(&run));
    assert_eq!(said, format!("another tallyport is working on run {run}"), "as long as somebody has it");
    drop(stopped);
    let report = test.undo(&run).unwrap();
    assert_eq!(told(&report), ["assets 2 deleted: "]);
    let open = Journal::open_read_only(&test.store().path(&run)).unwrap().open_steps().unwrap();
    let remarks: Vec<&str> = report.summary().remarks.iter().map(|remark| remark.message.as_str()).collect();
    assert_eq!(remarks, [format!("{open} steps of run {run} were never sent: do not resume it")]);
    assert!(open > 1);
    let [said, _] = refused(test.wait(test.account.resume(&run, &mut NoObserver)));
    assert_eq!(said, format!("run {run} was undone by run {}", report.run_id()));
}

#[test]
fn what_a_run_found_already_done_is_nobodys_to_undo() {
    let test = JobTest::with_lookups().holds("suppliers", &json!({"name": "Acme", "city": "Ulm"}));
    let run = test.import("suppliers.csv", "name,city\nAcme,Ulm\nGlobex,Bonn\n");
    let report = test.undo(&run).unwrap();
    assert_eq!(told(&report), ["suppliers 2 deleted: "]);
    let names: Vec<Json> = test.records("suppliers").iter().map(|record| record["name"].clone()).collect();
    assert_eq!(names, [json!("Acme")]);
}
