//! The kinds of things, a directory each: what Webex holds, what files ask for, what must change, and how that is sent.
//!
//! A kind has files of these names, each as part of a layer of the program (see the crate's table of modules):
//!
//! | file | layer | what it is |
//! |---|---|---|
//! | `state` | `model` | what Webex holds: identity, label, equality as far as a read shows |
//! | `settings` | `model` | the four settings of a network, as read or sent |
//! | `desired_settings` | `model` | the same four, each optional and valid |
//! | `network_model` | `model` | the hardware of a network |
//! | `mac` | `model` | the address of a base station |
//! | `member` | `model` | whose line a handset has |
//! | `fields` | `plan::model` | its fields, which reports, tables and documents read |
//! | `entry` | `desired::model` | what files ask for |
//! | `parse` | `desired` | reads that from a file |
//! | `merge` | `desired` | what two entries may not both say |
//! | `write` | `desired` | writes it into one |
//! | `rename` | `desired` | expands a rename of handsets into entries |
//! | `standing` | `plan::model` | where its changes stand in what is listed now |
//! | `compare` | `plan` | what must change, and what is wrong with what is asked for |
//! | `steps` | `plan` | the requests of a location, in their order |
//! | `calls` | `webex::calls` | its requests, and how their responses are read |
//! | `wire` | `webex::wire` | its JSON |
//! | `operations` | `apply` | how each operation is sent, and what must be looked at right before |
//! | `undo` | `reconcile` | what an undo takes back of it |
//! | `places` | `plan` | the order of base stations, so that each has a place |
//! | `members` | `plan` | the members that files name |
//! | `lines` | `plan` | the order of handset changes: a line is given up before it is taken |
//!
//! The files beside the directories are the tables of kinds. `fields`, `calls`, `compare`, `operations`, `standing` and `undo` choose what
//! the files of that name do, of the same layer:
//!
//! | file | layer | what it is |
//! |---|---|---|
//! | `kind` | `model` | [`kind::ResourceKind`], and something for each kind |
//! | `devices` | `model` | what belongs to a network, of each kind |
//! | `device_entries` | `desired::model` | what an entry says of what belongs to its network, of each kind |
//! | `resource` | `plan::model` | the state of one thing of any kind |
//! | `field` | `plan::model` | a field, and its values |

pub mod base_station;
pub mod calls;
pub(crate) mod compare;
pub mod device_entries;
pub mod devices;
pub mod field;
pub mod fields;
pub mod handset;
pub mod kind;
pub(crate) mod merge;
pub mod network;
pub(crate) mod operations;
pub mod resource;
pub mod serviceability_password;
pub mod standing;
mod undo;
pub(crate) mod write;
