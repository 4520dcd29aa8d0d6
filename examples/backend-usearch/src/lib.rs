// SPDX-License-Identifier: Apache-2.0
//! The backend `usearch`: points in a directory, found by an HNSW graph in memory.
//!
//! What is true stands in one SQLite file, which any number of processes share: collections, ids,
//! vectors, fields. The graph of each process follows it by the numbers of the changes, and is kept
//! in a file of its own that saves the work of building it again; no more depends on that file.
//!
//! ```text
//! lib       what the backend is, and which method is served where
//! opened    a directory is opened once in a process, and not in a forked child
//! store     the SQLite file: connections, transactions, whose turn it is to write
//! collection, points, rows
//!           the methods on them; how rows are read and answered
//! graph     the index in memory, kept in step with the store
//! saved     its file
//! search    candidates of the graph, measured again
//! metric    the distances
//! request   keys of requests
//! ```
mod collection;
mod graph;
mod metric;
mod opened;
mod points;
mod request;
mod rows;
mod saved;
mod search;
mod store;
#[cfg(test)]
mod tests;

use collection::Collection;
use opened::Opened;
use request::check_keys;
use simplugin_backend::{
    Backend, Body, Call, Error, Instance, Kind, Map, Parameter, Threads, export_backend,
};
use store::Store;

struct Usearch;

export_backend!(Usearch);

impl Backend for Usearch {
    type Instance = Opened;
    const THREADS: Threads = Threads::Concurrent;

    fn describe() -> Body<'static> {
        let none = Vec::<&str>::new;
        Body::new()
            .with("name", "usearch")
            .with("version", env!("CARGO_PKG_VERSION"))
            .with("metrics", metric::Metric::NAMES)
            .with("max_k", search::MAX_K)
            .with("max_dimension", collection::MAX_DIMENSION)
            .with("exact", false)
            .with("methods", ["points.set_fields", "collection.flush", "native.graph"])
            .with("filters", none())
            .with("field_types", collection::FIELD_TYPES)
            .with("reverse", none())
            .with("radius", false)
            .with("vectors", "exact")
            .with("counts_replaced", true)
            .with("nonfinite", true)
            .with("conditional_upsert", true)
            .with("batch_bytes", 16_i64 << 20)
            .with("consistency_levels", none())
            .with(
                "parameters",
                vec![
                    Parameter::new("directory", Kind::Text, opened::DIRECTORY_DOC).connection(),
                    Parameter::new("connectivity", Kind::Int, "links of a point in the graph")
                        .default(collection::CONNECTIVITY.default),
                    Parameter::new(
                        "expansion_add",
                        Kind::Int,
                        "candidates that are looked at for each point that is added",
                    )
                    .default(collection::EXPANSION_ADD.default),
                ],
            )
            .with(
                "search_parameters",
                vec![
                    Parameter::new(
                        "expansion_search",
                        Kind::Int,
                        "candidates that are looked at for each query; more find more of the true neighbors",
                    )
                    .default(search::EXPANSION.default)
                    .alias("ef"),
                ],
            )
    }

    fn open(call: &Call<'_>, parameters: Map<'_>) -> Result<Opened, Error> {
        Opened::open(call, parameters)
    }
}

/// A method on a collection that is there.
type Method = for<'a> fn(&Store, &Collection, &Call<'a>, Map<'a>) -> Result<Body<'a>, Error>;

impl Instance for Opened {
    fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error> {
        let store = self.store()?;
        call.check()?;
        let (method, known): (Method, &[&str]) = match call.method() {
            "health" => {
                check_keys(request, &[])?;
                return Ok(Body::new().with("version", usearch::version()));
            }
            "collection.list" => return collection::list(store, call, request),
            "collection.exists" => return collection::exists(store, call, request),
            "collection.create" => return collection::create(store, call, request),
            "collection.describe" => (collection::describe, &["collection"]),
            "collection.drop" => (collection::drop, &["collection"]),
            "collection.flush" => (collection::flush, &["collection"]),
            "points.upsert" => (points::upsert, points::UPSERT),
            "points.delete" => (points::delete, points::DELETE),
            "points.set_fields" => (points::set_fields, points::SET_FIELDS),
            "points.get" => (points::get, points::GET),
            "points.count" => (points::count, &["collection"]),
            "points.scan" => (points::scan, points::SCAN),
            "search" => (search::search, search::SEARCH),
            "native.graph" => (collection::graph, collection::GRAPH),
            method => return Err(Error::unknown_method(method)),
        };
        check_keys(request, known)?;
        let name = request::text(request, "collection")?;
        let found = store.read(call, |transaction| Collection::find(transaction, name))?;
        method(store, &found, call, request)
    }
}
