//! Names that a fresh sandbox holds before any import (`src/sandbox/seed.rs`), as far as the samples use them.

/// Departments need an e-mail address and a phone number to be created, so a flat inventory can only name these.
pub(crate) const DEPARTMENTS: &[&str] = &["Engineering", "Finance", "Human Resources", "IT", "Sales"];

pub(crate) const SUPPLIERS: &[&str] = &["Northwind IT", "Contoso Supplies", "Fabrikam Hardware", "Adventure Office"];

/// Locations with the prefix of what stands there, and their currency.
pub(crate) const LOCATIONS: &[(&str, &str, &str)] =
    &[("Headquarters", "CHI", "USD"), ("Berlin", "BER", "EUR"), ("London", "LON", "GBP"), ("Warehouse", "WHS", "USD")];

/// Statuses need a type to be created. With each how often it occurs, of a hundred.
pub(crate) const STATUSES: &[(&str, u32)] = &[
    ("In Use", 61),
    ("Ready to Deploy", 20),
    ("On Order", 4),
    ("In Repair", 5),
    ("Lost or Stolen", 2),
    ("Retired", 8),
];
