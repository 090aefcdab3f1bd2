//! Facts about fields that other modules act on, such as which field is the stock and which one notifies people.
//!
//! A fact is a [`Meaning`] on a field's line; everything here is derived from those lines.

use std::sync::LazyLock;

use super::{ACTIONS, COLLECTIONS, Entity, Field, Kind, Role, Verb, collection, fold_name};

/// What a field means beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// The e-mail address of a person. Only records of people have it.
    PersonEmail,
    /// Whether a person has left. Nothing is checked out to them.
    PersonArchived,
    /// The name of a company: its legal form tells nothing (`Dell` and `Dell Inc.`).
    OrganisationName,
    /// The tag of an individually tracked item.
    Tag,
    /// The maker's serial number of such an item.
    Serial,
    /// How many there are in all of an item that is kept in stock.
    Stock,
    /// How many of them can be checked out.
    Available,
    /// Who holds an individually tracked item (field notes: "`deployed_to`").
    Holders,
    /// When it was checked out, also in an entry of `Holders`.
    HeldSince,
    /// Whether check-outs of items in this category send the employee an e-mail (field notes).
    NotifiesOnCheckout,
    /// How many an action moves.
    MovedQuantity,
    /// The product key of the license seat that an action moves.
    MovedKey,
    /// The type of an item, where that decides which parameters an action takes.
    ItemType,
    /// The remark of an action.
    ActionNotes,
    /// What kind of thing a record is, where any record of a kind may do: a deployable status.
    RecordKind,
    /// Who makes a thing: things of one name by different makers are different things.
    Maker,
}

impl Meaning {
    /// The name that replies, bodies and log entries use for it; the first if there are several (`Stock`).
    pub fn field_name(self) -> &'static str {
        let mut entities = COLLECTIONS.iter().chain(ACTIONS);
        entities.find_map(|entity| entity.meaning(self)).map_or("", |field| field.name)
    }
}

impl Field {
    /// Whether it says who holds an item, or since when: check-ins and check-outs set it, and nothing else.
    pub fn is_about_holder(&self) -> bool {
        matches!(self.meaning, Some(Meaning::Holders | Meaning::HeldSince))
    }

    /// Whether the service works it out from other records: how many are left, what somebody has.
    pub fn is_computed(&self) -> bool {
        let is_sum = matches!(self.kind, Kind::Integer { .. } | Kind::Money);
        !self.is_written() && (is_sum || self.kind == Kind::Structure && self.names.is_empty())
    }

    /// The collection that it refers to and the kinds of its records, if a mapping rule may name a kind instead of a
    /// record.
    pub fn record_kinds(&self) -> Option<(&'static Entity, &'static [&'static str])> {
        let collection = collection(self.reference_to()?.to)?;
        match collection.meaning(Meaning::RecordKind)?.kind {
            Kind::Option(choices) => Some((collection, choices.create)),
            _ => None,
        }
    }

    /// The kind of that name, in any case, of the records that it refers to.
    pub fn record_kind(&self, name: &str) -> Option<&'static str> {
        let (_, kinds) = self.record_kinds()?;
        let folded = fold_name(name);
        kinds.iter().copied().find(|kind| *kind == folded)
    }
}

impl Entity {
    /// The field with that meaning.
    pub fn meaning(&self, meaning: Meaning) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.meaning == Some(meaning))
    }

    /// Whether people know its records by that field: it is the name, or part of the natural key.
    pub fn is_named_by(&self, field: &str) -> bool {
        field == "name" || self.key.contains(&field)
    }

    /// The field that no two records of an account share: the tag of an asset, the e-mail address of an employee. Names
    /// need not be unique (field notes), so `name` never is one.
    pub fn unique_field(&self) -> Option<&'static Field> {
        match self.key {
            [name] if *name != "name" => self.field(name),
            _ => None,
        }
    }

    /// Whether two of its records of one name that differ in the field are different things.
    pub fn is_told_apart_by(&self, field: &str) -> bool {
        self.key.contains(&field) || self.meaning(Meaning::Maker).is_some_and(|maker| maker.name == field)
    }

    /// Whether its records are people.
    pub fn is_person(&self) -> bool {
        self.meaning(Meaning::PersonEmail).is_some()
    }

    /// Whether its records are companies.
    pub fn names_organisations(&self) -> bool {
        self.meaning(Meaning::OrganisationName).is_some()
    }

    /// Whether its records are individually tracked items with a tag of their own.
    pub fn is_tagged(&self) -> bool {
        self.meaning(Meaning::Tag).is_some()
    }

    /// Whether `--create-missing` covers the collection unasked. People and tagged items are never created in passing.
    pub fn is_created_in_passing(&self) -> bool {
        self.is_collection() && !self.is_person() && !self.is_tagged()
    }

    /// The parameter of a check-out that names the person who receives the item.
    pub fn recipient(&self) -> Option<&'static Field> {
        let is_checkout = self.role == Role::Action(Verb::Checkout);
        self.holders().find(|field| is_checkout && Some(field.name) == person_parameter())
    }
}

/// The collection whose records are people.
pub fn people() -> Option<&'static Entity> {
    COLLECTIONS.iter().copied().find(|entity| entity.is_person())
}

/// The parameter of actions and of the activity log that names a person.
pub fn person_parameter() -> Option<&'static str> {
    static NAME: LazyLock<Option<&'static str>> = LazyLock::new(|| Some(people()?.log_filter()?.name));
    *NAME
}

/// Which records decide whether a check-out notifies the person who receives the item.
#[derive(Debug, Clone, Copy)]
pub struct NotificationRule {
    /// The collection of those records.
    pub collection: &'static Entity,
    /// Its field that turns notifications on.
    pub flag: &'static str,
    /// The field by which an item refers to such a record.
    pub link: &'static str,
    /// For items without that field: the field by which they refer to a record that has it, and its collection.
    pub via: (&'static str, &'static Entity),
}

/// The rule for notifications; `None` if no collection decides about them.
pub fn notification_rule() -> Option<&'static NotificationRule> {
    static RULE: LazyLock<Option<NotificationRule>> = LazyLock::new(find_notification_rule);
    RULE.as_ref()
}

fn find_notification_rule() -> Option<NotificationRule> {
    let is_deciding = |entity: &&&Entity| entity.meaning(Meaning::NotifiesOnCheckout).is_some();
    let collection: &'static Entity = COLLECTIONS.iter().find(is_deciding).copied()?;
    let flag = collection.meaning(Meaning::NotifiesOnCheckout)?.name;
    let mut fields = COLLECTIONS.iter().flat_map(|entity| entity.fields);
    let link = fields.find(|field| refers_to(field, collection))?.name;
    let via = items().flat_map(|item| item.fields).find_map(|field| {
        let referenced = super::collection(field.reference_to()?.to)?;
        referenced.field(link).map(|_| (field.name, referenced))
    })?;
    Some(NotificationRule { collection, flag, link, via })
}

fn refers_to(field: &Field, entity: &Entity) -> bool {
    field.reference_to().is_some_and(|reference| reference.to == entity.name)
}

/// The collections whose records actions move.
pub fn items() -> impl Iterator<Item = &'static Entity> {
    ACTIONS.iter().filter_map(|action| collection(action.item()?.1.to))
}

/// The collection whose records are of the records of `referenced`, and its field that says so: which status assets have.
/// Lists can be filtered by it.
pub fn referring_to(referenced: &Entity) -> Option<(&'static Entity, &'static Field)> {
    COLLECTIONS.iter().find_map(|entity| {
        let is_it = |field: &&Field| field.is_written() && field.filter && refers_to(field, referenced);
        Some((*entity, entity.fields.iter().find(is_it)?))
    })
}

/// The fields of an item that say where it is: its id, what replies report of its stock and holders, and what a
/// check-out or check-in may set.
pub fn location_fields() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
        let reported = [Meaning::Available, Meaning::Holders, Meaning::HeldSince];
        let reported = reported.into_iter().filter_map(|meaning| items().find_map(|item| item.meaning(meaning)));
        let set = ACTIONS.iter().flat_map(|action| action.fields).filter_map(|field| field.sets);
        let mut names = vec!["id"];
        for name in reported.map(|field| field.name).chain(set) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    });
    &NAMES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::schema::{Wire, importable};

    /// The names of the collections that have a field with that meaning.
    fn with(meaning: Meaning) -> Vec<&'static str> {
        let marked = importable().filter(|entity| entity.meaning(meaning).is_some());
        marked.map(|entity| entity.name).collect()
    }

    #[test]
    fn every_meaning_is_on_fields_of_its_kind_and_at_most_once_per_entity() {
        for entity in importable() {
            for field in entity.fields {
                let Some(meaning) = field.meaning else { continue };
                let place = format!("{} {}", entity.name, field.name);
                let same = entity.fields.iter().filter(|other| other.meaning == Some(meaning)).count();
                assert_eq!(same, 1, "{place}");
                let is_right = match meaning {
                    Meaning::PersonEmail | Meaning::OrganisationName | Meaning::Tag => {
                        entity.key == [field.name] && field.is_required()
                    }
                    Meaning::Serial => matches!(field.kind, Kind::Text(_)) && entity.is_tagged(),
                    Meaning::Stock => matches!(field.kind, Kind::Integer { .. }) && field.is_written(),
                    Meaning::Available => matches!(field.kind, Kind::Integer { .. }) && !field.is_written(),
                    Meaning::Holders => field.kind == Kind::Structure && field.read,
                    Meaning::HeldSince => field.kind == Kind::Date && !field.is_written(),
                    Meaning::PersonArchived => field.kind == Kind::Boolean && entity.is_person(),
                    Meaning::NotifiesOnCheckout => field.kind == Kind::Boolean && field.read,
                    Meaning::MovedQuantity => matches!(field.kind, Kind::Integer { .. }) && entity.is_action(),
                    Meaning::MovedKey | Meaning::ActionNotes => {
                        matches!(field.kind, Kind::Text(_)) && entity.is_action()
                    }
                    Meaning::ItemType => !field.is_written() && entity.item_types().next().is_some(),
                    Meaning::RecordKind => matches!(field.kind, Kind::Option(_)) && field.is_required(),
                    Meaning::Maker => field.reference_to().is_some() && field.read,
                };
                assert!(is_right, "{place} cannot be {meaning:?}");
            }
        }
    }

    #[test]
    fn every_meaning_but_stock_has_one_field_name() {
        for entity in importable() {
            for field in entity.fields {
                if let Some(meaning) = field.meaning.filter(|meaning| *meaning != Meaning::Stock) {
                    assert_eq!(field.name, meaning.field_name(), "{} {meaning:?}", entity.name);
                }
            }
        }
    }

    #[test]
    fn every_item_is_either_tagged_or_in_stock() {
        for item in items() {
            let stock = [Meaning::Stock, Meaning::Available].map(|meaning| item.meaning(meaning).is_some());
            let single = [Meaning::Tag, Meaning::Holders, Meaning::HeldSince];
            let single = single.map(|meaning| item.meaning(meaning).is_some());
            let (in_stock, tagged) = (stock == [true; 2], single == [true; 3]);
            assert!(in_stock != tagged, "{}", item.name);
            assert!(in_stock || stock == [false; 2], "{}", item.name);
            assert!(tagged || single == [false; 3], "{}", item.name);
        }
    }

    #[test]
    fn people_and_tags_are_what_references_say() {
        assert_eq!(with(Meaning::PersonEmail), ["employees"]);
        assert_eq!(person_parameter(), Some("employee_id"));
        let tagged = importable().flat_map(|entity| entity.fields).filter_map(Field::reference_to);
        let tagged = tagged.filter(|reference| reference.wire == Wire::Tag);
        for reference in tagged {
            assert!(collection(reference.to).unwrap().is_tagged(), "{}", reference.to);
        }
        let in_passing = COLLECTIONS.iter().filter(|entity| !entity.is_created_in_passing());
        assert_eq!(in_passing.map(|entity| entity.name).collect::<Vec<_>>(), ["employees", "assets"]);
    }

    #[test]
    fn the_records_of_every_kind_are_counted_by_a_filter_and_created_from_name_and_kind() {
        let kinds = importable().flat_map(|entity| entity.fields).filter_map(Field::record_kinds);
        let names: std::collections::BTreeSet<&str> = kinds.map(|(entity, _)| entity.name).collect();
        assert_eq!(names, std::collections::BTreeSet::from(["statuses"]));
        for name in names {
            let entity = collection(name).unwrap();
            let (referring, field) = referring_to(entity).unwrap();
            assert_eq!((referring.name, field.name), ("assets", "status_id"));
            let kind = entity.meaning(Meaning::RecordKind).unwrap();
            let required: Vec<&str> =
                entity.created_fields().filter(|field| field.is_required()).map(|field| field.name).collect();
            assert_eq!(required, ["name", kind.name], "{name}");
        }
        let status = collection("assets").unwrap().field("status_id").unwrap();
        assert_eq!((status.record_kind("Deployable"), status.record_kind("ready")), (Some("deployable"), None));
    }

    #[test]
    fn every_checkout_to_people_has_a_recipient_and_every_action_notes() {
        for action in ACTIONS {
            assert!(action.meaning(Meaning::ActionNotes).is_some(), "{}", action.name);
            let names_a_person = action.field("employee_id").is_some() && action.role == Role::Action(Verb::Checkout);
            assert_eq!(action.recipient().is_some(), names_a_person, "{}", action.name);
        }
    }

    #[test]
    fn notifications_are_decided_by_the_category_of_an_item_or_of_its_product() {
        let rule = notification_rule().unwrap();
        assert_eq!((rule.collection.name, rule.flag, rule.link), ("categories", "checkout_email", "category_id"));
        assert_eq!((rule.via.0, rule.via.1.name), ("product_id", "products"));
        for item in items() {
            let names_it = item.field(rule.link).is_some() || item.field(rule.via.0).is_some();
            assert!(names_it, "{}", item.name);
        }
    }

    #[test]
    fn the_location_of_an_item_is_what_replies_report_and_actions_set() {
        let mut names = location_fields().to_vec();
        names.sort_unstable();
        let expected = ["available", "checkout_date", "department_id", "deployed_to", "id", "location_id", "status_id"];
        assert_eq!(names, expected);
    }
}
