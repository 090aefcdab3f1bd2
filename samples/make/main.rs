//! Writes the sample spreadsheets beside this folder: `cargo run --example make-samples`.
//!
//! The same files come out every time: the random numbers have a fixed seed and the workbooks a fixed date. A file
//! is a module here; what is true of the imagined company stands in `company.rs`, what a fresh sandbox holds in
//! `seeded.rs`.

mod book;
mod company;
mod every_problem;
mod inventory;
mod onboarding;
mod products;
mod random;
mod seeded;
mod template;
mod unevaluated;

use std::error::Error;
use std::fs;
use std::path::Path;

/// What a step of the making gives; there is nobody to act on a failure but whoever ran it.
type Made<T> = Result<T, Box<dyn Error>>;

/// Makes a file's bytes.
type Maker = fn() -> Made<Vec<u8>>;

const FILES: &[(&str, Maker)] = &[
    ("onboarding.xlsx", onboarding::make),
    ("assets.csv", inventory::make),
    ("every-problem.xlsx", every_problem::make),
    ("bluetally-template.xlsx", template::make),
];

fn main() -> Made<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    for (name, make) in FILES {
        let bytes = make()?;
        fs::write(folder.join(name), &bytes)?;
        println!("samples/{name}: {} bytes", bytes.len());
    }
    Ok(())
}
