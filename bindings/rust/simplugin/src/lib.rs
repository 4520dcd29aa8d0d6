// SPDX-License-Identifier: Apache-2.0
//! Vector-similarity search with the backend chosen at run time: the index of FiftyOne's brain -
//! create, add, remove, search, views, runs - on whatever backend a configuration names. The
//! default, `sklearn`, is exact, embedded and needs no server.
//!
//! ```
//! # fn main() -> simplugin::Result<()> {
//! let index = simplugin::create_index().metric("cosine").send()?;
//! index
//!     .add(["apple", "pear", "plum"], &[[1.0_f32, 0.0], [0.9, 0.1], [0.0, 1.0]])
//!     .field("color", ["red", "green", "purple"])
//!     .send()?;
//! let hits = index.search().vectors(&[0.9_f32, 0.1]).k(2).filter("color != \"purple\"").send()?;
//! for hit in hits.query(0) {
//!     println!("{} {:.3}", hit.id, hit.distance);
//! }
//! # assert_eq!(hits.ids(), ["pear", "apple"]);
//! index.cleanup().send()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Requests
//!
//! Every operation is a method of docs/protocol.md, and its request a struct in [`request`] with a
//! function for each key of the method; what is not set is left out, and the library has the
//! defaults. Every request takes a [`timeout`](Call::timeout), a [`CancelToken`] and a
//! [`progress`](Call::progress) function. Methods that have no function here, and keys, are
//! reached by [`Session::call`] and [`Index::call`].
//!
//! # Memory
//!
//! Vectors go to the library where they lie ([`Matrix`]), and what it answers is read where the
//! library put it ([`Hits`], [`Points`], [`Reply`]), until that is dropped.
//!
//! # Threads and processes
//!
//! Everything may be used from any thread at any time; calls block the thread that makes them. In
//! a forked child handles of before answer as each backend documents, most with
//! [`Forked`](ErrorKind::Forked).

mod answer;
mod call;
mod cancel;
mod connection;
mod copy;
mod embed;
mod error;
mod handle;
mod hits;
mod index;
mod log;
mod points;
mod reply;
pub mod request;
mod scan;
mod session;
mod view;

use std::ffi::CStr;
use std::sync::LazyLock;

pub use answer::{Added, Compacted, Duplicates, FieldsSet, Neighbors, Removed};
pub use call::Call;
pub use cancel::CancelToken;
pub use connection::Connection;
pub use copy::{Copy, CopyPlan, CopyState};
pub use embed::Embedded;
pub use error::{BackendError, Error, ErrorKind, Result};
pub use handle::Handle;
pub use hits::{Hit, Hits};
pub use index::{Checked, Cleaned, Fields, Index, IndexInfo};
pub use log::{LogLevel, reset_log, set_log};
pub use points::Points;
pub use reply::Reply;
pub use scan::{Row, Rows, Scan};
pub use session::{Backends, MetricsText, Resolved, Run, Runs, Session};
pub use simplugin_abi::{
    Array, Body, Cell, Column, Columns, Encode, Ids, IntoCell, Kind, List, Map, Matrix, Tensor,
    Texts, Value, Values, rmpv,
};
pub use view::View;

/// The version of the library in use.
pub fn version() -> &'static str {
    // SAFETY: a static, zero-terminated text.
    unsafe { CStr::from_ptr(simplugin_sys::simplugin_version()) }.to_str().unwrap_or_default()
}

static DEFAULT: LazyLock<Session> = LazyLock::new(|| Session::of_handle(Handle::DEFAULT));

macro_rules! of_the_default_session {
    ($($function:ident($($argument:ident),*) -> $request:ident;)*) => {$(
        #[doc = concat!("[`Session::", stringify!($function), "`] of the default session.")]
        pub fn $function<'a>($($argument: impl AsRef<str>),*) -> request::$request<'a> {
            DEFAULT.$function($($argument),*)
        }
    )*};
}

of_the_default_session! {
    create_index() -> CreateIndex;
    open_index() -> OpenIndex;
    load_run(brain_key) -> LoadRun;
    runs() -> ListRuns;
    run_info(brain_key) -> RunInfo;
    rename_run(from, to) -> RenameRun;
    delete_run(brain_key) -> DeleteRun;
    connect() -> Connect;
    backends() -> ListBackends;
    describe(backend) -> Describe;
    resolve() -> Resolve;
    explain() -> Explain;
    metrics() -> Metrics;
}

/// [`Session::copy`] of the default session.
pub fn copy(source: &Index) -> request::CopyIndex<'_> {
    DEFAULT.copy(source)
}

/// [`Session::call`] of the default session.
pub fn call(method: &str) -> Call<'_> {
    DEFAULT.call(method)
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
