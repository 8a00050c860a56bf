//! Files and folders that nobody else may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Creates a folder and those above it; new ones are for the owner only.
///
/// # Errors
/// If one of them cannot be created.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
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

/// Writes a file that only its owner can read: complete, or not there at all.
///
/// # Errors
/// If it cannot be written, or is there already and is to be kept.
pub fn write_private(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    let beside = path.with_file_name(format!(
        ".{}.{}",
        path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default(),
        std::process::id()
    ));
    let write = || {
        let mut file = create_new(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        match existing {
            Existing::Replaced => fs::rename(&beside, path),
            // A link is never made over a file that is there.
            Existing::Kept => fs::hard_link(&beside, path).and_then(|()| fs::remove_file(&beside)),
        }
    };
    write().inspect_err(|_| {
        let _left_behind = fs::remove_file(&beside);
    })
}

/// Has the folder itself on disk, so that a new file in it survives a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    // Only unix lets a folder be opened and synced.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Keeps a folder out of git, unless somebody has decided otherwise.
pub(super) fn ignore_in_git(folder: &Path) -> io::Result<()> {
    let path = folder.join(".gitignore");
    if fs::exists(&path)? {
        return Ok(());
    }
    create_new(&path)?.write_all(b"# Journals and saved plans hold access codes.\n*\n")
}
