use crate::schema::{Deletion, Entity, Field, Meaning, Role, words};

/// Guide: section "Employees".
pub(super) const EMPLOYEES: Entity = Entity {
    name: "employees",
    singular: "employee",
    path: "employees",
    help: "The people that things are checked out to.",
    also: &[
        "people", "persons", "users", "user", "staff", "staff list", "personnel", "employee list", "team members",
        "mitarbeiter", "employés", "empleados", "员工",
    ],
    role: Role::Collection { deletion: Deletion::Recoverable },
    key: &["email"],
    sorts: &["name", "created_at", "updated_at", "email", "title", "notes"],
    fields: &[
        Field::text("name")
            .required()
            .filter()
            .also(&[
                "full name", "display name", "employee", "employee name", "real name", "user", "user full name",
                "name en", "vollständiger name", "nom complet", "nombre completo", "nome completo", "姓名",
            ])
            .joined_from(&[
                &["first name", "given name", "forename", "vorname", "prénom", "nombre", "nome", "voornaam", "imię"],
                &[
                    "last name", "surname", "family name", "nachname", "familienname", "nom", "nom de famille",
                    "apellido", "apellidos", "cognome", "sobrenome", "achternaam", "nazwisko",
                ],
            ])
            .help("First and last name.")
            .example("Ada Byron"),
        Field::email("email")
            .means(Meaning::PersonEmail)
            .required()
            .filter()
            .also(&[
                "email address", "employee email", "employee email address", "user email", "user's email address",
                "work email", "company email", "email id", "mail", "user principal name", "upn", "e-mail-adresse",
                "courriel", "adresse e-mail", "correo", "correo electrónico", "邮箱",
            ])
            .help("Their e-mail address; no two employees share one."),
        Field::text("title")
            .filter()
            .also(&[
                "job title", "position", "designation", "role", "job role", "employee role", "employee title",
                "job function", "funktion", "stelle", "poste", "cargo", "puesto", "职位",
            ])
            .help("What they do.")
            .example("Analyst"),
        Field::reference("location_id", "locations")
            .filter()
            .also(&[
                "location", "location name", "office", "office number", "office location",
                "physical delivery office name", "site", "building", "work location", "standort", "emplacement",
                "ubicación", "位置",
            ])
            .related(words::EMPLOYEE_LOCATION_DETAILS)
            .help("Where they work, by name of the location.")
            .example("Berlin Office"),
        Field::reference("department_id", "departments")
            .filter()
            .also(&[
                "department", "department name", "dept", "dept name", "division", "section", "team", "affiliation",
                "departemen", "setor", "abteilung", "département", "departamento", "afdeling", "部门名称", "部门",
            ])
            .related(words::DEPARTMENT_DETAILS)
            .help("Their department, by name.")
            .example("Finance"),
        Field::long_text("notes")
            .filter()
            .also(words::NOTES)
            .help("Anything else worth knowing.")
            .example("Works from home on Fridays"),
        // Words of the opposite sense (`active`, `activated`, `enabled`) are left out: a `yes` there means `no` here.
        Field::boolean("archived")
            .means(Meaning::PersonArchived)
            .also(&["is archived", "archiviert", "archivé", "deactivated", "disabled"])
            .help("Whether they have left.")
            .example("no"),
        Field::custom_fields(),
        Field::reference("manager_id", "employees").read_only().help("Whom they report to."),
        Field::structure("assets").help("The ids of the assets they hold."),
        Field::integer("number_of_assets").read_only().help("How many assets they hold."),
        Field::integer("number_of_accessories").read_only().help("How many accessories they hold."),
        Field::integer("number_of_consumables").read_only().help("How many consumables they were given."),
        Field::integer("number_of_licenses").read_only().help("How many licenses they hold."),
    ],
};
