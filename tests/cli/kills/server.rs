//! The two servers behind one interface: started with the initial records, inspected at the end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use tallyport::sandbox::{Sandbox, SandboxOptions, Seed, StoreLocation};

use super::oracle;
use crate::harness::{request, tallyport};
use crate::reference_server::{self, Faults, Record, ReferenceServer, Shapes};

/// Faults of the stand-alone sandbox, about one request in twelve: every kind that makes the outcome of a write unknown.
const SANDBOX_FAULTS: &[&str] = &[
    "* * p=0.01 reset before", "* * p=0.01 reset after", "* * p=0.01 500 before", "* * p=0.01 500 after",
    "* * p=0.005 502 after", "* * p=0.005 503 before", "* * p=0.01 delay=200 before", "* * p=0.01 delay=200 after",
    "* * p=0.01 truncate", "* * p=0.005 html=502 after", "POST * p=0.005 shape",
];
/// The percentage of requests to the reference server that fail.
const REFERENCE_FAULTS: u8 = 8;
const SANDBOX_KEY: &str = "sandbox-key-c07d3a";

/// The server that a round uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sandbox,
    Reference,
}

/// Whether requests fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Stable,
    Faulty,
}

pub enum Server {
    /// A separate process that keeps its records in a file.
    Sandbox {
        process: Child,
        address: SocketAddr,
        data: PathBuf,
    },
    Reference(ReferenceServer),
}

/// What an account holds.
pub struct Account {
    records: BTreeMap<&'static str, Vec<Record>>,
    /// Collection, item and employee of each checkout in the activity log.
    pub checkouts: Vec<(&'static str, i64, i64)>,
}

impl Account {
    pub fn records(&self, collection: &str) -> &[Record] {
        self.records.get(collection).map_or(&[], Vec::as_slice)
    }

    /// The records with these values in these fields.
    pub fn find(&self, collection: &str, fields: &[(&str, &str)]) -> Vec<&Record> {
        let holds =
            |record: &&Record| fields.iter().all(|(name, text)| record.get(*name).is_some_and(|held| held == text));
        self.records(collection).iter().filter(holds).collect()
    }
}

impl Server {
    /// Starts a server with [`oracle::initial_records`]; `seed` determines the faults.
    pub fn start(kind: Kind, network: Network, folder: &Path, seed: u64) -> Self {
        match kind {
            Kind::Sandbox => sandbox(network, folder, seed),
            Kind::Reference => {
                let shapes = Shapes::ALL[(seed % Shapes::ALL.len() as u64) as usize];
                let server = ReferenceServer::start(shapes);
                for (collection, record) in oracle::initial_records() {
                    if collection.contains('/') {
                        let (status, body) =
                            request(server.address(), reference_server::KEY, "POST", collection, Some(&record));
                        assert!(status < 300, "{collection} {record}: {body}");
                    } else {
                        server.holds(collection, record);
                    }
                }
                if network == Network::Faulty {
                    server.set_faults(Faults::seeded(seed, REFERENCE_FAULTS));
                }
                Self::Reference(server)
            }
        }
    }

    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Sandbox { address, .. } => *address,
            Self::Reference(server) => server.address(),
        }
    }

    pub fn key(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => SANDBOX_KEY,
            Self::Reference(_) => reference_server::KEY,
        }
    }

    /// Stops the server and returns its records.
    pub fn account(&mut self) -> Account {
        match self {
            Self::Sandbox { process, data, .. } => {
                process.kill().unwrap();
                process.wait().unwrap();
                let sandbox = open(data);
                look(&sandbox)
            }
            Self::Reference(server) => {
                let names = ["assets", "accessories"];
                let kinds = BTreeMap::from([("Asset", names[0]), ("Accessory", names[1])]);
                let checkouts = server.log().into_iter().filter(|entry| entry.event == "Checkout");
                Account {
                    records: COLLECTIONS.iter().map(|name| (*name, server.records(name))).collect(),
                    checkouts: checkouts
                        .filter_map(|entry| Some((*kinds.get(entry.kind)?, entry.item, entry.employee?)))
                        .collect(),
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Sandbox { process, .. } = self {
            process.kill().ok();
            process.wait().ok();
        }
    }
}

/// The collections that the workbook fills.
const COLLECTIONS: [&str; 9] = [
    "locations", "departments", "manufacturers", "categories", "statuses", "products", "employees", "accessories",
    "assets",
];

fn sandbox(network: Network, folder: &Path, seed: u64) -> Server {
    let data = folder.join("account.db");
    let filling = open(&data);
    for (collection, record) in oracle::initial_records() {
        let (status, body) = request(filling.address(), SANDBOX_KEY, "POST", collection, Some(&record));
        assert!(status < 300, "{collection} {record}: {status} {body}");
    }
    drop(filling);
    let file = data.to_string_lossy();
    let mut arguments = vec!["sandbox", "--json", "--listen", "127.0.0.1:0", "--empty", "--data", &file];
    arguments.extend(["--api-key", SANDBOX_KEY]);
    let seed = seed.to_string();
    if network == Network::Faulty {
        arguments.extend(SANDBOX_FAULTS.iter().flat_map(|fault| ["--faults", fault]));
        arguments.extend(["--faults-seed", &seed]);
    }
    let mut process = tallyport(folder, &arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let address = said["base_url"].as_str().unwrap().split('/').nth(2).unwrap().parse().unwrap();
    Server::Sandbox { process, address, data }
}

/// Opens the same account in this process, without faults.
fn open(data: &Path) -> Sandbox {
    let options = SandboxOptions {
        store: StoreLocation::File(data.to_owned()),
        api_key: SANDBOX_KEY.into(),
        seed: Seed::Empty,
        quota: None,
        ..SandboxOptions::default()
    };
    Sandbox::start(options).unwrap()
}

fn look(sandbox: &Sandbox) -> Account {
    let get = |path: &str| -> Vec<Record> {
        let (status, body) = request(sandbox.address(), SANDBOX_KEY, "GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    };
    let records: BTreeMap<_, _> =
        COLLECTIONS.iter().map(|name| (*name, get(&format!("{name}?limit=1000&sort=created_at")))).collect();
    let mut checkouts = Vec::new();
    for employee in records["employees"].iter().filter_map(|employee| employee["id"].as_i64()) {
        for (kind, collection) in [("Asset", "assets"), ("Accessory", "accessories")] {
            let path = format!("activity?type={kind}&event=Checkout&employee_id={employee}&limit=1000");
            let items = get(&path).into_iter().filter_map(|entry| entry["item_id"].as_i64());
            checkouts.extend(items.map(|item| (collection, item, employee)));
        }
    }
    Account { records, checkouts }
}
