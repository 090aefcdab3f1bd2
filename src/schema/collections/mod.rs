//! A file per collection: one table each, named for its section of the guide.

use super::Entity;

mod accessories;
mod activity;
mod assets;
mod audits;
mod categories;
mod components;
mod consumables;
mod departments;
mod depreciations;
mod employees;
mod licenses;
mod locations;
mod maintenances;
mod manufacturers;
mod products;
mod statuses;
mod suppliers;
mod tenants;

pub use activity::ACTIVITY;
pub use assets::ASSETS;
pub use licenses::LICENSES;
pub use tenants::TENANTS;

/// The sixteen collections in dependency order: a record refers only to collections before its own.
pub const COLLECTIONS: &[&Entity] = &[
    &depreciations::DEPRECIATIONS,
    &manufacturers::MANUFACTURERS,
    &suppliers::SUPPLIERS,
    &statuses::STATUSES,
    &categories::CATEGORIES,
    &departments::DEPARTMENTS,
    &locations::LOCATIONS,
    &employees::EMPLOYEES,
    &products::PRODUCTS,
    &assets::ASSETS,
    &licenses::LICENSES,
    &accessories::ACCESSORIES,
    &components::COMPONENTS,
    &consumables::CONSUMABLES,
    &maintenances::MAINTENANCES,
    &audits::AUDITS,
];
