// SPDX-License-Identifier: Apache-2.0
//! Backends of simplugin in safe Rust.
//!
//! A backend is a shared object, `simplugin_NAME.so`, that serves the backend protocol of
//! docs/protocol.md. Here that is a type that is [`Backend`], whose instances are [`Instance`],
//! and [`export_backend!`]; the crate that holds it is a `cdylib`, and links nothing of
//! simplugin's.
//!
//! ```
//! use simplugin_backend::{Backend, Body, Call, Error, Instance, Map, Threads};
//!
//! struct Echo;
//! struct Open;
//!
//! impl Backend for Echo {
//!     type Instance = Open;
//!     const THREADS: Threads = Threads::Concurrent;
//!
//!     fn describe() -> Body<'static> {
//!         Body::new().with("name", "echo").with("version", "1").with("metrics", ["cosine"])
//!     }
//!
//!     fn open(_call: &Call<'_>, _parameters: Map<'_>) -> Result<Open, Error> {
//!         Ok(Open)
//!     }
//! }
//!
//! impl Instance for Open {
//!     fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error> {
//!         match call.method() {
//!             "health" => Ok(Body::new().with("version", "1")),
//!             "native.echo" => {
//!                 let text = request.get("text").and_then(|text| text.as_str());
//!                 Ok(Body::new().with("text", text.ok_or_else(|| Error::argument("text", "no text"))?))
//!             }
//!             method => Err(Error::unknown_method(method)),
//!         }
//!     }
//! }
//!
//! simplugin_backend::export_backend!(Echo);
//! # fn main() {}
//! ```
//!
//! A panic becomes an [`INTERNAL`](plugin::code::INTERNAL) error, if panics unwind: leave
//! `panic = "abort"` out of the crate's profile.

mod backend;
mod call;
mod error;
#[doc(hidden)]
pub mod export;
mod host;
mod parameter;
mod reply;

pub use backend::{Backend, Instance, Threads};
pub use call::Call;
pub use error::Error;
pub use host::{LogLevel, log};
pub use parameter::Parameter;
pub use simplugin_abi::{
    Array, Body, Cell, Column, Columns, Encode, Ids, Kind, List, Map, Matrix, Numbers, Tensor,
    Texts, Value, Values, plugin, rmpv,
};
