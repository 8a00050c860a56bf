//! Files and folders that nobody else may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a folder and those above it; new ones are for the owner only, and survive a power cut.
///
/// # Errors
/// If one of them cannot be created.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path.ancestors().take_while(|folder| named(folder) && !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    for folder in new {
        // Created it is, also where nobody may have it synced.
        let _best_effort = sync_folder(folder_of(folder));
    }
    Ok(())
}

/// Creates a file that must not exist yet, readable by the owner only.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Whether a file that is there already may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It may: the new one takes its place as a whole, or not at all.
    Replaced,
    /// It may not.
    Kept,
}

/// Writes a file that only its owner can read: complete, or not there at all. Through a link, what it leads to is
/// written.
///
/// # Errors
/// If it cannot be written, or is there already and is to be kept, or is something else than a file.
pub fn write_private(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let path = &file_behind(path)?;
    let folder = folder_of(path);
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    // Gone again when anything below fails.
    let start: String = name.chars().take(40).collect();
    fs::metadata(folder)?;
    // Its own words name a file that nobody has asked for.
    let in_short = |error: io::Error| io::Error::from(error.kind());
    let mut beside = tempfile::Builder::new().prefix(&format!(".{start}.")).tempfile_in(folder).map_err(in_short)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    match existing {
        Existing::Replaced => beside.persist(path)?,
        Existing::Kept => beside.persist_noclobber(path)?,
    };
    // Written it is, also where nobody may have the folder synced.
    let _best_effort = sync_folder(folder);
    Ok(())
}

/// The file that a path leads to, through links, even if it is not there yet.
///
/// # Errors
/// If something is there that is no file, or it is what some program has open: replacing that would take it away.
pub(super) fn file_behind(path: &Path) -> io::Result<PathBuf> {
    let path = behind_links(path)?;
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("that is no regular file"));
    }
    Ok(path)
}

/// What a link leads to, even if that is not there yet.
fn behind_links(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST {
        // What a program has open, by whatever name.
        if path.starts_with("/dev/fd") || path.starts_with("/proc") {
            return Err(io::Error::other("that is no regular file"));
        }
        match fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("that is a link to itself"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| named(folder)).unwrap_or(Path::new("."))
}

fn named(folder: &Path) -> bool {
    !folder.as_os_str().is_empty()
}

/// Has the folder itself on disk, so that a new file in it survives a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Only unix lets a folder be opened and synced.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Keeps a folder out of git, unless somebody has decided otherwise.
pub(super) fn ignore_in_git(folder: &Path) -> io::Result<()> {
    const IGNORE_ALL: &[u8] = b"# Journals and saved plans hold access codes.\n*\n";
    let path = folder.join(".gitignore");
    if fs::exists(&path)? {
        return Ok(());
    }
    match write_private(&path, IGNORE_ALL, Existing::Kept) {
        // Another run was a moment faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        write_private(&path, b"one", Existing::Kept).expect("written");
        let again = write_private(&path, b"two", Existing::Kept).expect_err("it is there");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("bytes"), b"one");
        let sub = folder.path().join("sub");
        create_folder(&sub).expect("created");
        write_private(&sub, b"x", Existing::Replaced).expect_err("a folder is no file");
        assert_eq!(names_in(folder.path()), ["plan.json", "sub"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_a_device_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("real.json", at("link.json")).expect("a link");
        for text in [b"one", b"two"] {
            write_private(&at("link.json"), text, Existing::Replaced).expect("written");
            assert_eq!(fs::read(at("real.json")).expect("bytes"), text);
        }
        assert!(fs::symlink_metadata(at("link.json")).expect("there").is_symlink());
        std::os::unix::fs::symlink("loop", at("loop")).expect("a link");
        write_private(&at("loop"), b"x", Existing::Replaced).expect_err("it leads nowhere");
        write_private(Path::new("/dev/null"), b"x", Existing::Replaced).expect_err("a device");
    }
}
