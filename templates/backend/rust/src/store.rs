// SPDX-License-Identifier: Apache-2.0
//! The collections of the process, in memory as long as it lives. Every instance sees the same
//! ones, as all connections to a server do. With a server there is no lock here; it has its own.
use std::collections::BTreeMap;
use std::process;
use std::sync::{OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::Duration;

use simplugin_backend::{Call, Error};

use crate::collection::Collection;

type Collections = BTreeMap<String, Collection>;

/// The store of one process. A forked child begins a new one: another thread of its parent may
/// have been in the middle of a change, and its lock is never given back.
struct Store {
    process: OnceLock<u32>,
    collections: RwLock<Collections>,
    child: OnceLock<Box<Store>>,
}

static FIRST: Store = Store::new();

impl Store {
    const fn new() -> Self {
        Store {
            process: OnceLock::new(),
            collections: RwLock::new(Collections::new()),
            child: OnceLock::new(),
        }
    }

    fn of_this_process() -> &'static Store {
        let mut store = &FIRST;
        while *store.process.get_or_init(process::id) != process::id() {
            store = store.child.get_or_init(|| Box::new(Store::new()));
        }
        store
    }
}

/// Tries until there is a lock, or the call is out of time or cancelled.
fn locked<G>(call: &Call<'_>, lock: impl Fn() -> Result<G, TryLockError<G>>) -> Result<G, Error> {
    loop {
        match lock() {
            Ok(guard) => return Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
        }
        call.check()?;
    }
}

pub(crate) fn read(call: &Call<'_>) -> Result<RwLockReadGuard<'static, Collections>, Error> {
    let store = Store::of_this_process();
    locked(call, || store.collections.try_read())
}

pub(crate) fn write(call: &Call<'_>) -> Result<RwLockWriteGuard<'static, Collections>, Error> {
    let store = Store::of_this_process();
    locked(call, || store.collections.try_write())
}
