// SPDX-License-Identifier: Apache-2.0
//! Reading bodies where they lie.
use std::fmt;

use rmp::Marker;

use crate::plugin::{
    EXT_TENSOR, MAX_DEPTH, dtype, simplugin_reply, simplugin_request, simplugin_tensor,
};
use crate::{Column, Tensor, Texts};

/// One value of a body; arrays and maps are read as they are walked through.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// nil
    Nil,
    /// true or false
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// A float.
    Float(f64),
    /// UTF-8.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A tensor beside the body.
    Tensor(Tensor<'a>),
    /// Values.
    Array(Array<'a>),
    /// Keys and values; a [`Column`] is one.
    Map(Map<'a>),
}

impl<'a> Value<'a> {
    /// A bool.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(value) = self { Some(*value) } else { None }
    }

    /// A whole number that is no larger than `i64::MAX`.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Int(value) = self { Some(*value) } else { None }
    }

    /// A whole number that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Value::Int(value) => (*value).try_into().ok(),
            Value::Uint(value) => Some(*value),
            _ => None,
        }
    }

    /// A number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Uint(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// Text.
    pub fn as_str(&self) -> Option<&'a str> {
        if let Value::Text(value) = self { Some(value) } else { None }
    }

    /// Bytes.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        if let Value::Bytes(value) = self { Some(value) } else { None }
    }

    /// An array.
    pub fn as_array(&self) -> Option<Array<'a>> {
        if let Value::Array(value) = self { Some(*value) } else { None }
    }

    /// A map.
    pub fn as_map(&self) -> Option<Map<'a>> {
        if let Value::Map(value) = self { Some(*value) } else { None }
    }

    /// A tensor.
    pub fn as_tensor(&self) -> Option<Tensor<'a>> {
        if let Value::Tensor(value) = self { Some(*value) } else { None }
    }

    /// A column that is in order.
    pub fn as_column(&self) -> Option<Column<'a>> {
        self.as_map().and_then(|map| Column::read(&map).ok())
    }

    /// A column of text where nothing is missing, as ids are.
    pub fn as_texts(&self) -> Option<Texts<'a>> {
        self.as_column().and_then(|column| column.texts())
    }

    /// The same, owned. Columns and tensors become arrays, or arrays of arrays.
    pub fn to_owned(&self) -> rmpv::Value {
        match self {
            Value::Nil => rmpv::Value::Nil,
            Value::Bool(value) => (*value).into(),
            Value::Int(value) => (*value).into(),
            Value::Uint(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::Text(value) => (*value).into(),
            Value::Bytes(value) => (*value).into(),
            Value::Tensor(value) => owned_tensor(value),
            Value::Array(value) => rmpv::Value::Array(value.iter().map(|v| v.to_owned()).collect()),
            Value::Map(map) => match self.as_column() {
                Some(column) => rmpv::Value::Array(
                    column.iter().map(|cell| cell.map_or(rmpv::Value::Nil, Into::into)).collect(),
                ),
                None => {
                    rmpv::Value::Map(map.iter().map(|(k, v)| (k.into(), v.to_owned())).collect())
                }
            },
        }
    }
}

fn owned_tensor(tensor: &Tensor<'_>) -> rmpv::Value {
    fn row<T: crate::Element + Into<rmpv::Value>>(t: &Tensor<'_>, i: usize) -> Vec<rmpv::Value> {
        t.row::<T>(i).unwrap_or_default().iter().map(|one| (*one).into()).collect()
    }
    let rows = (0..tensor.rows()).map(|i| match tensor.dtype() {
        dtype::FLOAT32 => row::<f32>(tensor, i),
        dtype::FLOAT64 => row::<f64>(tensor, i),
        dtype::INT64 => row::<i64>(tensor, i),
        dtype::UINT64 => row::<u64>(tensor, i),
        dtype::INT32 => row::<i32>(tensor, i),
        dtype::UINT8 => row::<u8>(tensor, i),
        _ => Vec::new(),
    });
    if tensor.cols() == 1 {
        rmpv::Value::Array(rows.flatten().collect())
    } else {
        rmpv::Value::Array(rows.map(rmpv::Value::Array).collect())
    }
}

/// Values one after the other.
#[derive(Clone, Copy)]
pub struct Array<'a> {
    count: u32,
    reader: Reader<'a>,
}

impl<'a> Array<'a> {
    /// How many.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| reader.value())
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Keys, which are text, and values.
#[derive(Clone, Copy)]
pub struct Map<'a> {
    count: u32,
    reader: Reader<'a>,
}

impl<'a> Map<'a> {
    /// A body: one map. Anything else reads as an empty one.
    pub fn new(body: &'a [u8], tensors: &'a [Tensor<'a>]) -> Self {
        let mut reader = Reader { rest: body, tensors, depth: 0 };
        match reader.value() {
            Some(Value::Map(map)) => map,
            _ => Map { count: 0, reader },
        }
    }

    /// # Safety
    /// `request` is one that the library passes to a backend, or would take, and lives for `'a`.
    pub unsafe fn of_request(request: &'a simplugin_request) -> Self {
        // SAFETY: the caller's.
        unsafe {
            Map::from_raw(request.body, request.body_size, request.tensors, request.tensor_count)
        }
    }

    /// # Safety
    /// `reply` is one that the library filled, or is empty, and is not cleared before `'a` ends.
    pub unsafe fn of_reply(reply: &'a simplugin_reply) -> Self {
        // SAFETY: the caller's.
        unsafe { Map::from_raw(reply.body, reply.body_size, reply.tensors, reply.tensor_count) }
    }

    /// # Safety
    /// The parts are those of such a request or reply, and live for `'a`.
    pub unsafe fn from_raw(
        body: *const u8,
        size: u64,
        tensors: *const simplugin_tensor,
        count: u64,
    ) -> Self {
        let body = match size {
            0 => &[][..],
            // SAFETY: the caller's.
            _ => unsafe { std::slice::from_raw_parts(body, size as usize) },
        };
        let tensors = match count {
            0 => &[][..],
            // SAFETY: as above; Tensor is a simplugin_tensor.
            _ => unsafe { std::slice::from_raw_parts(tensors.cast(), count as usize) },
        };
        Map::new(body, tensors)
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| Some((reader.value()?.as_str()?, reader.value()?)))
    }

    /// The value of a key; one that is nil counts as absent.
    pub fn get(&self, key: &str) -> Option<Value<'a>> {
        let (_, value) = self.iter().find(|(name, _)| *name == key)?;
        (!matches!(value, Value::Nil)).then_some(value)
    }
}

impl fmt::Debug for Map<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    rest: &'a [u8],
    tensors: &'a [Tensor<'a>],
    depth: u32,
}

/// One value's head: itself, or how many bytes or values follow.
enum Head<'a> {
    Whole(Value<'a>),
    Text(u32),
    Bytes(u32),
    Array(u32),
    Map(u32),
    Ext(u32),
}

impl<'a> Reader<'a> {
    /// `None` at the end, and for what is no MessagePack.
    fn value(&mut self) -> Option<Value<'a>> {
        match self.head()? {
            Head::Whole(value) => Some(value),
            Head::Text(size) => {
                std::str::from_utf8(self.take(size as usize)?).ok().map(Value::Text)
            }
            Head::Bytes(size) => self.take(size as usize).map(Value::Bytes),
            Head::Ext(size) => {
                let kind = self.number::<1>()?[0] as i8;
                let data: [u8; 4] = self.take(size as usize)?.try_into().ok()?;
                let index = u32::from_be_bytes(data) as usize;
                (kind == EXT_TENSOR)
                    .then(|| self.tensors.get(index))
                    .flatten()
                    .copied()
                    .map(Value::Tensor)
            }
            Head::Array(count) => {
                let inner = self.inside()?;
                self.skip(u64::from(count))?;
                Some(Value::Array(Array { count, reader: inner }))
            }
            Head::Map(count) => {
                let inner = self.inside()?;
                self.skip(2 * u64::from(count))?;
                Some(Value::Map(Map { count, reader: inner }))
            }
        }
    }

    fn inside(&self) -> Option<Reader<'a>> {
        (self.depth < MAX_DEPTH).then_some(Reader { depth: self.depth + 1, ..*self })
    }

    /// Passes over so many values, whatever is in them.
    fn skip(&mut self, mut count: u64) -> Option<()> {
        while count > 0 {
            count -= 1;
            match self.head()? {
                Head::Whole(_) => {}
                Head::Text(size) | Head::Bytes(size) => _ = self.take(size as usize)?,
                Head::Ext(size) => _ = self.take(size as usize + 1)?,
                Head::Array(more) => count = count.checked_add(u64::from(more))?,
                Head::Map(more) => count = count.checked_add(2 * u64::from(more))?,
            }
        }
        Some(())
    }

    fn head(&mut self) -> Option<Head<'a>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match Marker::from_u8(*first) {
            Marker::Null => Head::Whole(Value::Nil),
            Marker::False => Head::Whole(Value::Bool(false)),
            Marker::True => Head::Whole(Value::Bool(true)),
            Marker::FixPos(n) => Head::Whole(Value::Int(n.into())),
            Marker::FixNeg(n) => Head::Whole(Value::Int(n.into())),
            Marker::U8 => Head::Whole(Value::Int(u8::from_be_bytes(self.number()?).into())),
            Marker::U16 => Head::Whole(Value::Int(u16::from_be_bytes(self.number()?).into())),
            Marker::U32 => Head::Whole(Value::Int(u32::from_be_bytes(self.number()?).into())),
            Marker::U64 => {
                let n = u64::from_be_bytes(self.number()?);
                Head::Whole(i64::try_from(n).map_or(Value::Uint(n), Value::Int))
            }
            Marker::I8 => Head::Whole(Value::Int(i8::from_be_bytes(self.number()?).into())),
            Marker::I16 => Head::Whole(Value::Int(i16::from_be_bytes(self.number()?).into())),
            Marker::I32 => Head::Whole(Value::Int(i32::from_be_bytes(self.number()?).into())),
            Marker::I64 => Head::Whole(Value::Int(i64::from_be_bytes(self.number()?))),
            Marker::F32 => Head::Whole(Value::Float(f32::from_be_bytes(self.number()?).into())),
            Marker::F64 => Head::Whole(Value::Float(f64::from_be_bytes(self.number()?))),
            Marker::FixStr(n) => Head::Text(n.into()),
            Marker::Str8 => Head::Text(u8::from_be_bytes(self.number()?).into()),
            Marker::Str16 => Head::Text(u16::from_be_bytes(self.number()?).into()),
            Marker::Str32 => Head::Text(u32::from_be_bytes(self.number()?)),
            Marker::Bin8 => Head::Bytes(u8::from_be_bytes(self.number()?).into()),
            Marker::Bin16 => Head::Bytes(u16::from_be_bytes(self.number()?).into()),
            Marker::Bin32 => Head::Bytes(u32::from_be_bytes(self.number()?)),
            Marker::FixArray(n) => Head::Array(n.into()),
            Marker::Array16 => Head::Array(u16::from_be_bytes(self.number()?).into()),
            Marker::Array32 => Head::Array(u32::from_be_bytes(self.number()?)),
            Marker::FixMap(n) => Head::Map(n.into()),
            Marker::Map16 => Head::Map(u16::from_be_bytes(self.number()?).into()),
            Marker::Map32 => Head::Map(u32::from_be_bytes(self.number()?)),
            Marker::FixExt1 => Head::Ext(1),
            Marker::FixExt2 => Head::Ext(2),
            Marker::FixExt4 => Head::Ext(4),
            Marker::FixExt8 => Head::Ext(8),
            Marker::FixExt16 => Head::Ext(16),
            Marker::Ext8 => Head::Ext(u8::from_be_bytes(self.number()?).into()),
            Marker::Ext16 => Head::Ext(u16::from_be_bytes(self.number()?).into()),
            Marker::Ext32 => Head::Ext(u32::from_be_bytes(self.number()?)),
            Marker::Reserved => return None,
        })
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (number, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*number)
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }
}
