//! Results of earlier runs as input: only what is not done is sent.

use serde_json::json;

use super::*;
use crate::job::ResultTarget;

#[test]
fn only_rows_that_are_not_done_are_sent_again() {
    let office = Office::new();
    let rows = "_status,_id,_message,Name,Url\ncreated,1,fine,Apple,\nfailed,,\"was bad\",Acer,\n\
                unchanged,2,,Dell,https://changed.example\nskipped,,left out,Board,\nnot_sent,,,Asus,\n";
    let finished = office.imports(office.job("manufacturers.result.csv", rows).entity("manufacturers").only_failed());
    assert_eq!(
        finished.rows(),
        ["2 created #1: fine", "3 created #9", "4 updated #2", "5 skipped: left out", "6 created #10"]
    );
    let refused = office.plans(office.job("manufacturers.csv", "Name\nAcer\n").only_failed()).err().unwrap();
    assert_eq!(refused.to_string(), "manufacturers has no column `_status`, so it is not a result of an earlier run");
}

#[test]
fn a_result_as_it_was_written_is_not_compared_and_an_edited_one_is() {
    let office = Office::new();
    let path = office.folder.path().join("r.csv");
    let job = office.job("manufacturers.csv", "Name,Url\nAcer,https://acer.example\nAsus,nowhere\n");
    office.imports(job.result(ResultTarget::File(path.clone())));
    office.removes("manufacturers", 9);
    let again = || ImportJob::from_path(&path).entity("manufacturers").only_failed();
    // Nobody has touched the file: what it says is done is done, even if it is gone since.
    let finished = office.imports(again());
    assert!(finished.rows()[0].starts_with("2 created #9"), "{:?}", finished.rows());
    assert!(finished.rows()[1].starts_with("3 failed"), "{:?}", finished.rows());

    let made = office.makes("manufacturers", json!({"name": "Acer", "url": "https://acer.example"}));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("created,9,"), "{text}");
    let edited = text.replace("created,9,", &format!("created,{made},"));
    std::fs::write(&path, edited.replace("https://acer.example", "https://new.example")).unwrap();
    let finished = office.imports(again());
    assert!(finished.rows()[0].starts_with(&format!("2 updated #{made}")), "{:?}", finished.rows());
    assert_eq!(office.record("manufacturers", "name", "Acer")["url"], "https://new.example");
    // That the record is gone is no edit.
    office.removes("manufacturers", made);
    let finished = office.imports(again());
    assert!(finished.rows()[0].starts_with(&format!("2 created #{made}")), "{:?}", finished.rows());
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
