// SPDX-License-Identifier: Apache-2.0
use simplugin_abi::{Body, Map, plugin};

use crate::{Call, Error};

/// Whether an instance is called from many threads at once. Either way calls may come from any
/// thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// From one at a time.
    Serial,
    /// From many.
    Concurrent,
}

impl Threads {
    pub(crate) const fn raw(self) -> u32 {
        match self {
            Threads::Serial => plugin::THREADS_SERIAL,
            Threads::Concurrent => plugin::THREADS_CONCURRENT,
        }
    }
}

/// What a plugin file holds.
pub trait Backend: 'static {
    /// One open connection or store.
    type Instance: Instance;

    /// How its instances are called.
    const THREADS: Threads;

    /// What it is and can do: the keys of `describe` in docs/protocol.md. Connects nowhere, reads
    /// no file, blocks on nothing.
    fn describe() -> Body<'static>;

    /// Makes an instance of the parameters that are described, checked and converted by the host.
    /// Connects here or later.
    fn open(call: &Call<'_>, parameters: Map<'_>) -> Result<Self::Instance, Error>;
}

/// An open connection or store. Dropped, it ends; in a forked child it frees memory and no more.
pub trait Instance: Send + Sync + 'static {
    /// Serves one method of the backend protocol. The request has been checked: ids are UTF-8,
    /// vectors float32 and finite. What the answer borrows, of the instance or of the request, is
    /// copied before this is called again.
    ///
    /// Call [`Call::check`] between blocks of work.
    fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error>;
}
