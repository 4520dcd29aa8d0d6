// SPDX-License-Identifier: Apache-2.0
//! What programs and backends of simplugin share: the structs and codes of `simplugin/plugin.h`
//! in [`plugin`], and the envelope that both sides speak - a MessagePack map, the *body*, beside
//! an array of tensors.
//!
//! - [`Body`] writes one, of anything that is [`Encode`];
//! - [`Map`] and [`Value`] read one, without copying or allocating;
//! - [`Tensor`], [`Texts`] and [`Column`] are views of what came in, [`Matrix`], [`Ids`],
//!   [`Values`] and [`Columns`] what goes out.
//!
//! Nothing here links libsimplugin.

mod body;
mod column;
mod matrix;
pub mod plugin;
mod tensor;
mod texts;
mod value;
mod values;

pub use body::{Body, Encode, Numbers};
pub use column::{Cell, Column, Kind, List};
pub use matrix::{Float, Matrix};
pub use tensor::{Element, Tensor};
pub use texts::{Texts, TextsIter};
pub use value::{Array, Map, Value};
pub use values::{Columns, Ids, IntoCell, Values};

/// MessagePack values that own what they hold, for what has no type of its own.
pub use rmpv;
