use crate::schema::{Deletion, Entity, Field, Role, words};

/// Guide: section "Departments".
pub(super) const DEPARTMENTS: Entity = Entity {
    name: "departments",
    singular: "department",
    path: "departments",
    help: "Parts of your organisation, such as Finance.",
    also: &["dept", "depts", "teams", "divisions", "department list", "abteilungen", "départements", "departamentos"],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["name"],
    sorts: &["name", "created_at", "updated_at"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(words::DEPARTMENT)
            .help("What the department is called.")
            .example("Finance"),
        Field::email("email")
            .required()
            .filter()
            .also(&["email address", "department email", "dept email", "contact email", "mail", "courriel", "correo"])
            .help("How to reach the department by e-mail.")
            .example("finance@example.com"),
        Field::text("phone")
            .code()
            .required()
            .filter()
            .also(&[
                "phone number", "phone no", "department phone", "dept phone", "contact phone", "telephone",
                "telephone number", "tel", "telefon", "téléphone", "teléfono", "电话",
            ])
            .help("Phone number, kept as text.")
            .example("+49 30 1234567"),
    ],
};
