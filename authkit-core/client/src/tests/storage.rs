use super::stored;
use crate::{FileStorage, TokenStorage};
use std::{fs, path::Path};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_file_keeps_the_last_tokens_and_can_be_forgotten() {
    let folder = folder();
    let path = folder.path().join("deep/er/session.json");
    let storage = FileStorage::new(&path);
    assert_eq!(storage.load().await.unwrap(), None);
    storage.clear().await.unwrap();
    for number in 1..3 {
        storage.save(&stored(number, 7)).await.unwrap();
        assert_eq!(FileStorage::new(&path).load().await.unwrap(), Some(stored(number, 7)));
    }
    storage.clear().await.unwrap();
    assert_eq!(storage.load().await.unwrap(), None);
    storage.clear().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("private/session.json");
    let storage = FileStorage::new(&path);
    storage.save(&stored(1, 7)).await.unwrap();
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = storage.load().await.unwrap_err().to_string();
    assert!(error.contains("chmod 600") && !error.contains("refresh-1"), "{error}");
    // Kept anew it is private again.
    storage.save(&stored(2, 7)).await.unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_somebody_laid_is_not_written_through() {
    let folder = folder();
    let (path, victim) = (folder.path().join("session.json"), folder.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    for name in ["session.json", "session.json.new"] {
        std::os::unix::fs::symlink(&victim, folder.path().join(name)).unwrap();
    }
    FileStorage::new(&path).save(&stored(1, 7)).await.unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(!fs::symlink_metadata(&path).unwrap().is_symlink());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_cannot_be_read_is_an_error_and_is_not_quoted() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("session.json");
    fs::write(&path, r#"{"access_token": "hidden", "refresh_token": 7}"#).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let error = FileStorage::new(&path).load().await.unwrap_err().to_string();
    assert!(error.contains("does not hold tokens") && !error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn fields_of_later_versions_are_no_obstacle() {
    let mut later = serde_json::to_value(stored(1, 7)).unwrap();
    later["later"] = true.into();
    assert_eq!(serde_json::from_value::<crate::StoredTokens>(later).unwrap(), stored(1, 7));
}

#[tokio::test]
async fn one_client_at_a_time_has_the_lock() {
    let folder = folder();
    let open = || FileStorage::new(folder.path().join("session.json"));
    let held = open().try_lock().await.unwrap().unwrap();
    assert!(open().try_lock().await.unwrap().is_none());
    drop(held);
    assert!(open().try_lock().await.unwrap().is_some());
}
