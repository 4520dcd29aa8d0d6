// SPDX-License-Identifier: Apache-2.0
//! One collection and its points.
use std::collections::{BTreeMap, HashMap};

use simplugin_backend::plugin::code;
use simplugin_backend::{Body, Call, Error, Kind, Map, rmpv};

/// The types that fields may have.
pub(crate) const TYPES: [&str; 8] = [
    "text",
    "int64",
    "float64",
    "bool",
    "list<text>",
    "list<int64>",
    "list<float64>",
    "list<bool>",
];

#[derive(Clone, Copy)]
pub(crate) enum Metric {
    Cosine,
    Dotproduct,
    Euclidean,
}

impl Metric {
    pub(crate) const NAMES: [&'static str; 3] = ["cosine", "dotproduct", "euclidean"];

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "cosine" => Metric::Cosine,
            "dotproduct" => Metric::Dotproduct,
            "euclidean" => Metric::Euclidean,
            _ => return None,
        })
    }
}

/// The type of a field: of its values, or of the elements of its lists.
pub(crate) type Type = (Kind, bool);

pub(crate) struct Point {
    pub(crate) id: String,
    pub(crate) vector: Vec<f32>,
    /// Of the fields that it has.
    pub(crate) values: HashMap<String, rmpv::Value>,
}

impl Point {
    /// How large it is in a reply, roughly.
    pub(crate) fn bytes(&self) -> u64 {
        let values: u64 = self.values.values().map(value_bytes).sum();
        (self.id.len() + size_of_val(&self.vector[..])) as u64 + values
    }
}

fn value_bytes(value: &rmpv::Value) -> u64 {
    match value {
        rmpv::Value::String(text) => text.as_bytes().len() as u64,
        rmpv::Value::Array(items) => items.iter().map(value_bytes).sum(),
        _ => 8,
    }
}

/// A map of the request, if it is there.
pub(crate) fn map<'a>(request: Map<'a>, key: &str) -> Result<Option<Map<'a>>, Error> {
    request
        .get(key)
        .map(|value| {
            value
                .as_map()
                .ok_or_else(|| Error::argument(key, format!("{key}: a map is needed")))
        })
        .transpose()
}

pub(crate) struct Collection {
    pub(crate) dimension: usize,
    pub(crate) metric: Metric,
    pub(crate) fields: BTreeMap<String, Type>,
    /// By the number that a point got when it first came: numbers only grow, so that a scan knows
    /// where it was.
    pub(crate) points: BTreeMap<u64, Point>,
    pub(crate) numbers: HashMap<String, u64>,
    next: u64,
}

impl Collection {
    pub(crate) fn new(request: Map<'_>) -> Result<Self, Error> {
        let dimension = request.get("dimension").and_then(|value| value.as_u64());
        let dimension = dimension.filter(|dimension| (1..=65536).contains(dimension));
        let metric = match request.get("metric") {
            None => Some(Metric::Cosine),
            Some(name) => name.as_str().and_then(Metric::named),
        };
        let mut fields = BTreeMap::new();
        for (name, kind) in map(request, "fields")?.iter().flat_map(Map::iter) {
            let kind = kind.as_str().and_then(Kind::named);
            let kind = kind
                .ok_or_else(|| Error::argument("fields", format!("{name} is of no known type")))?;
            fields.insert(name.to_owned(), kind);
        }
        Ok(Collection {
            dimension: dimension
                .ok_or_else(|| Error::argument("dimension", "dimension is from 1 to 65536"))?
                as usize,
            metric: metric.ok_or_else(|| {
                Error::argument(
                    "metric",
                    format!("metric is one of {}", Metric::NAMES.join(", ")),
                )
            })?,
            fields,
            points: BTreeMap::new(),
            numbers: HashMap::new(),
            next: 0,
        })
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Point> {
        self.points.get(self.numbers.get(id)?)
    }

    /// Whether there was one of that id.
    pub(crate) fn put(&mut self, point: Point) -> bool {
        let known = self.numbers.get(&point.id).copied();
        let number = known.unwrap_or_else(|| {
            self.next += 1;
            self.numbers.insert(point.id.clone(), self.next);
            self.next
        });
        self.points.insert(number, point);
        known.is_some()
    }

    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let point = self
            .numbers
            .remove(id)
            .and_then(|number| self.points.remove(&number));
        point.is_some()
    }

    /// The float32 vectors of a request.
    pub(crate) fn vectors<'a>(&self, request: Map<'a>) -> Result<Vec<&'a [f32]>, Error> {
        let tensor = request.get("vectors").and_then(|value| value.as_tensor());
        let tensor = tensor.ok_or_else(|| Error::argument("vectors", "vectors are a tensor"))?;
        if tensor.cols() != self.dimension {
            let message = format!(
                "vectors have {} numbers, those of the collection {}",
                tensor.cols(),
                self.dimension
            );
            return Err(Error::new(code::DIMENSION_MISMATCH, message));
        }
        let rows: Option<Vec<_>> = (0..tensor.rows()).map(|i| tensor.row(i)).collect();
        rows.ok_or_else(|| Error::argument("vectors", "vectors are float32"))
    }
}

pub(crate) fn describe(
    collection: &Collection,
    _: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    let types = collection
        .fields
        .iter()
        .map(|(name, (kind, lists))| (name.clone(), kind.name(*lists)));
    let patches = collection.fields.get("sample_id") == Some(&(Kind::Text, false));
    Ok(Body::new()
        .with("collection", crate::text(request, "collection")?.to_owned())
        .with("dimension", collection.dimension)
        .with("metric", Metric::NAMES[collection.metric as usize])
        .with("count", collection.points.len())
        .with("fields", types.collect::<BTreeMap<_, _>>())
        .with("id_mode", "native")
        .with("patches", patches))
}
