// SPDX-License-Identifier: Apache-2.0
//! Writing and reading points.
use rusqlite::{OptionalExtension, Transaction};
use simplugin_backend::plugin::code;
use simplugin_backend::{Body, Call, Column, Error, Map, Numbers, Texts, rmpv};

use crate::collection::Collection;
use crate::request::{flag, ids, limit};
use crate::rows::{Found, Wanted, bytes, pack, unpack};
use crate::store::{Store, failed};

pub(crate) const UPSERT: &[&str] =
    &["collection", "ids", "vectors", "fields", "rows", "existing", "parameters"];
pub(crate) const DELETE: &[&str] = &["collection", "ids", "all"];
pub(crate) const SET_FIELDS: &[&str] = &["collection", "ids", "fields"];
pub(crate) const GET: &[&str] = &["collection", "ids", "vectors", "fields"];
pub(crate) const SCAN: &[&str] =
    &["collection", "cursor", "max_bytes", "max_rows", "vectors", "fields"];

/// Rows between two looks at the time.
const BLOCK: usize = 256;

/// Removals that are remembered, for the graphs of other processes to follow.
const REMEMBERED: i64 = 1_000_000;

pub(crate) fn upsert<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let (ids, vectors) = (ids(request)?, collection.vectors(request)?);
    if ids.len() != vectors.rows() {
        return Err(Error::argument("ids", "ids and vectors are not as many"));
    }
    let rows = rows(request, ids.len())?;
    let columns = columns(request, ids.len())?;
    let existing = match request.get("existing") {
        None => "overwrite",
        Some(value) => value.as_str().unwrap_or_default(),
    };
    if !["overwrite", "skip", "fail"].contains(&existing) {
        return Err(Error::argument("existing", "existing is overwrite, skip or fail"));
    }
    let (mut replaced, mut skipped) = (0, Vec::new());
    store.write(call, |transaction| {
        let mut collection = collection.again(transaction)?;
        note_types(&mut collection, &columns)?;
        for (done, row) in rows.iter().copied().enumerate() {
            if done % BLOCK == 0 {
                call.check()?;
            }
            let id = ids.get(row).unwrap_or_default();
            if let Some(known) = number(transaction, &collection, id)? {
                match existing {
                    "skip" => {
                        skipped.push(row as i64);
                        continue;
                    }
                    "fail" => {
                        let message = format!("there is a point \"{id}\" already");
                        return Err(Error::new(code::ALREADY_EXISTS, message).detail("id", id));
                    }
                    _ => remove(transaction, &mut collection, known)?,
                }
                replaced += 1;
            }
            let fields = columns.iter().filter_map(|(name, column)| {
                Some(((*name).into(), rmpv::Value::from(column.get(row)?)))
            });
            let fields = pack(&rmpv::Value::Map(fields.collect()));
            let mut insert = transaction
                .prepare_cached(
                    "INSERT INTO points (collection, id, vector, fields) VALUES (?, ?, ?, ?)",
                )
                .map_err(failed)?;
            let vector = bytes(vectors.row(row).unwrap_or_default());
            insert.execute((collection.number, id, vector, fields)).map_err(failed)?;
            collection.points += 1;
        }
        forget_removals(transaction)?;
        collection.put(transaction)
    })?;
    keep_step(store, collection, call);
    let mut body = Body::new().with("upserted", rows.len() - skipped.len());
    body.set("replaced", replaced);
    if existing == "skip" {
        body.set("skipped", Numbers(skipped));
    }
    Ok(body)
}

/// What is written is written; of the graph as much is done as there is time for, and the rest by
/// who searches next.
fn keep_step(store: &Store, collection: &Collection, call: &Call<'_>) {
    _ = store.graph(collection.number).follow(call, store, collection);
}

/// The places of the rows that are to be written.
fn rows(request: Map<'_>, count: usize) -> Result<Vec<usize>, Error> {
    let Some(rows) = request.get("rows") else { return Ok((0..count).collect()) };
    let wrong = || Error::argument("rows", "rows are places among ids, int64");
    let tensor = rows.as_tensor().ok_or_else(wrong)?;
    let rows = tensor.elements::<i64>().ok_or_else(wrong)?.iter();
    let rows = rows.map(|row| usize::try_from(*row).ok().filter(|row| *row < count));
    rows.collect::<Option<_>>().ok_or_else(wrong)
}

/// The columns of a request by their names. One without any value is of any type, and says nothing.
fn columns<'a>(request: Map<'a>, rows: usize) -> Result<Vec<(&'a str, Column<'a>)>, Error> {
    let mut columns = Vec::new();
    let fields = request.get("fields").and_then(|value| value.as_map());
    for (name, value) in fields.iter().flat_map(Map::iter) {
        let wrong = |what| Error::argument("fields", format!("the field {name} {what}"));
        let map = value.as_map().ok_or_else(|| wrong("is no column"))?;
        let column = Column::read(&map).map_err(wrong)?;
        if column.len() != rows {
            return Err(wrong("has not as many rows as there are ids"));
        }
        columns.push((name, column));
    }
    Ok(columns)
}

/// A field has one type, which its first value says if nobody has declared it.
fn note_types(collection: &mut Collection, columns: &[(&str, Column<'_>)]) -> Result<(), Error> {
    for (name, column) in columns {
        if !(0..column.len()).any(|row| column.is_valid(row)) {
            continue;
        }
        let given = (column.kind(), column.has_lists());
        let (kind, lists) = *collection.fields.entry((*name).to_owned()).or_insert(given);
        if (kind, lists) != given {
            let (given, known) = (given.0.name(given.1), kind.name(lists));
            let message = format!("the field {name} is of type {known}, not {given}");
            return Err(Error::argument("fields", message));
        }
    }
    Ok(())
}

/// The number of the point of that id.
fn number(
    transaction: &Transaction<'_>,
    collection: &Collection,
    id: &str,
) -> Result<Option<i64>, Error> {
    let mut statement = transaction
        .prepare_cached("SELECT number FROM points WHERE collection = ? AND id = ?")
        .map_err(failed)?;
    statement.query_row((collection.number, id), |row| row.get(0)).optional().map_err(failed)
}

fn remove(
    transaction: &Transaction<'_>,
    collection: &mut Collection,
    number: i64,
) -> Result<(), Error> {
    let mut delete =
        transaction.prepare_cached("DELETE FROM points WHERE number = ?").map_err(failed)?;
    delete.execute([number]).map_err(failed)?;
    let mut note = transaction
        .prepare_cached("INSERT INTO removals (collection, point) VALUES (?, ?)")
        .map_err(failed)?;
    note.execute((collection.number, number)).map_err(failed)?;
    collection.points -= 1;
    Ok(())
}

fn forget_removals(transaction: &Transaction<'_>) -> Result<(), Error> {
    let mut statement = transaction
        .prepare_cached(
            "DELETE FROM removals WHERE number <= (SELECT max(number) FROM removals) - ?",
        )
        .map_err(failed)?;
    statement.execute([REMEMBERED]).map_err(failed)?;
    Ok(())
}

/// Not one by one in the removals: who deletes all begins another epoch.
pub(crate) fn delete_all(
    transaction: &Transaction<'_>,
    call: &Call<'_>,
    collection: &Collection,
) -> Result<(), Error> {
    let mut statement = transaction
        .prepare_cached(
            "DELETE FROM points WHERE number IN
                (SELECT number FROM points WHERE collection = ? LIMIT 4096)",
        )
        .map_err(failed)?;
    while statement.execute([collection.number]).map_err(failed)? > 0 {
        call.check()?;
    }
    Ok(())
}

pub(crate) fn delete<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let all = flag(request, "all", false)?;
    let ids = match (all, request.get("ids")) {
        (true, Some(_)) => return Err(Error::argument("ids", "give either ids or all")),
        (true, None) => Texts::default(),
        (false, _) => ids(request)?,
    };
    let deleted = store.write(call, |transaction| {
        let mut collection = collection.again(transaction)?;
        let before = collection.points;
        if all {
            delete_all(transaction, call, &collection)?;
            (collection.epoch, collection.points) = (collection.epoch + 1, 0);
        }
        for (done, id) in ids.iter().enumerate() {
            if done % BLOCK == 0 {
                call.check()?;
            }
            if let Some(number) = number(transaction, &collection, id)? {
                remove(transaction, &mut collection, number)?;
            }
        }
        forget_removals(transaction)?;
        collection.put(transaction)?;
        Ok(before - collection.points)
    })?;
    keep_step(store, collection, call);
    Ok(Body::new().with("deleted", deleted))
}

pub(crate) fn set_fields<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let ids = ids(request)?;
    if request.get("fields").and_then(|value| value.as_map()).is_none() {
        return Err(Error::argument("fields", "fields are needed: a map from name to column"));
    }
    let columns = columns(request, ids.len())?;
    let positions = store.write(call, |transaction| {
        let mut collection = collection.again(transaction)?;
        note_types(&mut collection, &columns)?;
        let mut positions = Vec::new();
        for (row, id) in ids.iter().enumerate() {
            if row % BLOCK == 0 {
                call.check()?;
            }
            let Some(number) = number(transaction, &collection, id)? else { continue };
            positions.push(row as i64);
            let mut read = transaction
                .prepare_cached("SELECT fields FROM points WHERE number = ?")
                .map_err(failed)?;
            let packed: Vec<u8> = read.query_row([number], |row| row.get(0)).map_err(failed)?;
            let mut fields = match unpack(&packed) {
                rmpv::Value::Map(pairs) => pairs,
                _ => Vec::new(),
            };
            fields.retain(|(name, _)| {
                !columns.iter().any(|(changed, _)| name.as_str() == Some(*changed))
            });
            for (name, column) in &columns {
                if let Some(value) = column.get(row) {
                    fields.push(((*name).into(), value.into()));
                }
            }
            let mut write = transaction
                .prepare_cached("UPDATE points SET fields = ? WHERE number = ?")
                .map_err(failed)?;
            write.execute((pack(&rmpv::Value::Map(fields)), number)).map_err(failed)?;
        }
        collection.put(transaction)?;
        Ok(positions)
    })?;
    Ok(Body::new().with("updated", positions.len()).with("positions", Numbers(positions)))
}

pub(crate) fn get<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let ids = ids(request)?;
    let vectors = flag(request, "vectors", true)?;
    store.read(call, |transaction| {
        let collection = collection.again(transaction)?;
        let mut found = Found::new(&collection, Wanted::read(&collection, request, vectors)?);
        let mut positions = Vec::new();
        let mut statement = transaction
            .prepare_cached("SELECT id, vector, fields FROM points WHERE collection = ? AND id = ?")
            .map_err(failed)?;
        for (position, id) in ids.iter().enumerate() {
            if position % BLOCK == 0 {
                call.check()?;
            }
            let there =
                statement.query_row((collection.number, id), |row| found.push(row)).optional();
            if there.map_err(failed)?.is_some() {
                positions.push(position as i64);
            }
        }
        Ok(found.body().with("positions", Numbers(positions)))
    })
}

pub(crate) fn count<'a>(
    _: &Store,
    collection: &Collection,
    _: &Call<'a>,
    _: Map<'a>,
) -> Result<Body<'a>, Error> {
    Ok(Body::new().with("count", collection.points))
}

/// In the order of the ids; the cursor is the last one that came.
pub(crate) fn scan<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let after = match request.get("cursor") {
        None => "",
        Some(cursor) => {
            let id = cursor.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
            id.ok_or_else(|| Error::argument("cursor", "the cursor is none of ours"))?
        }
    };
    let (max_rows, max_bytes) = (limit(request, "max_rows")?, limit(request, "max_bytes")?);
    let vectors = flag(request, "vectors", true)?;
    store.read(call, |transaction| {
        let collection = collection.again(transaction)?;
        let mut found = Found::new(&collection, Wanted::read(&collection, request, vectors)?);
        let mut statement = transaction
            .prepare_cached(
                "SELECT id, vector, fields FROM points WHERE collection = ? AND id > ? ORDER BY id",
            )
            .map_err(failed)?;
        let mut rows = statement.query((collection.number, after)).map_err(failed)?;
        let (mut bytes, mut more) = (0, false);
        while let Some(row) = rows.next().map_err(failed)? {
            if found.len() % BLOCK == 0 {
                call.check()?;
            }
            if found.len() > 0 && (found.len() as u64 >= max_rows || bytes >= max_bytes) {
                more = true;
                break;
            }
            bytes += found.push(row).map_err(failed)?;
        }
        let cursor = found.last_id().filter(|_| more).map(|id| id.as_bytes().to_vec());
        Ok(found.body().with("cursor", cursor.map(rmpv::Value::Binary)))
    })
}
