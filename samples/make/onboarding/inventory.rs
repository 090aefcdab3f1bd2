//! The assets themselves, what was done to them and when they were last seen.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use crate::Made;
use crate::book::{Sheet, row};
use crate::company::{self, Person, Site};
use crate::products::{OF_THE_COMPANY, Product};
use crate::random::Chance;

/// An asset, and who or what has it.
pub(super) struct Asset {
    pub(super) tag: String,
    name: String,
    serial: String,
    product: &'static Product,
    pub(super) status: &'static str,
    pub(super) site: Site,
    location: &'static str,
    department: &'static str,
    pub(super) bought: Date,
    warranty_years: i32,
    rack: &'static str,
    imei: String,
    notes: &'static str,
    /// The person who has it.
    pub(super) holder: Option<&'static Person>,
    /// The location it stands in for everybody.
    pub(super) room: Option<&'static str>,
}

/// Tags: a code for what it is, and a number of its own. Furniture has the six digits of its old paper labels.
fn tag(category: &str, number: usize) -> String {
    let code = match category {
        "Notebooks" => "NB",
        "Workstations" => "WS",
        "Monitors" => "MN",
        "Phones" => "PH",
        "Tablets" => "TB",
        "Printers" => "PR",
        "Network Equipment" | "Storage Systems" => "NW",
        "Survey Instruments" => "SV",
        _ => return format!("{:06}", 4200 + number * 3),
    };
    format!("HF-{code}-{number:04}")
}

/// Every asset of the company, numbered in the order in which they are told here.
pub(super) fn draw(chance: &mut Chance) -> Vec<Asset> {
    let mut assets = Vec::new();
    for person in company::staff() {
        let computer = computer_of(chance, person);
        add(&mut assets, chance, computer, person.site, |asset| asset.goes_to(person));
    }
    let phones = company::staff().filter(|person| has_phone(person));
    for person in phones {
        let model = if person.department == "Surveying" { "XCover 7" } else { "iPhone 16" };
        add(&mut assets, chance, model, person.site, |asset| asset.goes_to(person));
    }
    for (model, site, count, status) in IN_ROOMS {
        for _ in 0..*count {
            add(&mut assets, chance, model, *site, |asset| asset.stands(status));
        }
    }
    assets
}

/// What nobody has of their own: product, site, how many, status. `In Use` means that it stands in the office.
const IN_ROOMS: &[(&str, Site, usize, &str)] = &[
    ("Precision 5690", Site::London, 1, "Ready to Deploy"),
    ("Precision 3591", Site::Bristol, 2, "Ready to Deploy"),
    ("MacBook Air 13 M3", Site::London, 1, "In Repair"),
    ("ZBook Power 16 G11", Site::Bristol, 1, "In Repair"),
    ("ThinkPad P1 Gen 7", Site::Rotterdam, 1, "On Order"),
    ("UltraSharp 27", Site::London, 9, "Ready to Deploy"),
    ("UltraSharp 27", Site::Bristol, 7, "Ready to Deploy"),
    ("UltraSharp 27", Site::Rotterdam, 3, "Ready to Deploy"),
    ("ColorEdge CG2700S", Site::Rotterdam, 2, "Ready to Deploy"),
    ("Flip Pro 75", Site::London, 1, "In Use"),
    ("Flip Pro 75", Site::Bristol, 1, "In Use"),
    ("iPad Air", Site::Bristol, 3, "On Loan"),
    ("iPad Air", Site::London, 1, "Retired"),
    ("DesignJet T850 MFP", Site::London, 1, "In Use"),
    ("DesignJet T850 MFP", Site::Bristol, 1, "In Use"),
    ("LaserJet Enterprise M612", Site::Rotterdam, 1, "Ready to Deploy"),
    ("Catalyst 1300", Site::London, 1, "Ready to Deploy"),
    ("Catalyst 1300", Site::Bristol, 1, "Ready to Deploy"),
    ("Meraki MX75", Site::Rotterdam, 1, "Ready to Deploy"),
    ("RackStation RS1221+", Site::Rotterdam, 1, "Ready to Deploy"),
    ("Disto X4 Kit", Site::Bristol, 2, "On Loan"),
    ("TS07 Total Station", Site::Bristol, 1, "Awaiting Calibration"),
    ("Aeron Chair Size B", Site::London, 6, "Ready to Deploy"),
    ("Ratio Sit-Stand Desk 160", Site::Rotterdam, 4, "Ready to Deploy"),
];

fn computer_of(chance: &mut Chance, person: &Person) -> &'static str {
    match (person.department, person.title) {
        ("Visualisation", _) => chance.pick(&["Precision 7875 Tower", "Z4 G5 Workstation"]),
        (_, "BIM Coordinator" | "Laser Scan Technician") => "Z4 G5 Workstation",
        ("Finance" | "People & Office", _) | (_, "Managing Partner") => "MacBook Air 13 M3",
        ("Architecture", _) => chance.pick(&["Precision 5690", "ThinkPad P1 Gen 7"]),
        _ => chance.pick(&["Precision 3591", "ZBook Power 16 G11"]),
    }
}

fn has_phone(person: &Person) -> bool {
    person.department == "Surveying" || ["Managing Partner", "IT Manager", "Head of People"].contains(&person.title)
}

fn add(assets: &mut Vec<Asset>, chance: &mut Chance, model: &str, site: Site, settle: impl FnOnce(&mut Asset)) {
    let Some(product) = OF_THE_COMPANY.iter().find(|product| product.name == model) else { return };
    let like = |asset: &&Asset| tag(asset.product.category, 0) == tag(product.category, 0);
    let tag = tag(product.category, assets.iter().filter(like).count() + 1);
    let is_phone = product.category == "Phones";
    let mut asset = Asset {
        name: product.name.to_owned(),
        serial: product.draw_serial(chance),
        status: "In Use",
        site,
        location: site.office(),
        department: "IT",
        bought: chance.workday(date(2022, 2, 1), 1300),
        warranty_years: if product.is_furniture() { 0 } else { 3 },
        rack: match product.category {
            "Network Equipment" => "A-12",
            "Storage Systems" => "A-07",
            _ => "",
        },
        imei: if is_phone { chance.serial("35############0") } else { String::new() },
        notes: "",
        holder: None,
        room: None,
        product,
        tag,
    };
    settle(&mut asset);
    assets.push(asset);
}

impl Asset {
    fn goes_to(&mut self, person: &'static Person) {
        self.department = person.department;
        self.holder = Some(person);
        let first = person.name.split(' ').next().unwrap_or(person.name);
        self.name = format!("{first}'s {}", self.product.name);
    }

    fn stands(&mut self, status: &'static str) {
        self.status = status;
        match status {
            "In Use" => self.room = Some(self.site.office()),
            "On Order" => self.bought = date(2026, 1, 8),
            _ => self.location = self.site.store(),
        }
        self.notes = match (status, self.product.category) {
            ("In Repair", _) => "With the supplier since before Christmas",
            ("Retired", _) => "Cracked screen, not worth mending",
            ("Awaiting Calibration", _) => "Certificate ran out on 31 December 2025",
            ("On Loan", "Tablets") => "Pool device, book with Owen",
            _ => "",
        };
    }

    /// Where the site buys such things.
    fn supplier(&self) -> &'static str {
        match (self.product.category, self.site) {
            ("Furniture", _) => "Harbour Furniture Co.",
            ("Survey Instruments", _) => "GeoTool Hire & Sales",
            ("Network Equipment", _) => "Northwind IT",
            (_, Site::London) => "Thameside Computing",
            (_, Site::Bristol) => "Avon Office Systems",
            (_, Site::Rotterdam) => "Maasstad IT",
        }
    }
}

pub(super) fn sheet(assets: &[Asset]) -> Sheet {
    let rows = assets.iter().map(|asset| {
        let has_warranty = asset.warranty_years > 0;
        let warranty = has_warranty.then(|| asset.bought.saturating_add(asset.warranty_years.years()));
        let order = format!("PO-{}-{:03}", asset.bought.year(), asset.bought.day_of_year());
        row![
            asset.tag.as_str(),
            asset.name.as_str(),
            asset.serial.as_str(),
            asset.product.name,
            asset.status,
            asset.location,
            asset.department,
            asset.supplier(),
            order,
            asset.bought,
            asset.product.cost,
            asset.site.currency(),
            warranty,
            asset.notes,
            asset.rack,
            asset.imei.as_str(),
        ]
    });
    Sheet::new("Assets", "Asset Tag | Name | Serial Number | Model | Status | Location | Department | Supplier | PO Number | Purchase Date {dd/mm/yyyy} | Purchase Cost {#,##0} | Currency | Warranty Expiration {dd/mm/yyyy} | Notes | custom:Rack | custom:IMEI", rows.collect()).titled("Hollis & Fenwick: asset register as of 12 January 2026")
}

pub(super) fn maintenances() -> Made<Sheet> {
    Sheet::table(
        "Maintenances",
        "Asset Tag | Maintenance Type | Title | Start Date | End Date | Cost {#,##0} | Supplier | Notes",
        "
        HF-NB-0003 | repair | Keyboard replaced | 2025-03-17 | 2025-03-21 | 0 | Thameside Computing | Under warranty
        HF-NB-0011 | upgrade | Memory to 64 GB | 2025-05-06 | 2025-05-06 | 189 | Thameside Computing |
        HF-WS-0001 | repair | Power supply replaced | 2025-06-12 | 2025-06-20 | 240 | Maasstad IT |
        HF-WS-0004 | upgrade | Second graphics card | 2025-09-02 | 2025-09-03 | 95 | Maasstad IT | Card from stock
        HF-PR-0001 | maintenance | Yearly service | 2025-10-13 | 2025-10-13 | 310 | Thameside Computing |
        HF-PR-0002 | maintenance | Yearly service | 2025-10-20 | 2025-10-20 | 310 | Avon Office Systems |
        HF-SV-0003 | calibration | Calibration to ISO 17123-3 | 2026-01-05 | | 420 | GeoTool Hire & Sales | Expected back on 19 January
        HF-SV-0001 | calibration | Distance check | 2025-07-01 | 2025-07-02 | 85 | GeoTool Hire & Sales |
        HF-NW-0004 | software support | Firmware and disk check | 2025-11-08 | 2025-11-08 | 0 | | Done by Saskia
        HF-NB-0052 | test | Battery test before reissue | 2025-12-02 | 2025-12-02 | 0 | |
        ",
    )
}

/// Audits need the number of a BlueTally user; the sandbox's first is 1.
pub(super) fn audits() -> Made<Sheet> {
    Sheet::table(
        "Audits",
        "Audit Date {d mmm yyyy} | Next Audit Date {d mmm yyyy} | Scheduled | Completed | Asset Tag | Location | user_id {0} | Notes",
        "
        2025-11-24 | 2026-11-23 | Yes | Yes | HF-PR-0001 | London Studio | 1 |
        2025-11-24 | 2026-11-23 | Yes | Yes | HF-MN-0022 | London Studio | 1 | Label is worn
        2025-11-24 | 2026-11-23 | Yes | Yes | HF-NW-0001 | London Store Room | 1 |
        2025-11-24 | 2026-11-23 | No | Yes | 004203 | London Store Room | 1 | Found in the model shop
        2025-11-24 | 2026-11-23 | Yes | Yes | HF-PR-0002 | Bristol Works | 1 |
        2025-11-24 | 2026-11-23 | Yes | Yes | HF-SV-0001 | Bristol Workshop | 1 |
        2026-02-16 | | Yes | No | HF-NW-0004 | Rotterdam Server Room | 1 | Together with the firewall
        2026-02-16 | | Yes | No | HF-NW-0003 | Rotterdam Server Room | 1 |
        ",
    )
}
