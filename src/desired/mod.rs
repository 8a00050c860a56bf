//! From the text of a desired-state file to what it asks for.
//!
//! | file | what it is |
//! |---|---|
//! | `wish` | the data: [`wish::Desired`] and its entries; the only file of this room that the planner knows |
//! | `gather` | which texts: files, folders, standard input |
//! | `tree` | YAML as a tree with positions, under limits that no honest file meets |
//! | `halves` | where a large file can be cut, so that its halves can be read at the same time |
//! | `fields` | reading the fields of one mapping, noting every mistake |
//! | `table` | CSV as the same tree |
//! | `check` | a tree as wishes, with all mistakes of the file at once |
//! | `merge` | several files as one desired state; what contradicts what |
//! | `write` | [`FileText`]: settings as the text of a file |
//! | `export` | [`Export`]: the live organization as a desired state |
//! | `rules` | what every network that matches is to be like |
//! | `template` | what a name is made of |
//! | `expand` | [`expand()`]: rules and the live organization as entries |
//! | `codes` | access codes that stand in the environment or in files of their own |

mod check;
mod codes;
mod expand;
mod export;
mod fields;
mod gather;
mod halves;
mod merge;
mod rules;
mod table;
mod template;
mod tree;
pub mod wish;
mod write;

pub use codes::{CodeLookup, Surroundings, resolve};
pub use expand::{Ground, concerns, expand};
pub use export::{Export, Exported, WithCodes, file_names};
pub use gather::{Input, Notation, gather};
pub use rules::{OneShot, one_shot};
pub use write::{Asked, FileText, asked};

use crate::diagnostic::{Diagnostics, Sources};
use wish::Desired;

/// The JSON Schema of desired-state files, for editors. What it cannot say (uniqueness, who is who) the reader checks.
pub const SCHEMA: &str = include_str!("../../docs/networks.schema.json");

/// Reads texts as one desired state. Whatever is wrong in any of them is in `diagnostics`, all at once.
pub fn read(inputs: Vec<Input>, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Desired {
    let mut files = Vec::new();
    for input in inputs {
        let source = sources.add(input.name, input.text);
        let tree = match input.notation {
            Notation::Yaml => tree::parse(source, sources, diagnostics),
            Notation::Table => table::parse(source, sources, diagnostics),
        };
        if let Some(tree) = tree {
            let origin = check::Origin { source, notation: input.notation, base: &input.base };
            files.push(check::check(&tree, origin, sources, diagnostics));
        }
    }
    merge::merge(files, diagnostics)
}
