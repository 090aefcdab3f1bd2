//! Random runs against a simple model of a service: what was really done is known, and must never be done twice.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value as Json, json};

use super::super::Settlement;
use super::service::{Quirk, Service};
use super::{Knowledge, create, short, step};
use crate::api::Body;
use crate::plan::{Step, WriteKind};

/// What a sheet may say of a product, and what others may have made.
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

/// How a record that no unsettled step made came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// This run made it, and was told so.
    Told,
    Others,
}

/// How a service shows its records.
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
    /// Unsettled creates, and whether each was done.
    rows: Vec<(Product, bool)>,
    others: Vec<(Product, Origin)>,
    shape: Shape,
    page_limit: u32,
    knows_size: bool,
    order: u64,
}

fn run() -> impl Strategy<Value = Run> {
    let origin = select(vec![Origin::Told, Origin::Others]);
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
    /// Records in some order, each with who made it.
    fn records(&self) -> Vec<(Product, Option<Origin>)> {
        let done = self.rows.iter().filter(|(_, done)| *done).map(|(product, _)| (product.clone(), None));
        let others = self.others.iter().map(|(product, origin)| (product.clone(), Some(*origin)));
        let mut records: Vec<_> = done.chain(others).collect();
        fastrand::Rng::with_seed(self.order).shuffle(&mut records);
        records
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_was_done_is_never_sent_again(run in run()) {
        let records = run.records();
        let steps: Vec<Step> =
            (0..).zip(&run.rows).map(|(number, (product, _))| create(number, "products", product.sent())).collect();
        let mut knowledge = Knowledge::default();
        let mut not_theirs = HashSet::new();
        for (id, (_, origin)) in (1..).zip(&records) {
            match origin {
                Some(Origin::Told) => drop(knowledge.told.insert(("products", id))),
                Some(Origin::Others) | None => continue,
            }
            not_theirs.insert(id);
        }
        if run.knows_size {
            knowledge.sizes.insert("products", records.len() as u64);
        }
        let shown = (1..).zip(&records).map(|(id, (product, _))| run.shape.show(id, product));
        let mut service = Service::new().with("products", shown);
        service.page_limit = run.page_limit;
        let settled = service.settle(&steps.iter().collect::<Vec<_>>(), &knowledge.known());

        let mut taken = HashSet::new();
        for (settlement, (product, _)) in settled.iter().zip(&run.rows) {
            let Settlement::Done { id: Some(id), .. } = settlement else { continue };
            prop_assert!(taken.insert(*id), "#{id} twice: {:?}", short(&settled));
            prop_assert!(!not_theirs.contains(id), "#{id} is not theirs");
            let (made, _) = &records[*id as usize - 1];
            prop_assert_eq!((made.name, made.model_number), (product.name, product.model_number));
            let shows_notes = run.shape == Shape::Full;
            prop_assert!(!shows_notes || product.notes.is_none() || made.notes == product.notes);
        }
        // Equal rows are interchangeable: of each kind no more are sent again than were not done.
        for (product, _) in &run.rows {
            let alike = || run.rows.iter().zip(&settled).filter(|((other, _), _)| other == product);
            let again = alike().filter(|(_, settlement)| **settlement == Settlement::NotDone).count();
            let not_done = alike().filter(|((_, done), _)| !done).count();
            prop_assert!(again <= not_done, "{:?}: {:?} of {:?}", product, short(&settled), records);
            let done = alike().filter(|(_, settlement)| matches!(settlement, Settlement::Done { .. })).count();
            let is_alone = run.others.iter().all(|(_, origin)| *origin != Origin::Others);
            prop_assert!(!is_alone || done <= alike().count() - not_done, "{:?}: {:?}", product, short(&settled));
        }
    }

    #[test]
    fn where_nobody_else_writes_everything_is_decided(mut run in run()) {
        run.shape = Shape::Full;
        run.others.clear();
        let mut kinds = HashSet::new();
        run.rows.retain(|(product, _)| kinds.insert((product.name.to_lowercase(), product.model_number)));
        let steps: Vec<Step> =
            (0..).zip(&run.rows).map(|(number, (product, _))| create(number, "products", product.sent())).collect();
        let shown = (1..).zip(run.records()).map(|(id, (product, _))| Shape::Full.show(id, &product));
        let service = Service::new().with("products", shown);
        let settled = service.settle(&steps.iter().collect::<Vec<_>>(), &Knowledge::default().known());
        for (settlement, (_, done)) in settled.iter().zip(&run.rows) {
            prop_assert_eq!(matches!(settlement, Settlement::Done { .. }), *done);
            prop_assert_eq!(*settlement == Settlement::NotDone, !done);
        }
    }

    #[test]
    fn an_update_goes_again_only_where_nobody_else_wrote(
        sent in option::of(select(vec!["x", "y"])),
        before in option::of(select(vec!["x", "y", "z"])),
        held in option::of(select(vec!["x", "y", "z"])),
    ) {
        let mut update = step(0, "products", WriteKind::Update(1), json!({"notes": sent}));
        update.before = Some(Body::from_iter([(String::from("notes"), json!(before))]));
        let service = Service::new().with("products", [json!({"id": 1, "name": "Mac", "notes": held})]);
        let settled = service.settle(&[&update], &Knowledge::default().known()).remove(0);
        match settled {
            Settlement::Done { .. } => prop_assert_eq!(held, sent),
            Settlement::NotDone => prop_assert_eq!(held, before),
            Settlement::Undecided(_) => prop_assert!(held != sent && held != before),
        }
    }
}

fn city(number: u32) -> Step {
    create(number, "locations", json!({"name": format!("Place {number}")}))
}

#[test]
fn many_are_looked_for_in_pages_and_few_by_name() {
    let places = (1..=2500).map(|id| json!({"id": id, "name": format!("Place {id}"), "city": null}));
    let service = Service::new().with("locations", places);
    let steps: Vec<_> = (2498..2504).map(city).collect();
    let settled = |count: usize, knowledge: &Knowledge| {
        service.requests.set(0);
        let settled = short(&service.settle(&steps.iter().take(count).collect::<Vec<_>>(), &knowledge.known()));
        (settled.join(" "), service.requests.get())
    };
    let mut knowledge = Knowledge::default();
    assert_eq!(settled(6, &knowledge), ("#2498 #2499 #2500 again again again".into(), 6));
    knowledge.sizes.insert("locations", 2500);
    assert_eq!(settled(6, &knowledge), ("#2498 #2499 #2500 again again again".into(), 3));
    assert_eq!(settled(4, &knowledge), ("#2498 #2499 #2500 again".into(), 4));
}

#[test]
fn a_list_that_loses_a_record_while_it_is_read_loses_none_for_us() {
    let places = (1..=11).map(|id| json!({"id": id, "name": format!("Place {id}")}));
    let mut service = Service::new().with("locations", places);
    service.page_limit = 4;
    service.quirk = Quirk::DeletesWhileRead;
    // The fifth would slip from the second page to the first, which is read already.
    let steps: Vec<_> = [5, 12, 13, 14, 15, 16].map(city).into();
    let knowledge = Knowledge { sizes: [("locations", 11)].into(), ..Knowledge::default() };
    let settled = service.settle(&steps.iter().collect::<Vec<_>>(), &knowledge.known());
    assert_eq!(short(&settled), ["#5", "again", "again", "again", "again", "again"]);
}

#[test]
fn an_address_is_found_in_small_letters() {
    let service = Service::new().with("employees", [json!({"id": 3, "name": "Ada", "email": "ada@example.com"})]);
    let row = create(0, "employees", json!({"name": "Ada", "email": "Ada@Example.com"}));
    assert_eq!(short(&service.settle(&[&row], &Knowledge::default().known())), ["#3"]);
}

#[test]
fn an_asset_may_come_back_as_its_id() {
    let service = Service::new().with("assets", [json!({"id": 41, "asset_id": "LAP-1"}), json!({"id": 42, "asset_id": "41"})]).with(
        "audits",
        [json!({"id": 1, "audit_date": "2026-03-02T00:00:00.000Z", "asset_id": 41, "scheduled": 0, "completed": "true"})],
    );
    let audit = |number, tag: &str| {
        let sent =
            json!({"asset_id": tag, "audit_date": "2026-03-02", "scheduled": false, "completed": true, "user_id": 1});
        create(number, "audits", sent)
    };
    let rows = [audit(0, "LAP-1"), audit(1, "LAP-2")];
    let settled = service.settle(&[&rows[0], &rows[1]], &Knowledge::default().known());
    assert_eq!(short(&settled), ["#1", "again"]);
}

#[test]
fn a_list_without_names_tells_nothing() {
    let service = Service::new().with("locations", [json!({"id": 1, "title": "Place 1"})]);
    let mut knowledge = Knowledge::default();
    knowledge.sizes.insert("locations", 1);
    let steps: Vec<_> = (1..5).map(city).collect();
    let settled = service.settle(&steps.iter().collect::<Vec<_>>(), &knowledge.known());
    assert_eq!(short(&settled)[0], "the service's locations do not show their `name`; look for the record");
}
