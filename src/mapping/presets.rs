//! Presets: mapping files for the exports of other tools, and how such an export is recognised.
//!
//! A preset is a file in `presets/` and a line here. An export is told by a few headers that no other file has, whatever
//! the file's name and the order of its columns.

use super::file::{MappingFile, MappingFileError};
use super::headers;
use crate::schema::{Entity, HeaderText};
use crate::table::Row;

/// A mapping file that comes with the program.
#[derive(Debug)]
pub(crate) struct Preset {
    pub name: &'static str,
    /// What the file is, for people.
    pub title: &'static str,
    /// The headers that tell its files; none for one that has to be asked for.
    signature: &'static [&'static str],
    /// The mapping file.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal $title:literal [$($header:literal),*])*) => {
        pub(crate) const PRESETS: &[Preset] = &[$(Preset {
            name: $name,
            title: $title,
            signature: &[$($header),*],
            text: include_str!(concat!("presets/", $name, ".toml")),
        }),*];
    };
}

presets! {
    "entra-users" "Entra ID users" ["userPrincipalName", "accountEnabled", "usageLocation"]
    "m365-users" "Microsoft 365 users" ["Block credential", "User principal name"]
    "google-users" "Google Workspace users" ["Email Address [Required]", "Org Unit Path [Required]"]
    "okta-users" "Okta people" ["Primary email", "Username"]
    "okta-api-users" "Okta people (names of the API)" ["profile.login", "profile.email"]
    "ad-users" "Active Directory users" ["DistinguishedName", "SamAccountName", "SID"]
    "snipe-it-accessories" "Snipe-IT accessories (import template)" ["Accessory Name", "Model No.", "QTY"]
    "snipe-it-assetmodels" "Snipe-IT asset models (import template)" ["Model Name", "Fieldset", "Model No."]
    "snipe-it-components" "Snipe-IT components (import template)" ["Component Name", "Purchase Cost", "QTY"]
    "snipe-it-consumables" "Snipe-IT consumables (import template)" ["Consumable Name", "Item No.", "QTY"]
    "snipe-it-licenses" "Snipe-IT licenses (import template)" ["License Name", "Reassignable", "Seats"]
    "snipe-it-locations" "Snipe-IT locations (import template)" ["Location Name", "LDAP Search OU"]
    "snipe-it-users" "Snipe-IT users (import template)" ["Gravatar Email", "VIP", "Username"]
    "bluetally" "BlueTally import templates" []
    "snipe-it" "Snipe-IT assets, accessories, consumables and components" []
}

/// An export that was recognised.
#[derive(Debug)]
pub(crate) struct Recognized {
    pub preset: &'static Preset,
    pub file: MappingFile,
    /// What it holds.
    pub entity: &'static Entity,
    /// The index of its header row.
    pub row: usize,
}

impl Preset {
    /// # Errors
    /// If there is no such preset.
    pub(crate) fn find(name: &str) -> Result<&'static Preset, MappingFileError> {
        let preset = PRESETS.iter().find(|preset| preset.name == name);
        preset.ok_or_else(|| MappingFileError::NoSuchPreset { name: name.to_owned() })
    }

    fn tells(&self, headers: &[String]) -> bool {
        let has = |header: &&str| headers.contains(&HeaderText::parse(header).whole);
        !self.signature.is_empty() && self.signature.iter().all(has)
    }
}

/// The preset whose export the rows begin with; none where several could be meant.
pub(crate) fn recognize(rows: &[Row]) -> Option<Recognized> {
    let found = rows.iter().enumerate().find_map(|(row, cells)| {
        let headers: Vec<String> = cells.cells().flat_map(|cell| headers::header_keys(cell.text)).collect();
        let mut told = PRESETS.iter().filter(|preset| preset.tells(&headers));
        let preset = told.next()?;
        told.next().is_none().then_some((preset, row))
    });
    let (preset, row) = found?;
    let file = MappingFile::preset(preset.name).ok()?;
    Some(Recognized { preset, entity: file.entity?, file, row })
}
