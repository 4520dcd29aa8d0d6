// SPDX-License-Identifier: Apache-2.0
//! A directory, an instance on it, points that are made up, and the truth about them.
use std::path::{Path, PathBuf};
use std::time::Duration;

use simplugin_backend::{Body, Call, Error, Ids, Instance, Map, Matrix};

use crate::metric::Metric;
use crate::opened::Opened;

/// Is gone with all that is in it when it is dropped.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("usearch-{name}-{}", std::process::id()));
        _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Directory(path.canonicalize().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn open(&self) -> Opened {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<Opened, Error> {
        let parameters = Body::new().with("directory", self.path());
        Opened::open(&Call::new("open"), parameters.map())
    }

    /// The file of the one graph that is kept here.
    pub(crate) fn graph(&self) -> Option<PathBuf> {
        let entries = std::fs::read_dir(self.path()).unwrap().flatten().map(|entry| entry.path());
        entries.into_iter().find(|path| path.extension().is_some_and(|end| end == "graph"))
    }

    pub(crate) fn execute(&self, sql: &str) {
        let connection = rusqlite::Connection::open(self.path().join("points.sqlite")).unwrap();
        connection.execute_batch(sql).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A call whose answer is looked at as it lies.
pub(crate) fn ask<T>(
    opened: &Opened,
    method: &str,
    request: Body<'_>,
    look: impl FnOnce(Map<'_>) -> T,
) -> Result<T, Error> {
    within(opened, method, request, None, look)
}

pub(crate) fn within<T>(
    opened: &Opened,
    method: &str,
    request: Body<'_>,
    timeout: Option<Duration>,
    look: impl FnOnce(Map<'_>) -> T,
) -> Result<T, Error> {
    let call = Call::new(method);
    let call = match timeout {
        Some(timeout) => call.with_timeout(timeout),
        None => call,
    };
    let answer = opened.call(&call, request.map())?;
    Ok(look(answer.map()))
}

/// A number of the answer.
pub(crate) fn number(opened: &Opened, method: &str, request: Body<'_>, key: &str) -> i64 {
    ask(opened, method, request, |answer| answer.get(key).unwrap().as_i64().unwrap()).unwrap()
}

/// The request that every method takes.
pub(crate) fn on() -> Body<'static> {
    Body::new().with("collection", "c")
}

pub(crate) fn create(opened: &Opened, dimension: usize, metric: Metric) {
    let request = on().with("dimension", dimension).with("metric", metric.name());
    ask(opened, "collection.create", request, |_| ()).unwrap();
}

pub(crate) fn count(opened: &Opened) -> i64 {
    number(opened, "points.count", on(), "count")
}

/// How many points the graph has, and whether it came from its file.
pub(crate) fn graph(opened: &Opened) -> (i64, bool) {
    ask(opened, "native.graph", on(), |answer| {
        let from_file = answer.get("from_file").unwrap().as_bool().unwrap();
        (answer.get("points").unwrap().as_i64().unwrap(), from_file)
    })
    .unwrap()
}

/// Numbers in [-1, 1), the same for the same seed.
pub(crate) fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Points with the ids p0, p1 and so on, as they should be in the collection.
pub(crate) struct Points {
    pub(crate) dimension: usize,
    pub(crate) ids: Vec<String>,
    pub(crate) vectors: Vec<f32>,
}

impl Points {
    pub(crate) fn new(seed: u64, count: usize, dimension: usize) -> Self {
        let ids = (0..count).map(|i| format!("p{i}")).collect();
        Points { dimension, ids, vectors: random(seed, count * dimension) }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (&String, &[f32])> {
        self.ids.iter().zip(self.vectors.chunks_exact(self.dimension))
    }

    /// Those of which that holds.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let (mut ids, mut vectors) = (Vec::new(), Vec::new());
        for (_, (id, vector)) in self.rows().enumerate().filter(|(i, _)| keep(*i)) {
            ids.push(id.clone());
            vectors.extend(vector);
        }
        (self.ids, self.vectors) = (ids, vectors);
    }

    pub(crate) fn request(&self) -> Body<'_> {
        on().with("ids", self.ids.iter().collect::<Ids<'_>>())
            .with("vectors", Matrix::new(&self.vectors, self.dimension))
    }

    pub(crate) fn add(&self, opened: &Opened) {
        let written = number(opened, "points.upsert", self.request(), "upserted");
        assert_eq!(written, self.ids.len() as i64);
    }

    pub(crate) fn delete(opened: &Opened, ids: &[String]) -> i64 {
        let request = on().with("ids", ids.iter().collect::<Ids<'_>>());
        number(opened, "points.delete", request, "deleted")
    }

    /// Searches for a few vectors. Each answer has to have k hits, or all there are, nearest
    /// first, at their true distances; returns which share of the true neighbors was found.
    pub(crate) fn recall(&self, opened: &Opened, metric: Metric, k: usize) -> f64 {
        let queries = random(4711, 20 * self.dimension);
        let request = on().with("vectors", Matrix::new(&queries, self.dimension)).with("k", k);
        let expected = k.min(self.ids.len());
        ask(opened, "search", request, |answer| {
            let ids = answer.get("ids").unwrap().as_texts().unwrap();
            let distances = answer.get("distances").unwrap().as_tensor().unwrap();
            let distances: &[f32] = distances.elements().unwrap();
            assert_eq!((ids.len(), distances.len()), (20 * expected, 20 * expected));
            let mut right = 0;
            for (i, query) in queries.chunks_exact(self.dimension).enumerate() {
                let mut truth: Vec<(f64, &str)> = self
                    .rows()
                    .map(|(id, point)| (metric.measure(query, point).0, id.as_str()))
                    .collect();
                truth.sort_by(|a, b| a.0.total_cmp(&b.0));
                let farthest = truth[expected - 1].0;
                let here = i * expected..(i + 1) * expected;
                assert!(distances[here.clone()].is_sorted());
                for at in here {
                    let (id, distance) = (ids.get(at).unwrap(), f64::from(distances[at]));
                    let true_one = truth.iter().find(|(_, known)| *known == id).unwrap().0;
                    assert!((distance - true_one).abs() < 1e-5, "{id}: {distance}, {true_one}");
                    right += usize::from(true_one <= farthest);
                }
            }
            right as f64 / (20 * expected) as f64
        })
        .unwrap()
    }
}
