// SPDX-License-Identifier: Apache-2.0
//! The nearest points: candidates of the graph, measured again by what the store has.
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use rusqlite::{OptionalExtension, Transaction};
use simplugin_backend::{Body, Call, Error, Map, Numbers};

use crate::collection::Collection;
use crate::request::{Setting, check_keys, flag};
use crate::rows::{Found, Wanted, floats};
use crate::store::{Store, failed};

pub(crate) const SEARCH: &[&str] =
    &["collection", "vectors", "k", "fields", "with_vectors", "parameters"];
pub(crate) const MAX_K: i64 = 4096;
pub(crate) const EXPANSION: Setting =
    Setting { name: "expansion_search", range: 1..=65536, default: 128 };

/// Rows that are measured between two looks at the time.
const BLOCK: usize = 256;

/// How often the graph is asked again when points that it found are gone meanwhile.
const ATTEMPTS: usize = 3;

struct Hit {
    number: i64,
    distance: f64,
    score: f64,
}

impl Ord for Hit {
    /// The farthest is the greatest; points that tie are in the order in which they came.
    fn cmp(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Hit {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Hit {}

pub(crate) fn search<'a>(
    store: &Store,
    collection: &Collection,
    call: &Call<'a>,
    request: Map<'a>,
) -> Result<Body<'a>, Error> {
    let queries = collection.vectors(request)?;
    let k = request.get("k").map_or(Some(10), |k| k.as_i64()).filter(|k| (1..=MAX_K).contains(k));
    let k = k.ok_or_else(|| Error::argument("k", format!("k is from 1 to {MAX_K}")))? as usize;
    if let Some(parameters) = request.get("parameters").and_then(|value| value.as_map()) {
        check_keys(parameters, &[EXPANSION.name])?;
    }
    let expansion = EXPANSION.read(request)? as usize;
    let with_vectors = flag(request, "with_vectors", false)?;

    let wanted = Wanted::read(collection, request, with_vectors)?;
    let mut found = Found::new(collection, wanted);
    let (mut offsets, mut distances, mut scores) = (vec![0], Vec::new(), Vec::new());
    for i in 0..queries.rows() {
        call.check()?;
        let query = queries.row(i).unwrap_or_default();
        let hits = nearest(store, collection, call, query, k, expansion, &mut found)?;
        distances.extend(hits.iter().map(|hit| hit.distance as f32));
        scores.extend(hits.iter().map(|hit| hit.score as f32));
        offsets.push(distances.len() as i64);
    }
    Ok(found
        .body()
        .with("offsets", Numbers(offsets))
        .with("distances", Numbers(distances))
        .with("scores", Numbers(scores)))
}

/// The hits of one query, whose rows go into `found`.
fn nearest(
    store: &Store,
    collection: &Collection,
    call: &Call<'_>,
    query: &[f32],
    k: usize,
    expansion: usize,
    found: &mut Found,
) -> Result<Vec<Hit>, Error> {
    let graph = store.graph(collection.number);
    let fitted = collection.metric.fit(query);
    for _ in 0..ATTEMPTS {
        // where the graph would look at all of them, the store is as quick
        let points = store.read(call, |transaction| Ok(collection.again(transaction)?.points))?;
        if points as usize <= k.max(expansion) {
            break;
        }
        graph.follow(call, store, collection)?;
        let mut candidates = graph.search(call, &fitted, k.max(expansion))?;
        candidates.truncate(k);
        let hits = store.read(call, |transaction| {
            let points = collection.again(transaction)?.points as usize;
            let mut hits = measured(transaction, collection, query, &candidates)?;
            if hits.len() < candidates.len() || hits.len() < k.min(points) {
                return Ok(None);
            }
            hits.sort();
            push(transaction, found, &hits)?;
            Ok(Some(hits))
        })?;
        if let Some(hits) = hits {
            return Ok(hits);
        }
    }
    store.read(call, |transaction| {
        let hits = all_measured(transaction, call, &collection.again(transaction)?, query, k)?;
        push(transaction, found, &hits)?;
        Ok(hits)
    })
}

/// Those of the candidates that are there.
fn measured(
    transaction: &Transaction<'_>,
    collection: &Collection,
    query: &[f32],
    candidates: &[i64],
) -> Result<Vec<Hit>, Error> {
    let mut statement = transaction
        .prepare_cached("SELECT vector FROM points WHERE number = ? AND collection = ?")
        .map_err(failed)?;
    let mut hits = Vec::with_capacity(candidates.len());
    for number in candidates {
        let vector = statement
            .query_row((number, collection.number), |row| Ok(floats(row.get_ref(0)?.as_blob()?)));
        if let Some(vector) = vector.optional().map_err(failed)? {
            let (distance, score) = collection.metric.measure(query, &vector);
            hits.push(Hit { number: *number, distance, score });
        }
    }
    Ok(hits)
}

/// Every point.
fn all_measured(
    transaction: &Transaction<'_>,
    call: &Call<'_>,
    collection: &Collection,
    query: &[f32],
    k: usize,
) -> Result<Vec<Hit>, Error> {
    let mut statement = transaction
        .prepare_cached("SELECT number, vector FROM points WHERE collection = ? ORDER BY number")
        .map_err(failed)?;
    let mut rows = statement.query([collection.number]).map_err(failed)?;
    let (mut nearest, mut seen) = (BinaryHeap::new(), 0);
    while let Some(row) = rows.next().map_err(failed)? {
        if seen % BLOCK == 0 {
            call.check()?;
        }
        seen += 1;
        let vector = row.get_ref(1).and_then(|blob| Ok(floats(blob.as_blob()?))).map_err(failed)?;
        let (distance, score) = collection.metric.measure(query, &vector);
        nearest.push(Hit { number: row.get(0).map_err(failed)?, distance, score });
        if nearest.len() > k {
            nearest.pop();
        }
    }
    Ok(nearest.into_sorted_vec())
}

/// The rows of hits, which are there in this transaction.
fn push(transaction: &Transaction<'_>, found: &mut Found, hits: &[Hit]) -> Result<(), Error> {
    let mut statement = transaction
        .prepare_cached("SELECT id, vector, fields FROM points WHERE number = ?")
        .map_err(failed)?;
    for hit in hits {
        statement.query_row([hit.number], |row| found.push(row)).map_err(failed)?;
    }
    Ok(())
}
