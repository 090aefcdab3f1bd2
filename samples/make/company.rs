//! Hollis & Fenwick: an imagined design and engineering firm with three sites and sixty people.

use unicode_normalization::UnicodeNormalization;

pub(crate) const NAME: &str = "Hollis & Fenwick Ltd";

/// A place where people work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Site {
    London,
    Bristol,
    Rotterdam,
}

impl Site {
    /// The location's name.
    pub(crate) fn office(self) -> &'static str {
        match self {
            Site::London => "London Studio",
            Site::Bristol => "Bristol Works",
            Site::Rotterdam => "Rotterdam Office",
        }
    }

    /// The location for what nobody uses at the moment.
    pub(crate) fn store(self) -> &'static str {
        match self {
            Site::London => "London Store Room",
            Site::Bristol => "Bristol Workshop",
            Site::Rotterdam => "Rotterdam Server Room",
        }
    }

    pub(crate) fn currency(self) -> &'static str {
        match self {
            Site::London | Site::Bristol => "GBP",
            Site::Rotterdam => "EUR",
        }
    }
}

pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) department: &'static str,
    pub(crate) site: Site,
}

impl Person {
    /// `zoe.brandt@hollisfenwick.example` for Zoë Brandt.
    pub(crate) fn email(&self) -> String {
        let plain: String = self.name.nfd().filter(|char| char.is_ascii_alphabetic() || *char == ' ').collect();
        format!("{}@hollisfenwick.example", plain.to_lowercase().replace(' ', "."))
    }

    pub(crate) fn has_left(&self) -> bool {
        LEAVERS.contains(&self.name)
    }
}

/// Those who have left hold nothing.
const LEAVERS: &[&str] = &["Martin Oakes", "Femke Visser"];

const fn person(name: &'static str, title: &'static str, department: &'static str, site: Site) -> Person {
    Person { name, title, department, site }
}

/// Departments, each with what its e-mail address begins with and its extension.
pub(crate) const DEPARTMENTS: &[(&str, &str, &str)] = &[
    ("Architecture", "architecture", "+44 20 7946 0210"),
    ("Structural Engineering", "structures", "+44 20 7946 0220"),
    ("Building Services", "services", "+44 117 496 0230"),
    ("Surveying", "survey", "+44 117 496 0240"),
    ("Visualisation", "visuals", "+31 10 555 0250"),
    ("Finance", "finance", "+44 20 7946 0260"),
    ("People & Office", "people", "+44 20 7946 0270"),
    ("IT", "it", "+44 20 7946 0280"),
];

pub(crate) const PEOPLE: &[Person] = &[
    person("Eleanor Hollis", "Managing Partner", "Architecture", Site::London),
    person("Gareth Fenwick", "Managing Partner", "Structural Engineering", Site::Bristol),
    person("Priya Raman", "Associate Director", "Architecture", Site::London),
    person("Thomas Okafor", "Project Architect", "Architecture", Site::London),
    person("Zoë Brandt", "Project Architect", "Architecture", Site::Rotterdam),
    person("Hamish Drummond", "Project Architect", "Architecture", Site::London),
    person("Lucía Ferrer", "Architect", "Architecture", Site::London),
    person("Daniel Whitcombe", "Architect", "Architecture", Site::London),
    person("Sanne de Vries", "Architect", "Architecture", Site::Rotterdam),
    person("Amara Nwosu", "Architect", "Architecture", Site::London),
    person("Oliver Pemberton", "Architectural Assistant", "Architecture", Site::London),
    person("Chloé Marchand", "Architectural Assistant", "Architecture", Site::London),
    person("Jasper Mulder", "Architectural Assistant", "Architecture", Site::Rotterdam),
    person("Beatrix Lyle", "Interior Designer", "Architecture", Site::London),
    person("Martin Oakes", "Interior Designer", "Architecture", Site::London),
    person("Rhiannon Price", "Director of Structures", "Structural Engineering", Site::Bristol),
    person("Stuart Kettle", "Principal Engineer", "Structural Engineering", Site::Bristol),
    person("Anil Deshmukh", "Principal Engineer", "Structural Engineering", Site::London),
    person("Katarzyna Wójcik", "Senior Engineer", "Structural Engineering", Site::Bristol),
    person("Fergus Adair", "Senior Engineer", "Structural Engineering", Site::Bristol),
    person("Pieter van Dam", "Senior Engineer", "Structural Engineering", Site::Rotterdam),
    person("Imogen Sayer", "Engineer", "Structural Engineering", Site::Bristol),
    person("Kwame Boateng", "Engineer", "Structural Engineering", Site::Bristol),
    person("Lotte Jansen", "Engineer", "Structural Engineering", Site::Rotterdam),
    person("Rory Maddox", "Graduate Engineer", "Structural Engineering", Site::Bristol),
    person("Hui Min Tan", "Graduate Engineer", "Structural Engineering", Site::London),
    person("Esther Goldman", "BIM Coordinator", "Structural Engineering", Site::Bristol),
    person("Callum Frith", "CAD Technician", "Structural Engineering", Site::Bristol),
    person("Nadia Haddou", "Head of Building Services", "Building Services", Site::Bristol),
    person("Simon Ashdown", "Principal Mechanical Engineer", "Building Services", Site::Bristol),
    person("Grzegorz Lis", "Senior Electrical Engineer", "Building Services", Site::Bristol),
    person("Tamsin Boyle", "Mechanical Engineer", "Building Services", Site::London),
    person("Arjun Mehta", "Mechanical Engineer", "Building Services", Site::Bristol),
    person("Femke Visser", "Electrical Engineer", "Building Services", Site::Rotterdam),
    person("Joel Castellan", "Electrical Engineer", "Building Services", Site::Bristol),
    person("Bronwen Hughes", "Energy Modeller", "Building Services", Site::Bristol),
    person("Victor Lindqvist", "Public Health Engineer", "Building Services", Site::London),
    person("Ursula Penn", "Survey Manager", "Surveying", Site::Bristol),
    person("Dylan Roach", "Senior Surveyor", "Surveying", Site::Bristol),
    person("Maeve Connolly", "Surveyor", "Surveying", Site::Bristol),
    person("Bram Hoekstra", "Surveyor", "Surveying", Site::Rotterdam),
    person("Isaac Thorne", "Laser Scan Technician", "Surveying", Site::Bristol),
    person("Noémie Laurent", "Head of Visualisation", "Visualisation", Site::Rotterdam),
    person("Ravi Balakrishnan", "Visualiser", "Visualisation", Site::London),
    person("Joost Kuiper", "Visualiser", "Visualisation", Site::Rotterdam),
    person("Freya Lindholm", "Visualiser", "Visualisation", Site::Rotterdam),
    person("Marcus Bell", "Model Maker", "Visualisation", Site::London),
    person("Alison Cartwright", "Finance Director", "Finance", Site::London),
    person("Declan Moore", "Management Accountant", "Finance", Site::London),
    person("Yasmin Karim", "Accounts Payable Clerk", "Finance", Site::London),
    person("Wouter Bakker", "Project Accountant", "Finance", Site::Rotterdam),
    person("Gillian Stroud", "Credit Controller", "Finance", Site::Bristol),
    person("Heather Quayle", "Head of People", "People & Office", Site::London),
    person("Toby Winslow", "Office Manager", "People & Office", Site::London),
    person("Carys Morgan", "Office Manager", "People & Office", Site::Bristol),
    person("Annelies Smit", "Office Manager", "People & Office", Site::Rotterdam),
    person("Philip Garland", "Receptionist", "People & Office", Site::London),
    person("Nikhil Shah", "IT Manager", "IT", Site::London),
    person("Owen Tregear", "IT Support Engineer", "IT", Site::Bristol),
    person("Saskia Verhoeven", "IT Support Engineer", "IT", Site::Rotterdam),
];

/// Everybody who still works there.
pub(crate) fn staff() -> impl Iterator<Item = &'static Person> + Clone {
    PEOPLE.iter().filter(|person| !person.has_left())
}
