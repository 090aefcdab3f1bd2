use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Categories".
pub(super) const CATEGORIES: Entity = Entity {
    name: "categories",
    singular: "category",
    path: "categories",
    help: "Groups of products, accessories, components, consumables or licenses, such as Laptops.",
    also: &["category list", "asset categories", "asset types", "kategorien", "catégories", "categorías"],
    role: Role::Collection { deletion: Deletion::Irreversible },
    key: &["name", "type"],
    sorts: &["name", "created_at", "updated_at", "type"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "category", "category name", "nombre categoria", "categoría", "categorie", "catégorie", "kategorie",
                "类别名称",
            ])
            .help("What the category is called.")
            .example("Laptops"),
        Field::option("type", &["accessory", "asset", "consumable", "component", "license"])
            .required()
            .filter()
            .also(&["category type", "item type", "kind"])
            .help("What the category is for.")
            .example("asset"),
        // The guide describes this parameter of create and update as a search; it is the setting itself.
        Field::boolean("checkout_email")
            .means(Meaning::NotifiesOnCheckout)
            .filter()
            .also(&["checkout emails", "send checkout email", "email on checkout"])
            .help("Whether the employee gets an e-mail at every checkout.")
            .example("no"),
        Field::text("eula")
            .also(&["end user license agreement", "end user licence agreement", "license agreement", "terms"])
            .help("The agreement shown to whoever receives a thing.")
            .example("Handle with care and return it when you leave"),
        Field::integer("minimum_quantity").also(words::MINIMUM_QUANTITY).help(
            "An alert comes when fewer of its assets than this are ready to deploy; only where the type is asset.",
        ),
        Field::url("logo")
            .also(words::LOGO)
            .help("Link to a picture for it.")
            .example("https://example.com/laptops.png"),
    ],
};
