// SPDX-License-Identifier: Apache-2.0
//! The backend `memory`: points in memory, as long as the process lives, each compared with the
//! query. It has what docs/protocol.md requires and no more; the core makes up for the rest.
#![deny(unsafe_code)]

mod collection;
mod points;
mod search;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use collection::Collection;
use simplugin_backend::plugin::code;
use simplugin_backend::{Backend, Body, Call, Error, Instance, Map, Threads, export_backend};

/// All collections of the process, whoever opened the backend.
static COLLECTIONS: RwLock<BTreeMap<String, Collection>> = RwLock::new(BTreeMap::new());

struct Memory;

/// There is nothing to open.
struct Opened;

export_backend!(Memory);

impl Backend for Memory {
    type Instance = Opened;
    const THREADS: Threads = Threads::Concurrent;

    fn describe() -> Body<'static> {
        let none = Vec::<&str>::new;
        Body::new()
            .with("name", "memory")
            .with("version", env!("CARGO_PKG_VERSION"))
            .with("metrics", collection::Metric::NAMES)
            .with("exact", true)
            .with("methods", none())
            .with("filters", none())
            .with("field_types", collection::TYPES)
            .with("reverse", none())
            .with("radius", false)
            .with("vectors", "exact")
            .with("counts_replaced", true)
            .with("nonfinite", true)
            .with("consistency_levels", none())
            .with("parameters", none())
            .with("search_parameters", none())
    }

    fn open(_: &Call<'_>, _: Map<'_>) -> Result<Opened, Error> {
        Ok(Opened)
    }
}

type Reading = fn(&Collection, &Call<'_>, Map<'_>) -> Result<Body<'static>, Error>;
type Writing = fn(&mut Collection, &Call<'_>, Map<'_>) -> Result<Body<'static>, Error>;

impl Instance for Opened {
    fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error> {
        let (reading, known): (Reading, &[&str]) = match call.method() {
            "health" => return Ok(Body::new().with("version", env!("CARGO_PKG_VERSION"))),
            "collection.list" => return list(request),
            "collection.exists" => return exists(request),
            "collection.create" => return create(request),
            "collection.drop" => return drop_collection(request),
            "points.upsert" => return writing(call, request, points::upsert, points::UPSERT),
            "points.delete" => return writing(call, request, points::delete, points::DELETE),
            "collection.describe" => (collection::describe, &["collection"]),
            "points.get" => (points::get, points::GET),
            "points.count" => (points::count, &["collection"]),
            "points.scan" => (points::scan, points::SCAN),
            "search" => (search::search, search::SEARCH),
            method => return Err(Error::unknown_method(method)),
        };
        check_keys(request, known)?;
        let collections = COLLECTIONS.read().unwrap_or_else(PoisonError::into_inner);
        let name = text(request, "collection")?;
        reading(collections.get(name).ok_or_else(|| no_collection(name))?, call, request)
    }
}

fn writing(
    call: &Call<'_>,
    request: Map<'_>,
    method: Writing,
    known: &[&str],
) -> Result<Body<'static>, Error> {
    check_keys(request, known)?;
    let mut collections = COLLECTIONS.write().unwrap_or_else(PoisonError::into_inner);
    let name = text(request, "collection")?;
    method(collections.get_mut(name).ok_or_else(|| no_collection(name))?, call, request)
}

fn list(request: Map<'_>) -> Result<Body<'static>, Error> {
    check_keys(request, &[])?;
    let collections = COLLECTIONS.read().unwrap_or_else(PoisonError::into_inner);
    Ok(Body::new().with("collections", collections.keys().collect::<Vec<_>>()))
}

fn exists(request: Map<'_>) -> Result<Body<'static>, Error> {
    check_keys(request, &["collection"])?;
    let collections = COLLECTIONS.read().unwrap_or_else(PoisonError::into_inner);
    Ok(Body::new().with("exists", collections.contains_key(text(request, "collection")?)))
}

fn create(request: Map<'_>) -> Result<Body<'static>, Error> {
    check_keys(request, &["collection", "dimension", "metric", "fields", "parameters"])?;
    let name = text(request, "collection")?;
    let made = Collection::new(request)?;
    let mut collections = COLLECTIONS.write().unwrap_or_else(PoisonError::into_inner);
    if collections.contains_key(name) {
        let message = format!("there is a collection \"{name}\"");
        return Err(Error::new(code::ALREADY_EXISTS, message));
    }
    collections.insert(name.to_owned(), made);
    Ok(Body::new().with("collection", name.to_owned()))
}

fn drop_collection(request: Map<'_>) -> Result<Body<'static>, Error> {
    check_keys(request, &["collection"])?;
    let name = text(request, "collection")?;
    let mut collections = COLLECTIONS.write().unwrap_or_else(PoisonError::into_inner);
    collections.remove(name).map(|_| Body::new()).ok_or_else(|| no_collection(name))
}

fn no_collection(name: &str) -> Error {
    Error::new(code::NOT_FOUND, format!("there is no collection \"{name}\""))
}

fn text<'a>(request: Map<'a>, key: &str) -> Result<&'a str, Error> {
    let text = request.get(key).and_then(|value| value.as_str());
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Error::argument(key, format!("{key} is a text")))
}

/// Nothing is ignored silently.
fn check_keys(request: Map<'_>, known: &[&str]) -> Result<(), Error> {
    match request.iter().map(|(key, _)| key).find(|key| !known.contains(key)) {
        Some(key) => Err(Error::argument(key, format!("the backend memory takes no {key} here"))),
        None => Ok(()),
    }
}
