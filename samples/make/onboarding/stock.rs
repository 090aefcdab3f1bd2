//! Things by number, and licenses by seats.

use crate::Made;
use crate::book::Sheet;

pub(super) fn licenses() -> Made<Sheet> {
    Sheet::table(
        "Licenses",
        "Software | Category | Publisher | Supplier | Licensed To | Licensed To Email | Purchase Date {dd/mm/yyyy} | Renewal Date {dd/mm/yyyy} | Seats {0} | Purchase Cost {#,##0} | Currency | Department | Notes",
        "
        AEC Collection | Engineering Software | Autodesk | CADline Partners | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2025-04-01 | 2026-03-31 | 34 | 81600 | GBP | Structural Engineering | Named users; two go to workstations
        AutoCAD LT | Engineering Software | Autodesk | CADline Partners | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2025-04-01 | 2026-03-31 | 8 | 3360 | GBP | Building Services |
        Bluebeam Revu Complete | Engineering Software | Bluebeam | CADline Partners | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2025-06-15 | 2026-06-14 | 20 | 5400 | GBP | Building Services |
        Creative Cloud All Apps | Design Software | Adobe | CADline Partners | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2025-09-01 | 2026-08-31 | 16 | 10240 | GBP | Visualisation |
        Rhino 8 | Design Software | McNeel | Maasstad IT | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2024-02-12 | | 12 | 9540 | EUR | Architecture | Perpetual
        Microsoft 365 Business Premium | Office Software | Microsoft | Thameside Computing | Hollis & Fenwick Ltd | licences@hollisfenwick.example | 2025-01-20 | 2026-01-19 | 65 | 14040 | GBP | IT | Renews itself
        ",
    )
}

pub(super) fn accessories() -> Made<Sheet> {
    Sheet::table(
        "Accessories",
        "Item Name | Model Number | Category | Manufacturer | Supplier | Location | Qty {0} | Min Qty {0} | Purchase Date | Price {#,##0} | Currency",
        "
        MX Master 3S | 910-006559 | Keyboards and Mice | Logitech | Thameside Computing | London Store Room | 30 | 5 | 2025-02-10 | 84 | GBP
        MX Keys S | 920-011587 | Keyboards and Mice | Logitech | Thameside Computing | London Store Room | 30 | 5 | 2025-02-10 | 99 | GBP
        Lift Left Mouse | 910-006467 | Keyboards and Mice | Logitech | Avon Office Systems | Bristol Workshop | 3 | 1 | 2025-03-03 | 59 | GBP
        SpaceMouse Pro | 3DX-700040 | Keyboards and Mice | | CADline Partners | London Store Room | 12 | 2 | 2024-11-18 | 289 | GBP
        WD22TB4 Dock | 210-BDQH | Docks and Adapters | Dell | Thameside Computing | London Store Room | 25 | 4 | 2024-09-02 | 245 | GBP
        USB-C to HDMI Adapter | 470-ABMZ | Docks and Adapters | Dell | Maasstad IT | Rotterdam Server Room | 20 | 5 | 2024-09-05 | 29 | EUR
        65 W USB-C Charger | 492-BBUS | Docks and Adapters | Dell | Thameside Computing | London Store Room | 18 | 4 | 2025-05-19 | 45 | GBP
        Evolve2 65 | 26599-999-989 | Headsets | Jabra | Avon Office Systems | Bristol Workshop | 24 | 4 | 2025-01-27 | 179 | GBP
        Evolve2 30 SE | 23189-999-879 | Headsets | Jabra | Maasstad IT | Rotterdam Server Room | 10 | 2 | 2025-01-30 | 85 | EUR
        ",
    )
}

pub(super) fn consumables() -> Made<Sheet> {
    Sheet::table(
        "Consumables",
        "Item Name | Model Number | Category | Manufacturer | Supplier | Location | Quantity {0} | Minimum Quantity {0} | Purchase Date | Purchase Cost {#,##0} | Currency | Notes",
        "
        Ink HP 730 Matte Black | P2V71A | Plotter Supplies | HP | Thameside Computing | London Store Room | 6 | 2 | 2025-10-13 | 168 | GBP |
        Ink HP 730 Cyan | P2V68A | Plotter Supplies | HP | Thameside Computing | London Store Room | 4 | 1 | 2025-10-13 | 168 | GBP |
        Bond Paper Roll A0 90 g | Q1397A | Plotter Supplies | HP | Avon Office Systems | Bristol Workshop | 40 | 8 | 2025-09-08 | 27 | GBP | 36 inch
        Tracing Film Roll A0 | C3860A | Plotter Supplies | HP | Avon Office Systems | Bristol Workshop | 10 | 2 | 2025-04-22 | 96 | GBP |
        Hi-Vis Vest | HV-L | Site Safety | | GeoTool Hire & Sales | Bristol Workshop | 50 | 10 | 2025-06-02 | 9 | GBP | Sizes M to XL
        Survey Marker Spray | SOPPEC-OR | Site Safety | | GeoTool Hire & Sales | Bristol Workshop | 36 | 12 | 2025-08-11 | 7 | GBP | Orange
        ",
    )
}

pub(super) fn components() -> Made<Sheet> {
    Sheet::table(
        "Components",
        "Component | Part Number | Category | Manufacturer | Supplier | Location | Qty {0} | Purchase Date | Cost {#,##0} | Currency",
        "
        32 GB DDR5 SODIMM | KCP556SD8-32 | Memory | Kingston | Thameside Computing | London Store Room | 16 | 2025-04-28 | 98 | GBP
        64 GB DDR5 RDIMM | KSM56R46BD4-64 | Memory | Kingston | Maasstad IT | Rotterdam Server Room | 8 | 2025-05-02 | 310 | EUR
        RTX 4000 Ada | 900-5G190-2550 | Graphics Cards | NVIDIA | Maasstad IT | Rotterdam Server Room | 3 | 2025-08-25 | 1390 | EUR
        2 TB NVMe SSD | MZ-V9P2T0 | Storage | Samsung | Thameside Computing | London Store Room | 10 | 2025-03-11 | 149 | GBP
        8 TB NAS Disk | HAT5310-8T | Storage | Synology | Maasstad IT | Rotterdam Server Room | 4 | 2024-10-07 | 239 | EUR
        ",
    )
}
