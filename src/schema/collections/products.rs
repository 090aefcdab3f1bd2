use crate::schema::{Deletion, Entity, Field, Implied, Meaning, Related, Role, words};

/// Guide: section "Products".
pub(super) const PRODUCTS: Entity = Entity {
    name: "products",
    singular: "product",
    path: "products",
    help: "Models that assets are of, such as MacBook Pro 14.",
    also: &["models", "model", "asset models", "asset model", "product list", "product catalog", "produkte", "modelle"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name", "model_number"],
    sorts: &["name", "created_at", "updated_at", "model_number", "eol", "notes"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "product name", "product", "model", "model name", "asset model", "item name", "modelo", "modell",
                "modèle",
            ])
            .help("What the product is called.")
            .example("MacBook Pro 14"),
        Field::text("model_number")
            .code()
            .filter()
            .also(words::MODEL_NUMBER)
            .help("The maker's number for the model.")
            .example("MRX33"),
        // The guide also says 'Individual by Asset' (section "Assets"); this is the spelling of the option list.
        Field::option("end_of_life_type", &["Fixed Date", "Months from Asset Purchase Date", "Individual Per Asset"])
            .filter()
            .also(&["eol type", "end of life kind"])
            .help("How the end of life of its assets is told; `Fixed Date` where left empty."),
        Field::date("end_of_life_date")
            .filter()
            .also(&["eol date", "end of life", "end of life on"])
            .help("The last day of all its assets, where the type is `Fixed Date`.")
            .example("2029-12-31"),
        Field::integer("end_of_life_months")
            .filter()
            .at_least(1)
            .also(&["eol", "eol months", "end of life in months", "lifetime months", "useful life months"])
            .implies(Implied {
                field: "end_of_life_type",
                option: "Months from Asset Purchase Date",
                unless: "end_of_life_date",
            })
            .help("Months from an asset's purchase to its end, where the type is `Months from Asset Purchase Date`.")
            .example("48"),
        Field::money("default_purchase_cost")
            .filter()
            .also(&["default cost", "default price", "purchase cost", "purchase price", "price", "cost", "list price"])
            .help("What one usually costs.")
            .example("1999"),
        Field::reference("category_id", "categories")
            .narrowed("type", "asset")
            .required()
            .filter()
            .also(&[
                "category", "category name", "asset category", "asset type", "device type", "type", "product type",
                "product category", "model category", "categoría", "categorie", "catégorie", "kategorie", "类别名称",
            ])
            .help("Its category, by name.")
            .example("Laptops"),
        Field::reference("manufacturer_id", "manufacturers")
            .means(Meaning::Maker)
            .filter()
            .also(&[
                "manufacturer", "manufacturer name", "make", "maker", "brand", "brand name", "mfr", "vendor",
                "hersteller", "marke", "fabricant", "marque", "fabricante", "marca", "品牌", "制造商",
            ])
            .related(words::MANUFACTURER_DETAILS)
            .help("Who makes it, by name.")
            .example("Apple"),
        Field::reference("depreciation_id", "depreciations")
            .filter()
            .also(words::DEPRECIATION)
            .related(&[Related::new("months", &["depreciation months"])])
            .help("How its assets lose value, by name of the depreciation.")
            .example("Laptops 3 years"),
        Field::integer("minimum_quantity")
            .also(words::MINIMUM_QUANTITY)
            .help("An alert comes when fewer of its assets than this are ready to deploy."),
        Field::url("logo")
            .also(words::LOGO)
            .help("Link to a picture of it.")
            .example("https://example.com/macbook.png"),
        Field::long_text("notes")
            .filter()
            .also(&[
                "note", "model notes", "product notes", "remark", "remarks", "comment", "comments", "description",
                "bemerkung", "bemerkungen", "notizen", "remarques", "commentaires", "observaciones", "notas", "备注",
            ])
            .help("Anything else worth knowing.")
            .example("Standard for developers"),
        Field::boolean("archived")
            .filter()
            .also(&["is archived", "discontinued", "archiviert", "archivé"])
            .help("Whether it is no longer in use.")
            .example("no"),
        Field::custom_fields(),
    ],
};
