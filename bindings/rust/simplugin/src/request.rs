// SPDX-License-Identifier: Apache-2.0
//! Requests: a struct for each method of docs/protocol.md, with a function for each of its keys. A
//! key that is not set is left out of the body.
pub use crate::connection::{BackendCall, Connect};
pub use crate::copy::{CopyIndex, CopyStep};
pub use crate::index::{
    Add, Backup, Check, Cleanup, Compact, CreateView, FindDuplicates, FindNeighbors, FindUnique,
    Get, Health, Info, Radius, Remove, Search, SetFields, Size,
};
pub use crate::scan::{NextPage, ScanIndex};
pub use crate::session::{
    CreateIndex, DeleteRun, Describe, Explain, ListBackends, ListRuns, LoadRun, Metrics, OpenIndex,
    OpenSession, RenameRun, Resolve, RunInfo,
};

/// The functions that every call has. `$path` leads to its [`Options`](crate::call::Options).
macro_rules! options {
    ($($path:ident).+) => {
        /// Ends the call with [`DeadlineExceeded`](crate::ErrorKind::DeadlineExceeded) after this
        /// time, rounded up to milliseconds. Without one it is the backend's `timeout_ms`, a
        /// minute by default.
        pub fn timeout(mut self, timeout: std::time::Duration) -> Self {
            self.$($path).+.timeout(timeout);
            self
        }

        /// Lets the call take as long as it takes.
        pub fn no_timeout(self) -> Self {
            self.timeout_ms(simplugin_sys::TIMEOUT_NONE)
        }

        /// The timeout as the library takes it: milliseconds, 0 for the default, -1 for none.
        pub fn timeout_ms(mut self, timeout: i64) -> Self {
            self.$($path).+.timeout_ms = timeout;
            self
        }

        /// Ends the call with [`Cancelled`](crate::ErrorKind::Cancelled) when the token is fired.
        pub fn cancel(mut self, token: &'a crate::CancelToken) -> Self {
            self.$($path).+.cancel = Some(token);
            self
        }

        /// Passed on to logs and servers.
        pub fn trace_id(mut self, trace_id: &'a str) -> Self {
            self.$($path).+.trace_id(trace_id);
            self
        }

        /// Called on this thread during a long call, with how much is done and of how much. A
        /// panic in it ends the call, and goes on after it.
        pub fn progress(mut self, progress: impl FnMut(u64, u64) + 'a) -> Self {
            self.$($path).+.progress(progress);
            self
        }
    };
}

macro_rules! request {
    ($(#[$doc:meta])* $name:ident = $method:literal -> $answer:ty {
        $($(#[$key_doc:meta])* $key:ident: $kind:ident),* $(,)?
    }) => {
        $(#[$doc])*
        #[must_use = "a request does nothing until it is sent"]
        #[derive(Debug)]
        pub struct $name<'a> {
            pub(crate) call: crate::Call<'a>,
        }

        impl<'a> $name<'a> {
            #[doc = concat!("Its method, `", $method, "`.")]
            pub const METHOD: &'static str = $method;
            /// The keys of its body.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];

            pub(crate) fn of(node: &'a std::sync::Arc<crate::handle::Node>) -> Self {
                $name { call: crate::Call::of(node, $method) }
            }

            $(crate::request::setter! { $kind $key $(#[$key_doc])* })*

            crate::request::options!(call.options);

            /// Makes the call.
            pub fn send(self) -> crate::Result<$answer> {
                self.call.send_as()
            }
        }
    };
}

/// A function that sets a key of that kind.
macro_rules! setter {
    (text $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, $key: impl AsRef<str>) -> Self {
            self.call.body.set(stringify!($key), $key.as_ref());
            self
        }
    };
    (path $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, $key: impl AsRef<std::path::Path>) -> Self {
            self.call.body.set(stringify!($key), $key.as_ref());
            self
        }
    };
    (paths $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<T: AsRef<std::path::Path>>(
            mut self,
            $key: impl IntoIterator<Item = T>,
        ) -> Self {
            let paths: Vec<_> = $key.into_iter().collect();
            let paths = paths.iter().map(|path| path.as_ref()).collect::<Vec<&std::path::Path>>();
            self.call.body.set(stringify!($key), paths);
            self
        }
    };
    // what another function sets
    (own $key:ident $(#[$doc:meta])*) => {};
    (int $key:ident $(#[$doc:meta])*) => {
        crate::request::setter! { @plain (u64) $key $(#[$doc])* }
    };
    (float $key:ident $(#[$doc:meta])*) => {
        crate::request::setter! { @plain (f64) $key $(#[$doc])* }
    };
    (bool $key:ident $(#[$doc:meta])*) => {
        crate::request::setter! { @plain (bool) $key $(#[$doc])* }
    };
    (@plain ($type:ty) $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, $key: $type) -> Self {
            self.call.body.set(stringify!($key), $key);
            self
        }
    };
    (ids $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<T: AsRef<str>>(mut self, $key: impl IntoIterator<Item = T>) -> Self {
            self.call.body.set(stringify!($key), $key.into_iter().collect::<simplugin_abi::Ids>());
            self
        }
    };
    (matrix $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, $key: impl Into<simplugin_abi::Matrix<'a>>) -> Self {
            self.call.body.set(stringify!($key), $key.into());
            self
        }
    };
    (view $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, $key: &'a crate::View) -> Self {
            self.call.body.set(stringify!($key), $key.handle().raw());
            self
        }
    };
    // the fields that are asked for
    (names $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<T: AsRef<str>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
            let names = names.into_iter().map(|name| name.as_ref().to_owned());
            self.call.body.set(stringify!($key), names.collect::<Vec<_>>());
            self
        }

        /// All fields.
        pub fn all_fields(mut self) -> Self {
            self.call.body.set(stringify!($key), true);
            self
        }
    };
    // the fields that are given
    (columns $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, columns: simplugin_abi::Columns<'a>) -> Self {
            self.call.body.add_all(stringify!($key), columns);
            self
        }

        /// One field, a value for each id: text, whole numbers, floats, bools, or lists of them;
        /// `None` is missing.
        pub fn field<I>(mut self, name: &str, values: I) -> Self
        where
            I: IntoIterator,
            I::Item: simplugin_abi::IntoCell,
        {
            self.call.body.add(stringify!($key), name, simplugin_abi::Values::new(values));
            self
        }
    };
    // the types of fields
    (types $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<K: AsRef<str>, V: AsRef<str>>(
            mut self,
            types: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            let types = types.into_iter().map(|(name, kind)| (name, kind.as_ref().to_owned()));
            self.call.body.add_all(stringify!($key), types);
            self
        }
    };
    (map $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<K: AsRef<str>, V: simplugin_abi::Encode<'a>>(
            mut self,
            pairs: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            self.call.body.add_all(stringify!($key), pairs);
            self
        }
    };
    // `where` is no name in Rust
    (settings $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<K: AsRef<str>, V: simplugin_abi::Encode<'a>>(
            mut self,
            pairs: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            self.call.body.add_all("where", pairs);
            self
        }
    };
    (parameters $key:ident $(#[$doc:meta])*) => {
        crate::request::setter! { map $key $(#[$doc])* }

        /// One more of the backend's parameters.
        pub fn parameter(mut self, name: &str, value: impl simplugin_abi::Encode<'a>) -> Self {
            self.call.body.add(stringify!($key), name, value);
            self
        }
    };
    // texts to search for
    (texts $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key<T: AsRef<str>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
            let texts = texts.into_iter().map(|text| text.as_ref().to_owned());
            self.call.texts = Some(texts.collect());
            self
        }
    };
    (mmr $key:ident $(#[$doc:meta])*) => {
        $(#[$doc])*
        pub fn $key(mut self, lambda: Option<f64>, fetch_k: Option<u64>) -> Self {
            self.call.body.add_all::<&str, ()>(stringify!($key), []);
            if let Some(lambda) = lambda {
                self.call.body.add(stringify!($key), "lambda", lambda);
            }
            if let Some(fetch_k) = fetch_k {
                self.call.body.add(stringify!($key), "fetch_k", fetch_k);
            }
            self
        }
    };
}

pub(crate) use {options, request, setter};
