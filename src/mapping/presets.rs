//! Presets: mapping files for the exports of other tools, and how such an export is recognized.
//!
//! A preset is a file in `presets/` and a line here. An export is told by a few headers that no other file has, whatever
//! the file's name and the order of its columns. Several sets of such headers let an export be known that lacks one. Each
//! set has a word that only the tool writes: folded, `AssetTag` and `OwnerEmail` are the headers of anybody's list.

mod languages;

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, OnceLock};

pub(crate) use languages::Languages;

use super::file::{MappingFile, MappingFileError, copy_line};
use super::headers;
use crate::schema::{Entity, HeaderText};
use crate::table::Row;

/// A mapping file that comes with the program.
#[derive(Debug)]
pub(crate) struct Preset {
    pub name: &'static str,
    /// What the file is, for people.
    pub title: &'static str,
    /// Sets of headers: a file that has all of one set is such an export. None for one that has to be asked for.
    signatures: &'static [&'static [&'static str]],
    /// The mapping file.
    pub text: &'static str,
}

/// `+ "file"` adds the text of another file, such as words that several presets have in common.
macro_rules! presets {
    ($($name:literal $(+ $more:literal)? $title:literal [$([$($header:literal),*])*])*) => {
        pub(crate) const PRESETS: &[Preset] = &[$(Preset {
            name: $name,
            title: $title,
            signatures: &[$(&[$($header),*]),*],
            text: concat!(
                include_str!(concat!("presets/", $name, ".toml")),
                $("\n", include_str!(concat!("presets/", $more, ".toml")))?
            ),
        }),*];
    };
}

presets! {
    "intune-devices" "Intune devices (portal export)" [
        ["Device ID", "Enrollment date", "Primary user UPN"]
        ["Enrollment date", "Last check-in", "Primary user email address"]
        ["Azure AD Device ID", "Primary user UPN"]
        ["Microsoft Entra Device ID", "Primary user UPN"]
    ]
    "intune-graph" "Intune devices (Graph export job)" [
        ["DeviceId", "OwnerType", "UPN"]
        ["DeviceName", "ManagedDeviceName", "CompliantState"]
        ["ReferenceId", "LastContact", "UPN"]
    ]
    "intune-graph-records" "Intune devices (Graph records)" [
        ["deviceName", "managedDeviceOwnerType"]
        ["azureADDeviceId", "lastSyncDateTime"]
        ["deviceName", "enrolledDateTime", "managementState"]
    ]
    "autopilot" "Windows Autopilot hardware hashes" [["Device Serial Number", "Hardware Hash"]]
    "entra-devices" "Entra ID devices" [
        ["joinType (trustType)", "registeredOwners"]
        ["approximateLastSignInDateTime", "deviceId", "isCompliant"]
    ]
    "entra-users" "Entra ID users" [["userPrincipalName", "accountEnabled", "usageLocation"]]
    "m365-users" "Microsoft 365 users" [["Block credential", "User principal name"]]
    "google-chromeos" "Google ChromeOS devices" [
        ["annotatedAssetId", "serialNumber"]
        ["annotatedUser", "serialNumber"]
        ["autoUpdateThrough", "orgUnitPath"]
    ]
    "google-users" "Google Workspace users" [["Email Address [Required]", "Org Unit Path [Required]"]]
    "okta-users" "Okta people" [
        ["User Id", "Status", "Username", "First name", "Last name", "Primary email"]
        ["Primary email", "Username", "Manager Id"]
    ]
    "okta-api-users" "Okta people (names of the API)" [["profile.login", "profile.email"]]
    "ad-users" "Active Directory users" [["DistinguishedName", "SamAccountName", "SID"]]
    "jamf-computers" "Jamf Pro computers" [
        ["JSS Computer ID"]
        ["Computer Name", "Last Check-in", "Last Inventory Update"]
        ["Computer Name", "Last Check-in", "Last Enrollment"]
        ["Computer Name", "Managed", "Last Inventory Update"]
        ["Computer Name", "Managed", "AppleCare ID"]
        ["Computer Name", "Managed", "UDID"]
    ]
    "jamf-mobile" "Jamf Pro mobile devices" [
        ["JSS Mobile Device ID"]
        ["Display Name", "Wi-Fi MAC Address", "Last Inventory Update"]
        ["Display Name", "Wi-Fi MAC Address", "UDID"]
        ["Display Name", "Capacity MB", "Last Inventory Update"]
        ["Display Name", "Supervised", "Last Inventory Update"]
    ]
    "jamf-school" "Jamf School devices" [
        ["ActivationLockBypassCode", "AssetTag", "LocationName"]
        ["DeviceUDID", "LocationName", "OwnerEmail"]
        ["DeviceUDID", "OwnerUsername", "IsTrashed"]
    ]
    "abm-devices" "Apple Business Manager devices (CSV)" [
        ["SERIAL_NO", "DATE_ADDED_TO_ORGANIZATION"]
        ["SERIAL_NO", "DATE_REMOVED_FROM_ORGANIZATION"]
        ["SERIAL_NO", "PURCHASE_SOURCE", "ETHERNET_MAC_ADDRESS_1"]
    ]
    "abm-api-devices" "Apple Business Manager devices (names of the API)" [
        ["serialNumber", "purchaseSourceType"]
        ["serialNumber", "addedToOrgDateTime"]
    ]
    "kandji-devices" "Kandji devices (names of the API)" [["blueprint_name", "serial_number"]]
    "mosyle-devices" "Mosyle devices (names of the API)" [
        ["date_app_info", "serial_number"]
        ["deviceudid", "serial_number", "enrollment_type"]
        ["deviceudid", "serial_number", "percent_disk"]
    ]
    "meraki-devices" "Cisco Meraki inventory (names of the API)" [["serial", "networkId", "claimedAt"]]
    "freshservice-assets" + "status-types" "Freshservice assets" [
        ["Asset State", "Used By", "Impact", "Workspace"]
        ["Asset State", "Used By", "Discovery Enabled"]
        ["Asset State", "Used By", "Created by - Source"]
    ]
    "lansweeper-assets" + "status-types" "Lansweeper report" [
        ["AssetID", "AssetName", "AssetTypename", "Lastseen"]
        ["AssetTypename", "Statename", "Lastseen", "Firstseen"]
        ["AssetTypename", "Branchoffice", "OSname"]
    ]
    "glpi-computers" + "status-types" "GLPI computers" [
        ["Inventory number", "Alternate username", "Entity"]
        ["Inventory number", "Alternate username", "Technician in charge"]
        ["Inventory number", "Entity", "Operating System - Name"]
        ["Inventory number", "Entity", "Last inventory date", "Technician in charge"]
    ]
    "snipe-it-assets" + "status-types" "Snipe-IT assets (list export)" [
        ["Asset Tag", "Checked Out To", "Default Location"]
        ["Asset Tag", "Checked Out To", "EOL Rate"]
        ["Asset Tag", "Default Location", "EOL Rate"]
        ["Checked Out To", "Default Location", "Expected Checkin Date"]
    ]
    "snipe-it-people" "Snipe-IT people (list export)" [
        ["Username", "Login Enabled", "Licenses", "Accessories"]
        ["Username", "Login Enabled", "Managed Users"]
        ["Username", "Managed Users", "Managed Locations"]
    ]
    "snipe-it-report" + "status-types" "Snipe-IT assets (custom asset report)" [
        ["Checked Out", "Current Value", "Diff", "Fully Depreciated"]
        ["Asset Tag", "Purchased", "Current Value", "Diff"]
        ["Asset Tag", "Purchased", "Checked Out", "Default Location"]
    ]
    "snipe-it-asset-template" + "status-types" "Snipe-IT assets (import template)" [
        ["Asset Tag", "Model Name", "Checkout to Location"]
        ["Asset Tag", "Model Name", "Checkout Type"]
        ["Asset Tag", "Model Name", "Asset Notes", "Model Notes"]
    ]
    "snipe-it-accessories" "Snipe-IT accessories (import template)" [
        ["Accessory Name", "Company", "Min QTY", "Model No.", "Order Number", "QTY"]
    ]
    "snipe-it-assetmodels" "Snipe-IT asset models (import template)" [["Model Name", "Fieldset", "Model No."]]
    "snipe-it-components" "Snipe-IT components (import template)" [
        ["Component Name", "Company", "Min QTY", "Order Number", "QTY", "Serial Number"]
    ]
    "snipe-it-consumables" "Snipe-IT consumables (import template)" [
        ["Checkout Type", "Consumable Name", "Item No.", "QTY"]
        ["Company", "Consumable Name", "Item No.", "Min. QTY", "Order Number", "QTY"]
    ]
    "snipe-it-licenses" "Snipe-IT licenses (import template)" [["License Name", "Reassignable", "Seats"]]
    "snipe-it-locations" "Snipe-IT locations (import template)" [["Location Name", "LDAP Search OU"]]
    "snipe-it-users" "Snipe-IT users (import template)" [
        ["Gravatar Email", "VIP", "Username"]
        ["First Name", "Last Name", "Username", "Activated"]
    ]
    "bluetally-accessories" "BlueTally accessories (import template)" [
        ["accessory_name", "category_name", "supplier_name", "manufacturer_name", "department_name", "minimum_quantity"]
    ]
    "bluetally-components" "BlueTally components (import template)" [
        ["component_name", "category_name", "supplier_name", "manufacturer_name", "department_name", "minimum_quantity"]
    ]
    "bluetally-consumables" "BlueTally consumables (import template)" [
        ["consumable_name", "category_name", "supplier_name", "manufacturer_name", "department_name", "minimum_quantity"]
    ]
    "bluetally" "BlueTally import templates" []
    "snipe-it" "Snipe-IT assets, accessories, consumables and components" []
}

/// The presets whose exports have headers in the language of whoever exports them.
const TRANSLATED: &[(&str, Languages)] =
    &[("snipe-it-assets", Languages::new(include_str!("presets/snipe-it-assets.languages.tsv")))];

/// An export that was recognized.
#[derive(Debug)]
pub(crate) struct Recognized {
    pub preset: &'static Preset,
    pub file: MappingFile,
    /// What it holds.
    pub entity: &'static Entity,
    /// The index of its header row.
    pub row: usize,
}

/// What the first rows of a sheet tell about the tool that wrote it.
#[derive(Debug, Default)]
pub(crate) struct Recognition {
    pub found: Option<Recognized>,
    /// The presets that are equally likely, where none was recognized for that reason.
    pub candidates: Vec<&'static Preset>,
}

impl Preset {
    /// # Errors
    /// If there is no such preset.
    pub(crate) fn find(name: &str) -> Result<&'static Preset, MappingFileError> {
        let preset = PRESETS.iter().find(|preset| preset.name == name);
        preset.ok_or_else(|| MappingFileError::NoSuchPreset { name: name.to_owned() })
    }

    /// Its text as a mapping file of its own, which says that it is a copy of the preset.
    pub(crate) fn to_mapping_file(&self) -> String {
        let comment = self.text.split_inclusive('\n').take_while(|line| line.starts_with('#'));
        let (comment, rest) = self.text.split_at(comment.map(str::len).sum());
        let gap = if rest.starts_with('[') { "\n" } else { "" };
        format!("{comment}{}{gap}{rest}", copy_line(self.name))
    }

    /// The headers of its exports in other languages.
    pub(crate) fn languages(&self) -> Option<Languages> {
        TRANSLATED.iter().find(|(name, _)| *name == self.name).map(|(_, languages)| *languages)
    }

    /// The headers of all sets, each once.
    fn telling_headers(&self) -> HashSet<&'static str> {
        self.signatures.iter().flat_map(|set| set.iter().copied()).collect()
    }
}

/// The presets whose names begin like that or are one or two slips of the finger away, for a suggestion.
pub(super) fn named_like(text: &str) -> Vec<&'static str> {
    const SLIPS: usize = 2;
    let names = || PRESETS.iter().map(|preset| preset.name);
    let text = text.to_lowercase();
    let begun = |name: &&str| name.starts_with(text.as_str());
    let is_begun = !text.is_empty() && names().any(|name| begun(&name));
    let is_near = |name: &&str| strsim::damerau_levenshtein(name, &text) <= SLIPS;
    names().filter(|name| if is_begun { begun(name) } else { is_near(name) }).collect()
}

/// The telling headers of a preset, in one language.
struct FoldedSignature {
    preset: &'static Preset,
    /// By the header as the preset writes it.
    words: HashMap<&'static str, TellingWord>,
}

/// A header as a language writes it. It is folded when a row is first asked for it: there are hundreds, and of most sets of
/// headers no row has the first.
struct TellingWord {
    text: &'static str,
    folded: OnceLock<String>,
}

impl TellingWord {
    fn is_in(&self, headers: &HashSet<String>) -> bool {
        headers.contains(self.folded.get_or_init(|| HeaderText::parse(self.text).whole))
    }
}

impl FoldedSignature {
    fn new(preset: &'static Preset, word: impl Fn(&'static str) -> &'static str) -> Self {
        let telling = |header| (header, TellingWord { text: word(header), folded: OnceLock::new() });
        Self { preset, words: preset.telling_headers().into_iter().map(telling).collect() }
    }

    fn is_there(&self, header: &str, headers: &HashSet<String>) -> bool {
        self.words.get(header).is_some_and(|word| word.is_in(headers))
    }

    /// The number of its headers that are there; none where no set of them is complete.
    fn evidence(&self, headers: &HashSet<String>) -> Option<usize> {
        let is_complete = |set: &&[&str]| set.iter().all(|header| self.is_there(header, headers));
        let found = || self.words.values().filter(|word| word.is_in(headers)).count();
        self.preset.signatures.iter().any(is_complete).then(found)
    }

    /// Whether all but one header of a set is there.
    fn is_nearly_told(&self, headers: &HashSet<String>) -> bool {
        let found = |set: &[&str]| set.iter().filter(|header| self.is_there(header, headers)).count();
        self.preset.signatures.iter().any(|set| set.len() > 2 && found(set) + 1 == set.len())
    }
}

/// Of every preset, in the words that it is written in.
static SIGNATURES: LazyLock<Vec<FoldedSignature>> =
    LazyLock::new(|| PRESETS.iter().map(|preset| FoldedSignature::new(preset, |header| header)).collect());

/// Of the translated presets, in every other language.
static TRANSLATED_SIGNATURES: LazyLock<Vec<FoldedSignature>> = LazyLock::new(|| {
    let translated = PRESETS.iter().filter_map(|preset| Some((preset, preset.languages()?)));
    let signatures = translated.flat_map(|(preset, languages)| {
        languages.words().map(move |words| FoldedSignature::new(preset, |header| words.of(header)))
    });
    signatures.collect()
});

/// The preset whose export the rows begin with. Of several that could be meant, the one with the most of its headers
/// there; none where these are equally many.
pub(crate) fn recognize(rows: &[Row]) -> Recognition {
    match strongest(rows, &SIGNATURES) {
        Evidence::None => strongest(rows, &TRANSLATED_SIGNATURES).into_recognition(),
        found => found.into_recognition(),
    }
}

/// The presets of whose exports the rows lack a single telling header.
pub(crate) fn nearly_recognized(rows: &[Row]) -> Vec<&'static Preset> {
    let rows: Vec<HashSet<String>> = rows.iter().map(header_set).collect();
    let near = SIGNATURES.iter().filter(|signature| rows.iter().any(|headers| signature.is_nearly_told(headers)));
    near.map(|signature| signature.preset).collect()
}

/// The headers that a row would be, folded.
fn header_set(row: &Row) -> HashSet<String> {
    let texts = row.cells().map(|cell| cell.text).filter(|text| text.len() <= LONGEST_HEADER);
    texts.flat_map(headers::header_keys).collect()
}

/// In bytes; what is longer is a value.
const LONGEST_HEADER: usize = 200;

/// What the headers of all presets say about the rows.
enum Evidence {
    None,
    One {
        preset: &'static Preset,
        row: usize,
    },
    /// Several presets are equally likely.
    Several(Vec<&'static Preset>),
}

impl Evidence {
    fn into_recognition(self) -> Recognition {
        match self {
            Evidence::None => Recognition::default(),
            Evidence::Several(candidates) => Recognition { found: None, candidates },
            Evidence::One { preset, row } => {
                let file = MappingFile::preset(preset.name).ok();
                let found = file.and_then(|file| Some(Recognized { preset, entity: file.entity?, file, row }));
                Recognition { found, candidates: Vec::new() }
            }
        }
    }
}

/// What the first row that tells one preset says; if there is none, the first that tells several.
fn strongest(rows: &[Row], signatures: &[FoldedSignature]) -> Evidence {
    let mut several = Evidence::None;
    for (row, cells) in rows.iter().enumerate() {
        let headers = header_set(cells);
        let told: Vec<(usize, &'static Preset)> =
            signatures.iter().filter_map(|it| Some((it.evidence(&headers)?, it.preset))).collect();
        let most = told.iter().map(|(count, _)| *count).max();
        let best = told.iter().filter(|(count, _)| Some(*count) == most).map(|(_, preset)| *preset);
        let mut best: Vec<&'static Preset> = best.collect();
        // Several languages may have the same words.
        best.dedup_by_key(|preset| preset.name);
        match best.as_slice() {
            [] => {}
            [preset] => return Evidence::One { preset, row },
            _ if matches!(several, Evidence::None) => several = Evidence::Several(best),
            _ => {}
        }
    }
    several
}
