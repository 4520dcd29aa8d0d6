// SPDX-License-Identifier: Apache-2.0
//! Writing and reading points.
use std::collections::HashMap;

use simplugin_backend::{
    Body, Call, Column, Columns, Error, Ids, Map, Matrix, Numbers, Texts, Value, Values, rmpv,
};

use crate::collection::{Collection, Point};

pub(crate) const UPSERT: &[&str] =
    &["collection", "ids", "vectors", "fields", "rows", "parameters"];
pub(crate) const DELETE: &[&str] = &["collection", "ids", "all"];
pub(crate) const GET: &[&str] = &["collection", "ids", "vectors", "fields"];
pub(crate) const SCAN: &[&str] =
    &["collection", "cursor", "max_bytes", "max_rows", "vectors", "fields"];

/// Time is looked at once in so many points.
const BLOCK: usize = 1024;

fn ids<'a>(request: Map<'a>) -> Result<Texts<'a>, Error> {
    let ids = request.get("ids").and_then(|value| value.as_texts());
    ids.ok_or_else(|| Error::argument("ids", "ids are a column of text"))
}

/// The points are made first: an upsert that fails, or runs out of time, has written none.
pub(crate) fn upsert(
    collection: &mut Collection,
    call: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    let (ids, vectors) = (ids(request)?, collection.vectors(request)?);
    if ids.len() != vectors.len() {
        return Err(Error::argument("ids", "ids and vectors are not as many"));
    }
    let columns = columns(collection, request, ids.len())?;
    let rows: Vec<usize> = match request.get("rows").and_then(|value| value.as_tensor()) {
        None => (0..ids.len()).collect(),
        Some(rows) => {
            let rows = rows.elements::<i64>().unwrap_or_default();
            rows.iter().filter_map(|row| usize::try_from(*row).ok()).collect()
        }
    };
    if rows.iter().any(|row| *row >= ids.len()) {
        return Err(Error::argument("rows", "a row is none of those given"));
    }
    let mut made = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        if i % BLOCK == 0 {
            call.check()?;
        }
        let values = columns.iter().filter_map(|(name, column)| {
            Some((name.clone(), rmpv::Value::from(column.get(*row)?)))
        });
        made.push(Point {
            id: ids.get(*row).unwrap_or_default().to_owned(),
            vector: vectors[*row].to_vec(),
            values: values.collect(),
        });
    }
    for (name, column) in &columns {
        collection.fields.entry(name.clone()).or_insert((column.kind(), column.has_lists()));
    }
    let replaced = made.into_iter().map(|point| collection.put(point)).filter(|known| *known);
    let replaced = replaced.count();
    Ok(Body::new().with("upserted", rows.len()).with("replaced", replaced))
}

/// The columns of the fields that are given; all are checked before anything is written.
fn columns<'a>(
    collection: &Collection,
    request: Map<'a>,
    rows: usize,
) -> Result<HashMap<String, Column<'a>>, Error> {
    let mut columns = HashMap::new();
    let fields = request.get("fields").and_then(|value| value.as_map());
    for (name, value) in fields.iter().flat_map(Map::iter) {
        let wrong = |what| Error::argument("fields", format!("the field {name}: {what}"));
        let map = value.as_map().ok_or_else(|| wrong("is no column"))?;
        let column = Column::read(&map).map_err(wrong)?;
        if column.len() != rows {
            return Err(wrong("has not as many rows as there are ids"));
        }
        let before = collection.fields.get(name);
        if before.is_some_and(|before| *before != (column.kind(), column.has_lists())) {
            return Err(wrong("is of another type than before"));
        }
        columns.insert(name.to_owned(), column);
    }
    Ok(columns)
}

pub(crate) fn delete(
    collection: &mut Collection,
    call: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    let deleted = if request.get("all").and_then(|all| all.as_bool()).unwrap_or_default() {
        let count = collection.points.len();
        collection.points.clear();
        collection.numbers.clear();
        count
    } else {
        let mut count = 0;
        for (i, id) in ids(request)?.iter().enumerate() {
            if i % BLOCK == 0 {
                call.check()?;
            }
            count += usize::from(collection.remove(id));
        }
        count
    };
    Ok(Body::new().with("deleted", deleted))
}

pub(crate) fn get(
    collection: &Collection,
    call: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    let (mut positions, mut points) = (Vec::new(), Vec::new());
    for (i, id) in ids(request)?.iter().enumerate() {
        if i % BLOCK == 0 {
            call.check()?;
        }
        if let Some(point) = collection.find(id) {
            positions.push(i as i64);
            points.push(point);
        }
    }
    let with_vectors = flag(request, "vectors", true)?;
    let mut body = body_of(collection, &points, with_vectors, request.get("fields"));
    body.set("positions", Numbers(positions));
    Ok(body)
}

pub(crate) fn count(
    collection: &Collection,
    _: &Call<'_>,
    _: Map<'_>,
) -> Result<Body<'static>, Error> {
    Ok(Body::new().with("count", collection.points.len()))
}

/// The cursor is the number of the next point.
pub(crate) fn scan(
    collection: &Collection,
    call: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    call.check()?;
    let first = match request.get("cursor") {
        None => 0,
        Some(cursor) => {
            let number = cursor.as_bytes().and_then(|bytes| bytes.try_into().ok());
            u64::from_be_bytes(
                number.ok_or_else(|| Error::argument("cursor", "the cursor is none of ours"))?,
            )
        }
    };
    let limit = |key| request.get(key).and_then(|value| value.as_u64()).unwrap_or(u64::MAX);
    let bytes = (collection.dimension * size_of::<f32>()) as u64;
    let rows = limit("max_rows").min(limit("max_bytes") / bytes).max(1) as usize;
    let mut rest = collection.points.range(first..);
    let points: Vec<&Point> = rest.by_ref().take(rows).map(|(_, point)| point).collect();
    let with_vectors = flag(request, "vectors", true)?;
    let mut body = body_of(collection, &points, with_vectors, request.get("fields"));
    if let Some((next, _)) = rest.next() {
        body.set("cursor", rmpv::Value::Binary(next.to_be_bytes().to_vec()));
    }
    Ok(body)
}

pub(crate) fn flag(request: Map<'_>, key: &str, otherwise: bool) -> Result<bool, Error> {
    match request.get(key) {
        None => Ok(otherwise),
        Some(value) => {
            value.as_bool().ok_or_else(|| Error::argument(key, format!("{key} is a bool")))
        }
    }
}

/// Ids, vectors and fields of points, as asked.
pub(crate) fn body_of(
    collection: &Collection,
    points: &[&Point],
    with_vectors: bool,
    fields: Option<Value<'_>>,
) -> Body<'static> {
    let mut body = Body::new();
    body.set("ids", points.iter().map(|point| &point.id).collect::<Ids<'_>>());
    if with_vectors {
        let all: Vec<f32> = points.iter().flat_map(|point| &point.vector).copied().collect();
        body.set("vectors", Matrix::owned(all, collection.dimension));
    }
    if let Some(asked) = fields {
        let is_asked = |name: &str| match asked {
            Value::Array(names) => names.iter().any(|one| one.as_str() == Some(name)),
            asked => asked.as_bool() == Some(true),
        };
        let mut columns = Columns::new();
        for (name, (kind, lists)) in collection.fields.iter().filter(|(name, _)| is_asked(name)) {
            let mut values = Values::empty(*kind, *lists);
            for point in points {
                values.push_owned(point.values.get(name).unwrap_or(&rmpv::Value::Nil));
            }
            columns = columns.with(name.as_str(), values);
        }
        body.set("fields", columns);
    }
    body
}
