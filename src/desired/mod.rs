//! From the text of a desired-state file to what it asks for.
//!
//! | file | what it is |
//! |---|---|
//! | `wish` | the data: [`wish::Desired`] and its entries; the only file of this room that the planner knows |
//! | `gather` | which texts: files, folders, standard input |
//! | `tree` | YAML as a tree with positions, under limits that no honest file meets |
//! | `fields` | reading the fields of one mapping, noting every mistake |
//! | `check` | a tree as wishes, with all mistakes of the file at once |
//! | `merge` | several files as one desired state; what contradicts what |
//! | `write` | [`FileText`]: wishes as the text of a file |
//! | `codes` | access codes that stand in the environment or in files of their own |

mod check;
mod codes;
mod fields;
mod gather;
mod merge;
mod tree;
pub mod wish;
mod write;

pub use codes::{CodeLookup, Surroundings, resolve};
pub use gather::{Input, gather};
pub use write::FileText;

use crate::diagnostic::{Diagnostics, Sources};
use wish::Desired;

/// The JSON Schema of desired-state files, for editors. What it cannot say (uniqueness, who is who) the reader checks.
pub const SCHEMA: &str = include_str!("../../docs/networks.schema.json");

/// Reads texts as one desired state. Whatever is wrong in any of them is in `findings`, all at once.
pub fn read(inputs: Vec<Input>, sources: &mut Sources, findings: &mut Diagnostics) -> Desired {
    let mut files = Vec::new();
    for input in inputs {
        let source = sources.add(input.name, input.text);
        if let Some(tree) = tree::parse(source, sources, findings) {
            files.push(check::check(&tree, source, &input.base, findings));
        }
    }
    merge::merge(files, findings)
}
