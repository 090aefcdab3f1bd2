//! What a delete finds, asks and sends.

use serde_json::json;

use super::*;
use crate::job::ResultTarget;

impl Office {
    fn delete_job(&self, collection: &str, text: &str) -> DeleteJob {
        let path = self.file(&format!("{collection}.csv"), text);
        let backup = self.folder.path().join("backup.xlsx");
        let _ = std::fs::remove_file(&backup);
        DeleteJob::new(collection, path).irreversible().backup(backup).confirmed()
    }
}

#[test]
fn rows_are_asked_to_go_by_their_key_whatever_else_they_say() {
    let office = Office::new();
    let rows = "_action,Name,City,Junk\n,Acme,Ulm,x\nupdate,Adventure Office,Elsewhere,y\nskip,Contoso Supplies,,\n\
                create,Northwind IT,,\ndelete,Fabrikam Hardware,,\n";
    let finished = office.deletes(office.delete_job("suppliers", rows)).unwrap();
    assert_eq!(
        finished.rows(),
        [
            "2 failed: record.missing at B: record not found in suppliers",
            "3 deleted #4",
            "4 skipped",
            "5 failed #1: service.refused: cannot be deleted: licenses refer to it by `supplier_id`",
            "6 deleted #3",
        ]
    );
    assert_eq!(office.records("suppliers").len(), 2);
    let said = finished.remarks();
    let overridden = "2 rows have an `_action` other than `skip`; `delete` ignores it";
    assert!(said.iter().any(|remark| remark == overridden), "{said:?}");
}

#[test]
fn an_import_deletes_after_everything_else_and_each_row_has_its_outcome() {
    let office = Office::new();
    let rows =
        "_action,Name,City\ndelete,Adventure Office,\n,Contoso Supplies,Ulm\ndelete,Fabrikam Hardware,\n,Acme,Bonn\n";
    let (_, steps) = office.planned(office.job("suppliers.csv", rows));
    assert_eq!(
        steps,
        [
            r#"suppliers: update 2 {"city":"Ulm"}"#,
            r#"suppliers: create {"city":"Bonn","name":"Acme"}"#,
            "suppliers: delete 4",
            "suppliers: delete 3",
        ]
    );
    let finished = office.import("suppliers.csv", rows);
    assert_eq!(finished.rows(), ["2 deleted #4", "3 updated #2", "4 deleted #3", "5 created #5"]);
}

#[test]
fn what_a_row_says_beside_its_key_is_not_looked_up() {
    let office = Office::new();
    let status = office.makes("statuses", json!({"name": "Odd", "type": "pending"}));
    let product = office.id("products", "name", "iPad Air");
    office.makes("assets", json!({"asset_id": "T-1", "product_id": product, "status_id": status}));
    let rows = "Asset tag,Product,Status,Location\nT-1,Unheard,Nowhere,Atlantis\n";
    let finished = office.deletes(office.delete_job("assets", rows)).unwrap();
    assert_eq!((finished.rows(), finished.writes()), (vec![String::from("2 deleted #1")], vec!["DELETE assets 1"]));
    assert!(!finished.reads().iter().any(|kind| kind.contains("locations")), "{:?}", finished.reads());
}

#[test]
fn an_id_of_another_system_deletes_nothing_without_a_key() {
    let office = Office::new();
    let refused = office.deletes(office.delete_job("suppliers", "Id,City\n1,Hamburg\n")).err().unwrap();
    assert_eq!(refused.to_string(), "no column of suppliers says which records are meant");
    let rows = "Id,Name\n1,\n4,Adventure Office\n3,Contoso Supplies\n";
    let finished = office.deletes(office.delete_job("suppliers", rows)).unwrap();
    let rows = finished.rows();
    assert!(rows[0].starts_with("2 failed: key.missing"), "{rows:?}");
    assert_eq!(rows[1], "3 deleted #4");
    assert_eq!(office.records("suppliers").iter().filter(|record| record["id"] == 1).count(), 1);
    // One's own ids do.
    let finished = office.deletes(office.delete_job("suppliers", "_id,City\n3,\n")).unwrap();
    assert_eq!(finished.rows(), ["2 deleted #3"]);
}

#[test]
fn a_result_of_a_delete_is_written_where_it_is_wanted() {
    let office = Office::new();
    let path = office.folder.path().join("gone.csv");
    let job =
        office.delete_job("suppliers", "Name\nAdventure Office\nUnheard\n").result(ResultTarget::File(path.clone()));
    let finished = office.deletes(job).unwrap();
    assert!(finished.report.result_error().is_none());
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("deleted,4,,Adventure Office"), "{text}");
    assert!(text.contains("failed,,") && text.contains(",Unheard"), "{text}");
}

#[test]
fn names_that_look_alike_are_told_of_an_import_and_not_of_a_delete() {
    let office = Office::new();
    let rows = "Name,Category,Manufacturer\nX1,Laptops,Dell Inc.\nX2,Laptops,DELL Inc.\n";
    let (summary, _) = office.planned(office.job("products.csv", rows).create_missing());
    assert!(!summary.look_alikes.is_empty(), "{:?}", summary.look_alikes);
    let job = office.delete_job("products", rows);
    let plan = office.runtime.block_on(office.account.plan_delete(job)).unwrap();
    assert!(plan.summary().unwrap().look_alikes.is_empty());
}
