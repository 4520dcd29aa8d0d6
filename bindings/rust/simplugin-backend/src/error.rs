// SPDX-License-Identifier: Apache-2.0
use std::fmt;

use simplugin_abi::plugin::{code, simplugin_error};

use crate::host::host;

/// Why a call failed. The message is one line: what failed, on which argument, what to do; never a
/// secret.
#[derive(Clone, Debug)]
pub struct Error {
    code: i32,
    message: String,
    details: Vec<(String, String)>,
    backend: Option<(i64, String)>,
    retryable: Option<bool>,
}

impl Error {
    /// One of [`crate::plugin::code`].
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Error { code, message: message.into(), details: Vec::new(), backend: None, retryable: None }
    }

    /// `INVALID_ARGUMENT` that names the argument.
    pub fn argument(name: &str, message: impl Into<String>) -> Self {
        Error::new(code::INVALID_ARGUMENT, message).detail("argument", name)
    }

    /// `UNKNOWN_METHOD`, for all that a backend does not serve.
    pub fn unknown_method(method: &str) -> Self {
        Error::new(code::UNKNOWN_METHOD, format!("this backend has no method \"{method}\""))
    }

    /// A pair such as "id" and "4711".
    pub fn detail(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.push((key.into(), value.into()));
        self
    }

    /// The server's own code and words.
    pub fn backend(mut self, code: i64, message: impl Into<String>) -> Self {
        self.backend = Some((code, message.into()));
        self
    }

    /// Whether the same call may succeed later. Otherwise the code says it.
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }

    /// The code.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Hands it to the host, and returns the code.
    ///
    /// # Safety
    /// `error` is where the host lets errors go, or NULL.
    pub(crate) unsafe fn give(&self, error: *mut *mut simplugin_error) -> i32 {
        let host = host();
        let text = |text: &str| (text.as_ptr().cast(), text.len() as u64);
        // SAFETY: the caller's; texts are borrowed by the host.
        unsafe {
            if let Some(set) = host.error_set {
                let (message, size) = text(&self.message);
                set(error, self.code, message, size);
            }
            if let (Some(set), Some((code, message))) = (host.error_set_backend, &self.backend) {
                let (message, size) = text(message);
                set(error, *code, message, size);
            }
            if let (Some(set), Some(retryable)) = (host.error_set_retryable, self.retryable) {
                set(error, retryable.into());
            }
            for (key, value) in &self.details {
                let ((key, key_size), (value, value_size)) = (text(key), text(value));
                if let Some(add) = host.error_add_detail {
                    add(error, key, key_size, value, value_size);
                }
            }
        }
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
