// SPDX-License-Identifier: Apache-2.0
//! What the host offers.
use std::sync::OnceLock;

use simplugin_abi::plugin::{self, simplugin_host};

static HOST: OnceLock<simplugin_host> = OnceLock::new();

/// Keeps what the host offers; what an older one does not have is `None`.
///
/// # Safety
/// `host` is the host's table.
pub(crate) unsafe fn keep(host: *const simplugin_host) {
    HOST.get_or_init(|| {
        let mut ours = NONE;
        // SAFETY: the caller's; the table is `size` bytes long, and NULL slots are None.
        unsafe {
            let size = usize::try_from((*host).size).unwrap_or(usize::MAX);
            let size = size.min(size_of::<simplugin_host>());
            std::ptr::copy_nonoverlapping(host.cast::<u8>(), (&raw mut ours).cast(), size);
        }
        ours
    });
}

const NONE: simplugin_host = simplugin_host {
    size: 0,
    abi_min: 0,
    abi_max: 0,
    reply_alloc: None,
    error_set: None,
    error_set_backend: None,
    error_set_retryable: None,
    error_add_detail: None,
    log: None,
    cancelled: None,
    cancel_watch: None,
    cancel_unwatch: None,
    progress: None,
};

/// The host that called the entry; one that offers nothing before that.
pub(crate) fn host() -> &'static simplugin_host {
    HOST.get().unwrap_or(&NONE)
}

/// How much a message of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// What may be wrong.
    Warning,
    /// What happens.
    Info,
    /// And how.
    Debug,
}

/// Writes a line to the host's log, from any thread.
pub fn log(level: LogLevel, message: &str) {
    let level = match level {
        LogLevel::Error => plugin::LOG_ERROR,
        LogLevel::Warning => plugin::LOG_WARNING,
        LogLevel::Info => plugin::LOG_INFO,
        LogLevel::Debug => plugin::LOG_DEBUG,
    };
    if let Some(log) = host().log {
        // SAFETY: the message is borrowed.
        unsafe { log(level, message.as_ptr().cast(), message.len() as u64) };
    }
}
