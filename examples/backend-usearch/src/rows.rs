// SPDX-License-Identifier: Apache-2.0
//! Rows of the store, and how they are answered.
use rusqlite::Row;
use simplugin_backend::{Body, Columns, Error, Ids, Map, Matrix, Value, Values, rmpv};

use crate::collection::Collection;

/// A vector as the store has it.
pub(crate) fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    let numbers = bytes.chunks_exact(4);
    numbers.map(|four| f32::from_le_bytes(four.try_into().unwrap_or_default())).collect()
}

/// Fields as the store has them: MessagePack.
pub(crate) fn pack(value: &rmpv::Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, value)
        .unwrap_or_else(|_| unreachable!("writing into a Vec"));
    bytes
}

pub(crate) fn unpack(mut bytes: &[u8]) -> rmpv::Value {
    rmpv::decode::read_value(&mut bytes).unwrap_or(rmpv::Value::Nil)
}

/// What of points an answer brings.
pub(crate) struct Wanted {
    vectors: bool,
    /// Of the collection's, with their places in it.
    fields: Option<Vec<String>>,
}

impl Wanted {
    pub(crate) fn read(
        collection: &Collection,
        request: Map<'_>,
        vectors: bool,
    ) -> Result<Self, Error> {
        let fields = match request.get("fields") {
            None => None,
            Some(Value::Bool(false)) => None,
            Some(Value::Bool(true)) => Some(collection.fields.keys().cloned().collect()),
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(|name| name.as_str());
                let known = names.filter(|name| collection.fields.contains_key(*name));
                Some(known.map(str::to_owned).collect())
            }
            Some(_) => return Err(Error::argument("fields", "fields are names, or true")),
        };
        Ok(Wanted { vectors, fields })
    }
}

/// Points of an answer.
pub(crate) struct Found {
    wanted: Wanted,
    dimension: usize,
    ids: Vec<String>,
    vectors: Vec<f32>,
    columns: Vec<Values<'static>>,
}

impl Found {
    pub(crate) fn new(collection: &Collection, wanted: Wanted) -> Self {
        let columns = wanted.fields.iter().flatten().map(|name| {
            let (kind, lists) = collection.fields[name];
            Values::empty(kind, lists)
        });
        let columns = columns.collect();
        let dimension = collection.dimension;
        Found { wanted, dimension, ids: Vec::new(), vectors: Vec::new(), columns }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn last_id(&self) -> Option<&str> {
        self.ids.last().map(String::as_str)
    }

    /// A row of `id, vector, fields`. Returns how many bytes it has.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<u64> {
        let (id, vector) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?);
        let packed = row.get_ref(2)?.as_blob()?;
        let mut size = id.len();
        self.ids.push(id.to_owned());
        if self.wanted.vectors {
            let before = self.vectors.len();
            self.vectors.extend(floats(vector));
            // a damaged row must not move the others
            self.vectors.resize(before + self.dimension, 0.0);
            size += vector.len();
        }
        if !self.columns.is_empty() {
            size += packed.len();
            let fields = unpack(packed);
            for (name, column) in self.wanted.fields.iter().flatten().zip(&mut self.columns) {
                column.push_owned(value_of(&fields, name).unwrap_or(&rmpv::Value::Nil));
            }
        }
        Ok(size as u64)
    }

    pub(crate) fn body(self) -> Body<'static> {
        let mut body = Body::new();
        body.set("ids", self.ids.iter().collect::<Ids<'_>>());
        if self.wanted.vectors {
            body.set("vectors", Matrix::owned(self.vectors, self.dimension));
        }
        if let Some(names) = self.wanted.fields {
            let pairs = names.into_iter().zip(self.columns);
            body.set(
                "fields",
                pairs.fold(Columns::new(), |all, (name, values)| all.with(name, values)),
            );
        }
        body
    }
}

pub(crate) fn value_of<'a>(fields: &'a rmpv::Value, name: &str) -> Option<&'a rmpv::Value> {
    let (_, value) = fields.as_map()?.iter().find(|(key, _)| key.as_str() == Some(name))?;
    Some(value)
}
