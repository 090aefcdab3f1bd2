//! Exports of other tools: recognised by their headers, and read without flags.

use crate::harness::{CliTest, assert_output};

/// A preset, the headers of its export, and the cells of a row by header; other cells are blank.
type Export = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const EXPORTS: &[Export] = &[
    (
        "entra-users",
        &[
            "userPrincipalName", "displayName", "surname", "mail", "givenName", "id", "userType", "jobTitle",
            "department", "accountEnabled", "usageLocation", "streetAddress", "state", "country", "officeLocation",
            "city", "postalCode", "telephoneNumber", "mobilePhone", "alternateEmailAddress", "ageGroup",
            "consentProvidedForMinor", "legalAgeGroupClassification", "companyName", "creationType", "directorySynced",
            "invitationState", "identityIssuer", "createdDateTime",
        ],
        &[
            ("userPrincipalName", "ada@corp.example"),
            ("displayName", "Ada Byron"),
            ("mail", "ada@example.com"),
            ("id", "6f1c1d52-5c2f-4b52-9a46-2a0bd1c0ffee"),
            ("userType", "Member"),
            ("jobTitle", "Analyst"),
            ("department", "Finance"),
            ("accountEnabled", "True"),
            ("state", "Berlin"),
            ("createdDateTime", "2026-01-02T03:04:05Z"),
        ],
    ),
    (
        "entra-users",
        &[
            "userPrincipalName", "displayName", "surname", "mail", "givenName", "objectId", "userType", "jobTitle",
            "department", "accountEnabled", "usageLocation", "physicalDeliveryOfficeName", "telephoneNumber", "mobile",
        ],
        &[
            ("userPrincipalName", "ada@corp.example"),
            ("displayName", "Ada Byron"),
            ("objectId", "6f1c1d52-5c2f-4b52-9a46-2a0bd1c0ffee"),
            ("accountEnabled", "False"),
            ("physicalDeliveryOfficeName", "Berlin"),
            ("mobile", "+49 170 1"),
        ],
    ),
    (
        "m365-users",
        &[
            "Block credential", "City", "Country/Region", "Department", "Display name", "First name", "Last name",
            "User principal name",
        ],
        &[
            ("Block credential", "False"),
            ("City", "Berlin"),
            ("Display name", "Ada Byron"),
            ("First name", "Ada"),
            ("Last name", "Byron"),
            ("User principal name", "ada@example.com"),
        ],
    ),
    (
        "google-users",
        &[
            "First Name [Required]",
            "Last Name [Required]",
            "Email Address [Required]",
            "Password [Required]",
            "Password Hash Function [UPLOAD ONLY]",
            "Org Unit Path [Required]",
            "New Primary Email [UPLOAD ONLY]",
            "Status [READ ONLY]",
            "Last Sign In [READ ONLY]",
            "Recovery Email",
            "Home Secondary Email",
            "Work Secondary Email",
            "Recovery Phone [MUST BE IN THE E.164 FORMAT]",
            "Work Phone",
            "Home Phone",
            "Mobile Phone",
            "Work Address",
            "Home Address",
            "Employee ID",
            "Employee Type",
            "Employee Title",
            "Manager Email",
            "Department",
            "Cost Center",
            "2sv Enrolled [READ ONLY]",
            "2sv Enforced [READ ONLY]",
            "Building ID",
            "Floor Name",
            "Floor Section",
            "Email Usage [READ ONLY]",
            "Drive Usage [READ ONLY]",
            "Photos Usage [READ ONLY]",
            "Storage limit [READ ONLY]",
            "Storage Used [READ ONLY]",
            "Change Password at Next Sign-In",
            "New Status [UPLOAD ONLY]",
        ],
        &[
            ("First Name [Required]", "Ada"),
            ("Last Name [Required]", "Byron"),
            ("Email Address [Required]", "ada@example.com"),
            ("Password [Required]", "****"),
            ("Org Unit Path [Required]", "/Staff"),
            ("Status [READ ONLY]", "Suspended"),
            ("Department", "Finance"),
            ("Building ID", "Berlin"),
            ("Change Password at Next Sign-In", "False"),
        ],
    ),
    (
        "okta-users",
        &["User Id", "Status", "Username", "First name", "Last name", "Primary email"],
        &[
            ("User Id", "00u1"),
            ("Status", "DEPROVISIONED"),
            ("Username", "ada@example.com"),
            ("First name", "Ada"),
            ("Last name", "Byron"),
            ("Primary email", "ada@example.com"),
        ],
    ),
    (
        "okta-users",
        &[
            "User Id", "Status", "Username", "First name", "Last name", "Display name", "Primary email",
            "Mobile phone", "Title", "Department", "Division", "City", "State", "Country code", "Organization",
            "Manager Id", "Manager", "Employee number", "Cost center",
        ],
        &[
            ("Status", "ACTIVE"),
            ("Username", "ada"),
            ("Display name", "Ada B."),
            ("Primary email", "ada@example.com"),
            ("Department", "Finance"),
            ("Division", "Europe"),
        ],
    ),
    (
        "okta-api-users",
        &[
            "id", "status", "profile.firstName", "profile.lastName", "profile.email", "profile.login", "profile.title",
            "profile.department", "profile.city",
        ],
        &[
            ("id", "00u1"),
            ("status", "ACTIVE"),
            ("profile.firstName", "Ada"),
            ("profile.lastName", "Byron"),
            ("profile.email", "ada@example.com"),
            ("profile.login", "ada"),
        ],
    ),
    (
        "ad-users",
        &[
            "DistinguishedName", "Enabled", "GivenName", "Name", "ObjectClass", "ObjectGUID", "SamAccountName", "SID",
            "Surname", "UserPrincipalName", "mail", "title", "department", "physicalDeliveryOfficeName", "employeeID",
            "company", "manager", "description", "telephoneNumber",
        ],
        &[
            ("DistinguishedName", "CN=Ada Byron;OU=Staff"),
            ("Enabled", "True"),
            ("Name", "Ada Byron"),
            ("ObjectClass", "user"),
            ("SamAccountName", "ada"),
            ("SID", "S-1-5-21-1"),
            ("UserPrincipalName", "ada@example.com"),
            ("title", "Analyst"),
        ],
    ),
    (
        "snipe-it-accessories",
        &[
            "Category", "Company", "Accessory Name", "Location", "Manufacturer", "Min QTY", "Model No.", "Notes",
            "Order Number", "Purchase Cost", "Purchase Date", "QTY", "Supplier",
        ],
        &[("Category", "Mice"), ("Accessory Name", "MX"), ("QTY", "5"), ("Min QTY", "1"), ("Model No.", "M-1")],
    ),
    (
        "snipe-it-assetmodels",
        &[
            "Category", "EOL", "Fieldset", "Model Name", "Manufacturer", "Min QTY", "Model No.", "Model Notes",
            "Users may request this model",
        ],
        &[("Category", "Laptops"), ("EOL", "36"), ("Model Name", "XPS 13"), ("Model No.", "9345")],
    ),
    (
        "snipe-it-components",
        &[
            "Category", "Company", "Component Name", "Location", "Manufacturer", "Min QTY", "Model No.", "Notes",
            "Order Number", "Purchase Cost", "Purchase Date", "QTY", "Serial Number", "Supplier",
        ],
        &[("Category", "Memory"), ("Component Name", "16 GB"), ("QTY", "5"), ("Serial Number", "S1")],
    ),
    (
        "snipe-it-consumables",
        &[
            "Category", "Checkout Type", "Company", "Consumable Name", "Item No.", "Location", "Manufacturer",
            "Min. QTY", "Model No.", "Notes", "Order Number", "Purchase Cost", "Purchase Date", "QTY", "Supplier",
        ],
        &[("Category", "Toner"), ("Consumable Name", "Black"), ("QTY", "5"), ("Item No.", "I1")],
    ),
    (
        "snipe-it-licenses",
        &[
            "Checked Out to: Asset Tag", "Category", "Checkout Type", "Company", "Checked Out to: Email",
            "Expiration Date", "Checked Out to: Full Name", "License Name", "Licensed to Email", "Licensed to Name",
            "Location", "Maintained", "Manufacturer", "Min. QTY", "Notes", "Order Number", "Purchase Cost",
            "Purchase Date", "Purchase Order Number", "Reassignable", "Seats", "Serial/Product Key", "Supplier",
            "Termination Date", "Checked Out to: Username",
        ],
        &[
            ("Category", "Software"),
            ("License Name", "Photoshop"),
            ("Seats", "5"),
            ("Expiration Date", "2027-01-31"),
            ("Checked Out to: Email", "ada@example.com"),
        ],
    ),
    (
        "snipe-it-locations",
        &[
            "ID", "Address", "Address Line 2", "City", "Country", "Currency", "LDAP Search OU", "Manager Full Name",
            "Manager Username", "Location Name", "Notes", "Parent", "State", "Zip",
        ],
        &[("ID", "7"), ("Address", "Main St 1"), ("City", "Berlin"), ("Location Name", "HQ"), ("Currency", "EUR")],
    ),
    (
        "snipe-it-users",
        &[
            "ID", "Activated", "Address", "Image", "City", "Company", "Country", "Department", "Email",
            "Employee Number", "End Date", "First Name", "Gravatar Email", "Title", "Last Name", "Location",
            "Manager First Name", "Manager Last Name", "Notes", "Phone", "Remote", "Start Date", "State", "Username",
            "VIP", "Website", "Zip",
        ],
        &[
            ("ID", "7"),
            ("Activated", "1"),
            ("Email", "ada@example.com"),
            ("First Name", "Ada"),
            ("Last Name", "Byron"),
            ("Username", "ada"),
        ],
    ),
];

fn csv<'h>(headers: impl Iterator<Item = &'h str> + Clone, cells: &[(&str, &str)]) -> String {
    let value = |header: &str| cells.iter().find(|(known, _)| *known == header).map_or("", |(_, value)| value);
    let line = |cells: Vec<&str>| cells.iter().map(|cell| format!("\"{cell}\"")).collect::<Vec<_>>().join(",");
    format!("{}\n{}\n", line(headers.clone().collect()), line(headers.map(value).collect()))
}

#[test]
fn each_export_is_recognised_and_passes_without_flags() {
    for (name, headers, cells) in EXPORTS {
        for (header, _) in *cells {
            assert!(headers.contains(header), "{name}: {header}");
        }
        // The file's name says something else, and the columns come in any order.
        let account = CliTest::new()
            .sheet("departments.csv", &csv(headers.iter().copied(), cells))
            .sheet("x.csv", &csv(headers.iter().copied().rev().chain(["Shoe size", "Nmae (old)"]), cells));
        let (code, summary) = account.json(&["check", "departments.csv"]);
        assert_eq!((code, &summary["counts"]["failed"]), (0, &serde_json::json!(0)), "{name}: {summary}");
        assert_eq!(summary["mapping"][0]["preset"], *name, "{summary}");
        let remark = summary["remarks"][0]["message"].as_str().unwrap();
        let all = format!(", {0} of {0} columns known (preset {name})", headers.len());
        assert!(remark.starts_with("departments: recognised: ") && remark.ends_with(&all), "{remark}");
        let (code, summary) = account.json(&["check", "x.csv"]);
        assert_eq!((code, &summary["mapping"][0]["preset"]), (0, &serde_json::json!(name)), "{summary}");
    }
}

#[test]
fn what_an_export_says_becomes_records() {
    let (_, headers, cells) = &EXPORTS[0];
    let guest =
        [("userPrincipalName", "bob_example.org#EXT#@corp.example"), ("displayName", "Bob"), ("userType", "Guest")];
    let rows =
        csv(headers.iter().copied(), cells) + csv(headers.iter().copied(), &guest).lines().nth(1).unwrap() + "\n";
    let finance = serde_json::json!({"name": "Finance", "email": "finance@example.com", "phone": "1"});
    let account = CliTest::new().holds("departments", finance).sheet("users.csv", &rows);
    let (code, summary) = account.json(&["import", "users.csv"]);
    assert_eq!((code, &summary["counts"]["skipped"]), (0, &serde_json::json!(1)), "{summary}");
    let ada = account.record("employees", "email", "ada@example.com");
    assert_eq!((&ada["name"], &ada["archived"]), (&serde_json::json!("Ada Byron"), &serde_json::json!(false)));
    assert_eq!(account.records("employees").len(), 1);
    let (_, again) = account.json(&["import", "users.csv"]);
    assert_eq!(again["counts"]["unchanged"], 1, "{again}");
}

#[test]
fn recognition_gives_way_to_what_the_user_says() {
    let (name, headers, cells) = &EXPORTS[3];
    let account = CliTest::new().sheet("users.csv", &csv(headers.iter().copied(), cells));
    let preset = |flags: &[&str]| {
        let (_, summary) = account.json(&[&["check", "users.csv"][..], flags].concat());
        summary["mapping"][0]["preset"].clone()
    };
    assert_eq!(preset(&[]), *name);
    assert_eq!(preset(&["--preset", name]), *name);
    assert_eq!(preset(&["--map", "Employee ID=notes"]), *name);
    assert_eq!(
        preset(&[
            "--preset",
            "none",
            "--map",
            "Email Address [Required]=email",
            "--map",
            "{First Name [Required]} {Last Name [Required]}=name",
            "--map",
            "Building ID=location",
            "--ignore",
            "Employee Type"
        ]),
        serde_json::Value::Null
    );
}

#[test]
fn presets_are_listed_and_printed_as_mapping_files() {
    let account = CliTest::new();
    let list = account.run(&["presets"]).exits(0).stdout;
    for (name, headers, cells) in EXPORTS {
        assert!(list.lines().any(|line| line.starts_with(&format!("{name} "))), "{list}");
        // A mapping file has to name columns that are there.
        if EXPORTS.iter().any(|(other, more, _)| other == name && more.len() > headers.len()) {
            continue;
        }
        std::fs::write(account.path("preset.toml"), account.run(&["presets", name]).exits(0).stdout).unwrap();
        std::fs::write(account.path("x.csv"), csv(headers.iter().copied(), cells)).unwrap();
        account.run(&["check", "x.csv", "--mapping", "preset.toml"]).exits(0);
    }
    let all: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let tested =
        |name: &&&str| EXPORTS.iter().any(|(known, ..)| known == *name) || ["bluetally", "snipe-it"].contains(name);
    assert_eq!(all.iter().filter(tested).count(), all.len(), "a preset that no test reads");
    assert_output!(account.run(&["presets", "entra"]), @"
    exit code 2
    --- stderr
    error: unknown preset `entra`
      hint: use one of: entra-users, m365-users, google-users, okta-users, okta-api-users, ad-users, snipe-it-accessories, snipe-it-assetmodels, snipe-it-components, snipe-it-consumables, snipe-it-licenses, snipe-it-locations, snipe-it-users, bluetally, snipe-it
    ");
}
