// SPDX-License-Identifier: Apache-2.0
//! Instances. Those of one directory share a store, with its graphs, within the process.
use std::collections::HashMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError, Weak};
use std::time::Duration;

use simplugin_backend::plugin::code;
use simplugin_backend::{Call, Error, Map};

use crate::request::check_keys;
use crate::saved;
use crate::store::Store;

pub(crate) const DIRECTORY_DOC: &str = "an absolute path, where collections are kept; \
     $XDG_DATA_HOME/simplugin-usearch or ~/.local/share/simplugin-usearch if there is none";

/// The stores that are open, and the processes that opened them.
type Stores = HashMap<PathBuf, (u32, Weak<Store>)>;

static STORES: Mutex<Option<Stores>> = Mutex::new(None);

pub(crate) struct Opened {
    process: u32,
    store: Option<Arc<Store>>,
}

impl Opened {
    pub(crate) fn open(call: &Call<'_>, parameters: Map<'_>) -> Result<Self, Error> {
        check_keys(parameters, &["directory"])?;
        let directory = directory(parameters)?;
        let process = std::process::id();
        let known = |stores: &mut Stores| {
            let (opener, store) = stores.get(&directory)?;
            store.upgrade().map(|store| (*opener, store))
        };
        let found = known(locked(call)?.get_or_insert_default());
        let store = match found {
            Some((opener, store)) if opener != process => {
                // SQLite takes the parent's locks for its own: not even a new connection is safe
                std::mem::forget(store);
                return Err(forked());
            }
            Some((_, store)) => store,
            None => {
                let opened = Arc::new(Store::open(call, directory.clone())?);
                saved::sweep(call, &opened)?;
                // another thread may have been quicker
                let mut stores = locked(call)?;
                let stores = stores.get_or_insert_default();
                let (_, store) = known(stores).unwrap_or_else(|| {
                    stores.retain(|_, (_, store)| store.strong_count() > 0);
                    stores.insert(directory.clone(), (process, Arc::downgrade(&opened)));
                    (process, opened)
                });
                store
            }
        };
        Ok(Opened { process, store: Some(store) })
    }

    pub(crate) fn store(&self) -> Result<&Store, Error> {
        let here = self.process == std::process::id();
        self.store.as_deref().filter(|_| here).ok_or_else(forked)
    }
}

impl Drop for Opened {
    /// In a forked child the store stays as it is: connections of the parent are not even closed.
    fn drop(&mut self) {
        if self.process != std::process::id() {
            std::mem::forget(self.store.take());
        }
    }
}

fn forked() -> Error {
    let message = "the directory was open when the process forked: use it in the parent, or open \
                   it in a program that the child starts";
    Error::new(code::FORKED, message)
}

/// A thread that was in here when the process forked never leaves it in the child: no wait without
/// an end.
fn locked<'a>(call: &Call<'_>) -> Result<MutexGuard<'a, Option<Stores>>, Error> {
    loop {
        match STORES.try_lock() {
            Ok(stores) => return Ok(stores),
            Err(TryLockError::Poisoned(stores)) => return Ok(stores.into_inner()),
            Err(TryLockError::WouldBlock) => {
                call.check()?;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// The directory, made if it is not there yet, by its one true name.
fn directory(parameters: Map<'_>) -> Result<PathBuf, Error> {
    let given = parameters.get("directory").and_then(|value| value.as_str());
    let path = match given.filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => default_directory().ok_or_else(|| {
            let message = "neither the parameter directory, XDG_DATA_HOME nor HOME says where \
                           collections are kept";
            Error::new(code::CONFIG, message).detail("argument", "directory")
        })?,
    };
    if !path.is_absolute() {
        let message = format!("directory is an absolute path, not \"{}\"", path.display());
        return Err(Error::argument("directory", message));
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.and_then(|()| path.canonicalize()).map_err(|error| unusable(&path, &error))
}

fn default_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
    Some(data.join("simplugin-usearch"))
}

fn unusable(path: &Path, error: &std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::PermissionDenied => code::PERMISSION_DENIED,
        std::io::ErrorKind::ReadOnlyFilesystem => code::READ_ONLY,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => code::NO_SPACE,
        _ => code::IO,
    };
    let message = format!("the directory {} cannot be used: {error}", path.display());
    Error::new(code, message).detail("argument", "directory")
}
