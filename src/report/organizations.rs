//! The organizations that a token reaches.

use crate::webex::Organization;

/// An organization, and the directory of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationView {
    pub id: String,
    pub name: String,
    /// Its name in letters, digits and hyphens, numbered where two are alike.
    pub files: String,
}

impl OrganizationView {
    /// In the order of their names, each with a directory that `directories` makes of them.
    pub fn list(mut organizations: Vec<Organization>, directories: impl Fn(&[&str]) -> Vec<String>) -> Vec<Self> {
        organizations.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        let names: Vec<&str> = organizations.iter().map(|organization| organization.name.as_str()).collect();
        let directories = directories(&names);
        let view = |(Organization { id, name }, files)| Self { id, name, files };
        organizations.into_iter().zip(directories).map(view).collect()
    }
}
