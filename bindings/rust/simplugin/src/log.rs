// SPDX-License-Identifier: Apache-2.0
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use simplugin_sys as sys;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
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

impl LogLevel {
    const fn raw(self) -> i32 {
        match self {
            LogLevel::Error => sys::LOG_ERROR,
            LogLevel::Warning => sys::LOG_WARNING,
            LogLevel::Info => sys::LOG_INFO,
            LogLevel::Debug => sys::LOG_DEBUG,
        }
    }

    const fn of(level: i32) -> Self {
        match level {
            ..=sys::LOG_ERROR => LogLevel::Error,
            sys::LOG_WARNING => LogLevel::Warning,
            sys::LOG_INFO => LogLevel::Info,
            _ => LogLevel::Debug,
        }
    }
}

type Listener = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// The library is given one function and no context, so that whoever is in it when the listener
/// changes finds memory that lives.
static LISTENER: RwLock<Option<Listener>> = RwLock::new(None);
static CHANGE: Mutex<()> = Mutex::new(());

/// Sends messages up to `level` to `listener`, on whatever thread they arise, also while calls
/// run. It must not call the library. A panic in it is dropped.
pub fn set_log(level: LogLevel, listener: impl Fn(LogLevel, &str) + Send + Sync + 'static) {
    change(Some(Arc::new(listener)), Some(level));
}

/// Restores the default: warnings and errors to stderr, or what `SIMPLUGIN_LOG` says.
pub fn reset_log() {
    change(None, None);
}

fn change(listener: Option<Listener>, level: Option<LogLevel>) {
    let _one_at_a_time = CHANGE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = {
        let mut current = LISTENER.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, listener)
    };
    let function = level.map(|_| heard as sys::simplugin_log_fn);
    // SAFETY: the function is there for good, and takes no context.
    unsafe {
        let level = level.map_or(0, LogLevel::raw);
        sys::simplugin_log_set(function, std::ptr::null_mut(), level);
    }
    drop(before);
}

unsafe extern "C" fn heard(_: *mut c_void, level: i32, message: *const c_char, size: u64) {
    // the hook has told of the panic; there is no call of ours to resume it in
    _ = catch_unwind(AssertUnwindSafe(|| {
        let listener = LISTENER.read().unwrap_or_else(PoisonError::into_inner).clone();
        // SAFETY: the library's text, borrowed until we return.
        let message = unsafe { std::slice::from_raw_parts(message.cast::<u8>(), size as usize) };
        if let Some(listener) = listener {
            listener(LogLevel::of(level), &String::from_utf8_lossy(message));
        }
    }));
}
