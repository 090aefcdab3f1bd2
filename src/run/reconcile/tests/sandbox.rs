//! Real requests to the sandbox; some responses are dropped.

use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use super::super::reconcile;
use super::{TestContext, body, create, short, step};
use crate::api::{ApiError, Client, ClientOptions, Record, Secret};
use crate::catalog::LogPosition;
use crate::plan::{Step, WriteKind};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::schema::{self, Entity};

struct Account {
    client: Client,
    runtime: Runtime,
    _sandbox: Sandbox,
}

fn entity(name: &str) -> &'static Entity {
    schema::find(name).expect("an entity")
}

impl Account {
    fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions { quota: None, ..SandboxOptions::default() }).unwrap();
        let key = Secret::new(String::from("sandbox")).unwrap();
        let options = ClientOptions { quota: None, ..ClientOptions::new(sandbox.base_url().parse().unwrap(), key) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client: Client::new(options).unwrap(), runtime, _sandbox: sandbox }
    }

    /// Sends a step and gives the record's id.
    fn does(&self, step: &Step) -> i64 {
        let entity = step.entity;
        let written = self.runtime.block_on(async {
            match step.write {
                WriteKind::Create => self.client.create(entity, &step.body).await.unwrap().id,
                WriteKind::Update(id) => self.client.update(entity, id, &step.body).await.unwrap().id,
                WriteKind::Delete(id) => self.client.delete(entity, id).await.map(|()| Some(id)).unwrap(),
            }
        });
        written.unwrap()
    }

    fn makes(&self, collection: &str, sent: Json) -> i64 {
        self.does(&create(0, collection, sent))
    }

    /// The only record with that value.
    fn has(&self, collection: &str, field: &str, value: &str) -> Record {
        let found = self.runtime.block_on(self.client.all(entity(collection), &[(field, value)])).unwrap();
        assert_eq!(found.len(), 1, "{collection} {value}");
        found[0].clone()
    }

    fn id(&self, collection: &str, field: &str, value: &str) -> i64 {
        self.has(collection, field, value)["id"].as_i64().unwrap()
    }

    fn asset(&self, tag: &str) -> i64 {
        let sent = self.asset_body(tag);
        self.makes("assets", sent)
    }

    fn asset_body(&self, tag: &str) -> Json {
        let product = self.id("products", "name", "Latitude 5450");
        let status = self.id("statuses", "name", "Ready to Deploy");
        json!({"asset_id": tag, "product_id": product, "status_id": status})
    }

    fn stock(&self, collection: &str, category: &str, quantity: i64) -> i64 {
        let category = self.id("categories", "name", category);
        self.makes(collection, json!({"name": "Thing", "quantity": quantity, "category_id": category}))
    }

    fn employee(&self) -> i64 {
        self.id("employees", "email", "ada.byron@example.com")
    }

    fn log(&self) -> LogPosition {
        self.runtime.block_on(LogPosition::read(&self.client)).unwrap()
    }

    fn reconciles(&self, steps: &[&Step], context: &TestContext) -> Vec<String> {
        short(&self.runtime.block_on(reconcile(&self.client, steps, &context.borrowed())).unwrap())
    }
}

#[test]
fn a_create_that_was_applied_is_found_and_one_that_was_not_is_sent_again() {
    let account = Account::new();
    let mut sent = account.asset_body("LAP-1");
    sent["custom_fields"] = json!([{"name": "Rack", "value": "B4"}, {"name": "MAC", "value": "aa"}]);
    sent["purchase_cost"] = json!(1299);
    sent["purchase_date"] = json!("2026-01-31");
    let done = create(0, "assets", sent);
    let lost = create(1, "assets", account.asset_body("LAP-2"));
    let id = account.does(&done);
    assert_eq!(account.reconciles(&[&done, &lost], &TestContext::default()), [format!("#{id}"), "again".to_owned()]);
}

#[test]
fn two_equal_rows_are_counted() {
    let account = Account::new();
    let rows: Vec<_> =
        (0..3).map(|number| create(number, "locations", json!({"name": "Ulm", "city": "Ulm"}))).collect();
    let created = account.does(&rows[0]);
    let mut context = TestContext::default();
    context.created.insert(("locations", created));
    let steps: Vec<_> = rows.iter().collect();
    assert_eq!(account.reconciles(&steps, &context), ["again", "again", "again"]);
    let ids = [account.does(&rows[0]), account.does(&rows[0])].map(|id| format!("#{id}"));
    assert_eq!(account.reconciles(&steps, &context), [ids[0].as_str(), &ids[1], "again"]);
}

#[test]
fn keys_of_several_fields_are_compared_whole() {
    let account = Account::new();
    let category = |number, kind: &str| create(number, "categories", json!({"name": "Cables", "type": kind}));
    let rows = [category(0, "accessory"), category(1, "component")];
    let id = account.does(&rows[1]);
    assert_eq!(
        account.reconciles(&[&rows[0], &rows[1]], &TestContext::default()),
        ["again".to_owned(), format!("#{id}")]
    );

    let laptops = account.id("categories", "name", "Laptops");
    let plain = create(0, "products", json!({"name": "ProBook", "category_id": laptops}));
    let numbered = create(1, "products", json!({"name": "ProBook", "model_number": "G8", "category_id": laptops}));
    let id = account.does(&numbered);
    assert_eq!(
        account.reconciles(&[&plain, &numbered], &TestContext::default()),
        ["again".to_owned(), format!("#{id}")]
    );
    let plain_id = account.does(&plain);
    let ids = [format!("#{plain_id}"), format!("#{id}")];
    assert_eq!(account.reconciles(&[&plain, &numbered], &TestContext::default()), ids);
}

#[test]
fn maintenances_and_audits_are_found_by_tag() {
    let account = Account::new();
    account.asset("LAP-1");
    account.asset("LAP-2");
    let work = |number, tag: &str| {
        let sent = json!({"type": "hardware support", "name": "Fan", "start_date": "2026-03-02", "asset_id": tag});
        create(number, "maintenances", sent)
    };
    let audit = |number, tag: &str| {
        let sent = json!({
            "asset_id": tag, "audit_date": "2026-03-02", "scheduled": false, "completed": true, "user_id": 1,
        });
        create(number, "audits", sent)
    };
    let rows = [work(0, "LAP-1"), work(1, "LAP-2"), audit(2, "LAP-1"), audit(3, "LAP-2")];
    let (worked, audited) = (account.does(&rows[0]), account.does(&rows[3]));
    let resolved = account.reconciles(&rows.iter().collect::<Vec<_>>(), &TestContext::default());
    assert_eq!(resolved, [format!("#{worked}"), "again".into(), "again".into(), format!("#{audited}")]);
}

#[test]
fn a_record_with_the_key_that_differs_is_reported() {
    let account = Account::new();
    let id = account.makes("locations", json!({"name": "Ulm", "city": "Neu-Ulm", "zip": "89231"}));
    let row = create(0, "locations", json!({"name": "Ulm", "city": "Ulm", "zip": "89231"}));
    assert_eq!(
        account.reconciles(&[&row], &TestContext::default()),
        [format!(
            "location `#{id}` has its `name` and appeared during the run, but differs: `city` is `Neu-Ulm`; not sent again"
        )]
    );
}

#[test]
fn updates_and_deletes_are_read_back() {
    let account = Account::new();
    let id = account.makes("locations", json!({"name": "Ulm", "city": "Ulm", "zip": "89073"}));
    let gone = account.makes("locations", json!({"name": "Bonn"}));
    let mut update = step(0, "locations", WriteKind::Update(id), json!({"city": "Neu-Ulm", "zip": null}));
    update.before = Some(body(json!({"city": "Ulm", "zip": "89073"})));
    let mut lost = step(1, "locations", WriteKind::Update(gone), json!({"city": "Bonn"}));
    let delete = step(2, "locations", WriteKind::Delete(gone), json!({}));
    let resolved = || account.reconciles(&[&update, &lost, &delete], &TestContext::default());
    assert_eq!(resolved(), ["again", "again", "again"]);
    account.does(&update);
    account.does(&delete);
    assert_eq!(
        resolved(),
        [
            format!("#{id}"),
            format!("location `#{gone}` no longer exists; could not determine whether it was updated before"),
            format!("#{gone}"),
        ]
    );
    account.does(&step(3, "locations", WriteKind::Update(id), json!({"city": "Senden"})));
    assert_eq!(resolved()[0], "changed by someone else since: `city` is now `Senden`; not overwritten");
    lost.before = None;
    update.before = None;
    assert_eq!(account.reconciles(&[&update], &TestContext::default()), ["again"]);
}

#[test]
fn a_checkout_of_stock_twice_to_one_person_is_counted_in_the_log() {
    let account = Account::new();
    let (mouse, ada) = (account.stock("accessories", "Keyboards and Mice", 10), account.employee());
    let row = |number| {
        let sent = json!({
            "accessory_id": mouse, "employee_id": ada, "quantity": 1, "checkout_date": "2026-03-02",
        });
        create(number, "checkout_accessory", sent)
    };
    account.does(&row(0));
    let context = TestContext { log: account.log(), ..TestContext::default() };
    let rows = [row(0), row(1), row(2)];
    // Nothing proves yet that the log records such actions, and the previous stock is not known.
    let resolved = account.reconciles(&[&rows[0]], &context);
    assert!(resolved[0].starts_with(&format!("look at accessory `#{mouse}` and employee `#{ada}`")), "{resolved:?}");
    account.does(&rows[0]);
    account.does(&rows[1]);
    let steps: Vec<_> = rows.iter().collect();
    let context = TestContext { available: [(("accessories", mouse), 9)].into(), ..context };
    assert_eq!(account.reconciles(&steps, &context), ["done", "done", "again"]);
    let context = TestContext { completed_actions: vec![row(9)], ..context };
    assert_eq!(account.reconciles(&steps, &context), ["done", "again", "again"]);
}

#[test]
fn stock_decides_where_the_log_was_not_read() {
    let account = Account::new();
    let (toner, berlin) =
        (account.stock("consumables", "Printer Supplies", 9), account.id("locations", "name", "Berlin"));
    let row = |number, quantity| {
        let sent = json!({
            "consumable_id": toner, "location_id": berlin, "quantity": quantity, "checkout_date": "2026-03-02",
        });
        create(number, "checkout_consumable", sent)
    };
    let rows = [row(0, 2), row(1, 3)];
    let steps: Vec<_> = rows.iter().collect();
    let available = [(("consumables", toner), 9)].into();
    let context = TestContext { available, completed_actions: vec![row(7, 1)], ..TestContext::default() };
    account.does(&row(7, 1));
    assert_eq!(account.reconciles(&steps, &context), ["again", "again"]);
    account.does(&rows[0]);
    assert!(account.reconciles(&steps, &context).iter().all(|message| message.starts_with("look at consumable")));
    account.does(&rows[1]);
    assert_eq!(account.reconciles(&steps, &context), ["done", "done"]);
}

#[test]
fn licenses_and_components_are_told_apart_by_their_holders() {
    let account = Account::new();
    let ada = account.employee();
    let laptop = account.asset("LAP-1");
    let license = account.makes(
        "licenses",
        json!({"name": "Editor", "number_of_seats": 5, "category_id": account.id("categories", "name", "Office Software")}),
    );
    let memory = account.stock("components", "Memory", 8);
    let available = [(("licenses", license), 5), (("components", memory), 8)].into();
    let context = TestContext { log: account.log(), available, ..TestContext::default() };
    let seat = |number, holder: &str, id: i64| {
        let mut sent = json!({"license_id": license, "quantity": 1, "checkout_date": "2026-03-02"});
        sent[holder] = json!(id);
        create(number, "checkout_license", sent)
    };
    let built = |number, quantity| {
        let sent = json!({
            "component_id": memory, "asset_id": "LAP-1", "quantity": quantity, "checkout_date": "2026-03-02",
        });
        create(number, "checkout_component", sent)
    };
    let rows = [seat(0, "employee_id", ada), seat(1, "asset_id", laptop), built(2, 2), built(3, 3)];
    account.does(&rows[1]);
    account.does(&rows[2]);
    let resolved = account.reconciles(&rows.iter().collect::<Vec<_>>(), &context);
    assert_eq!(resolved, ["again", "done", "done", "again"]);
}

#[test]
fn an_asset_is_decided_by_where_it_is() {
    let account = Account::new();
    let (laptop, ada, berlin) = (account.asset("LAP-1"), account.employee(), account.id("locations", "name", "Berlin"));
    let status = account.id("statuses", "name", "Ready to Deploy");
    let out =
        create(0, "checkout_asset", json!({"asset_id": "LAP-1", "employee_id": ada, "checkout_date": "2026-03-02"}));
    let away =
        create(1, "checkout_asset", json!({"asset_id": "LAP-1", "location_id": berlin, "checkout_date": "2026-03-02"}));
    let back =
        create(2, "checkin_asset", json!({"asset_id": laptop, "status_id": status, "checkin_date": "2026-03-02"}));
    let missing =
        create(3, "checkout_asset", json!({"asset_id": "GONE", "employee_id": ada, "checkout_date": "2026-03-02"}));
    let unasked = TestContext::default();
    let marked = TestContext { log: account.log(), ..TestContext::default() };
    assert_eq!(account.reconciles(&[&out], &unasked), ["again"]);
    account.does(&out);
    for context in [&unasked, &marked] {
        assert_eq!(account.reconciles(&[&out], context), ["done"]);
    }
    assert_eq!(account.reconciles(&[&away], &marked), ["again"]);
    assert!(account.reconciles(&[&away], &unasked)[0].starts_with("look at asset `LAP-1` and location"));
    assert!(account.reconciles(&[&missing], &marked)[0].starts_with("look at asset `GONE` and employee"));
    assert_eq!(account.reconciles(&[&back], &unasked), ["again"]);
    account.does(&back);
    for context in [&unasked, &marked] {
        assert_eq!(account.reconciles(&[&back], context), ["done"]);
    }
    // Both are open, and the asset alone does not show which was applied.
    assert!(account.reconciles(&[&out, &back], &unasked).iter().all(|message| message.starts_with("look at asset")));
    assert_eq!(account.reconciles(&[&out, &back], &marked), ["done", "done"]);
}

#[test]
fn a_read_that_fails_decides_nothing() {
    let account = Account::new();
    let row = create(0, "locations", json!({"name": "Ulm"}));
    account.client.stop();
    let resolved = account.runtime.block_on(reconcile(&account.client, &[&row], &TestContext::default().borrowed()));
    assert!(matches!(resolved, Err(ApiError::Unreachable { .. })), "{resolved:?}");
}
