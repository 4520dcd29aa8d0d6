// SPDX-License-Identifier: Apache-2.0
//! Writing bodies.
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::plugin::{EXT_TENSOR, simplugin_request, simplugin_tensor};
use crate::{Element, Map, Tensor, Texts, Value};

/// A body with its tensors. An empty one allocates nothing.
///
/// ```
/// use simplugin_abi::{Body, Matrix};
/// let vectors = [[0.9_f32, 0.1], [0.0, 1.0]];
/// let body = Body::new()
///     .with("vectors", Matrix::from(&vectors))
///     .with("k", 2)
///     .with("filter", None::<&str>);
/// let read = body.map();
/// assert_eq!(read.get("k").unwrap().as_u64(), Some(2));
/// let read_vectors = read.get("vectors").unwrap().as_tensor().unwrap();
/// assert_eq!(read_vectors.row::<f32>(1), Some(&[0.0, 1.0][..]));
/// assert_eq!(read.len(), 2); // what is not there was left out
/// ```
#[derive(Default)]
pub struct Body<'a> {
    bytes: Vec<u8>,
    /// Of the map that the bytes are, whose head of 5 bytes is kept up to date; none: they are
    /// nothing yet, or written by somebody else.
    entries: Option<u32>,
    tensors: Vec<simplugin_tensor>,
    kept: Vec<Box<dyn Send + Sync + 'a>>,
    /// Entries of maps that are still being added to; they go to the end.
    open: Vec<(&'static str, u32, Vec<u8>)>,
    borrowed: PhantomData<&'a [u8]>,
}

// SAFETY: what tensors point to is borrowed for 'a or kept, and only read.
unsafe impl Send for Body<'_> {}
// SAFETY: as above.
unsafe impl Sync for Body<'_> {}

const MAP32: u8 = 0xdf;

/// What may stand in a body.
pub trait Encode<'a> {
    /// Whether there is nothing: the key is left out.
    fn is_absent(&self) -> bool {
        false
    }

    /// Writes it.
    fn encode(self, body: &mut Body<'a>);
}

impl<'a> Body<'a> {
    /// An empty one.
    pub const fn new() -> Self {
        Body {
            bytes: Vec::new(),
            entries: None,
            tensors: Vec::new(),
            kept: Vec::new(),
            open: Vec::new(),
            borrowed: PhantomData,
        }
    }

    /// A body that is written already, without tensors. It is sent as it is, and what is set
    /// besides goes to the end of its map; the library refuses what is no map with or without it.
    pub fn from_bytes(body: Vec<u8>) -> Self {
        Body { bytes: body, ..Body::new() }
    }

    /// Sets a key; what is absent is left out.
    pub fn set(&mut self, key: &str, value: impl Encode<'a>) {
        if value.is_absent() {
            return;
        }
        self.begin_entry();
        self.write_str(key);
        value.encode(self);
    }

    /// The same, by value.
    pub fn with(mut self, key: &str, value: impl Encode<'a>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds to the map that stands under `map`.
    pub fn add(&mut self, map: &'static str, key: &str, value: impl Encode<'a>) {
        let from = self.bytes.len();
        self.write_str(key);
        value.encode(self);
        let pair = self.bytes.split_off(from);
        match self.open.iter_mut().find(|(name, ..)| *name == map) {
            Some((_, count, pairs)) => {
                *count += 1;
                pairs.extend_from_slice(&pair);
            }
            None => self.open.push((map, 1, pair)),
        }
    }

    /// Adds several; an empty map stands there if there are none.
    pub fn add_all<K: AsRef<str>, V: Encode<'a>>(
        &mut self,
        map: &'static str,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) {
        if !self.open.iter().any(|(name, ..)| *name == map) {
            self.open.push((map, 0, Vec::new()));
        }
        for (key, value) in pairs {
            self.add(map, key.as_ref(), value);
        }
    }

    /// What the body holds so far, but for maps that are still added to.
    pub fn map(&self) -> Map<'_> {
        Map::new(&self.bytes, self.tensors())
    }

    /// The tensors so far.
    pub fn tensors(&self) -> &[Tensor<'_>] {
        let tensors: *const [simplugin_tensor] = &raw const *self.tensors;
        // SAFETY: Tensor is a simplugin_tensor, and what they point to lives for 'a.
        unsafe { &*(tensors as *const [Tensor<'_>]) }
    }

    /// As the library takes it; `body` and `tensors` point into self.
    pub fn request(&mut self) -> simplugin_request {
        for (name, count, pairs) in std::mem::take(&mut self.open) {
            self.begin_entry();
            self.write_str(name);
            self.write_map(count);
            self.bytes.extend_from_slice(&pairs);
        }
        simplugin_request {
            size: size_of::<simplugin_request>() as u64,
            body: if self.bytes.is_empty() { std::ptr::null() } else { self.bytes.as_ptr() },
            body_size: self.bytes.len() as u64,
            tensors: if self.tensors.is_empty() { std::ptr::null() } else { self.tensors.as_ptr() },
            tensor_count: self.tensors.len() as u64,
            reserved: [0; 3],
        }
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.open.is_empty()
    }

    fn begin_entry(&mut self) {
        if self.entries.is_none() {
            self.widen_head();
        }
        if let Some(entries) = &mut self.entries {
            *entries = entries.saturating_add(1);
            self.bytes[1..5].copy_from_slice(&entries.to_be_bytes());
        }
    }

    /// Makes the head of the map one that has room for any count. What is no map keeps its head.
    fn widen_head(&mut self) {
        let mut rest = &*self.bytes;
        let entries = match rest {
            [] => Some(0),
            _ => rmp::decode::read_map_len(&mut rest).ok(),
        };
        let Some(entries) = entries else { return };
        let head = self.bytes.len() - rest.len();
        let [a, b, c, d] = entries.to_be_bytes();
        self.bytes.splice(..head, [MAP32, a, b, c, d]);
        self.entries = Some(entries);
    }

    /// The head of a map of so many pairs, which follow.
    pub fn write_map(&mut self, pairs: u32) {
        written(rmp::encode::write_map_len(&mut self.bytes, pairs));
    }

    /// The head of an array of so many values, which follow.
    pub fn write_array(&mut self, values: u32) {
        written(rmp::encode::write_array_len(&mut self.bytes, values));
    }

    /// Text.
    pub fn write_str(&mut self, text: &str) {
        written(rmp::encode::write_str(&mut self.bytes, text));
    }

    pub(crate) fn write_tensor(&mut self, tensor: simplugin_tensor) {
        let index = (self.tensors.len() as u32).to_be_bytes();
        written(rmp::encode::write_ext_meta(&mut self.bytes, 4, EXT_TENSOR));
        self.bytes.extend_from_slice(&index);
        self.tensors.push(tensor);
    }

    /// A column of numbers.
    pub(crate) fn write_cow<T: Element>(&mut self, data: Cow<'a, [T]>) {
        match data {
            Cow::Borrowed(data) => self.write_tensor(*Tensor::new(data, data.len(), 1).raw()),
            Cow::Owned(data) => {
                self.write_tensor(*Tensor::new(&data, data.len(), 1).raw());
                self.keep(Box::new(data));
            }
        }
    }

    /// Memory that tensors point to. What moves with its owner, as arrays do, must not be kept.
    pub(crate) fn keep(&mut self, memory: Box<dyn Send + Sync + 'a>) {
        self.kept.push(memory);
    }
}

/// Keys, and of values what they are and how large: they may be secrets.
impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        map.entries(self.map().iter().map(|(key, value)| (key, Size(value))));
        for (key, count, _) in &self.open {
            map.entry(key, &format_args!("<map of {count}>"));
        }
        map.finish()
    }
}

struct Size<'a>(Value<'a>);

impl fmt::Debug for Size<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Nil => f.write_str("<nil>"),
            Value::Bool(_) => f.write_str("<bool>"),
            Value::Int(_) | Value::Uint(_) => f.write_str("<int>"),
            Value::Float(_) => f.write_str("<float>"),
            Value::Text(text) => write!(f, "<text of {} bytes>", text.len()),
            Value::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Value::Tensor(tensor) => tensor.fmt(f),
            Value::Array(array) => write!(f, "<array of {}>", array.len()),
            Value::Map(map) => write!(f, "<map of {}>", map.len()),
        }
    }
}

/// Into memory: it grows, or the process ends.
fn written<T, E>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|_| unreachable!("writing into a Vec"))
}

macro_rules! encode {
    ($($type:ty: |$value:ident, $out:ident| $write:expr;)*) => {$(
        impl<'a> Encode<'a> for $type {
            fn encode(self, body: &mut Body<'a>) {
                let ($value, $out) = (self, &mut body.bytes);
                written($write);
            }
        }
    )*};
}

encode! {
    bool: |value, out| rmp::encode::write_bool(out, value);
    i64: |value, out| rmp::encode::write_sint(out, value);
    i32: |value, out| rmp::encode::write_sint(out, value.into());
    u64: |value, out| rmp::encode::write_uint(out, value);
    u32: |value, out| rmp::encode::write_uint(out, value.into());
    usize: |value, out| rmp::encode::write_uint(out, value as u64);
    f64: |value, out| rmp::encode::write_f64(out, value);
    f32: |value, out| rmp::encode::write_f64(out, value.into());
    &str: |value, out| rmp::encode::write_str(out, value);
    &&str: |value, out| rmp::encode::write_str(out, value);
    String: |value, out| rmp::encode::write_str(out, &value);
    &String: |value, out| rmp::encode::write_str(out, value);
    &rmpv::Value: |value, out| rmpv::encode::write_value(out, value);
    rmpv::Value: |value, out| rmpv::encode::write_value(out, &value);
    (): |_value, out| rmp::encode::write_nil(out);
}

/// The bytes of the path, as text: one that is not UTF-8 is the library's to refuse.
impl<'a> Encode<'a> for &Path {
    fn encode(self, body: &mut Body<'a>) {
        let bytes = self.as_os_str().as_bytes();
        written(rmp::encode::write_str_len(&mut body.bytes, bytes.len() as u32));
        body.bytes.extend_from_slice(bytes);
    }
}

impl<'a, T: Encode<'a>> Encode<'a> for Option<T> {
    fn is_absent(&self) -> bool {
        self.as_ref().is_none_or(|value| value.is_absent())
    }

    fn encode(self, body: &mut Body<'a>) {
        match self {
            Some(value) => value.encode(body),
            None => ().encode(body),
        }
    }
}

impl<'a, T: Encode<'a>> Encode<'a> for Vec<T> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_array(self.len() as u32);
        self.into_iter().for_each(|value| value.encode(body));
    }
}

impl<'a, T: Encode<'a>, const N: usize> Encode<'a> for [T; N] {
    fn encode(self, body: &mut Body<'a>) {
        body.write_array(N as u32);
        self.into_iter().for_each(|value| value.encode(body));
    }
}

/// Numbers that go out as a tensor of one column; a `Vec` of them goes as an array.
#[derive(Clone, Debug)]
pub struct Numbers<T>(pub Vec<T>);

impl<'a, T: Element> Encode<'a> for Numbers<T> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_cow::<T>(self.0.into());
    }
}

impl<T> FromIterator<T> for Numbers<T> {
    fn from_iter<I: IntoIterator<Item = T>>(numbers: I) -> Self {
        Numbers(numbers.into_iter().collect())
    }
}

macro_rules! encode_maps {
    ($($map:ident),*) => {$(
        impl<'a, K: AsRef<str>, V: Encode<'a>> Encode<'a> for $map<K, V> {
            fn encode(self, body: &mut Body<'a>) {
                body.write_map(self.len() as u32);
                for (key, value) in self {
                    body.write_str(key.as_ref());
                    value.encode(body);
                }
            }
        }
    )*};
}

encode_maps!(BTreeMap, HashMap);

impl<'a> Encode<'a> for Texts<'a> {
    fn encode(self, body: &mut Body<'a>) {
        crate::Ids::from(self).encode(body);
    }
}

impl<'a> Encode<'a> for Tensor<'a> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_tensor(*self.raw());
    }
}
