// SPDX-License-Identifier: Apache-2.0
//! `search`: every point against every query. A database has a faster way.
use simplugin_backend::{Body, Call, Error, Map, Numbers};

use crate::collection::{Collection, Metric, Point};
use crate::points::{body_of, flag};

pub(crate) const SEARCH: &[&str] = &[
    "collection",
    "vectors",
    "k",
    "fields",
    "with_vectors",
    "parameters",
];

/// Time is looked at once in so many numbers that were multiplied.
const BLOCK: usize = 1 << 18;

struct Hit<'a> {
    point: &'a Point,
    distance: f64,
    score: f64,
}

pub(crate) fn search(
    collection: &Collection,
    call: &Call<'_>,
    request: Map<'_>,
) -> Result<Body<'static>, Error> {
    let queries = collection.vectors(request)?;
    let k = request
        .get("k")
        .map_or(Some(10), |k| k.as_u64())
        .filter(|k| *k > 0);
    let k = k.ok_or_else(|| Error::argument("k", "k is at least 1"))?;
    let k = usize::try_from(k)
        .unwrap_or(usize::MAX)
        .min(collection.points.len());
    let (mut offsets, mut found) = (vec![0], Vec::with_capacity(queries.len() * k));
    let block = BLOCK / collection.dimension + 1;
    for query in queries {
        let mut hits = Vec::with_capacity(collection.points.len());
        for (i, point) in collection.points.values().enumerate() {
            if i % block == 0 {
                call.check()?;
            }
            hits.push(measure(collection.metric, query, point));
        }
        // stable: points that tie stay in the order in which they came
        hits.sort_by(|a, b| a.distance.total_cmp(&b.distance));
        hits.truncate(k);
        found.extend(hits);
        offsets.push(found.len() as i64);
    }
    let points: Vec<&Point> = found.iter().map(|hit| hit.point).collect();
    let with_vectors = flag(request, "with_vectors", false)?;
    let mut body = body_of(collection, &points, with_vectors, request.get("fields"))?;
    body.set("offsets", Numbers(offsets));
    body.set(
        "distances",
        found
            .iter()
            .map(|hit| hit.distance as f32)
            .collect::<Numbers<f32>>(),
    );
    body.set(
        "scores",
        found
            .iter()
            .map(|hit| hit.score as f32)
            .collect::<Numbers<f32>>(),
    );
    Ok(body)
}

fn measure<'a>(metric: Metric, query: &[f32], point: &'a Point) -> Hit<'a> {
    let (mut dot, mut squared, mut q, mut x) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in query.iter().zip(&point.vector) {
        let (a, b) = (f64::from(*a), f64::from(*b));
        dot += a * b;
        squared += (a - b) * (a - b);
        q += a * a;
        x += b * b;
    }
    let (distance, score) = match metric {
        Metric::Euclidean => (squared.sqrt(), squared.sqrt()),
        Metric::Dotproduct => (-dot, dot),
        // the zero vector points nowhere
        Metric::Cosine if q == 0.0 || x == 0.0 => (1.0, 0.0),
        Metric::Cosine => (1.0 - dot / q.sqrt() / x.sqrt(), dot / q.sqrt() / x.sqrt()),
    };
    Hit {
        point,
        distance,
        score,
    }
}
