//! From the text of a desired-state file to what it asks for.
//!
//! | file | what it is |
//! |---|---|
//! | `wish` | the data: [`wish::Desired`] and its entries; the only file of this room that the planner knows |
//! | `load_sources` | which texts: files, folders, standard input |
//! | `tree` | YAML as a tree with positions, under limits that no honest file meets |
//! | `halves` | where a large file can be cut, so that its halves can be read at the same time |
//! | `fields` | reading the fields of one mapping, noting every mistake |
//! | `table` | CSV as the same tree |
//! | `check` | a tree as wishes, with all mistakes of the file at once |
//! | `merge` | several files as one desired state; what contradicts what |
//! | `write` | [`YamlWriter`]: settings as the text of a file |
//! | `export` | [`Export`]: the live organization as a desired state |
//! | `rules` | what every network that matches is to be like |
//! | `template` | what a name is made of |
//! | `expand` | [`expand()`]: rules and the live organization as entries |
//! | `codes` | access codes that stand in the environment or in files of their own |

mod code_sources;
mod csv;
mod expand;
mod export;
mod load;
mod mapping;
mod merge;
pub mod model;
mod parse;
mod rules;
mod split;
mod template;
mod yaml;
mod yaml_writer;

pub use code_sources::{CodeSourceResolver, ProcessEnvironment, resolve_codes};
pub use expand::{RuleContext, any_rule_matches_location, expand};
pub use export::{CodeExport, Export, Exported, unique_file_stems};
pub use load::{Input, SourceFormat, load_sources};
pub use rules::{RenameRequest, rename_rules};
pub use yaml_writer::{WritableSettings, YamlWriter, writable_settings};

use crate::diagnostic::{Diagnostics, Sources};
use model::Desired;

/// The JSON Schema of desired-state files, for editors. What it cannot say (uniqueness, who is who) the reader checks.
pub const SCHEMA: &str = include_str!("../../docs/networks.schema.json");

/// Reads texts as one desired state. Whatever is wrong in any of them is in `diagnostics`, all at once.
pub fn read(inputs: Vec<Input>, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Desired {
    let mut files = Vec::new();
    for input in inputs {
        let source = sources.add(input.name, input.text);
        let tree = match input.format {
            SourceFormat::Yaml => yaml::parse(source, sources, diagnostics),
            SourceFormat::Csv => csv::parse(source, sources, diagnostics),
        };
        if let Some(tree) = tree {
            let source_info = parse::SourceInfo { source, format: input.format, base_dir: &input.base_dir };
            files.push(parse::parse_file(&tree, source_info, sources, diagnostics));
        }
    }
    merge::merge(files, diagnostics)
}
