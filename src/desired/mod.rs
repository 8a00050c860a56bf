//! Reads desired-state files.
//!
//! | module | purpose |
//! |---|---|
//! | `model` | the data: [`model::Desired`] and its entries; all that the planner uses of this module |
//! | `load` | reads files, directories and standard input |
//! | `yaml` | parses YAML into a tree with spans, within size limits |
//! | `mapping` | reads the fields of a mapping and reports every error |
//! | `csv` | parses CSV into the same tree |
//! | `parse` | converts a tree into the model and reports all errors of the file |
//! | `read` | parses all sources, several files at a time |
//! | `merge` | merges several files and reports contradictions |
//! | `yaml_writer` | [`YamlWriter`]: writes settings as YAML |
//! | `edit` | [`edit()`]: edits single values where they stand |
//! | `export` | [`Export`]: writes the live state as a desired state |
//! | `rules` | parses and checks rules |
//! | `spanned` | [`model::Spanned`]: a value of a file, and where it stands |
//! | `template` | renders the templates of rules |
//! | `expand` | [`expand()`]: expands rules into entries |
//! | `code_sources` | resolves access codes from `env` and `file` sources |

mod code_sources;
mod csv;
mod edit;
pub(crate) mod expand;
pub(crate) mod export;
pub(crate) mod load;
pub(crate) mod mapping;
mod merge;
pub mod model;
pub(crate) mod parse;
mod read;
pub(crate) mod rules;
pub(crate) mod spanned;
pub(crate) mod template;
pub(crate) mod yaml;
pub(crate) mod yaml_writer;

pub use crate::resources::handset::rename::rename_handsets;
pub use code_sources::{CodeSourceResolver, ProcessEnvironment, resolve_codes};
pub use csv::table;
pub use edit::{Edit, NewValue, edit, redacted_lines};
pub use expand::{RuleContext, any_rule_matches_location, expand};
pub use export::{CodeExport, Export, Exported, unique_file_stems};
pub use load::{Input, SourceFormat, has_desired_state_extension, load_sources};
pub use read::read;
pub use rules::{RenameRequest, rename_rules};
pub use yaml_writer::{NetworkHead, Purpose, WritableSettings, Written, YamlWriter, writable_settings};

/// The JSON Schema of desired-state files, for editors. It cannot express uniqueness, which the parser checks.
pub const SCHEMA: &str = include_str!("../../docs/networks.schema.json");
