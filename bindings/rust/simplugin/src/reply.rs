// SPDX-License-Identifier: Apache-2.0
use std::fmt;

use simplugin_abi::{Column, Map, Tensor, Texts, Value};
use simplugin_sys as sys;

use crate::{Call, Error, Result};

/// What a call answered: a body and its tensors, in the library's memory, read where they lie.
///
/// ```
/// # fn main() -> simplugin::Result<()> {
/// let reply = simplugin::describe("sklearn").send()?;
/// assert_eq!(reply.get("exact").and_then(|exact| exact.as_bool()), Some(true));
/// for parameter in reply.get("parameters").unwrap().as_array().unwrap().iter() {
///     let parameter = parameter.as_map().unwrap();
///     println!("{:?}: {:?}", parameter.get("name"), parameter.get("doc"));
/// }
/// # Ok(())
/// # }
/// ```
pub struct Reply(sys::simplugin_reply);

// SAFETY: the memory is the reply's alone, and is only read until it is dropped.
unsafe impl Send for Reply {}
// SAFETY: as above.
unsafe impl Sync for Reply {}

impl Reply {
    pub(crate) const fn empty() -> Self {
        Reply(sys::simplugin_reply {
            size: size_of::<sys::simplugin_reply>() as u64,
            body: std::ptr::null(),
            body_size: 0,
            tensors: std::ptr::null(),
            tensor_count: 0,
            owner: std::ptr::null_mut(),
            reserved: [0; 2],
        })
    }

    pub(crate) fn raw(&mut self) -> &mut sys::simplugin_reply {
        &mut self.0
    }

    /// The whole body.
    pub fn body(&self) -> Map<'_> {
        // SAFETY: the library filled it, and it is cleared when self is dropped.
        unsafe { Map::of_reply(&self.0) }
    }

    /// The value of a key; nil counts as absent.
    pub fn get(&self, key: &str) -> Option<Value<'_>> {
        self.body().get(key)
    }

    /// # Safety
    /// What is read of it must not outlive self, which may move.
    pub(crate) unsafe fn unbound(&self) -> Map<'static> {
        let raw = &self.0;
        // SAFETY: the caller's; the library's memory stays where it is when self moves.
        unsafe { Map::from_raw(raw.body, raw.body_size, raw.tensors, raw.tensor_count) }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // SAFETY: ours, and nobody borrows from it any more.
        unsafe { sys::simplugin_reply_clear(&mut self.0) };
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.body().fmt(f)
    }
}

/// What the reply to a call becomes.
pub(crate) trait Answer: Sized {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self>;
}

impl Answer for Reply {
    fn read(reply: Reply, _: &Call<'_>) -> Result<Self> {
        Ok(reply)
    }
}

impl Answer for () {
    fn read(_: Reply, _: &Call<'_>) -> Result<()> {
        Ok(())
    }
}

/// What stands under one key.
pub(crate) trait Read<'a>: Sized {
    fn read(value: Option<Value<'a>>) -> Option<Self>;
}

macro_rules! read {
    ($($type:ty: $as:ident),*) => {$(
        impl<'a> Read<'a> for $type {
            fn read(value: Option<Value<'a>>) -> Option<Self> {
                value?.$as()
            }
        }
    )*};
}

read! {
    bool: as_bool, u64: as_u64, f64: as_f64, &'a str: as_str, Texts<'a>: as_texts,
    Column<'a>: as_column, Tensor<'a>: as_tensor, Map<'a>: as_map,
    simplugin_abi::Array<'a>: as_array
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    fn read(value: Option<Value<'a>>) -> Option<Self> {
        match value {
            None => Some(None),
            some => T::read(some).map(Some),
        }
    }
}

impl<'a> Read<'a> for &'a [f32] {
    fn read(value: Option<Value<'a>>) -> Option<Self> {
        value?.as_tensor()?.elements()
    }
}

impl<'a> Read<'a> for &'a [i64] {
    fn read(value: Option<Value<'a>>) -> Option<Self> {
        value?.as_tensor()?.elements()
    }
}

pub(crate) fn read<'a, T: Read<'a>>(body: &Map<'a>, key: &str) -> Result<T> {
    T::read(body.get(key)).ok_or_else(|| Error::reply(key))
}

/// A reply with a function for each key. Types are checked once, when it is made.
macro_rules! answer {
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(crate::Reply);

        impl $name {
            $(
                $(#[$key_doc])*
                pub fn $key(&self) -> $type {
                    crate::reply::read(&self.0.body(), stringify!($key)).expect("checked before")
                }
            )*

            /// The reply as it came.
            pub fn reply(&self) -> &crate::Reply {
                &self.0
            }
        }

        impl crate::reply::Answer for $name {
            fn read(reply: crate::Reply, _: &crate::Call<'_>) -> crate::Result<Self> {
                let body = reply.body();
                $(crate::reply::read::<$type>(&body, stringify!($key))?;)*
                Ok($name(reply))
            }
        }
    };
}

pub(crate) use answer;
