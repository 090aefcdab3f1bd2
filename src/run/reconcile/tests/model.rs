//! Random runs against a simple model of a service: what was really applied is known, and must never be applied twice.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value as Json, json};

use super::super::Resolution;
use super::service::{FakeSource, Quirk, resolutions};
use super::{TestContext, create, short, step};
use crate::api::Body;
use crate::fuzz::cases;
use crate::plan::{Step, WriteKind};

/// A product as a row or another user may have entered it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Product {
    name: &'static str,
    model_number: Option<&'static str>,
    notes: Option<&'static str>,
}

impl Product {
    fn sent(&self) -> Json {
        let mut sent = json!({"name": self.name});
        self.model_number.into_iter().for_each(|number| sent["model_number"] = json!(number));
        self.notes.into_iter().for_each(|notes| sent["notes"] = json!(notes));
        sent
    }
}

fn product() -> impl Strategy<Value = Product> {
    let texts = (select(vec!["ProBook", "PROBOOK", "Mac"]), option::of(Just("G8")), option::of(select(vec!["x", "y"])));
    texts.prop_map(|(name, model_number, notes)| Product { name, model_number, notes })
}

/// Who created a record that no unresolved step created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// This run, which received the response.
    ThisRun,
    Others,
}

/// Which fields a service reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Full,
    OmitsNulls,
    HidesNotes,
}

impl Shape {
    fn show(self, id: usize, product: &Product) -> Json {
        let mut record = Map::new();
        record.insert("id".into(), json!(id));
        record.insert("name".into(), json!(product.name));
        for (name, value) in [("model_number", product.model_number), ("notes", product.notes)] {
            let is_hidden = self == Shape::HidesNotes && name == "notes";
            if !is_hidden && (self != Shape::OmitsNulls || value.is_some()) {
                record.insert(name.into(), json!(value));
            }
        }
        Json::Object(record)
    }
}

#[derive(Debug, Clone)]
struct Run {
    /// Unresolved creates, and whether each was applied.
    rows: Vec<(Product, bool)>,
    others: Vec<(Product, Origin)>,
    shape: Shape,
    page_limit: u32,
    knows_size: bool,
    order: u64,
}

fn run() -> impl Strategy<Value = Run> {
    let origin = select(vec![Origin::ThisRun, Origin::Others]);
    let shape = select(vec![Shape::Full, Shape::OmitsNulls, Shape::HidesNotes]);
    let rows = vec((product(), any::<bool>()), 0..7);
    (rows, vec((product(), origin), 0..5), shape, 1..5u32, any::<bool>(), any::<u64>()).prop_map(
        |(rows, others, shape, page_limit, knows_size, order)| Run {
            rows,
            others,
            shape,
            page_limit,
            knows_size,
            order,
        },
    )
}

impl Run {
    /// The records in a random order, each with who created it.
    fn records(&self) -> Vec<(Product, Option<Origin>)> {
        let done = self.rows.iter().filter(|(_, done)| *done).map(|(product, _)| (product.clone(), None));
        let others = self.others.iter().map(|(product, origin)| (product.clone(), Some(*origin)));
        let mut records: Vec<_> = done.chain(others).collect();
        fastrand::Rng::with_seed(self.order).shuffle(&mut records);
        records
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_create_that_was_applied_is_never_sent_again(run in run()) {
        let records = run.records();
        let steps: Vec<Step> =
            (0..).zip(&run.rows).map(|(number, (product, _))| create(number, "products", product.sent())).collect();
        let mut context = TestContext::default();
        let mut not_theirs = HashSet::new();
        for (id, (_, origin)) in (1..).zip(&records) {
            match origin {
                Some(Origin::ThisRun) => drop(context.created.insert(("products", id))),
                Some(Origin::Others) | None => continue,
            }
            not_theirs.insert(id);
        }
        if run.knows_size {
            context.sizes.insert("products", records.len() as u64);
        }
        let shown = (1..).zip(&records).map(|(id, (product, _))| run.shape.show(id, product));
        let mut service = FakeSource::new().with("products", shown);
        service.page_limit = run.page_limit;
        let resolved = resolutions(&service, &steps.iter().collect::<Vec<_>>(), &context.borrowed());

        let mut taken = HashSet::new();
        for (resolution, (product, _)) in resolved.iter().zip(&run.rows) {
            let Resolution::Applied { id: Some(id), .. } = resolution else { continue };
            prop_assert!(taken.insert(*id), "#{id} twice: {:?}", short(&resolved));
            prop_assert!(!not_theirs.contains(id), "#{id} is not theirs");
            let (made, _) = &records[*id as usize - 1];
            prop_assert_eq!((made.name, made.model_number), (product.name, product.model_number));
            let shows_notes = run.shape == Shape::Full;
            prop_assert!(!shows_notes || product.notes.is_none() || made.notes == product.notes);
        }
        // Equal rows are interchangeable: of each kind, no more are sent again than were not applied.
        for (product, _) in &run.rows {
            let alike = || run.rows.iter().zip(&resolved).filter(|((other, _), _)| other == product);
            let again = alike().filter(|(_, resolution)| **resolution == Resolution::NotApplied).count();
            let not_done = alike().filter(|((_, done), _)| !done).count();
            prop_assert!(again <= not_done, "{:?}: {:?} of {:?}", product, short(&resolved), records);
            let done = alike().filter(|(_, resolution)| matches!(resolution, Resolution::Applied { .. })).count();
            let is_alone = run.others.iter().all(|(_, origin)| *origin != Origin::Others);
            prop_assert!(!is_alone || done <= alike().count() - not_done, "{:?}: {:?}", product, short(&resolved));
        }
    }

    #[test]
    fn everything_is_decided_where_nobody_else_writes(mut run in run()) {
        run.shape = Shape::Full;
        run.others.clear();
        let mut kinds = HashSet::new();
        run.rows.retain(|(product, _)| kinds.insert((product.name.to_lowercase(), product.model_number)));
        let steps: Vec<Step> =
            (0..).zip(&run.rows).map(|(number, (product, _))| create(number, "products", product.sent())).collect();
        let shown = (1..).zip(run.records()).map(|(id, (product, _))| Shape::Full.show(id, &product));
        let service = FakeSource::new().with("products", shown);
        let resolved = resolutions(&service, &steps.iter().collect::<Vec<_>>(), &TestContext::default().borrowed());
        for (resolution, (_, done)) in resolved.iter().zip(&run.rows) {
            prop_assert_eq!(matches!(resolution, Resolution::Applied { .. }), *done);
            prop_assert_eq!(*resolution == Resolution::NotApplied, !done);
        }
    }

    #[test]
    fn an_update_is_sent_again_only_where_nobody_else_wrote(
        sent in option::of(select(vec!["x", "y"])),
        before in option::of(select(vec!["x", "y", "z"])),
        held in option::of(select(vec!["x", "y", "z"])),
    ) {
        let mut update = step(0, "products", WriteKind::Update(1), json!({"notes": sent}));
        update.before = Some(Body::from_iter([(String::from("notes"), json!(before))]));
        let service = FakeSource::new().with("products", [json!({"id": 1, "name": "Mac", "notes": held})]);
        let resolved = resolutions(&service, &[&update], &TestContext::default().borrowed()).remove(0);
        match resolved {
            Resolution::Applied { .. } => prop_assert_eq!(held, sent),
            Resolution::NotApplied => prop_assert_eq!(held, before),
            Resolution::Indeterminate(_) => prop_assert!(held != sent && held != before),
            Resolution::DoneByOtherRun { .. } => prop_assert!(false, "there is no other run"),
        }
    }
}

fn city(number: u32) -> Step {
    create(number, "locations", json!({"name": format!("Place {number}")}))
}

#[test]
fn many_records_are_scanned_and_few_are_looked_up() {
    let places = (1..=2500).map(|id| json!({"id": id, "name": format!("Place {id}"), "city": null}));
    let service = FakeSource::new().with("locations", places);
    let steps: Vec<_> = (2498..2504).map(city).collect();
    let resolved = |count: usize, context: &TestContext| {
        service.reset();
        let resolved =
            short(&resolutions(&service, &steps.iter().take(count).collect::<Vec<_>>(), &context.borrowed()));
        (resolved.join(" "), service.requests())
    };
    let mut context = TestContext::default();
    assert_eq!(resolved(6, &context), ("#2498 #2499 #2500 again again again".into(), 6));
    context.sizes.insert("locations", 2500);
    assert_eq!(
        resolved(6, &context),
        ("#2498 #2499 #2500 again again again".into(), 4),
        "three pages, and one to see the end"
    );
    assert_eq!(resolved(4, &context), ("#2498 #2499 #2500 again".into(), 4));
}

#[test]
fn a_record_deleted_during_a_scan_hides_no_other() {
    let places = (1..=11).map(|id| json!({"id": id, "name": format!("Place {id}")}));
    let mut service = FakeSource::new().with("locations", places);
    service.page_limit = 4;
    service.quirk = Quirk::DeletesWhileRead;
    // The fifth would move from the second page to the first, which has been read.
    let steps: Vec<_> = [5, 12, 13, 14, 15, 16].map(city).into();
    let context = TestContext { sizes: [("locations", 11)].into(), ..TestContext::default() };
    let resolved = resolutions(&service, &steps.iter().collect::<Vec<_>>(), &context.borrowed());
    assert_eq!(short(&resolved), ["#5", "again", "again", "again", "again", "again"]);
}

#[test]
fn an_email_address_is_found_in_lower_case() {
    let service = FakeSource::new().with("employees", [json!({"id": 3, "name": "Ada", "email": "ada@example.com"})]);
    let row = create(0, "employees", json!({"name": "Ada", "email": "Ada@Example.com"}));
    assert_eq!(short(&resolutions(&service, &[&row], &TestContext::default().borrowed())), ["#3"]);
}

#[test]
fn an_asset_may_come_back_as_its_id() {
    let service = FakeSource::new().with("assets", [json!({"id": 41, "asset_id": "LAP-1"}), json!({"id": 42, "asset_id": "41"})]).with(
        "audits",
        [json!({"id": 1, "audit_date": "2026-03-02T00:00:00.000Z", "asset_id": 41, "scheduled": 0, "completed": "true"})],
    );
    let audit = |number, tag: &str| {
        let sent =
            json!({"asset_id": tag, "audit_date": "2026-03-02", "scheduled": false, "completed": true, "user_id": 1});
        create(number, "audits", sent)
    };
    let rows = [audit(0, "LAP-1"), audit(1, "LAP-2")];
    let resolved = resolutions(&service, &[&rows[0], &rows[1]], &TestContext::default().borrowed());
    assert_eq!(short(&resolved), ["#1", "again"]);
}

#[test]
fn records_that_do_not_show_their_key_are_indeterminate() {
    let service = FakeSource::new().with("locations", [json!({"id": 1, "title": "Place 1"})]);
    let mut context = TestContext::default();
    context.sizes.insert("locations", 1);
    let steps: Vec<_> = (1..5).map(city).collect();
    let resolved = resolutions(&service, &steps.iter().collect::<Vec<_>>(), &context.borrowed());
    assert_eq!(short(&resolved)[0], "the service's locations do not show their `name`; look for the record");
}
