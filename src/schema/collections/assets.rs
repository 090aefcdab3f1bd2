use crate::schema::{Deletion, Entity, Field, Meaning, Related, Role, words};

/// Guide: section "Assets".
pub const ASSETS: Entity = Entity {
    name: "assets",
    singular: "asset",
    path: "assets",
    help: "Devices and other things with a tag of their own, one row each.",
    also: &[
        "inventory", "hardware", "asset list", "asset register", "asset inventory", "equipment", "devices",
        "fixed assets", "computers", "inventar", "inventaire", "inventario",
    ],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["asset_id"],
    sorts: &[
        "asset_id", "created_at", "updated_at", "asset_name", "asset_serial", "warranty_expiration_date",
        "order_number", "purchase_date", "purchase_cost", "notes",
    ],
    fields: &[
        Field::text("asset_id")
            .code()
            .means(Meaning::Tag)
            .required()
            .filter()
            .also(&[
                "asset tag", "tag", "tag number", "tag no", "tag nr", "asset tag number", "asset code", "asset number",
                "asset no", "asset nr", "annotated asset id", "barcode", "barcode 1", "barcode code128", "uid",
                "local uid", "inventory number", "inventory no", "id inventaris", "id equipamento", "codigo bien",
                "serie junji", "numero", "inventarnummer", "inventar-nr", "numéro d'inventaire",
                "número de inventario", "编号", "资产编号",
            ])
            .help("The tag on the thing; no two assets share one.")
            .example("LAP-0042"),
        Field::text("asset_name")
            .filter()
            .also(&[
                "name", "item name", "asset", "asset title", "display name", "device name", "computer name",
                "host name", "fixed asset description", "libelle", "nom", "bezeichnung", "nombre", "固定资产名称",
                "资产名称",
            ])
            .help("What the thing is called, such as a host name.")
            .example("berlin-laptop-42"),
        Field::text("asset_serial")
            .means(Meaning::Serial)
            .code()
            .filter()
            .also(&[
                "serial", "serial number", "serial no", "serial nr", "asset serial number", "sn", "computer serial",
                "mobile device serial", "fixed asset serial code", "serie fabrica", "service tag", "seriennummer",
                "numéro de série", "número de serie", "número de série", "序列号",
            ])
            .help("The maker's serial number.")
            .example("5CG0123XYZ"),
        Field::date("warranty_expiration_date")
            .filter()
            .also(&[
                "warranty expiration", "warranty expires", "warranty expires on", "warranty expiry",
                "warranty expiry date", "warranty end", "warranty end date", "warranty until", "garantie bis",
                "garantieende", "fin de garantie", "fin de garantía", "we time",
            ])
            .help("The last day of the warranty.")
            .example("2027-06-30"),
        Field::date("end_of_life_date")
            .filter()
            .also(&["eol", "eol date", "asset eol", "asset eol date", "end of life", "lebensende"])
            // The guide says 'Individual by Asset' here; the option's own list spells it 'Individual Per Asset'.
            .help("The day it is to be retired; counts only where its product's end of life is `Individual Per Asset`.")
            .example("2029-12-31"),
        Field::text("order_number")
            .code()
            .filter()
            .also(words::ORDER_NUMBER)
            .help("The purchase order it came with.")
            .example("PO-2024-118"),
        Field::date("purchase_date")
            .filter()
            .also(words::PURCHASE_DATE)
            .help("The day it was bought.")
            .example("2024-06-30"),
        Field::money("purchase_cost").filter().also(words::PURCHASE_COST).help("What it cost.").example("1299"),
        Field::currency("currency")
            .also(words::CURRENCY)
            .help("The currency of the cost, where it is not the account's or the location's own."),
        Field::reference("product_id", "products")
            .required()
            .filter()
            .also(&[
                "product", "product name", "model", "model name", "model str", "asset model", "device model",
                "brand & model", "make and model", "vendor product", "modelo", "modell", "modèle", "type/model unit",
                "规格型号",
            ])
            .related(&[
                Related::new(
                    "category_id",
                    &[
                        "category", "category name", "asset category", "asset type", "device type", "type",
                        "product type", "product category", "model category", "nombre categoria", "categorie",
                        "catégories", "type asset", "kategorie", "类别名称",
                    ],
                ),
                Related::new("manufacturer_id", words::MANUFACTURER),
                Related::new(
                    "model_number",
                    &["model number", "model no", "model nr", "product number", "modellnummer", "numéro de modèle"],
                ),
            ])
            .help("Its product (model), by name.")
            .example("MacBook Pro 14"),
        Field::reference("status_id", "statuses")
            .required()
            .filter()
            .also(&[
                "status", "status name", "status label", "state", "asset status", "asset status code",
                "install status", "lifecycle state", "estado", "estado producto", "statut", "zustand", "资产状态",
            ])
            .related(&[Related::new("type", &["status type"])])
            .help("Its status, by name.")
            .example("Ready to deploy"),
        Field::reference("supplier_id", "suppliers")
            .filter()
            .also(words::SUPPLIER)
            .related(words::SUPPLIER_DETAILS)
            .help("Who sold it, by name.")
            .example("CDW"),
        Field::reference("location_id", "locations")
            .filter()
            .also(words::LOCATION)
            .related(words::LOCATION_DETAILS)
            .help("Where it belongs, by name.")
            .example("Berlin Office"),
        Field::reference("department_id", "departments")
            .filter()
            .also(words::DEPARTMENT)
            .related(words::DEPARTMENT_DETAILS)
            .help("The department it belongs to, by name.")
            .example("Finance"),
        Field::url("logo").also(words::LOGO).help("Link to a picture of it.").example("https://example.com/laptop.png"),
        Field::long_text("notes")
            .filter()
            .also(&[
                "note", "asset notes", "asset description", "remark", "remarks", "comment", "comments", "description",
                "contract notes", "reason/notes", "notes référence", "bemerkung", "bemerkungen", "notiz", "notizen",
                "kommentar", "remarque", "remarques", "commentaire", "commentaires", "observaciones", "notas",
                "observações", "opmerkingen", "keterangan", "备注",
            ])
            .help("Anything else worth knowing.")
            .example("Battery replaced in May"),
        Field::custom_fields(),
        Field::email("employee_email").filter_only().help("The employee it is checked out to."),
        // The guide prints this filter twice; it is one.
        Field::reference("category_id", "categories").read_only().filter().help("The category of its product."),
        Field::text("category_name").read_only().help("The name of that category."),
        Field::text("product_name").read_only().help("The name of its product."),
        Field::reference("manufacturer_id", "manufacturers").read_only().help("The manufacturer of its product."),
        Field::text("manufacturer_name").read_only().help("The name of that manufacturer."),
        Field::date("checkout_date").read_only().means(Meaning::HeldSince).help("The day it was checked out."),
        Field::structure("deployed_to")
            .means(Meaning::Holders)
            .naming(&["employees", "locations"])
            .help("Whom it is checked out to, and since when."),
    ],
};
