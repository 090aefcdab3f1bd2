//! File formats, and the sheets of a file.

/// The format of a file, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Csv,
    Xlsx,
    Xls,
    Xlsb,
    Ods,
    Jsonl,
}

/// Whether the spreadsheet program shows a sheet's tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    Visible,
    Hidden,
}

/// One sheet of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// As on the tab; none in files that have but one sheet, CSV and JSON.
    pub name: Option<String>,
    pub visibility: Visibility,
}

impl Sheet {
    pub(super) fn only() -> Vec<Sheet> {
        vec![Sheet { name: None, visibility: Visibility::Visible }]
    }
}
