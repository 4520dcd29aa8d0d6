// SPDX-License-Identifier: Apache-2.0
//! What the corpus cannot show of this crate.
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod callbacks;
mod cancel;
mod copy;
mod errors;
mod fields;
mod handles;
mod scan;
mod text;
mod threads;
