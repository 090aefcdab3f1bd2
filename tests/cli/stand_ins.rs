//! Serial numbers that stand in for tags: the same device in the lists of several tools, and tags that come later.

use serde_json::{Value, json};

use crate::harness::CliTest;
use crate::holders::writes;
use crate::values::codes;

const JAMF: &str = "Computer Name,Asset Tag,Serial Number,Model,Full Name,Email Address,JSS Computer ID\n\
                    M1,,C1,MacBook Pro 14,Ada Byron,ada@example.com,1\n\
                    M2,,C2,MacBook Pro 14,Bob Stone,bob@example.com,2\n";

const INTUNE: &str = "Device ID,Device name,OS,Primary user UPN,Primary user display name,Enrollment date,Serial number,\
                      Manufacturer,Model\n\
                      d1,NB-1,Windows,ada@example.com,Ada Byron,2026-01-14,5CG1,HP,EliteBook 840 G10\n\
                      d2,NB-2,Windows,bob@example.com,Bob Stone,2026-01-14,5CG2,HP,EliteBook 840 G10\n";

const SNIPE: &str = "Asset Name,Asset Tag,Serial,Model,Category,Status,Checked Out To,Default Location,Manufacturer,EOL Rate\n\
                     NB-1,LAP-1,5CG1,EliteBook 840 G10,Laptops,Ready to Deploy (deployable),,,HP,\n";

/// The tag and the serial number of every asset.
fn tags(account: &CliTest) -> Vec<(String, String)> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let assets = account.records("assets");
    let mut tags: Vec<_> = assets.iter().map(|asset| (text(asset, "asset_id"), text(asset, "asset_serial"))).collect();
    tags.sort();
    tags
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(tag, serial)| ((*tag).to_owned(), (*serial).to_owned())).collect()
}

#[test]
fn a_device_that_another_tool_has_given_a_tag_is_made_once() {
    let account = CliTest::new().sheet("snipe.csv", SNIPE).sheet("intune.csv", INTUNE);
    account.run(&["import", "snipe.csv", "--create-missing=all"]).exits(0);
    let import = ["import", "intune.csv", "--create-missing=all"];
    let (code, rehearsed) = account.json(&[&import[..], &["--dry-run"]].concat());
    let counts = |summary: &Value| (summary["counts"]["created"].clone(), summary["counts"]["updated"].clone());
    assert_eq!((code, counts(&rehearsed)), (0, (json!(1), json!(1))), "{rehearsed}");
    let (code, summary) = account.json(&import);
    assert_eq!((code, counts(&summary)), (0, (json!(1), json!(1))), "{summary}");
    assert_eq!(tags(&account), pairs(&[("5CG2", "5CG2"), ("LAP-1", "5CG1")]));
    assert!(account.record("assets", "asset_id", "LAP-1")["deployed_to"][0]["employee_id"].is_i64());
    let (code, again) = account.json(&import);
    assert_eq!((code, writes(&again)), (0, Vec::new()), "{again}");
    let (code, verified) = account.json(&["verify", "intune.csv"]);
    assert_eq!((code, &verified["counts"]["missing"]), (0, &json!(0)), "{verified}");
    // Nor does --match-on take the tag away.
    let (code, matched) = account.json(&[&import[..], &["--match-on", "asset_serial"]].concat());
    assert_eq!((code, writes(&matched)), (0, Vec::new()), "{matched}");
    account.run(&["undo", summary["run_id"].as_str().unwrap(), "--yes"]).exits(0);
    assert_eq!(tags(&account), pairs(&[("LAP-1", "5CG1")]));
}

#[test]
fn a_tag_that_comes_later_is_told_and_given_on_request() {
    let account = CliTest::new().sheet("jamf.csv", JAMF).sheet("tagged.csv", &JAMF.replace("M1,,", "M1,LAP-1,"));
    account.run(&["import", "jamf.csv", "--create-missing=all"]).exits(0);
    assert_eq!(tags(&account), pairs(&[("C1", "C1"), ("C2", "C2")]));
    let import = ["import", "tagged.csv", "--create-missing=all"];
    let (code, rehearsed) = account.json(&[&import[..], &["--dry-run"]].concat());
    assert_eq!((code, codes(&rehearsed, "problems")), (0, Vec::new()), "{rehearsed}");
    let remarks = rehearsed["remarks"].as_array().unwrap();
    let told = remarks.iter().find(|remark| remark["code"] == "serial.repeated").unwrap();
    assert_eq!(
        told["message"],
        "`Serial Number`: 1 row with a new tag and the serial number of an asset that has this number for its tag, such as \
         `C1`; if they are the same, pass --match-on asset_serial to give that asset the new tag instead of making another \
         one (C2)"
    );
    let matched = [&import[..], &["--match-on", "asset_serial"]].concat();
    let (code, summary) = account.json(&matched);
    assert_eq!((code, writes(&summary)), (0, vec![String::from("PUT assets 1")]), "{summary}");
    assert_eq!(tags(&account), pairs(&[("C2", "C2"), ("LAP-1", "C1")]));
    for again in [&import[..], &matched] {
        let (code, again) = account.json(again);
        assert_eq!((code, writes(&again)), (0, Vec::new()), "{again}");
    }
}
