//! The tables of the database and the columns of the replies, generated from the schema.

use rusqlite::Connection;

use super::super::facts::{self, JsonForm};
use super::copied;
use crate::schema::{self, COLLECTIONS, Entity, Field, Kind, Use, Wire};

#[derive(Debug)]
pub(super) struct RecordTables(Vec<RecordTable>);

#[derive(Debug)]
pub(super) struct RecordTable {
    pub(super) entity: &'static Entity,
    /// The columns of a reply, in the order of [`RecordTable::select`].
    pub(super) columns: Vec<ReplyColumn>,
    /// SQL to read one record; ?1 is its id, ?2 the account.
    pub(super) select: String,
    /// SQL to insert a record; ?1 is the account, ?2 the time, then the fields in the order of
    /// [`RecordTable::written`].
    pub(super) insert: String,
    /// Positions of the entity's fields that have a column.
    pub(super) written: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct ReplyColumn {
    /// The name as JSON, in front of the value: `"name":`.
    pub(super) lead: String,
    pub(super) form: JsonForm,
}

/// Tables that are not collections. Guide: sections "Activity", "Checkin", "Checkout".
const OTHER_TABLES: &str = "
CREATE TABLE IF NOT EXISTS accounts (tenant INTEGER PRIMARY KEY) STRICT;

-- Current checkouts to an employee, a location or an asset. A check-in deletes its row.
CREATE TABLE IF NOT EXISTS holdings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant INTEGER NOT NULL,
    collection TEXT NOT NULL,
    item_id INTEGER NOT NULL,
    employee_id INTEGER,
    location_id INTEGER,
    asset_id INTEGER,
    quantity INTEGER NOT NULL,
    product_key TEXT,
    checkout_date TEXT NOT NULL,
    checkin_date TEXT,
    condition INTEGER,
    notes TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS holdings_item ON holdings (item_id, collection);
CREATE INDEX IF NOT EXISTS holdings_employee ON holdings (employee_id, collection, item_id) WHERE employee_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS holdings_location ON holdings (location_id, collection, item_id) WHERE location_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS holdings_asset ON holdings (asset_id, collection, item_id) WHERE asset_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS product_keys (
    license_id INTEGER NOT NULL,
    product_key TEXT NOT NULL,
    PRIMARY KEY (license_id, product_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS activity (
    seq INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL,
    timestamp TEXT NOT NULL,
    type TEXT NOT NULL,
    event TEXT NOT NULL,
    item_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    employee_id INTEGER,
    employee_email TEXT,
    location_id INTEGER,
    asset_id INTEGER,
    quantity INTEGER,
    notes TEXT
) STRICT;
";

impl RecordTables {
    pub(super) fn from_schema() -> Self {
        Self(COLLECTIONS.iter().map(|entity| RecordTable::new(entity)).collect())
    }

    pub(super) fn of(&self, entity: &Entity) -> &RecordTable {
        self.named(entity.name)
    }

    /// The table of the collection with that name. A test below ensures that every name used is a collection.
    pub(super) fn named(&self, collection: &str) -> &RecordTable {
        let found = self.0.iter().find(|table| table.entity.name == collection);
        found.unwrap_or(&self.0[0])
    }

    /// Creates missing tables and columns.
    pub(super) fn create(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(OTHER_TABLES)?;
        connection.execute_batch(copied::TABLES)?;
        for table in &self.0 {
            table.create(connection)?;
        }
        self.write_statistics(connection)
    }

    /// Gives the query planner statistics that it cannot derive from an empty database: an account has many records, so
    /// that an index only helps with the columns after the account.
    fn write_statistics(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch("ANALYZE sqlite_schema; DELETE FROM sqlite_stat1")?;
        for table in &self.0 {
            for index in table.indexes() {
                let sql = "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?1, ?2, ?3)";
                connection.execute(sql, (table.entity.name, &index.name, index.rows))?;
            }
        }
        connection.execute_batch("ANALYZE sqlite_schema")
    }

    /// The latest `updated_at` of all records.
    pub(super) fn latest_update(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let mut latest = None;
        for table in &self.0 {
            let sql = format!("SELECT max(updated_at) FROM {}", table.entity.name);
            latest = latest.max(connection.query_row(&sql, [], |row| row.get(0))?);
        }
        Ok(latest)
    }
}

impl RecordTable {
    fn new(entity: &'static Entity) -> Self {
        let name = entity.name;
        let written: Vec<usize> = (0..entity.fields.len()).filter(|index| has_column(&entity.fields[*index])).collect();
        let columns = reply_columns(entity);
        let selected: Vec<&str> = columns.iter().map(|(_, sql, _)| sql.as_str()).collect();
        let fields: String = written.iter().map(|index| format!(", \"{}\"", entity.fields[*index].name)).collect();
        let marks: String = (0..written.len()).map(|index| format!(", ?{}", index + 3)).collect();
        Self {
            entity,
            select: format!("SELECT {} FROM {name} r WHERE r.id = ?1 AND r.tenant = ?2", selected.join(", ")),
            insert: format!("INSERT INTO {name} (tenant, created_at, updated_at{fields}) VALUES (?1, ?2, ?2{marks})"),
            columns: columns
                .into_iter()
                .map(|(name, _, form)| ReplyColumn { lead: format!("\"{name}\":"), form })
                .collect(),
            written,
        }
    }

    /// The fields that have a column.
    pub(super) fn written_fields(&self) -> impl Iterator<Item = &'static Field> {
        self.written.iter().map(|index| &self.entity.fields[*index])
    }

    /// The SQL by which lists compare that field, with one `?` for the value; ?1 is the account.
    pub(super) fn filter(&self, field: &Field) -> Option<String> {
        if let Some(sql) = self.expression(field.name) {
            return Some(match field.reference_to() {
                Some(reference) if reference.wire == Wire::Tag => {
                    format!("{sql} = (SELECT id FROM {} WHERE tenant = ?1 AND asset_id = ?)", reference.to)
                }
                _ => format!("{sql} = ?"),
            });
        }
        let lent = facts::stock_model(self.entity.name).is_some() && field.name == "employee_email";
        lent.then(|| {
            format!(
                "r.id IN (SELECT h.item_id FROM employees e JOIN holdings h ON h.employee_id = e.id \
                 WHERE h.collection = '{}' AND e.tenant = ?1 AND e.email = ?)",
                self.entity.name
            )
        })
    }

    /// The SQL by which a list is sorted for that option.
    pub(super) fn sort(&self, option: &str) -> Option<String> {
        let renamed = facts::SORTED_AS.iter().find(|(name, from, _)| *name == self.entity.name && *from == option);
        self.expression(renamed.map_or(option, |(.., field)| field))
    }

    /// The SQL for the stored or computed value of a field.
    fn expression(&self, name: &str) -> Option<String> {
        if let Some(computed) = computed(self.entity.name, name) {
            return Some(computed.sql.into());
        }
        let stored = self.entity.field(name).is_some_and(has_column);
        let stamp = matches!(name, "created_at" | "updated_at");
        (stored || stamp).then(|| format!("r.\"{name}\""))
    }

    /// Creates the table, or the columns that a table of an earlier version lacks. A column added later costs as much as the
    /// whole table: SQLite reads the definitions of all tables anew after each.
    fn create(&self, connection: &Connection) -> rusqlite::Result<()> {
        let name = self.entity.name;
        let definitions = self.definitions();
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {name} (id INTEGER PRIMARY KEY AUTOINCREMENT, tenant INTEGER NOT NULL, \
             created_at TEXT NOT NULL, updated_at TEXT NOT NULL, {}) STRICT",
            definitions.join(", ")
        ))?;
        let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let present: Vec<String> = statement.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for definition in definitions {
            let column = definition.split(' ').next().unwrap_or_default().trim_matches('"');
            if !present.iter().any(|name| name == column) {
                connection.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN {definition}"))?;
            }
        }
        for index in self.indexes() {
            connection.execute_batch(&index.sql)?;
        }
        Ok(())
    }

    /// SQL definitions of the columns other than id, account and timestamps.
    fn definitions(&self) -> Vec<String> {
        let fields = self.written_fields().map(|field| format!("\"{}\" {}", field.name, affinity(field.kind)));
        let hidden = facts::HIDDEN_COLUMNS.iter().filter(|(collection, _)| *collection == self.entity.name);
        fields.chain(hidden.map(|(_, definition)| (*definition).into())).collect()
    }

    /// Indexes for unique fields, the default sort orders, the timestamps and the fields that are searched.
    fn indexes(&self) -> Vec<TableIndex> {
        let collection = self.entity.name;
        let unique: Vec<_> = facts::UNIQUE.iter().filter(|unique| unique.collection == collection).collect();
        let is_unique = |field: &str| unique.iter().any(|unique| unique.field == field && unique.collation == "BINARY");
        let searched = facts::SEARCHED.iter().filter(|(name, _)| *name == collection).map(|(_, field)| *field);
        let sorted = self.entity.sorts.first().copied().into_iter().chain(["created_at", "updated_at"]);
        let plain =
            sorted.chain(searched).filter(|field| !is_unique(field)).map(|field| TableIndex::plain(collection, field));
        unique.iter().map(|unique| TableIndex::unique(unique)).chain(plain).collect()
    }
}

/// An index and its statistics for the query planner: rows in total, per account, per value.
struct TableIndex {
    name: String,
    sql: String,
    rows: &'static str,
}

impl TableIndex {
    fn plain(collection: &str, field: &str) -> Self {
        let name = format!("{collection}_by_{field}");
        let sql = format!("CREATE INDEX IF NOT EXISTS {name} ON {collection} (tenant, \"{field}\")");
        Self { name, sql, rows: "1000000 1000000 10" }
    }

    fn unique(unique: &facts::UniqueField) -> Self {
        let facts::UniqueField { collection, field, collation } = unique;
        let name = format!("{collection}_unique_{field}");
        let columns = format!("tenant, {field} COLLATE {collation}");
        let sql = format!("CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {collection} ({columns})");
        Self { name, sql, rows: "1000000 1000000 1" }
    }
}

/// Whether the field is stored, which is true if clients can write it.
fn has_column(field: &Field) -> bool {
    field.create != Use::No || field.update
}

fn affinity(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer { .. } | Kind::Money | Kind::Boolean | Kind::Reference(_) | Kind::User => "INTEGER",
        Kind::Text(_) | Kind::Date | Kind::Currency | Kind::Option(_) | Kind::CustomFields | Kind::Structure => "TEXT",
    }
}

fn computed(collection: &str, name: &str) -> Option<&'static facts::ComputedField> {
    facts::COMPUTED.iter().find(|computed| computed.collection == collection && computed.name == name)
}

/// The columns of a reply: name, SQL and JSON form. First the fields in the order of the schema, of which those that
/// only the service writes are computed or null, then the other computed fields, then the timestamps.
fn reply_columns(entity: &'static Entity) -> Vec<(&'static str, String, JsonForm)> {
    let mut columns = vec![("id", "r.id".to_owned(), JsonForm::Plain)];
    columns.extend(entity.fields.iter().filter_map(|field| reply_column(entity, field)));
    for computed in facts::COMPUTED.iter().filter(|computed| computed.collection == entity.name) {
        if !columns.iter().any(|(name, ..)| *name == computed.name) {
            columns.push((computed.name, computed.sql.into(), computed.form));
        }
    }
    columns.retain(|(name, ..)| !matches!(*name, "created_at" | "updated_at"));
    columns.extend(["created_at", "updated_at"].map(|name| (name, format!("r.{name}"), JsonForm::Plain)));
    columns
}

fn reply_column(entity: &'static Entity, field: &'static Field) -> Option<(&'static str, String, JsonForm)> {
    if field.name == "id" {
        return None;
    }
    if let Some(computed) = computed(entity.name, field.name) {
        return Some((field.name, computed.sql.into(), computed.form));
    }
    if !field.read {
        return None;
    }
    let name = field.name;
    let stored = format!("r.\"{name}\"");
    let (sql, form) = match field.kind {
        _ if !has_column(field) => ("NULL".to_owned(), JsonForm::Plain),
        Kind::Boolean => (stored, JsonForm::Boolean),
        Kind::CustomFields => (stored, JsonForm::Json),
        Kind::Reference(reference) if reference.wire == Wire::Tag => {
            (format!("(SELECT asset_id FROM {} WHERE id = {stored})", reference.to), JsonForm::Plain)
        }
        _ => (stored, JsonForm::Plain),
    };
    Some((name, sql, form))
}

/// Every field of a collection that refers to records of `to`.
pub(super) fn pointing_at(to: &str) -> impl Iterator<Item = (&'static Entity, &'static Field)> {
    let every = schema::COLLECTIONS.iter().flat_map(|entity| entity.fields.iter().map(|field| (*entity, field)));
    every
        .filter(move |(_, field)| has_column(field) && field.reference_to().is_some_and(|reference| reference.to == to))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_documented_filter_and_sort_has_its_sql() {
        for table in &RecordTables::from_schema().0 {
            for field in table.entity.filters() {
                assert!(table.filter(field).is_some(), "{} filters by {}", table.entity.name, field.name);
            }
            for sort in table.entity.sorts {
                assert!(table.sort(sort).is_some(), "{} sorts by {sort}", table.entity.name);
            }
        }
    }

    #[test]
    fn every_fact_names_a_collection_and_every_reference_one_that_exists() {
        let facts = facts::COMPUTED.iter().map(|computed| computed.collection);
        let facts = facts.chain(facts::HIDDEN_COLUMNS.iter().map(|(collection, _)| *collection));
        let facts = facts.chain(facts::UNIQUE.iter().map(|unique| unique.collection));
        let facts = facts.chain(facts::STOCK_MODELS.iter().map(|(collection, _)| *collection));
        let references = schema::importable().flat_map(|entity| entity.fields).filter_map(Field::reference_to);
        for collection in facts.chain(references.map(|reference| reference.to)) {
            assert!(schema::collection(collection).is_some(), "{collection}");
        }
    }

    #[test]
    fn pages_and_searches_use_their_indexes() {
        let connection = Connection::open_in_memory().unwrap();
        RecordTables::from_schema().create(&connection).unwrap();
        for (query, index) in [
            ("ORDER BY r.\"asset_id\" ASC, r.id ASC", "assets_unique_asset_id (tenant=?)"),
            ("ORDER BY r.\"created_at\" ASC, r.id ASC", "assets_by_created_at (tenant=?)"),
            ("ORDER BY r.\"updated_at\" DESC, r.id DESC", "assets_by_updated_at (tenant=?)"),
            (
                "AND r.\"asset_id\" = ? ORDER BY r.\"asset_id\" ASC, r.id ASC",
                "assets_unique_asset_id (tenant=? AND asset_id=?)",
            ),
            (
                "AND r.\"asset_serial\" = ? ORDER BY r.\"asset_id\" ASC, r.id ASC",
                "assets_by_asset_serial (tenant=? AND asset_serial=?)",
            ),
        ] {
            let sql =
                format!("EXPLAIN QUERY PLAN SELECT r.id FROM assets r WHERE r.tenant = ?1 {query} LIMIT ? OFFSET ?");
            let mut statement = connection.prepare(&sql).unwrap();
            let mut rows = statement.raw_query();
            let plan: String = rows.next().unwrap().unwrap().get("detail").unwrap();
            assert!(plan.ends_with(index), "{query}: {plan}");
        }
    }
}
