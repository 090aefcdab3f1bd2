//! Products with what their assets look like. Those a fresh sandbox holds are spelled as it spells them.

use crate::random::Chance;

pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) model_number: &'static str,
    pub(crate) category: &'static str,
    pub(crate) manufacturer: &'static str,
    /// What one usually costs, in whole euros, pounds or dollars.
    pub(crate) cost: u32,
    /// See [`Chance::serial`]; empty for things without one.
    pub(crate) serial: &'static str,
}

const fn product(
    name: &'static str,
    model_number: &'static str,
    category: &'static str,
    manufacturer: &'static str,
    cost: u32,
    serial: &'static str,
) -> Product {
    Product { name, model_number, category, manufacturer, cost, serial }
}

impl Product {
    /// Chairs and desks have no serial number, no warranty and no host name.
    pub(crate) fn is_furniture(&self) -> bool {
        self.category == "Furniture"
    }

    pub(crate) fn draw_serial(&self, chance: &mut Chance) -> String {
        chance.serial(self.serial)
    }
}

/// What Hollis & Fenwick owns. Its notebooks are not in the sandbox's category `Laptops`, for which a checkout sends
/// an e-mail: bringing in a register of old must not write to sixty people.
pub(crate) const OF_THE_COMPANY: &[Product] = &[
    product("Precision 5690", "P5690-U9", "Notebooks", "Dell", 2890, "*******"),
    product("Precision 3591", "P3591-U7", "Notebooks", "Dell", 1740, "*******"),
    product("ZBook Power 16 G11", "8T0N4AV", "Notebooks", "HP", 2150, "5CG####@@@"),
    product("ThinkPad P1 Gen 7", "21KV0012UK", "Notebooks", "Lenovo", 2640, "PF######"),
    product("MacBook Air 13 M3", "MRXN3", "Notebooks", "Apple", 1249, "@@#@######"),
    product("Precision 7875 Tower", "P7875-TR", "Workstations", "Dell", 5480, "*******"),
    product("Z4 G5 Workstation", "9N3Y1ES", "Workstations", "HP", 3960, "CZC####@@@"),
    product("UltraSharp 27", "U2723QE", "Monitors", "Dell", 519, "CN-0@@###@-#####-@##-###@"),
    product("ColorEdge CG2700S", "CG2700S-BK", "Monitors", "EIZO", 1690, "########"),
    product("Flip Pro 75", "WM75B", "Monitors", "Samsung", 2390, "0####@@@@#####@"),
    product("iPhone 16", "A3287", "Phones", "Apple", 799, "@@**######"),
    product("XCover 7", "SM-G556B", "Phones", "Samsung", 379, "R5C@####@@@"),
    product("iPad Air", "M2", "Tablets", "Apple", 699, "@@**######"),
    product("DesignJet T850 MFP", "2Y9H2A", "Printers", "HP", 4290, "CN###@@@@@"),
    product("LaserJet Enterprise M612", "7PS86A", "Printers", "HP", 1120, "VNB##@####"),
    product("Catalyst 1300", "C1300-24T", "Network Equipment", "Cisco", 640, "PSZ########"),
    product("Meraki MX75", "MX75-HW", "Network Equipment", "Cisco", 910, "Q2TY-@@##-*@##"),
    product("RackStation RS1221+", "RS1221PLUS", "Storage Systems", "Synology", 1420, "20#0RXR@@@###"),
    product("Disto X4 Kit", "855138", "Survey Instruments", "Leica Geosystems", 1180, "29####1"),
    product("TS07 Total Station", "868856", "Survey Instruments", "Leica Geosystems", 8950, "33####7"),
    product("Aeron Chair Size B", "AER1B23DW", "Furniture", "Herman Miller", 1085, ""),
    product("Ratio Sit-Stand Desk 160", "RAT-160", "Furniture", "Herman Miller", 960, ""),
];

/// What the flat inventory holds, with a code for tags and how often each occurs. The last seven, two makers and a
/// category are new to a fresh sandbox.
pub(crate) const OF_THE_INVENTORY: &[(Product, &str, u32)] = &[
    (product("MacBook Pro 14", "MX2H3", "Laptops", "Apple", 1999, "@@**######"), "LT", 110),
    (product("Latitude 5450", "L5450", "Laptops", "Dell", 1299, "*******"), "LT", 190),
    (product("ThinkPad T14", "21ML", "Laptops", "Lenovo", 1449, "PF######"), "LT", 120),
    (product("EliteDesk 800", "G9", "Desktops", "HP", 989, "8CC####@@@"), "DT", 90),
    (product("UltraSharp 27", "U2723QE", "Monitors", "Dell", 519, "CN-0@@###@-#####-@##-###@"), "MN", 160),
    (product("iPhone 16", "A3287", "Phones", "Apple", 799, "@@**######"), "PH", 60),
    (product("Galaxy S24", "SM-S921B", "Phones", "Samsung", 729, "R5C@####@@@"), "PH", 40),
    (product("iPad Air", "M2", "Tablets", "Apple", 699, "@@**######"), "TB", 30),
    (product("LaserJet Pro", "M404dn", "Printers", "HP", 349, "VNB##@####"), "PR", 25),
    (product("Catalyst 1300", "C1300-24T", "Network Equipment", "Cisco", 640, "PSZ########"), "NW", 30),
    (product("OptiPlex 7020 Micro", "D17U", "Desktops", "Dell", 879, "*******"), "DT", 40),
    (product("Surface Laptop 6", "ZJU-00001", "Laptops", "Microsoft", 1549, "0############"), "LT", 35),
    (product("ColorEdge CG2700S", "CG2700S-BK", "Monitors", "EIZO", 1690, "########"), "MN", 20),
    (product("TASKalfa 2554ci", "1102YP3NL0", "Printers", "Kyocera", 3150, "W@########"), "PR", 8),
    (product("EB-L210SF", "V11HB98040", "Projectors", "Epson", 1890, "X5@@######"), "PJ", 12),
    (product("Steelcase Series 1", "435A00", "Furniture", "Steelcase", 415, ""), "FU", 40),
    (product("Migration SE Desk", "MSE-1600", "Furniture", "Steelcase", 690, ""), "FU", 25),
];
