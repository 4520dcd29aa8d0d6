// SPDX-License-Identifier: Apache-2.0
//! What a collection is, and the methods on whole ones.
use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Transaction};
use simplugin_backend::plugin::code;
use simplugin_backend::{Body, Call, Error, Kind, Map, Tensor, rmpv};

use crate::metric::Metric;
use crate::request::{Setting, check_keys, flag, text};
use crate::rows::{pack, unpack};
use crate::saved;
use crate::store::{Store, failed};

pub(crate) const MAX_DIMENSION: i64 = 65536;
pub(crate) const CONNECTIVITY: Setting =
    Setting { name: "connectivity", range: 2..=256, default: 16 };
pub(crate) const EXPANSION_ADD: Setting =
    Setting { name: "expansion_add", range: 1..=4096, default: 128 };

/// The types that fields may have.
pub(crate) const FIELD_TYPES: [&str; 8] = [
    "text",
    "int64",
    "float64",
    "bool",
    "list<text>",
    "list<int64>",
    "list<float64>",
    "list<bool>",
];

/// The type of a field: of its values, or of the elements of its lists.
pub(crate) type Type = (Kind, bool);

pub(crate) struct Collection {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) uuid: String,
    pub(crate) epoch: i64,
    pub(crate) dimension: usize,
    pub(crate) metric: Metric,
    pub(crate) connectivity: i64,
    pub(crate) expansion_add: i64,
    pub(crate) fields: BTreeMap<String, Type>,
    pub(crate) points: i64,
}

impl Collection {
    pub(crate) fn find(transaction: &Transaction<'_>, name: &str) -> Result<Self, Error> {
        let mut statement = transaction
            .prepare_cached(
                "SELECT number, uuid, epoch, dimension, metric, connectivity, expansion_add,
                        fields, points
                 FROM collections WHERE name = ?",
            )
            .map_err(failed)?;
        let found = statement.query_row([name], |row| {
            let dimension: i64 = row.get(3)?;
            Ok(Collection {
                number: row.get(0)?,
                name: name.to_owned(),
                uuid: row.get(1)?,
                epoch: row.get(2)?,
                dimension: dimension as usize,
                metric: Metric::named(row.get_ref(4)?.as_str()?).unwrap_or(Metric::Cosine),
                connectivity: row.get(5)?,
                expansion_add: row.get(6)?,
                fields: types(&unpack(row.get_ref(7)?.as_blob()?)),
                points: row.get(8)?,
            })
        });
        found.optional().map_err(failed)?.ok_or_else(|| none(name))
    }

    /// The same, as it is in a later transaction; not another one of its name.
    pub(crate) fn again(&self, transaction: &Transaction<'_>) -> Result<Self, Error> {
        let found = Collection::find(transaction, &self.name)?;
        if found.number == self.number { Ok(found) } else { Err(self.is_gone()) }
    }

    /// Writes what of it changes.
    pub(crate) fn put(&self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let types = self
            .fields
            .iter()
            .map(|(name, (kind, lists))| (name.as_str().into(), kind.name(*lists).into()));
        let mut statement = transaction
            .prepare_cached(
                "UPDATE collections SET epoch = ?, fields = ?, points = ? WHERE number = ?",
            )
            .map_err(failed)?;
        let fields = pack(&rmpv::Value::Map(types.collect()));
        statement.execute((self.epoch, fields, self.points, self.number)).map_err(failed)?;
        Ok(())
    }

    pub(crate) fn is_gone(&self) -> Error {
        none(&self.name)
    }

    pub(crate) fn is_damaged(&self) -> Error {
        let message = format!("the collection \"{}\" has not as many points as it says", self.name);
        Error::new(code::CORRUPT, message)
    }

    /// The rows of a request, which are checked.
    pub(crate) fn vectors<'a>(&self, request: Map<'a>) -> Result<Tensor<'a>, Error> {
        let tensor = request.get("vectors").and_then(|value| value.as_tensor());
        let tensor = tensor.ok_or_else(|| Error::argument("vectors", "vectors are a tensor"))?;
        if tensor.cols() != self.dimension {
            let message = format!(
                "vectors have {} numbers, those of the collection \"{}\" {}",
                tensor.cols(),
                self.name,
                self.dimension
            );
            return Err(Error::new(code::DIMENSION_MISMATCH, message));
        }
        if tensor.rows() > 0 && tensor.row::<f32>(0).is_none() {
            return Err(Error::argument("vectors", "vectors are float32"));
        }
        Ok(tensor)
    }
}

fn none(name: &str) -> Error {
    Error::new(code::NOT_FOUND, format!("there is no collection \"{name}\""))
}

fn types(map: &rmpv::Value) -> BTreeMap<String, Type> {
    let pairs = map.as_map().into_iter().flatten();
    pairs
        .filter_map(|(name, of)| Some((name.as_str()?.to_owned(), Kind::named(of.as_str()?)?)))
        .collect()
}

pub(crate) fn list<'a>(
    store: &Store,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    check_keys(request, &[])?;
    let names: Vec<String> = store.read(call, |transaction| {
        let mut statement = transaction
            .prepare_cached("SELECT name FROM collections ORDER BY name")
            .map_err(failed)?;
        let rows = statement.query_map((), |row| row.get(0)).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    })?;
    Ok(Body::new().with("collections", names))
}

pub(crate) fn exists<'a>(
    store: &Store,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    check_keys(request, &["collection"])?;
    let name = text(request, "collection")?;
    let found = store.read(call, |transaction| Collection::find(transaction, name));
    match found {
        Ok(_) => Ok(Body::new().with("exists", true)),
        Err(error) if error.code() == code::NOT_FOUND => Ok(Body::new().with("exists", false)),
        Err(error) => Err(error),
    }
}

pub(crate) fn create<'a>(
    store: &Store,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    check_keys(request, &["collection", "dimension", "metric", "fields", "parameters"])?;
    let name = text(request, "collection")?;
    let dimension = request.get("dimension").and_then(|value| value.as_i64());
    let dimension = dimension.filter(|dimension| (1..=MAX_DIMENSION).contains(dimension));
    let dimension = dimension.ok_or_else(|| {
        Error::argument("dimension", format!("dimension is from 1 to {MAX_DIMENSION}"))
    })?;
    let metric = match request.get("metric") {
        None => Metric::Cosine,
        Some(metric) => Metric::named(metric.as_str().unwrap_or_default())?,
    };
    let mut fields = Vec::new();
    let asked = request.get("fields").and_then(|map| map.as_map());
    for (field, kind) in asked.iter().flat_map(Map::iter) {
        let kind = kind.as_str().filter(|name| Kind::named(name).is_some());
        let kind =
            kind.ok_or_else(|| Error::argument("fields", format!("{field} is of no known type")))?;
        fields.push((field.into(), kind.into()));
    }
    let parameters = request.get("parameters").and_then(|value| value.as_map());
    if let Some(parameters) = parameters {
        check_keys(parameters, &[CONNECTIVITY.name, EXPANSION_ADD.name])?;
    }
    let (connectivity, expansion) = (CONNECTIVITY.read(request)?, EXPANSION_ADD.read(request)?);
    let fields = pack(&rmpv::Value::Map(fields));
    store.write(call, |transaction| {
        let made = transaction
            .execute(
                "INSERT INTO collections (name, uuid, epoch, dimension, metric, connectivity,
                                          expansion_add, fields, points)
                 VALUES (?, lower(hex(randomblob(16))), 0, ?, ?, ?, ?, ?, 0)
                 ON CONFLICT DO NOTHING",
                (name, dimension, metric.name(), connectivity, expansion, fields),
            )
            .map_err(failed)?;
        if made == 0 {
            let message = format!("there is a collection \"{name}\" already");
            return Err(Error::new(code::ALREADY_EXISTS, message));
        }
        Ok(())
    })?;
    Ok(Body::new().with("collection", name))
}

pub(crate) fn describe<'a>(
    _: &Store,
    collection: &Collection,
    _: &Call<'a>,
    _: Map<'a>,
) -> Result<Body<'a>, Error> {
    let types =
        collection.fields.iter().map(|(name, (kind, lists))| (name.clone(), kind.name(*lists)));
    let patches = collection.fields.get("sample_id") == Some(&(Kind::Text, false));
    let mut attributes: BTreeMap<&str, rmpv::Value> = BTreeMap::new();
    attributes.insert("id", collection.uuid.as_str().into());
    attributes.insert(CONNECTIVITY.name, collection.connectivity.into());
    attributes.insert(EXPANSION_ADD.name, collection.expansion_add.into());
    Ok(Body::new()
        .with("collection", collection.name.clone())
        .with("dimension", collection.dimension)
        .with("metric", collection.metric.name())
        .with("count", collection.points)
        .with("fields", types.collect::<BTreeMap<_, _>>())
        .with("id_mode", "native")
        .with("patches", patches)
        .with("attributes", attributes))
}

pub(crate) fn drop<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    _: Map<'a>,
) -> Result<Body<'a>, Error> {
    store.write(call, |transaction| {
        collection.again(transaction)?;
        crate::points::delete_all(transaction, call, collection)?;
        transaction
            .execute("DELETE FROM collections WHERE number = ?", [collection.number])
            .map_err(failed)
    })?;
    store.forget_graph(collection.number);
    saved::remove(&store.directory, &collection.uuid);
    Ok(Body::new())
}

/// Brings the graph up to date and writes its file.
pub(crate) fn flush<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    _: Map<'a>,
) -> Result<Body<'a>, Error> {
    let graph = store.graph(collection.number);
    graph.follow(call, store, collection)?;
    graph.flush(call, store, collection)?;
    Ok(Body::new())
}

pub(crate) const GRAPH: &[&str] = &["collection", "follow"];

/// What there is of the graph in this process: as it is, or with `follow` brought up to date.
pub(crate) fn graph<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let graph = store.graph(collection.number);
    if flag(request, "follow", false)? {
        graph.follow(call, store, collection)?;
    }
    let state = graph.state(call)?;
    Ok(Body::new()
        .with("points", state.as_ref().map_or(0, |state| state.points))
        .with("bytes", state.as_ref().map_or(0, |state| state.bytes))
        .with("from_file", state.as_ref().is_some_and(|state| state.from_file)))
}
