// SPDX-License-Identifier: Apache-2.0
use std::ffi::{CStr, c_char};
use std::fmt;

use simplugin_sys as sys;

/// What calls answer with.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:ident),* $(,)?) => {
        /// What went wrong: one for each code of `simplugin/plugin.h`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
            /// The embedding function failed; the error's source is its error.
            Embedding,
            /// A code that this crate does not know.
            Unknown,
        }

        impl ErrorKind {
            fn of(code: i32) -> Self {
                match code {
                    $(sys::code::$code => ErrorKind::$kind,)*
                    _ => ErrorKind::Unknown,
                }
            }
        }
    };
}

kinds! {
    /// A value is wrong; the detail "argument" names it.
    InvalidArgument = INVALID_ARGUMENT,
    /// No such collection, id, run, key.
    NotFound = NOT_FOUND,
    /// And the caller asked not to replace it.
    AlreadyExists = ALREADY_EXISTS,
    /// This backend cannot, and the core cannot instead.
    Unimplemented = UNIMPLEMENTED,
    /// The call's timeout ran out.
    DeadlineExceeded = DEADLINE_EXCEEDED,
    /// The call's token was fired.
    Cancelled = CANCELLED,
    /// Somebody else holds what is needed.
    Busy = BUSY,
    /// The server does not answer.
    Unavailable = UNAVAILABLE,
    /// Credentials missing or refused.
    Unauthenticated = UNAUTHENTICATED,
    /// Known, but not allowed to.
    PermissionDenied = PERMISSION_DENIED,
    /// A limit of the server's or of the library's.
    ResourceExhausted = RESOURCE_EXHAUSTED,
    /// No memory.
    OutOfMemory = OUT_OF_MEMORY,
    /// Reading or writing failed.
    Io = IO,
    /// Stored data is damaged.
    Corrupt = CORRUPT,
    /// The store cannot be written to.
    ReadOnly = READ_ONLY,
    /// The disk or the quota is full.
    NoSpace = NO_SPACE,
    /// Of a server or a store.
    VersionTooOld = VERSION_TOO_OLD,
    /// Of a server or a store.
    VersionTooNew = VERSION_TOO_NEW,
    /// No common ABI version.
    Incompatible = INCOMPATIBLE,
    /// Closed, never opened, or of another kind.
    StaleHandle = STALE_HANDLE,
    /// Opened by the parent process.
    Forked = FORKED,
    /// Text queries need an embedding function.
    PromptUnsupported = PROMPT_UNSUPPORTED,
    /// Vectors of another dimension than the index.
    DimensionMismatch = DIMENSION_MISMATCH,
    /// Not MessagePack, too deep, too large, a bad tensor.
    Malformed = MALFORMED,
    /// A configuration file or value cannot be used.
    Config = CONFIG,
    /// No such method.
    UnknownMethod = UNKNOWN_METHOD,
    /// No such parameter of the backend.
    UnknownParameter = UNKNOWN_PARAMETER,
    /// A bug of the library's or of the backend's.
    Internal = INTERNAL,
    /// A backend or server answered with nonsense.
    Protocol = PROTOCOL,
    /// No plugin of that name anywhere.
    BackendUnknown = BACKEND_UNKNOWN,
    /// Not `[a-z0-9_]+`.
    BackendName = BACKEND_NAME,
    /// A search directory that is not absolute.
    PluginPath = PLUGIN_PATH,
    /// Others may write the file or its directory.
    PluginUnsafe = PLUGIN_UNSAFE,
    /// The dynamic linker refused the file.
    PluginUnloadable = PLUGIN_UNLOADABLE,
    /// It has no `simplugin_backend_entry`.
    PluginNoEntry = PLUGIN_NO_ENTRY,
    /// The symbol belongs to another file.
    PluginForeignEntry = PLUGIN_FOREIGN_ENTRY,
    /// A table without size or with empty slots.
    PluginBadTable = PLUGIN_BAD_TABLE,
    /// The entry answered with another error.
    PluginEntryFailed = PLUGIN_ENTRY_FAILED,
}

/// What went wrong in a call.
///
/// Its message is one line: what failed, on what, what to do. Its source is what the backend's
/// server said ([`BackendError`]), if it said something.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: i32,
    message: String,
    domain: String,
    retryable: bool,
    details: Vec<(String, String)>,
    source: Source,
}

enum Source {
    None,
    Backend(BackendError),
    Embedding(Box<dyn std::error::Error + Send + Sync>),
}

/// What a backend's server said, in its own words.
#[derive(Clone, Debug)]
pub struct BackendError {
    code: i64,
    message: String,
}

impl Error {
    /// Takes what a call answered with `code` wrote to `raw`, which may be NULL.
    pub(crate) fn take(code: i32, mut raw: *mut sys::simplugin_error) -> Self {
        // SAFETY: the functions of simplugin.h accept NULL; text lives until the error is freed.
        unsafe {
            let backend = BackendError {
                code: sys::simplugin_error_backend_code(raw),
                message: sized(|size| sys::simplugin_error_backend_message(raw, size)),
            };
            let has_backend = backend.code != 0 || !backend.message.is_empty();
            let error = Error(Box::new(Inner {
                kind: ErrorKind::of(code),
                code,
                message: sized(|size| sys::simplugin_error_message(raw, size)),
                domain: text(sys::simplugin_error_domain(raw)),
                retryable: sys::simplugin_error_retryable(raw) != 0,
                details: (0..sys::simplugin_error_detail_count(raw))
                    .map(|i| {
                        let key = sys::simplugin_error_detail_key(raw, i);
                        (text(key), text(sys::simplugin_error_detail_value(raw, i)))
                    })
                    .collect(),
                source: if has_backend { Source::Backend(backend) } else { Source::None },
            }));
            sys::simplugin_error_free(&mut raw);
            error
        }
    }

    pub(crate) fn embedding(source: Box<dyn std::error::Error + Send + Sync>) -> Self {
        let message = format!("the embedding function failed: {source}");
        Error::own(ErrorKind::Embedding, 0, message, Source::Embedding(source))
    }

    /// A reply that is not as docs/protocol.md says.
    pub(crate) fn reply(key: &str) -> Self {
        let message = format!("the reply has no \"{key}\" of the documented type");
        Error::own(ErrorKind::Protocol, sys::code::PROTOCOL, message, Source::None)
    }

    fn own(kind: ErrorKind, code: i32, message: String, source: Source) -> Self {
        let domain = "rust".to_owned();
        let details = Vec::new();
        Error(Box::new(Inner { kind, code, message, domain, retryable: false, details, source }))
    }

    /// Which kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The library's code; 0 for an error that is not the library's.
    pub fn code(&self) -> i32 {
        self.0.code
    }

    /// The code's name, such as `NOT_FOUND`.
    pub fn code_name(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Embedding => "EMBEDDING",
            // SAFETY: a static text.
            _ => unsafe { CStr::from_ptr(sys::simplugin_code_name(self.0.code)) }
                .to_str()
                .unwrap_or("UNKNOWN"),
        }
    }

    /// One line; secrets are masked.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it comes from: `config`, `loader`, `index`, `runs`, `sklearn_flat`, ...
    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// The server's own code, 0 if there was none.
    pub fn backend_code(&self) -> i64 {
        if let Source::Backend(error) = &self.0.source { error.code } else { 0 }
    }

    /// The server's own words, empty if there were none.
    pub fn backend_message(&self) -> &str {
        if let Source::Backend(error) = &self.0.source { &error.message } else { "" }
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Pairs such as "argument" and "k", or "id" and "4711".
    pub fn details(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.details.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The first detail of that name.
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details().find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code_name(), self.message())?;
        if !self.0.details.is_empty() {
            write!(f, " {:?}", self.0.details)?;
        }
        match &self.0.source {
            Source::Backend(error) => write!(f, " ({error})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.source {
            Source::None => None,
            Source::Backend(error) => Some(error),
            Source::Embedding(error) => Some(&**error),
        }
    }
}

impl BackendError {
    /// The server's own code, 0 if it gave none.
    pub fn code(&self) -> i64 {
        self.code
    }

    /// The server's own words.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            0 => f.write_str(&self.message),
            code => write!(f, "{} ({code})", self.message),
        }
    }
}

impl std::error::Error for BackendError {}

/// # Safety
/// `text` is zero-terminated.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// `get` answers with text of the size it writes.
unsafe fn sized(get: impl FnOnce(*mut u64) -> *const c_char) -> String {
    let mut size = 0;
    let at = get(&mut size);
    // SAFETY: the caller's.
    let bytes = unsafe { std::slice::from_raw_parts(at.cast::<u8>(), size as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}
