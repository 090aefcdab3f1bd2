//! `bluetally-template.xlsx`: filled-in sheets with the headers of BlueTally's own import templates.
//!
//! Everything they name is in a fresh sandbox.

use crate::Made;
use crate::book::{self, Sheet};

pub(crate) fn make() -> Made<Vec<u8>> {
    book::write("BlueTally template", &[accessories()?, consumables()?, components()?, assets()?])
}

fn accessories() -> Made<Sheet> {
    Sheet::table(
        "accessories",
        "accessory_name | model_number | order_number | purchase_date {yyyy-mm-dd} | purchase_cost {0} | currency | quantity {0} | minimum_quantity {0} | category_name | supplier_name | manufacturer_name | location_name | department_name",
        "
        Wireless Mouse M720 | 910-004791 | PO-2025-031 | 2025-03-04 | 39 | USD | 60 | 10 | Keyboards and Mice | Contoso Supplies | Logitech | Headquarters | IT
        Keyboard K380 | 920-007558 | PO-2025-031 | 2025-03-04 | 34 | USD | 60 | 10 | Keyboards and Mice | Contoso Supplies | Logitech | Headquarters | IT
        Magic Keyboard | MXCL3LL/A | PO-2025-044 | 2025-04-16 | 109 | EUR | 12 | 2 | Keyboards and Mice | Northwind IT | Apple | Berlin | Engineering
        USB-C Travel Hub | 470-BDQD | PO-2025-044 | 2025-04-16 | 69 | EUR | 25 | 5 | Cables and Adapters | Northwind IT | Dell | Berlin |
        USB-C Cable 2 m | | | | 12 | GBP | 100 | 20 | Cables and Adapters | Adventure Office | | London |
        ",
    )
}

fn consumables() -> Made<Sheet> {
    Sheet::table(
        "consumables",
        "consumable_name | model_number | order_number | purchase_date {yyyy-mm-dd} | purchase_cost {0} | currency | quantity {0} | minimum_quantity {0} | category_name | supplier_name | manufacturer_name | location_name | department_name",
        "
        Toner 59A Black | CF259A | PO-2025-052 | 2025-05-08 | 98 | USD | 14 | 4 | Printer Supplies | Fabrikam Hardware | HP | Warehouse | IT
        Toner 59X Black, high yield | CF259X | PO-2025-052 | 2025-05-08 | 189 | USD | 6 | 2 | Printer Supplies | Fabrikam Hardware | HP | Warehouse | IT
        Printer Labels A4 | L7160 | | 2025-06-02 | 21 | EUR | 30 | 5 | Printer Supplies | Adventure Office | | Berlin | Human Resources
        ",
    )
}

fn components() -> Made<Sheet> {
    Sheet::table(
        "components",
        "component_name | model_number | order_number | purchase_date {yyyy-mm-dd} | purchase_cost {0} | currency | quantity {0} | minimum_quantity {0} | category_name | supplier_name | manufacturer_name | location_name | department_name",
        "
        16 GB DDR5 SODIMM | M425R2GA3BB0 | PO-2025-060 | 2025-06-23 | 52 | USD | 40 | 8 | Memory | Contoso Supplies | Samsung | Warehouse | IT
        990 PRO 1 TB | MZ-V9P1T0B | PO-2025-060 | 2025-06-23 | 99 | USD | 20 | 4 | Storage | Contoso Supplies | Samsung | Warehouse | IT
        870 EVO 2 TB | MZ-77E2T0B | PO-2025-061 | 2025-06-25 | 154 | EUR | 8 | 2 | Storage | Northwind IT | Samsung | Berlin | IT
        ",
    )
}

fn assets() -> Made<Sheet> {
    Sheet::table(
        "assets",
        "asset_id | asset_name | asset_serial | product_name | status_name | supplier_name | location_name | department_name | order_number | purchase_date {yyyy-mm-dd} | purchase_cost {0} | currency | warranty_expiration_date {yyyy-mm-dd} | notes",
        "
        BT-0001 | CHI-LT-01 | 7GQK2X3 | Latitude 5450 | In Use | Contoso Supplies | Headquarters | Finance | PO-2025-014 | 2025-02-03 | 1299 | USD | 2028-02-03 |
        BT-0002 | CHI-LT-02 | 7GQK2Y9 | Latitude 5450 | In Use | Contoso Supplies | Headquarters | Sales | PO-2025-014 | 2025-02-03 | 1299 | USD | 2028-02-03 |
        BT-0003 | BER-LT-01 | K2XJ0T4QPW | MacBook Pro 14 | Ready to Deploy | Northwind IT | Berlin | Engineering | PO-2025-020 | 2025-02-17 | 2099 | EUR | 2026-02-17 | QWERTZ keyboard
        BT-0004 | LON-LT-01 | PF4ZK81M | ThinkPad T14 | In Repair | Fabrikam Hardware | London | Sales | | 2024-11-11 | 1189 | GBP | 2027-11-11 | Hinge
        BT-0005 | CHI-MN-01 | CN-0XG3P4-74261-2BF-104L | UltraSharp 27 | In Use | Contoso Supplies | Headquarters | | PO-2025-014 | 2025-02-03 | 549 | USD | 2028-02-03 |
        BT-0006 | CHI-SW-01 | PSZ26140QK7 | Catalyst 1300 | In Use | Northwind IT | Warehouse | IT | PO-2024-166 | 2024-08-26 | 640 | USD | 2027-08-26 | Rack 2
        BT-0007 | CHI-PR-01 | VNB3K20417 | LaserJet Pro | In Use | Adventure Office | Headquarters | Human Resources | | 2023-05-09 | 349 | USD | 2024-05-09 |
        BT-0008 | | R5CX30QAWBL | Galaxy S24 | Lost or Stolen | Fabrikam Hardware | London | Sales | | 2024-03-18 | 699 | GBP | 2026-03-18 | Reported to the police
        ",
    )
}
