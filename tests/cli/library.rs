//! A run of the library is a run like any other: the binary lists, resumes and undoes it, and the other way round.

use serde_json::json;
use tallyport::observer::{NoObserver, Observer};
use tallyport::shutdown::ShutdownSignal;
use tallyport::{Account, ConnectOptions, ImportJob, ResultTarget, RunReport, RunStatus, UndoJob};

use crate::harness::{CliTest, KEY};

const SUPPLIERS: &str = "name\nAcme\nGlobex\nInitech\nUmbrella\n";

fn empty() -> CliTest {
    CliTest::new().sheet("suppliers.csv", SUPPLIERS)
}

/// The account of a test, as a program that uses the library reaches it.
async fn connect(test: &CliTest) -> Account {
    let options = ConnectOptions::new(&format!("http://{}/api/v1", test.address()), KEY);
    Account::connect(options.with_state_dir(test.path("state"))).await.unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

async fn import(test: &CliTest, job: ImportJob, observer: &mut dyn Observer) -> RunReport {
    let account = connect(test).await;
    let plan = account.plan(job.entity("suppliers")).await.unwrap();
    assert!(test.records("suppliers").is_empty(), "a plan sends nothing");
    plan.apply(observer).await.unwrap()
}

/// Asks to stop as soon as the first rows are done.
struct StopAfter(u64, ShutdownSignal);

impl Observer for StopAfter {
    fn on_rows(&mut self, done: u64, _: u64) {
        if done >= self.0 {
            self.1.request();
        }
    }
}

#[test]
fn a_library_run_is_listed_and_undone_by_the_binary() {
    let test = empty();
    let report = block_on(import(&test, ImportJob::from_path(test.path("suppliers.csv")), &mut NoObserver));
    assert_eq!((report.status(), report.summary().counts().created), (RunStatus::Succeeded, 4));
    let rows: Vec<_> = report.rows().map(|(sheet, row)| (sheet.to_owned(), row.unwrap())).collect();
    let shown: Vec<_> =
        rows.iter().map(|(sheet, row)| (sheet.as_str(), row.number, row.outcome.status.as_str())).collect();
    assert_eq!(shown, [2, 3, 4, 5].map(|row| ("suppliers", row, "created")));
    assert!(rows.iter().all(|(_, row)| row.outcome.id.is_some()));
    let run = report.run_id().to_owned();
    drop(report);

    let (_, listed) = test.json(&["runs", &run]);
    assert_eq!((&listed["run_id"], &listed["state"]), (&json!(run), &json!("finished")));
    test.run(&["undo", &run, "--yes"]).exits(0);
    assert!(test.records("suppliers").is_empty());
}

#[test]
fn a_library_run_that_stopped_is_resumed_by_the_binary_from_its_journal_alone() {
    let test = empty();
    let signal = ShutdownSignal::new();
    let names: String = (0..300).map(|number| format!("Supplier {number}\n")).collect();
    let sheet = test.path("many.csv");
    std::fs::write(&sheet, format!("name\n{names}")).unwrap();
    let job = ImportJob::from_path(&sheet).with_shutdown(signal.clone());
    let report = block_on(import(&test, job, &mut StopAfter(5, signal)));
    assert_eq!(report.status(), RunStatus::Stopped);
    let sent = test.records("suppliers").len();
    assert!((5..300).contains(&sent), "{sent}");
    let run = report.run_id().to_owned();
    drop(report);

    std::fs::remove_file(&sheet).unwrap();
    test.run(&["resume", &run]).exits(0);
    assert_eq!(test.records("suppliers").len(), 300);
    assert!(test.path("many.result.xlsx").exists());
}

#[test]
fn a_run_of_the_binary_is_undone_by_the_library() {
    let test = empty();
    let (code, summary) = test.json(&["import", "suppliers.csv", "--entity", "suppliers"]);
    assert_eq!((code, test.records("suppliers").len()), (0, 4));
    let run = summary["run_id"].as_str().unwrap();
    let report = block_on(async {
        let account = connect(&test).await;
        let refused = account.undo(UndoJob::new(run), &mut NoObserver).await.unwrap_err();
        assert_eq!(refused.to_string(), "this makes 4 changes; nothing was sent");
        account.undo(UndoJob::new(run).confirmed(), &mut NoObserver).await.unwrap()
    });
    assert_eq!((report.status(), report.summary().counts().deleted), (RunStatus::Succeeded, 4));
    assert!(test.records("suppliers").is_empty());
}

#[test]
fn a_plan_that_is_dropped_leaves_nothing_and_a_workbook_is_written_on_demand() {
    let test = empty();
    block_on(async {
        let account = connect(&test).await;
        let job = ImportJob::from_path(test.path("suppliers.csv")).entity("suppliers");
        let mut plan = account.plan(job.clone()).await.unwrap();
        assert!(plan.problems().unwrap().is_empty());
        assert_eq!(plan.write_workbook(test.path("plan.xlsx")).unwrap(), test.path("plan.xlsx"));
        let over_input = plan.write_workbook(test.path("suppliers.csv")).unwrap_err();
        assert!(over_input.to_string().starts_with("the result would overwrite the input"), "{over_input}");
        drop(plan);
        assert!(
            std::fs::read_dir(test.path("state/runs"))
                .unwrap()
                .all(|entry| { entry.unwrap().path().extension().is_some_and(|extension| extension == "lock") })
        );
        let job = job.result(ResultTarget::File(test.path("out.csv")));
        let report = account.plan(job).await.unwrap().apply(&mut NoObserver).await.unwrap();
        assert_eq!(report.summary().result.as_deref(), Some(test.path("out.csv").as_path()));
        assert!(report.write_workbook(test.path("again.xlsx")).is_ok());
        assert!(report.write_workbook(test.path("suppliers.csv")).is_err());
    });
    assert!(!test.path("suppliers.result.xlsx").exists());
}
