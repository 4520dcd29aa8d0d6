// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use simplugin_sys as sys;

use crate::{Call, Error, ErrorKind, Result};

/// The number of an object in the library, never used again once it is closed. The objects of
/// this crate own theirs; this one owns nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl Handle {
    /// The default session.
    pub const DEFAULT: Handle = Handle(0);

    /// Of a number that the library gave.
    pub const fn from_raw(number: u64) -> Self {
        Handle(number)
    }

    /// The number.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Any method of docs/protocol.md. A handle that is not open is [`StaleHandle`].
    ///
    /// [`StaleHandle`]: crate::ErrorKind::StaleHandle
    pub fn call<'a>(self, method: &'a str) -> Call<'a> {
        Call::new(self, method, None)
    }

    /// Closes whatever it is.
    pub fn close(self) -> Result<()> {
        let mut error = std::ptr::null_mut();
        // SAFETY: any number may be closed.
        match unsafe { sys::simplugin_close(self.0, &mut error) } {
            sys::code::OK => Ok(()),
            code => Err(Error::take(code, error)),
        }
    }
}

/// A handle that is closed with its last owner, and before the one it came from.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) handle: Handle,
    closed: AtomicBool,
    /// The session of an index, the index of a view: open as long as this one.
    pub(crate) parent: Option<Arc<Node>>,
}

impl Node {
    pub(crate) fn new(handle: u64, parent: Option<&Arc<Node>>) -> Arc<Self> {
        let closed = AtomicBool::new(false);
        Arc::new(Node { handle: Handle(handle), closed, parent: parent.cloned() })
    }

    pub(crate) fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        match self.handle.close() {
            // it closed with what it came from
            Err(error)
                if error.kind() == ErrorKind::StaleHandle && self.handle != Handle::DEFAULT =>
            {
                Ok(())
            }
            closed => closed,
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.close();
    }
}
