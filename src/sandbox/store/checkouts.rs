//! Check-ins and checkouts. Guide: sections "Checkin" and "Checkout".
//!
//! One implementation for all nine actions, derived from their parameters: the first one is the item, `employee_id`,
//! `location_id` and `asset_id` are the holder, `quantity` and `product_key` say how much.

use axum::http::StatusCode;
use jiff::Timestamp;
use rusqlite::{Result as SqlResult, params};

use super::super::body::JsonBody;
use super::super::facts::{self, StockModel};
use super::super::rules::{self, BodyPurpose, ParsedBody};
use super::activity::LogEvent;
use super::record_store::{AccountId, RecordStore, StoreResult};
use super::references::item_of;
use crate::schema::{self, Entity, Role, Verb};

#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckoutAction {
    pub(crate) entity: &'static Entity,
    /// The collection of the item, which the first parameter refers to.
    item: &'static Entity,
    stock: StockModel,
}

/// An action whose body was parsed. All errors are collected before anything is changed.
struct Transfer {
    account: AccountId,
    action: CheckoutAction,
    draft: ParsedBody,
    item_id: i64,
    /// The holder: the parameter and the id. None when an asset is checked in.
    holder: Option<(&'static str, i64)>,
}

/// An item, or a quantity of it, checked out to a holder.
struct Checkout {
    seq: i64,
    quantity: i64,
    employee_id: Option<i64>,
    location_id: Option<i64>,
    asset_id: Option<i64>,
}

impl CheckoutAction {
    /// The action of that entity, if its items can be checked out.
    pub(crate) fn of(entity: &'static Entity) -> Option<Self> {
        let item = schema::collection(item_of(entity)?)?;
        Some(Self { entity, item, stock: facts::stock_model(item.name)? })
    }

    fn parameter(&self) -> &'static str {
        self.entity.fields.first().map_or("id", |field| field.name)
    }

    fn holders(&self) -> impl Iterator<Item = &'static str> {
        let beside_the_thing = self.entity.fields.iter().skip(1).map(|field| field.name);
        beside_the_thing.filter(|name| facts::HOLDERS.contains(name))
    }
}

impl RecordStore {
    /// Executes the action and returns the item afterwards.
    pub(crate) fn act(&mut self, account: AccountId, action: CheckoutAction, body: &JsonBody) -> StoreResult {
        let mut draft = rules::read(action.entity, BodyPurpose::Create, body);
        self.resolve(account, &mut draft)?;
        let holder = read_holder(action, &mut draft);
        if draft.errors.has(action.parameter()) {
            // Without the item there is nothing else to check.
            draft.errors.clone().refuse()?;
        }
        let item_id = draft.integer(action.parameter()).unwrap_or_default();
        let mut transfer = Transfer { account, action, draft, item_id, holder };
        match action.entity.role {
            Role::Action(Verb::Checkout) => self.check_out(&mut transfer)?,
            _ => self.check_in(&mut transfer)?,
        }
        self.reply(account, action.item, item_id, StatusCode::OK)
    }

    fn check_out(&mut self, transfer: &mut Transfer) -> StoreResult<()> {
        self.refuse_archived_employee(transfer)?;
        let quantity = match transfer.action.stock {
            StockModel::Single => self.take_single(transfer)?,
            StockModel::Stock(field) => self.take_stock(transfer, field)?,
            StockModel::Seats(field) => self.take_seats(transfer, field)?,
        };
        std::mem::take(&mut transfer.draft.errors).refuse()?;
        let Some(holder) = transfer.holder else { return Ok(()) };
        self.hand_out(transfer, holder, quantity)?;
        let Some(holding) = self.latest_checkout(transfer, None, Some(holder))? else { return Ok(()) };
        Ok(self.finish(transfer, &holding, quantity, "Checkout")?)
    }

    fn refuse_archived_employee(&self, transfer: &mut Transfer) -> SqlResult<()> {
        let Some(("employee_id", id)) = transfer.holder else { return Ok(()) };
        if self.any("SELECT 1 FROM employees WHERE id = ?1 AND archived = 1", [id])? {
            transfer.draft.errors.add("employee_id", format!("employee `{id}` is archived"));
        }
        Ok(())
    }

    fn take_single(&self, transfer: &mut Transfer) -> SqlResult<i64> {
        let name = transfer.action.parameter();
        if self.is_out(transfer.action.item.name, transfer.item_id)? {
            transfer.draft.errors.add(name, "is checked out already");
        }
        let sql = "SELECT s.type FROM assets a JOIN statuses s ON s.id = a.status_id WHERE a.id = ?1";
        let kind: Option<String> = self.first(sql, [transfer.item_id], |row| row.get(0))?;
        if let Some(kind) = kind.filter(|kind| kind != "deployable") {
            transfer.draft.errors.add(name, format!("has a status of the type `{kind}`, which is not deployable"));
        }
        Ok(1)
    }

    fn take_stock(&self, transfer: &mut Transfer, capacity: &str) -> SqlResult<i64> {
        let sql = format!(
            "SELECT coalesce(\"{capacity}\", 0) - checked_out FROM {} WHERE id = ?1",
            transfer.action.item.name
        );
        let available: i64 = self.first(&sql, [transfer.item_id], |row| row.get(0))?.unwrap_or(0);
        let wanted = transfer.draft.integer("quantity").unwrap_or(0);
        if wanted > available {
            let error = format!("must be at most `{available}`, which is how many are available");
            transfer.draft.errors.add("quantity", error);
        }
        Ok(wanted)
    }

    /// Guide: `quantity` is "Required for Dynamic licenses", `product_key` "Required for Product Key licenses".
    fn take_seats(&self, transfer: &mut Transfer, capacity: &str) -> SqlResult<i64> {
        if !self.has_keys(transfer.item_id)? {
            self.refuse_given(transfer, "product_key", "is only for Product Key licenses");
            if transfer.draft.value("quantity").is_none() && !transfer.draft.errors.has("quantity") {
                transfer.draft.errors.add("quantity", "is required for Dynamic licenses");
            }
            return self.take_stock(transfer, capacity);
        }
        self.refuse_given(transfer, "quantity", "is only for Dynamic licenses");
        let Some(key) = required_key(transfer) else { return Ok(1) };
        if !self
            .any("SELECT 1 FROM product_keys WHERE license_id = ?1 AND product_key = ?2", (transfer.item_id, &key))?
        {
            transfer.draft.errors.add("product_key", format!("`{key}` is not a key of this license"));
        } else if self.latest_checkout(transfer, Some(&key), None)?.is_some() {
            transfer.draft.errors.add("product_key", format!("`{key}` is checked out already"));
        }
        Ok(1)
    }

    fn refuse_given(&self, transfer: &mut Transfer, field: &'static str, error: &str) {
        if transfer.draft.value(field).is_some() {
            transfer.draft.errors.add(field, error);
        }
    }

    fn hand_out(&self, transfer: &Transfer, (column, holder): (&str, i64), quantity: i64) -> SqlResult<()> {
        let draft = &transfer.draft;
        let sql = format!(
            "INSERT INTO holdings (tenant, collection, item_id, {column}, quantity, product_key, checkout_date, \
             checkin_date, condition, notes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        );
        let Transfer { account, action, item_id, .. } = transfer;
        let [key, checkout_date, checkin_date, notes] =
            ["product_key", "checkout_date", "checkin_date", "notes"].map(|field| draft.text(field));
        let (item, condition) = (action.item.name, draft.integer("condition"));
        self.execute(
            &sql,
            params![account.0, item, item_id, holder, quantity, key, checkout_date, checkin_date, condition, notes],
        )
    }

    fn check_in(&mut self, transfer: &mut Transfer) -> StoreResult<()> {
        let key = match transfer.action.stock {
            StockModel::Seats(_) if self.has_keys(transfer.item_id)? => required_key(transfer),
            StockModel::Seats(_) => {
                self.refuse_given(transfer, "product_key", "is only for Product Key licenses");
                None
            }
            StockModel::Single | StockModel::Stock(_) => None,
        };
        let found = self.latest_checkout(transfer, key.as_deref(), transfer.holder)?;
        if found.is_none() {
            transfer.refuse_not_out();
        }
        std::mem::take(&mut transfer.draft.errors).refuse()?;
        let Some(holding) = found else { return Ok(()) };
        self.execute("DELETE FROM holdings WHERE seq = ?1", [holding.seq])?;
        self.finish(transfer, &holding, -holding.quantity, "Checkin")?;
        Ok(())
    }

    /// The latest checkout of the item to that holder and with that key.
    fn latest_checkout(
        &self,
        transfer: &Transfer,
        key: Option<&str>,
        holder: Option<(&str, i64)>,
    ) -> SqlResult<Option<Checkout>> {
        let (column, id) = holder.unwrap_or(("item_id", transfer.item_id));
        let sql = format!(
            "SELECT seq, quantity, employee_id, location_id, asset_id FROM holdings \
             WHERE collection = ?1 AND item_id = ?2 AND {column} = ?3 AND (?4 IS NULL OR product_key = ?4) \
             ORDER BY seq DESC LIMIT 1"
        );
        self.first(&sql, (transfer.action.item.name, transfer.item_id, id, key), |row| {
            Ok(Checkout {
                seq: row.get(0)?,
                quantity: row.get(1)?,
                employee_id: row.get(2)?,
                location_id: row.get(3)?,
                asset_id: row.get(4)?,
            })
        })
    }

    /// The last steps of both directions: updates the item's own record and the log.
    fn finish(&mut self, transfer: &Transfer, holding: &Checkout, out: i64, event: &'static str) -> SqlResult<()> {
        let time = self.clock.stamp(Timestamp::now(), transfer.action.item.name, transfer.item_id).to_owned();
        let name = transfer.action.item.name;
        match transfer.action.stock {
            StockModel::Single => self.update_asset(transfer, &time)?,
            StockModel::Stock(_) | StockModel::Seats(_) => self.execute(
                &format!("UPDATE {name} SET updated_at = ?2, checked_out = checked_out + ?3 WHERE id = ?1"),
                params![transfer.item_id, time, out],
            )?,
        }
        let asset_id = match transfer.action.stock {
            StockModel::Single => Some(transfer.item_id),
            StockModel::Stock(_) | StockModel::Seats(_) => holding.asset_id,
        };
        let event = LogEvent {
            employee_id: holding.employee_id,
            location_id: holding.location_id,
            asset_id,
            quantity: Some(holding.quantity),
            notes: transfer.draft.text("notes"),
            ..LogEvent::new(transfer.action.item, event, transfer.item_id)
        };
        self.log(transfer.account, &event, &time)
    }

    /// Updates status, location and department of the asset, if the action sets them.
    fn update_asset(&self, transfer: &Transfer, time: &str) -> SqlResult<()> {
        let name = transfer.action.item.name;
        self.execute(&format!("UPDATE {name} SET updated_at = ?2 WHERE id = ?1"), (transfer.item_id, time))?;
        for (parameter, field) in facts::MOVES_WITH {
            let Some(value) = transfer.draft.integer(parameter) else { continue };
            self.execute(&format!("UPDATE {name} SET \"{field}\" = ?2 WHERE id = ?1"), (transfer.item_id, value))?;
        }
        Ok(())
    }
}

impl Transfer {
    fn refuse_not_out(&mut self) {
        match self.holder {
            // An error of the holder or the key was already reported, and explains this one.
            _ if !self.draft.errors.is_empty() => {}
            Some((holder, _)) => self.draft.errors.add(holder, "nothing of it is checked out there"),
            None if self.action.holders().next().is_some() => {}
            None => self.draft.errors.add(self.action.parameter(), "is not checked out"),
        }
    }
}

/// The holder, of which exactly one must be given if the action takes any.
fn read_holder(action: CheckoutAction, draft: &mut ParsedBody) -> Option<(&'static str, i64)> {
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

fn required_key(transfer: &mut Transfer) -> Option<String> {
    let key = transfer.draft.text("product_key").map(str::to_owned);
    if key.is_none() && !transfer.draft.errors.has("product_key") {
        transfer.draft.errors.add("product_key", "is required for Product Key licenses");
    }
    key
}
