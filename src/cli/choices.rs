//! How choices of the core read on the command line: each value's word, and its line in the help.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::check::{Conflicts, EmptyCells, FractionalCost, Mode};

macro_rules! choices {
    ($type:ty { $($variant:ident: $help:literal),+ $(,)? }) => {
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                let help = match self {
                    $(Self::$variant => $help),+
                };
                Some(PossibleValue::new(self.as_str()).help(help))
            }
        }
    };
}

choices!(Mode {
    Create: "Only create; an existing record is a problem",
    Update: "Only update; a missing record is a problem",
    Upsert: "Create new records, update existing ones",
});

choices!(EmptyCells { Leave: "Keeps the field", Clear: "Clears the field" });

choices!(FractionalCost {
    Error: "A problem of the row",
    Round: "Rounded to a whole amount, halves away from zero",
    Send: "Sent as it is",
});

choices!(Conflicts {
    Theirs: "The service's values are kept",
    Mine: "The sheet's values are written",
    Skip: "The row is skipped",
});
