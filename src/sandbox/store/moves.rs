//! Check-in and checkout: things really move. Guide: sections "Checkin" and "Checkout".
//!
//! One road for all nine actions, read off their parameters: the first names the thing, `employee_id`,
//! `location_id` and `asset_id` say who has it, `quantity` and `product_key` how much of it.

use axum::http::StatusCode;
use jiff::Timestamp;
use rusqlite::params;

use super::super::body::Body;
use super::super::facts::{self, Supply};
use super::super::rules::{self, Draft, Purpose};
use super::activity::Event;
use super::links::item_of;
use super::{Account, Outcome, Reply, Store};
use crate::schema::{self, Entity, Role, Verb};

/// An action of the schema, with what it moves.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Action {
    pub(in super::super) entity: &'static Entity,
    /// The collection of the thing: what the first parameter refers to.
    item: &'static Entity,
    supply: Supply,
}

/// An action whose body was read, and whose errors are collected before any of it is done.
struct Move {
    account: Account,
    action: Action,
    draft: Draft,
    item_id: i64,
    /// Who has or gets it: the parameter and the id. None for an asset that comes in.
    holder: Option<(&'static str, i64)>,
}

/// One thing, or some of a stock, at its holder.
struct Holding {
    seq: i64,
    quantity: i64,
    employee_id: Option<i64>,
    location_id: Option<i64>,
    asset_id: Option<i64>,
}

impl Action {
    /// The action of that entity, if it is one that moves something which can be given out.
    pub(in super::super) fn of(entity: &'static Entity) -> Option<Self> {
        let item = schema::collection(item_of(entity)?)?;
        Some(Self { entity, item, supply: facts::supply_of(item.name)? })
    }

    /// The parameter that names the thing.
    fn parameter(&self) -> &'static str {
        self.entity.fields.first().map_or("id", |field| field.name)
    }

    /// The parameters that say who has or gets the thing.
    fn holders(&self) -> impl Iterator<Item = &'static str> {
        let beside_the_thing = self.entity.fields.iter().skip(1).map(|field| field.name);
        beside_the_thing.filter(|name| facts::HOLDERS.contains(name))
    }
}

impl Store {
    /// Does the action, and answers with the thing as it is afterwards.
    pub(in super::super) fn act(&mut self, account: Account, action: Action, body: &Body) -> Outcome<Reply> {
        let mut draft = rules::read(action.entity, Purpose::Create, body);
        self.resolve(account, &mut draft)?;
        let holder = read_holder(action, &mut draft);
        if draft.errors.has(action.parameter()) {
            // Without the thing there is nothing more to check.
            draft.errors.clone().refuse()?;
        }
        let item_id = draft.integer(action.parameter()).unwrap_or_default();
        let mut moving = Move { account, action, draft, item_id, holder };
        match action.entity.role {
            Role::Action(Verb::Checkout) => self.check_out(&mut moving)?,
            _ => self.check_in(&mut moving)?,
        }
        self.reply(account, action.item, item_id, StatusCode::OK)
    }

    fn check_out(&mut self, moving: &mut Move) -> Outcome<()> {
        self.refuse_archived_employee(moving)?;
        let quantity = match moving.action.supply {
            Supply::Single => self.take_single(moving)?,
            Supply::Stock(field) => self.take_stock(moving, field)?,
            Supply::Seats(field) => self.take_seats(moving, field)?,
        };
        std::mem::take(&mut moving.draft.errors).refuse()?;
        let holding = moving.holding(quantity);
        self.hand_out(moving, &holding)?;
        self.finish(moving, &holding, quantity, "Checkout")?;
        Ok(())
    }

    fn refuse_archived_employee(&self, moving: &mut Move) -> rusqlite::Result<()> {
        let Some(("employee_id", id)) = moving.holder else { return Ok(()) };
        if self.any("SELECT 1 FROM employees WHERE id = ?1 AND archived = 1", [id])? {
            moving.draft.errors.add("employee_id", format!("employee `{id}` is archived"));
        }
        Ok(())
    }

    fn take_single(&self, moving: &mut Move) -> rusqlite::Result<i64> {
        let name = moving.action.parameter();
        if self.is_out(moving.action.item.name, moving.item_id)? {
            moving.draft.errors.add(name, "is checked out already");
        }
        let sql = "SELECT s.type FROM assets a JOIN statuses s ON s.id = a.status_id WHERE a.id = ?1";
        let kind: Option<String> = self.first(sql, [moving.item_id], |row| row.get(0))?;
        if let Some(kind) = kind.filter(|kind| kind != "deployable") {
            moving.draft.errors.add(name, format!("has a status of the type `{kind}`, which is not deployable"));
        }
        Ok(1)
    }

    fn take_stock(&self, moving: &mut Move, capacity: &str) -> rusqlite::Result<i64> {
        let sql =
            format!("SELECT coalesce(\"{capacity}\", 0) - checked_out FROM {} WHERE id = ?1", moving.action.item.name);
        let available: i64 = self.first(&sql, [moving.item_id], |row| row.get(0))?.unwrap_or(0);
        let wanted = moving.draft.integer("quantity").unwrap_or(0);
        if wanted > available {
            let error = format!("must be at most `{available}`, which is how many are available");
            moving.draft.errors.add("quantity", error);
        }
        Ok(wanted)
    }

    /// Guide: `quantity` is "Required for Dynamic licenses", `product_key` "Required for Product Key licenses".
    fn take_seats(&self, moving: &mut Move, capacity: &str) -> rusqlite::Result<i64> {
        if !self.has_keys(moving.item_id)? {
            self.refuse_given(moving, "product_key", "is only for Product Key licenses");
            if moving.draft.value("quantity").is_none() && !moving.draft.errors.has("quantity") {
                moving.draft.errors.add("quantity", "is required for Dynamic licenses");
            }
            return self.take_stock(moving, capacity);
        }
        self.refuse_given(moving, "quantity", "is only for Dynamic licenses");
        let Some(key) = required_key(moving) else { return Ok(1) };
        if !self.any("SELECT 1 FROM product_keys WHERE license_id = ?1 AND product_key = ?2", (moving.item_id, &key))? {
            moving.draft.errors.add("product_key", format!("`{key}` is no key of this license"));
        } else if self.newest_holding(moving, Some(&key), None)?.is_some() {
            moving.draft.errors.add("product_key", format!("`{key}` is checked out already"));
        }
        Ok(1)
    }

    fn refuse_given(&self, moving: &mut Move, field: &'static str, error: &str) {
        if moving.draft.value(field).is_some() {
            moving.draft.errors.add(field, error);
        }
    }

    fn hand_out(&self, moving: &Move, holding: &Holding) -> rusqlite::Result<()> {
        let draft = &moving.draft;
        self.execute(
            "INSERT INTO holdings (tenant, collection, item_id, employee_id, location_id, asset_id, quantity, \
             product_key, checkout_date, checkin_date, condition, notes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                moving.account.0,
                moving.action.item.name,
                moving.item_id,
                holding.employee_id,
                holding.location_id,
                holding.asset_id,
                holding.quantity,
                draft.text("product_key"),
                draft.text("checkout_date"),
                draft.text("checkin_date"),
                draft.integer("condition"),
                draft.text("notes"),
            ],
        )
    }

    fn check_in(&mut self, moving: &mut Move) -> Outcome<()> {
        let key = match moving.action.supply {
            Supply::Seats(_) if self.has_keys(moving.item_id)? => required_key(moving),
            Supply::Seats(_) => {
                self.refuse_given(moving, "product_key", "is only for Product Key licenses");
                None
            }
            Supply::Single | Supply::Stock(_) => None,
        };
        let found = self.newest_holding(moving, key.as_deref(), moving.holder)?;
        if found.is_none() {
            moving.refuse_not_out();
        }
        std::mem::take(&mut moving.draft.errors).refuse()?;
        let Some(holding) = found else { return Ok(()) };
        self.execute("DELETE FROM holdings WHERE seq = ?1", [holding.seq])?;
        self.finish(moving, &holding, -holding.quantity, "Checkin")?;
        Ok(())
    }

    /// What went out last of the thing: to that holder, under that key.
    fn newest_holding(
        &self,
        moving: &Move,
        key: Option<&str>,
        holder: Option<(&str, i64)>,
    ) -> rusqlite::Result<Option<Holding>> {
        let (column, id) = holder.unwrap_or(("item_id", moving.item_id));
        let sql = format!(
            "SELECT seq, quantity, employee_id, location_id, asset_id FROM holdings \
             WHERE collection = ?1 AND item_id = ?2 AND {column} = ?3 AND (?4 IS NULL OR product_key = ?4) \
             ORDER BY seq DESC LIMIT 1"
        );
        self.first(&sql, (moving.action.item.name, moving.item_id, id, key), |row| {
            Ok(Holding {
                seq: row.get(0)?,
                quantity: row.get(1)?,
                employee_id: row.get(2)?,
                location_id: row.get(3)?,
                asset_id: row.get(4)?,
            })
        })
    }

    /// What both directions end with: the thing's own record, and the log.
    fn finish(&mut self, moving: &Move, holding: &Holding, out: i64, event: &'static str) -> rusqlite::Result<()> {
        let time = self.clock.stamp(Timestamp::now(), moving.action.item.name, moving.item_id).to_owned();
        let name = moving.action.item.name;
        match moving.action.supply {
            Supply::Single => self.move_along(moving, &time)?,
            Supply::Stock(_) | Supply::Seats(_) => self.execute(
                &format!("UPDATE {name} SET updated_at = ?2, checked_out = checked_out + ?3 WHERE id = ?1"),
                params![moving.item_id, time, out],
            )?,
        }
        let asset_id = match moving.action.supply {
            Supply::Single => Some(moving.item_id),
            Supply::Stock(_) | Supply::Seats(_) => holding.asset_id,
        };
        let event = Event {
            employee_id: holding.employee_id,
            location_id: holding.location_id,
            asset_id,
            quantity: Some(holding.quantity),
            notes: moving.draft.text("notes"),
            ..Event::new(moving.action.item, event, moving.item_id)
        };
        self.log(moving.account, &event, &time)
    }

    /// The asset's own status, location and department, where the action sets them.
    fn move_along(&self, moving: &Move, time: &str) -> rusqlite::Result<()> {
        let name = moving.action.item.name;
        self.execute(&format!("UPDATE {name} SET updated_at = ?2 WHERE id = ?1"), (moving.item_id, time))?;
        for (parameter, field) in facts::MOVES_WITH {
            let Some(value) = moving.draft.integer(parameter) else { continue };
            self.execute(&format!("UPDATE {name} SET \"{field}\" = ?2 WHERE id = ?1"), (moving.item_id, value))?;
        }
        Ok(())
    }
}

impl Move {
    fn holding(&self, quantity: i64) -> Holding {
        let id_of = |name| self.holder.filter(|(holder, _)| *holder == name).map(|(_, id)| id);
        Holding {
            seq: 0,
            quantity,
            employee_id: id_of("employee_id"),
            location_id: id_of("location_id"),
            asset_id: id_of("asset_id"),
        }
    }

    fn refuse_not_out(&mut self) {
        match self.holder {
            // An error of the holder or the key is told already, and explains this one.
            _ if !self.draft.errors.is_empty() => {}
            Some((holder, _)) => self.draft.errors.add(holder, "nothing of it is checked out there"),
            None if self.action.holders().next().is_some() => {}
            None => self.draft.errors.add(self.action.parameter(), "is not checked out"),
        }
    }
}

/// The one holder that must be named, where the action takes any.
fn read_holder(action: Action, draft: &mut Draft) -> Option<(&'static str, i64)> {
    let names: Vec<_> = action.holders().collect();
    let given: Vec<_> =
        names.iter().copied().filter(|name| draft.value(name).is_some() || draft.errors.has(name)).collect();
    match (&names[..], &given[..]) {
        ([], _) => None,
        (_, [name]) => draft.integer(name).map(|id| (*name, id)),
        _ => {
            let error = format!("give exactly one of `{}`", names.join("` and `"));
            for name in &names {
                draft.errors.add(name, error.as_str());
            }
            None
        }
    }
}

fn required_key(moving: &mut Move) -> Option<String> {
    let key = moving.draft.text("product_key").map(str::to_owned);
    if key.is_none() && !moving.draft.errors.has("product_key") {
        moving.draft.errors.add("product_key", "is required for Product Key licenses");
    }
    key
}
