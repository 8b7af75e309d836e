//! The key that signs the tokens of ServiceAccounts: made by the first server of a data directory, so
//! that tokens stay good when a server ends.

use std::{fs, io, path::Path, sync::Arc};

use tokens::{BadKey, Signer};

use crate::{exit::Failure, files};

/// Reads the key, or makes it.
pub(super) fn signer(data_dir: &Path) -> Result<Arc<Signer>, Failure> {
    let file = data_dir.join("tokens.key");
    let trouble = |error: io::Error| Failure::engine(format!("{}: {error}", file.display()));
    let bad = |error: BadKey| {
        Failure::engine(format!(
            "{}: {error}; remove it, and a new one is made at the next start, to which the tokens \
             that are about are foreign",
            file.display()
        ))
    };
    let key = match fs::read(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = Signer::generate().map_err(bad)?;
            files::replace(&file, &key).map_err(trouble)?;
            key
        }
        read => read.map_err(trouble)?,
    };
    Signer::new(&key).map(Arc::new).map_err(bad)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_a_damaged_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens.key");
        signer(dir.path()).unwrap();
        let key = fs::read(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        signer(dir.path()).unwrap();
        assert_eq!(fs::read(&file).unwrap(), key);
        fs::write(&file, "x").unwrap();
        let failure = signer(dir.path()).unwrap_err();
        assert!(failure.message.contains("tokens.key: the key that signs tokens cannot be used"));
    }
}
