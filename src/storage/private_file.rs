//! Files and directories that only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Creates a directory and its parents, accessible by the owner only and synced to disk.
///
/// # Errors
/// If one of them cannot be created.
pub fn create_private_dir(path: &Path) -> io::Result<()> {
    let new: Vec<&Path> = path.ancestors().take_while(|dir| named(dir) && !dir.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    for dir in new {
        // The directory exists even if it cannot be synced.
        let _best_effort = sync_dir(parent_dir(dir));
    }
    Ok(())
}

/// Creates a new file, readable by the owner only; fails if it exists.
pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What to do with an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    /// Replace it atomically.
    Overwrite,
    Fail,
}

/// Writes a file atomically, readable by the owner only. Symbolic links are
/// followed.
///
/// # Errors
/// If it cannot be written, exists already (with [`IfExists::Fail`]), or is not a regular file.
pub fn write_private_file(path: &Path, bytes: &[u8], existing: IfExists) -> io::Result<()> {
    write_file(path, bytes, existing, &tempfile::Builder::new())
}

/// Replaces files, each atomically, and keeps their permissions. All are written before the first one is replaced, so that
/// what cannot be written leaves all of them as they were. Symbolic links are followed.
///
/// # Errors
/// The file that cannot be written, and how many before it were replaced.
pub fn rewrite_files<'p>(files: &[(&'p Path, &[u8])]) -> Result<(), (&'p Path, usize, io::Error)> {
    let staged = files.iter().map(|(path, bytes)| {
        let mut builder = tempfile::Builder::new();
        let permissions = fs::metadata(path).map(|data| data.permissions());
        let staged = permissions.and_then(|permissions| {
            builder.permissions(permissions);
            stage(path, bytes, &builder)
        });
        staged.map_err(|error| (*path, 0, error))
    });
    let staged: Vec<(NamedTempFile, PathBuf)> = staged.collect::<Result<_, _>>()?;
    for (at, ((file, target), (path, _))) in staged.into_iter().zip(files).enumerate() {
        replace(file, &target, IfExists::Overwrite).map_err(|error| (*path, at, error))?;
    }
    Ok(())
}

/// Writes a file atomically that every user may read, and that replaces an older one. Symbolic links are followed.
///
/// # Errors
/// If it cannot be written, or is not a regular file.
pub fn write_public_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    write_file(path, bytes, IfExists::Overwrite, &builder)
}

fn write_file(path: &Path, bytes: &[u8], existing: IfExists, builder: &tempfile::Builder<'_, '_>) -> io::Result<()> {
    let (file, target) = stage(path, bytes, builder)?;
    replace(file, &target, existing)
}

/// Writes a file beside its target, which is resolved. It is deleted if it does not become the target.
fn stage(path: &Path, bytes: &[u8], builder: &tempfile::Builder<'_, '_>) -> io::Result<(NamedTempFile, PathBuf)> {
    let path = resolve_target(path)?;
    let dir = parent_dir(&path);
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let start: String = name.chars().take(40).collect();
    fs::metadata(dir)?;
    // The error of `tempfile` names the temporary file.
    let in_short = |error: io::Error| io::Error::from(error.kind());
    let prefix = format!(".{start}.");
    let mut file = builder.clone().prefix(&prefix).tempfile_in(dir).map_err(in_short)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok((file, path))
}

fn replace(file: NamedTempFile, target: &Path, existing: IfExists) -> io::Result<()> {
    match existing {
        IfExists::Overwrite => file.persist(target)?,
        IfExists::Fail => file.persist_noclobber(target)?,
    };
    // The file is written even if the directory cannot be synced.
    let _best_effort = sync_dir(parent_dir(target));
    Ok(())
}

/// Resolves symbolic links to the target file, which may not exist yet.
///
/// # Errors
/// If the target is not a regular file, or is an open file descriptor, which must not be replaced.
pub(super) fn resolve_target(path: &Path) -> io::Result<PathBuf> {
    let path = resolve_symlinks(path)?;
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    Ok(path)
}

/// Resolves a chain of links, even if the target does not exist.
fn resolve_symlinks(path: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST {
        // Open file descriptors.
        if path.starts_with("/dev/fd") || path.starts_with("/proc") {
            return Err(io::Error::other("not a regular file"));
        }
        match fs::read_link(&path) {
            Ok(target) => path = parent_dir(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

fn parent_dir(path: &Path) -> &Path {
    path.parent().filter(|dir| named(dir)).unwrap_or(Path::new("."))
}

fn named(dir: &Path) -> bool {
    !dir.as_os_str().is_empty()
}

/// Syncs the directory, so that a new file in it survives a power failure.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    // Directories can be synced on Unix only.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// Adds a `.gitignore` to a directory unless there is one.
pub(super) fn write_gitignore(dir: &Path) -> io::Result<()> {
    const IGNORE_ALL: &[u8] = b"# Journals and saved plans contain access codes.\n*\n";
    let path = dir.join(".gitignore");
    if fs::exists(&path)? {
        return Ok(());
    }
    match write_private_file(&path, IGNORE_ALL, IfExists::Fail) {
        // Created concurrently by another run.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn failed_writes_leave_no_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("plan.json");
        write_private_file(&path, b"one", IfExists::Fail).expect("written");
        let again = write_private_file(&path, b"two", IfExists::Fail).expect_err("it is there");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("bytes"), b"one");
        let sub = dir.path().join("sub");
        create_private_dir(&sub).expect("created");
        write_private_file(&sub, b"x", IfExists::Overwrite).expect_err("a directory is no file");
        assert_eq!(names_in(dir.path()), ["plan.json", "sub"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_a_device_is_not_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        std::os::unix::fs::symlink("real.json", at("link.json")).expect("a link");
        for text in [b"one", b"two"] {
            write_private_file(&at("link.json"), text, IfExists::Overwrite).expect("written");
            assert_eq!(fs::read(at("real.json")).expect("bytes"), text);
        }
        assert!(fs::symlink_metadata(at("link.json")).expect("there").is_symlink());
        std::os::unix::fs::symlink("loop", at("loop")).expect("a link");
        write_private_file(&at("loop"), b"x", IfExists::Overwrite).expect_err("it leads nowhere");
        write_private_file(Path::new("/dev/null"), b"x", IfExists::Overwrite).expect_err("a device");
    }
}
