//! The files that a run may not write over, whatever `--force` allows.

use std::path::{Path, PathBuf};

use super::InputOptions;
use crate::error::{Error, Result};
use crate::table::Input;

/// A file that a command writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFile {
    Result,
    Plan,
    Mapping,
    Register,
}

impl OutputFile {
    fn name(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Plan => "plan",
            Self::Mapping => "mapping",
            Self::Register => "register",
        }
    }

    /// The flag that says where it goes.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Result => "--result",
            Self::Plan => "--plan",
            Self::Mapping => "--save-mapping",
            Self::Register => "-o",
        }
    }
}

/// The files that a run reads: whoever wrote them, they stay as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProtectedFiles(Vec<ProtectedFile>);

#[derive(Debug, Clone)]
struct ProtectedFile {
    /// What it is to the run.
    role: &'static str,
    input: Input,
}

impl ProtectedFiles {
    /// The files of one role.
    pub(crate) fn new(role: &'static str, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        let files = paths.into_iter().map(|path| ProtectedFile { role, input: Input::from_arg(&path.into()) });
        Self(files.collect())
    }

    pub(crate) fn and(mut self, role: &'static str, path: Option<&PathBuf>) -> Self {
        self.0.extend(Self::new(role, path).0);
        self
    }

    /// Finds out whether the output may go to `path`.
    ///
    /// # Errors
    /// Where it would replace one of these files.
    pub(crate) fn check(&self, output: OutputFile, path: &Path) -> Result<()> {
        let path = Input::Path(path.to_path_buf());
        let Some(file) = self.0.iter().find(|file| file.input.is_same(&path)) else { return Ok(()) };
        Err(Error::usage(
            format!("the {} would overwrite the {} `{}`", output.name(), file.role, file.input.name()),
            format!("name another file with {}", output.flag()),
        ))
    }
}

impl InputOptions {
    /// The spreadsheets, the files that say how to read them, and the mapping that is saved before anything else is
    /// written.
    pub(crate) fn protected_files(&self) -> ProtectedFiles {
        let mapping = &self.mapping;
        self.protected_from_mapping()
            .and("mapping file", mapping.file.as_ref())
            .and("saved mapping", mapping.save_to.as_ref())
    }

    /// What the mapping in use is not saved over. The mapping file it began with has been read by then, and may be
    /// replaced like any file.
    pub(crate) fn protected_from_mapping(&self) -> ProtectedFiles {
        ProtectedFiles::new("input", &self.files).and("alias file", self.aliases.as_ref())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_read_is_known_by_every_path_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        ["in.csv", "m.toml", "names.xlsx"].iter().for_each(|name| fs::write(at(name), "x").unwrap());
        let mut options = InputOptions { files: vec!["-".into(), at("in.csv")], ..InputOptions::default() };
        options.mapping.file = Some(at("m.toml"));
        options.aliases = Some(at("names.xlsx"));
        let refused =
            |path: &Path| options.protected_files().check(OutputFile::Plan, path).map_err(|error| error.to_string());
        let refusal =
            |role: &str, name: &str| Err(format!("the plan would overwrite the {role} `{}`", at(name).display()));
        assert_eq!(refused(&at("./in.csv")), refusal("input", "in.csv"));
        assert_eq!(refused(&at("m.toml")), refusal("mapping file", "m.toml"));
        assert_eq!(refused(&at("names.xlsx")), refusal("alias file", "names.xlsx"));
        assert_eq!(refused(&at("other.xlsx")), Ok(()));
    }
}
