// SPDX-License-Identifier: Apache-2.0
//! The backend `@NAME@`.
//!
//! * this file: what it says of itself, opening, and which method is served where
//! * `store.rs`: the collections of the process and their lock: your database takes the place of
//!   this and of `collection.rs`
//! * `collection.rs`: one collection and its points
//! * `points.rs`: `points.*`
//! * `search.rs`: `search`
#![deny(unsafe_code)]

mod collection;
mod points;
mod search;
mod store;

use collection::Collection;
use simplugin_backend::plugin::code;
use simplugin_backend::{
    Backend, Body, Call, Error, Instance, Kind, Map, Parameter, Threads, export_backend,
};

struct Plugin;

/// One open connection. Here nothing but what was said when it was opened.
struct Connection {
    /// The process that opened it.
    owner: u32,
    max_points: u64,
}

export_backend!(Plugin);

impl Backend for Plugin {
    type Instance = Connection;
    const THREADS: Threads = Threads::Concurrent;

    /// The host believes this: a filter node that is named is sent, a method that is not named
    /// never. The conformance program compares all of it with what the backend does.
    fn describe() -> Body<'static> {
        let none = Vec::<&str>::new;
        Body::new()
            .with("name", "@NAME@")
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
            .with("parameters", parameters())
            .with("search_parameters", none())
    }

    /// The parameters are those that are described, checked and converted by the host.
    fn open(call: &Call<'_>, parameters: Map<'_>) -> Result<Connection, Error> {
        call.check()?;
        let max_points = match parameters.get("max_points") {
            None => u64::MAX,
            Some(number) => number
                .as_u64()
                .filter(|number| *number > 0)
                .ok_or_else(|| Error::argument("max_points", "max_points: is at least 1"))?,
        };
        Ok(Connection {
            owner: std::process::id(),
            max_points,
        })
    }
}

/// They come from a program, the environment, a configuration file or the default. Those of the
/// connection go to `open`, others to `collection.create`. What is secret is never shown nor
/// stored.
fn parameters() -> Vec<Parameter> {
    vec![
        Parameter::new(
            "max_points",
            Kind::Int,
            "how many points a collection holds at most",
        )
        .connection(),
        // known to the host, which sets the deadlines by it
        Parameter::new(
            "timeout_ms",
            Kind::Int,
            "how long a call may take that says nothing of it",
        )
        .connection(),
        // Parameter::new("url", Kind::Text, "where the server is").connection(),
        // Parameter::new("password", Kind::Text, "the user's password").connection().secret(),
    ]
}

impl Instance for Connection {
    /// A method of your own goes in here under `native.NAME`, and into `methods` above.
    fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error> {
        let method = Method::named(call.method())?;
        // a connection to a server, or a lock, is of no use in a child: say so, touch nothing
        if self.owner != std::process::id() {
            return Err(Error::new(
                code::FORKED,
                "the backend was opened by the parent process: open it in this one",
            ));
        }
        call.check()?;
        check_keys(request, method.keys)?;
        match method.serve {
            Serve::Alone(serve) => serve(call, request),
            Serve::Reading(serve) => {
                let store = store::read(call)?;
                let name = text(request, "collection")?;
                serve(
                    store.get(name).ok_or_else(|| no_collection(name))?,
                    call,
                    request,
                )
            }
            Serve::Writing(serve) => {
                let mut store = store::write(call)?;
                let name = text(request, "collection")?;
                let collection = store.get_mut(name).ok_or_else(|| no_collection(name))?;
                serve(self, collection, call, request)
            }
        }
    }
}

type Answer = Result<Body<'static>, Error>;

/// What serves a method, and what is locked for it.
enum Serve {
    Alone(fn(&Call<'_>, Map<'_>) -> Answer),
    Reading(fn(&Collection, &Call<'_>, Map<'_>) -> Answer),
    Writing(fn(&Connection, &mut Collection, &Call<'_>, Map<'_>) -> Answer),
}

struct Method {
    /// All that it takes: a key that is ignored is a mistake nobody sees.
    keys: &'static [&'static str],
    serve: Serve,
}

impl Method {
    fn named(name: &str) -> Result<Self, Error> {
        use Serve::{Alone, Reading, Writing};
        const COLLECTION: &[&str] = &["collection"];
        const CREATE: &[&str] = &["collection", "dimension", "metric", "fields", "parameters"];
        let (keys, serve) = match name {
            "health" => (&[][..], Alone(health)),
            "collection.list" => (&[][..], Alone(list)),
            "collection.exists" => (COLLECTION, Alone(exists)),
            "collection.create" => (CREATE, Alone(create)),
            "collection.drop" => (COLLECTION, Alone(drop_collection)),
            "collection.describe" => (COLLECTION, Reading(collection::describe)),
            "points.upsert" => (points::UPSERT, Writing(points::upsert)),
            "points.delete" => (points::DELETE, Writing(points::delete)),
            "points.get" => (points::GET, Reading(points::get)),
            "points.count" => (COLLECTION, Reading(points::count)),
            "points.scan" => (points::SCAN, Reading(points::scan)),
            "search" => (search::SEARCH, Reading(search::search)),
            method => return Err(Error::unknown_method(method)),
        };
        Ok(Method { keys, serve })
    }
}

/// With a server: ask it, and answer `UNAVAILABLE` or `UNAUTHENTICATED` where it does not answer.
fn health(_: &Call<'_>, _: Map<'_>) -> Answer {
    Ok(Body::new().with("version", env!("CARGO_PKG_VERSION")))
}

fn list(call: &Call<'_>, _: Map<'_>) -> Answer {
    Ok(Body::new().with("collections", store::read(call)?.keys().collect::<Vec<_>>()))
}

fn exists(call: &Call<'_>, request: Map<'_>) -> Answer {
    let name = text(request, "collection")?;
    Ok(Body::new().with("exists", store::read(call)?.contains_key(name)))
}

fn create(call: &Call<'_>, request: Map<'_>) -> Answer {
    let name = text(request, "collection")?;
    let made = Collection::new(request)?;
    let mut store = store::write(call)?;
    if store.contains_key(name) {
        let message = format!("there is a collection \"{name}\" already");
        return Err(Error::new(code::ALREADY_EXISTS, message));
    }
    store.insert(name.to_owned(), made);
    Ok(Body::new().with("collection", name.to_owned()))
}

fn drop_collection(call: &Call<'_>, request: Map<'_>) -> Answer {
    let name = text(request, "collection")?;
    store::write(call)?
        .remove(name)
        .map(|_| Body::new())
        .ok_or_else(|| no_collection(name))
}

fn no_collection(name: &str) -> Error {
    Error::new(
        code::NOT_FOUND,
        format!("there is no collection \"{name}\""),
    )
}

fn text<'a>(request: Map<'a>, key: &str) -> Result<&'a str, Error> {
    let text = request.get(key).and_then(|value| value.as_str());
    text.filter(|text| (1..=255).contains(&text.len()) && !text.contains('\0'))
        .ok_or_else(|| Error::argument(key, format!("{key}: a text of 1 to 255 bytes is needed")))
}

fn check_keys(request: Map<'_>, known: &[&str]) -> Result<(), Error> {
    match request
        .iter()
        .map(|(key, _)| key)
        .find(|key| !known.contains(key))
    {
        Some(key) => Err(Error::argument(
            key,
            format!("\"{key}\" is not taken here; known: {}", known.join(", ")),
        )),
        None => Ok(()),
    }
}
