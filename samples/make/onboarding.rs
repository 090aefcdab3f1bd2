//! `onboarding.xlsx`: the register of a whole company on its first day with BlueTally, people and look-ups included.
//!
//! The sheets stand as somebody would put them, not in the order in which they must be imported.

mod checkouts;
mod inventory;
mod lookups;
mod stock;

use crate::random::Chance;
use crate::{Made, book, company};

pub(crate) fn make() -> Made<Vec<u8>> {
    let mut chance = Chance::seeded(1887);
    let assets = inventory::draw(&mut chance);
    let sheets = [
        lookups::employees(),
        lookups::departments(),
        lookups::locations(),
        inventory::sheet(&assets),
        checkouts::of_assets(&mut chance, &assets),
        lookups::products(),
        lookups::categories()?,
        lookups::manufacturers()?,
        lookups::suppliers()?,
        lookups::statuses()?,
        lookups::depreciations()?,
        stock::licenses()?,
        checkouts::of_licenses(),
        stock::accessories()?,
        checkouts::of_accessories(&mut chance),
        stock::consumables()?,
        checkouts::of_consumables()?,
        stock::components()?,
        checkouts::of_components()?,
        inventory::maintenances()?,
        inventory::audits()?,
    ];
    book::write(company::NAME, &sheets)
}
