//! The organizations that a token reaches.

use std::collections::HashSet;

use crate::storage::sha256;
use crate::webex::Organization;

/// An organization, and the directory of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationView {
    pub id: String,
    pub name: String,
    /// Its name in letters, digits and hyphens, with a digest of its id where two are alike.
    pub files: String,
}

impl OrganizationView {
    /// In the order of their names, each once, with a directory that `slug` makes of its name. Of those that are alike each has
    /// a part of its id as well, so that no directory ever becomes that of another organization.
    pub fn list(mut organizations: Vec<Organization>, slug: impl Fn(&str) -> String) -> Vec<Self> {
        organizations.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        let mut seen = HashSet::new();
        organizations.retain(|organization| seen.insert(organization.id.clone()));
        let slugs: Vec<String> = organizations.iter().map(|organization| slug(&organization.name)).collect();
        let is_alone = |slug: &String| slugs.iter().filter(|other| *other == slug).count() == 1;
        let files = |(organization, slug): (&Organization, &String)| match is_alone(slug) {
            true => slug.clone(),
            false => format!("{slug}-{}", digest(&organization.id)),
        };
        let files: Vec<String> = organizations.iter().zip(&slugs).map(files).collect();
        let view = |(Organization { id, name }, files)| Self { id, name, files };
        organizations.into_iter().zip(files).map(view).collect()
    }
}

/// Eight hexadecimal digits of the digest of an id.
fn digest(id: &str) -> String {
    sha256(id).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_directory_becomes_that_of_another_organization() {
        let list = |items: &[(&str, &str)]| -> Vec<(String, String)> {
            let items = items.iter().map(|(id, name)| Organization { id: (*id).to_owned(), name: (*name).to_owned() });
            let slug = |name: &str| name.to_lowercase();
            OrganizationView::list(items.collect(), slug).into_iter().map(|one| (one.id, one.files)).collect()
        };
        let directory = |id: &str| format!("acme-{}", digest(id));
        assert_eq!(list(&[("B", "Acme")]), [("B".to_owned(), "acme".to_owned())]);
        let expected = [("A".to_owned(), directory("A")), ("B".to_owned(), directory("B"))];
        assert_eq!(list(&[("B", "Acme"), ("A", "ACME"), ("B", "Acme")]), expected);
    }
}
