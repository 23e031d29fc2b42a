use super::{StorageError, StorageLock, TokenStorage};
use crate::StoredTokens;
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

/// No tokens are longer; whatever is, is another file.
const LIMIT: u64 = 1 << 20;

/// Keeps tokens in a file that only its owner can read. Several programs may share it: they take turns by a lock on a
/// second file, whose name has `.lock` behind it.
#[derive(Clone, Debug)]
pub struct FileStorage {
    path: PathBuf,
}

impl FileStorage {
    /// Over the file of that path. The file and its folder are made when something is kept.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.file_name().map(OsString::from).unwrap_or_default();
        name.push(suffix);
        self.path.with_file_name(name)
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
    }

    fn failed(&self, what: &str, error: &io::Error) -> StorageError {
        StorageError::new(format!("{} could not be {what}: {error}", self.path.display()))
    }

    fn make_folder(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(self.folder())
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                let advice = "others than its owner may use it; remove it and sign in again, or `chmod 600` it where nobody else has seen it";
                return Err(io::Error::new(ErrorKind::PermissionDenied, advice));
            }
        }
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    /// Into a new file that then takes the other's place: a power cut leaves one or the other.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        self.make_folder()?;
        let new = self.beside(".new");
        // `create_new` follows no link that somebody has laid there.
        remove(&new)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.sync_folder()
    }

    fn sync_folder(&self) -> io::Result<()> {
        #[cfg(unix)]
        File::open(self.folder())?.sync_all()?;
        Ok(())
    }

    fn forget(&self) -> io::Result<()> {
        remove(&self.path)?;
        remove(&self.beside(".new"))?;
        if self.folder().is_dir() { self.sync_folder() } else { Ok(()) }
    }

    fn lock(&self) -> io::Result<Option<File>> {
        self.make_folder()?;
        let file = private(OpenOptions::new().write(true).create(true).truncate(false)).open(self.beside(".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[async_trait::async_trait]
impl TokenStorage for FileStorage {
    async fn load(&self) -> Result<Option<StoredTokens>, StorageError> {
        let Some(bytes) = self.read().map_err(|error| self.failed("read", &error))? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|_| {
            // Without the parser's words, which quote what they stumble over.
            StorageError::new(format!("{} does not hold tokens; remove it and sign in again", self.path.display()))
        })
    }

    async fn save(&self, tokens: &StoredTokens) -> Result<(), StorageError> {
        let bytes = serde_json::to_vec(tokens).map_err(|_| StorageError::new("the tokens cannot be written"))?;
        self.replace(&bytes).map_err(|error| self.failed("written", &error))
    }

    async fn clear(&self) -> Result<(), StorageError> {
        self.forget().map_err(|error| self.failed("removed", &error))
    }

    async fn try_lock(&self) -> Result<Option<StorageLock>, StorageError> {
        let lock = self.lock().map_err(|error| self.failed("locked", &error))?;
        Ok(lock.map(StorageLock::new))
    }
}
