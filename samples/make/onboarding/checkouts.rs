//! Who has what: assets and licenses, and how many of everything else.

use jiff::ToSpan;
use jiff::civil::date;

use super::inventory::Asset;
use crate::Made;
use crate::book::{Cell, Sheet, row};
use crate::company::{self, Person};
use crate::random::Chance;

/// Everything that somebody has or that stands in a room for all. Only what is deployable is handed out.
pub(super) fn of_assets(chance: &mut Chance, assets: &[Asset]) -> Sheet {
    let is_out = |asset: &&Asset| asset.holder.is_some() || asset.room.is_some();
    let rows = assets.iter().filter(is_out).map(|asset| {
        let handed_out = chance.workday(asset.bought.saturating_add(7.days()), 14);
        let note = match asset.holder {
            Some(_) if chance.one_in(9) => "With charger and bag",
            None => "Meeting room",
            _ => "",
        };
        row![asset.tag.as_str(), asset.holder.map(|person| person.name), asset.room, handed_out, note]
    });
    Sheet::new(
        "Asset Checkouts",
        "Asset Tag | Assigned To | Location | Checkout Date {dd/mm/yyyy} | Notes",
        rows.collect(),
    )
}

/// Those of a department, in the order of the list.
fn people_of(department: &'static str) -> impl Iterator<Item = &'static Person> {
    company::staff().filter(move |person| person.department == department)
}

pub(super) fn of_licenses() -> Sheet {
    let to_person = |license: &'static str, day| {
        move |person: &Person| -> Vec<Cell> { row![license, person.email(), "", 1u32, day, ""] }
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    rows.extend(people_of("Structural Engineering").take(8).map(to_person("AEC Collection", date(2025, 4, 1))));
    rows.push(row!["AEC Collection", "", "HF-WS-0001", 1u32, date(2025, 4, 7), "Render node"]);
    rows.push(row!["AEC Collection", "", "HF-WS-0002", 1u32, date(2025, 4, 7), "Render node"]);
    rows.extend(people_of("Visualisation").map(to_person("Creative Cloud All Apps", date(2025, 9, 1))));
    rows.extend(people_of("Building Services").take(4).map(to_person("Bluebeam Revu Complete", date(2025, 6, 16))));
    rows.extend(people_of("Architecture").take(4).map(to_person("Rhino 8", date(2024, 2, 19))));
    Sheet::new(
        "License Checkouts",
        "License | Assigned To | Asset Tag | Quantity | Checkout Date {dd/mm/yyyy} | Notes",
        rows,
    )
}

pub(super) fn of_accessories(chance: &mut Chance) -> Sheet {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for person in people_of("Architecture").take(9) {
        let item = chance.pick(&["MX Master 3S", "MX Keys S", "WD22TB4 Dock"]);
        rows.push(row![item, person.name, "", 1u32, "2025-02-17", ""]);
    }
    for person in people_of("Surveying") {
        rows.push(row!["Evolve2 65", person.name, "", 1u32, "2025-02-03", ""]);
    }
    rows.push(row!["Lift Left Mouse", "Bronwen Hughes", "", 1u32, "2025-03-05", "Asked for by occupational health"]);
    rows.push(row!["USB-C to HDMI Adapter", "", "Rotterdam Office", 6u32, "2024-09-09", "One in each meeting room"]);
    rows.push(row!["65 W USB-C Charger", "", "London Studio", 4u32, "2025-05-21", "Hot desks"]);
    Sheet::new("Accessory Checkouts", "Accessory | Assigned To | Location | Qty | Checkout Date | Notes", rows)
}

pub(super) fn of_consumables() -> Made<Sheet> {
    Sheet::table(
        "Consumable Checkouts",
        "Consumable | Assigned To | Location | Qty {0} | Checkout Date",
        "
        Ink HP 730 Matte Black | | London Studio | 2 | 2025-11-03
        Ink HP 730 Cyan | | London Studio | 1 | 2025-11-03
        Bond Paper Roll A0 90 g | | Bristol Works | 12 | 2025-09-15
        Bond Paper Roll A0 90 g | | London Studio | 8 | 2025-09-16
        Hi-Vis Vest | Ursula Penn | | 5 | 2025-06-09
        Hi-Vis Vest | Bram Hoekstra | | 1 | 2025-06-12
        Survey Marker Spray | Dylan Roach | | 6 | 2025-08-18
        ",
    )
}

pub(super) fn of_components() -> Made<Sheet> {
    Sheet::table(
        "Component Checkouts",
        "Component | Asset Tag | Qty {0} | Checkout Date | Notes",
        "
        32 GB DDR5 SODIMM | HF-NB-0011 | 2 | 2025-05-06 | Both slots
        32 GB DDR5 SODIMM | HF-NB-0016 | 1 | 2025-05-12 |
        64 GB DDR5 RDIMM | HF-WS-0004 | 4 | 2025-05-20 |
        RTX 4000 Ada | HF-WS-0004 | 1 | 2025-09-02 | Second card
        8 TB NAS Disk | HF-NW-0004 | 4 | 2024-10-14 | Volume 2
        ",
    )
}
