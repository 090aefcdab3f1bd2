//! People, places and everything that other sheets name.

use crate::Made;
use crate::book::{Cell, Sheet, row};
use crate::company::{self, Site};
use crate::products;

pub(super) fn employees() -> Sheet {
    let rows = company::PEOPLE.iter().map(|person| {
        let note = match person.name {
            "Sanne de Vries" => "Works from home on Fridays",
            "Martin Oakes" => "Left on 28 November 2025, laptop returned",
            "Femke Visser" => "Left on 31 October 2025",
            "Bronwen Hughes" => "Needs the left-handed mouse",
            _ => "",
        };
        let archived = if person.has_left() { "Yes" } else { "No" };
        row![person.name, person.email(), person.title, person.department, person.site.office(), archived, note]
    });
    Sheet::new(
        "Employees",
        "Full Name | Email Address | Job Title | Department | Office | Archived | Notes",
        rows.collect(),
    )
}

pub(super) fn departments() -> Sheet {
    let rows = company::DEPARTMENTS
        .iter()
        .map(|(name, mailbox, phone)| row![*name, format!("{mailbox}@hollisfenwick.example"), *phone]);
    Sheet::new("Departments", "Department | Email | Phone", rows.collect())
}

pub(super) fn locations() -> Sheet {
    let place = |site: Site, name: &str, floor: &str| -> Vec<Cell> {
        let (street, city, postcode, country, phone) = match site {
            Site::London => ("14 Clerkenwell Close", "London", "EC1R 0AA", "United Kingdom", "+44 20 7946 0200"),
            Site::Bristol => ("Unit 3, Spike Island", "Bristol", "BS1 6UE", "United Kingdom", "+44 117 496 0200"),
            Site::Rotterdam => ("Wijnhaven 88", "Rotterdam", "3011 WR", "Netherlands", "+31 10 555 0200"),
        };
        row![name, street, floor, city, postcode, country, phone, site.currency()]
    };
    let floors = [(Site::London, "Basement"), (Site::Bristol, "Ground floor, rear"), (Site::Rotterdam, "4th floor")];
    let rows =
        floors.into_iter().flat_map(|(site, floor)| [place(site, site.office(), ""), place(site, site.store(), floor)]);
    Sheet::new(
        "Locations",
        "Location | Address | Address 2 | City | Postcode | Country | Phone | Currency",
        rows.collect(),
    )
}

pub(super) fn products() -> Sheet {
    let rows = products::OF_THE_COMPANY.iter().map(|product| {
        let (months, depreciation) = match product.category {
            "Notebooks" | "Phones" | "Tablets" => (48u32, "Computers, 3 years"),
            "Furniture" => (120, "Furniture, 7 years"),
            "Survey Instruments" => (120, "Instruments, 8 years"),
            _ => (72, "Equipment, 5 years"),
        };
        row![
            product.name, product.model_number, product.category, product.manufacturer,
            "Months from Asset Purchase Date", months, product.cost, depreciation,
        ]
    });
    Sheet::new(
        "Products",
        "Model | Model Number | Category | Manufacturer | EOL Type | EOL Months | List Price {#,##0} | Depreciation",
        rows.collect(),
    )
}

pub(super) fn categories() -> Made<Sheet> {
    Sheet::table(
        "Categories",
        "Category | Type",
        "
        Notebooks | asset
        Workstations | asset
        Monitors | asset
        Phones | asset
        Tablets | asset
        Printers | asset
        Network Equipment | asset
        Storage Systems | asset
        Survey Instruments | asset
        Furniture | asset
        Keyboards and Mice | accessory
        Docks and Adapters | accessory
        Headsets | accessory
        Plotter Supplies | consumable
        Site Safety | consumable
        Memory | component
        Graphics Cards | component
        Storage | component
        Design Software | license
        Engineering Software | license
        Office Software | license
        ",
    )
}

pub(super) fn manufacturers() -> Made<Sheet> {
    Sheet::table(
        "Manufacturers",
        "Manufacturer | Website",
        "
        Adobe | https://www.adobe.com
        Apple | https://www.apple.com
        Autodesk | https://www.autodesk.com
        Bluebeam | https://www.bluebeam.com
        Cisco | https://www.cisco.com
        Dell | https://www.dell.com
        EIZO | https://www.eizo.com
        Herman Miller | https://www.hermanmiller.com
        HP | https://www.hp.com
        Jabra | https://www.jabra.com
        Kingston | https://www.kingston.com
        Leica Geosystems | https://leica-geosystems.com
        Lenovo | https://www.lenovo.com
        Logitech | https://www.logitech.com
        McNeel | https://www.rhino3d.com
        Microsoft | https://www.microsoft.com
        NVIDIA | https://www.nvidia.com
        Samsung | https://www.samsung.com
        Synology | https://www.synology.com
        ",
    )
}

pub(super) fn suppliers() -> Made<Sheet> {
    Sheet::table(
        "Suppliers",
        "Supplier | Contact | Phone | Email | City | Country | Website | Notes",
        "
        Thameside Computing | Laura Finch | +44 20 7946 0311 | orders@thameside.example | London | United Kingdom | https://thameside.example | Account 004471
        Avon Office Systems | Pete Langley | +44 117 496 0322 | sales@avonoffice.example | Bristol | United Kingdom | https://avonoffice.example |
        Maasstad IT | Ruben Kok | +31 10 555 0333 | verkoop@maasstad-it.example | Rotterdam | Netherlands | https://maasstad-it.example | Invoices in EUR only
        CADline Partners | Helen Marsh | +44 161 496 0344 | renewals@cadline.example | Manchester | United Kingdom | https://cadline.example | All design software
        GeoTool Hire & Sales | Colin Bright | +44 117 496 0355 | desk@geotool.example | Bristol | United Kingdom | https://geotool.example | Yearly calibration
        Harbour Furniture Co. | | +44 117 496 0366 | hello@harbourfurniture.example | Bristol | United Kingdom | |
        Northwind IT | | | orders@northwind.example.com | Hamburg | Germany | https://northwind.example.com | Networks
        ",
    ).map(|sheet| sheet.titled("Approved suppliers 2026"))
}

pub(super) fn statuses() -> Made<Sheet> {
    Sheet::table(
        "Statuses",
        "Status | Type | Notes",
        "
        In Use | deployable | With somebody, or in its place
        Ready to Deploy | deployable | Wiped, charged, in the store
        On Loan | deployable | Pool devices for site visits
        On Order | pending |
        In Repair | undeployable |
        Awaiting Calibration | undeployable | Survey instruments only
        Retired | archived | Certificate of disposal is in Finance
        ",
    )
}

pub(super) fn depreciations() -> Made<Sheet> {
    Sheet::table(
        "Depreciations",
        "Depreciation | Months {0} | Residual Value {#,##0}",
        "
        Computers, 3 years | 36 | 0
        Equipment, 5 years | 60 | 50
        Furniture, 7 years | 84 | 50
        Instruments, 8 years | 96 | 250
        ",
    )
}
