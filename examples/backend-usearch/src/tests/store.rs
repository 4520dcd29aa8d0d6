// SPDX-License-Identifier: Apache-2.0
//! The directory, and who else uses it.
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use simplugin_backend::plugin::code;
use simplugin_backend::{Body, Call, Ids, Instance, Matrix};

use super::rig::{Directory, Points, ask, count, create, graph, number, on, within};
use crate::collection::Collection;
use crate::metric::Metric;
use crate::opened::Opened;
use crate::store::Store;

const METRIC: Metric = Metric::Euclidean;

/// As another process has it: connections and graphs of its own.
fn stranger(directory: &Directory) -> Store {
    Store::open(&Call::new("open"), directory.path().to_owned()).unwrap()
}

#[test]
fn one_process_follows_another() {
    let directory = Directory::new("two");
    let opened = directory.open();
    create(&opened, 12, METRIC);
    let mut points = Points::new(1, 1000, 12);
    points.add(&opened);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);

    let (other, call) = (stranger(&directory), Call::new("points.delete"));
    let found = || other.read(&call, |transaction| Collection::find(transaction, "c")).unwrap();
    let gone = on().with("ids", points.ids[600..].iter().collect::<Ids<'_>>());
    crate::points::delete(&other, &found(), &call, gone.map()).unwrap();
    let mut more = Points::new(2, 1400, 12);
    more.retain(|i| i >= 1200);
    crate::points::upsert(&other, &found(), &call, more.request().map()).unwrap();

    points.retain(|i| i < 600);
    points.ids.extend(more.ids);
    points.vectors.extend(more.vectors);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened).0, 800);

    // all of them, and others again
    let all = on().with("all", true);
    crate::points::delete(&other, &found(), &call, all.map()).unwrap();
    let points = Points::new(3, 500, 12);
    crate::points::upsert(&other, &found(), &call, points.request().map()).unwrap();
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);

    // another collection of the name
    crate::collection::drop(&other, &found(), &call, on().map()).unwrap();
    assert_eq!(ask(&opened, "points.count", on(), |_| ()).unwrap_err().code(), code::NOT_FOUND);
    let anew = on().with("dimension", 3).with("metric", "cosine");
    crate::collection::create(&other, &call, anew.map()).unwrap();
    assert_eq!(count(&opened), 0);
}

#[test]
fn removals_that_nobody_remembers() {
    let directory = Directory::new("forgotten");
    let opened = directory.open();
    create(&opened, 12, METRIC);
    let mut points = Points::new(1, 1000, 12);
    points.add(&opened);
    directory.execute(
        "INSERT INTO removals (collection, point) SELECT collection, number FROM points
            WHERE number % 2 = 0;
         DELETE FROM points WHERE number % 2 = 0;
         UPDATE collections SET points = 500;
         DELETE FROM removals WHERE number < 400;",
    );
    // numbers begin with 1
    points.retain(|i| i % 2 == 0);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened), (500, false));
}

#[test]
fn a_writer_waits_for_another_but_not_for_ever() {
    let directory = Directory::new("busy");
    let opened = directory.open();
    create(&opened, 2, METRIC);
    let other = rusqlite::Connection::open(directory.path().join("points.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let row = || {
        on().with("ids", ["a"].iter().collect::<Ids<'_>>())
            .with("vectors", Matrix::from(&[[1.0_f32, 2.0]]))
    };
    let begun = Instant::now();
    let timeout = Some(Duration::from_millis(100));
    let error = within(&opened, "points.upsert", row(), timeout, |_| ()).unwrap_err();
    assert_eq!(error.code(), code::BUSY, "{error}");
    assert!(begun.elapsed() >= Duration::from_millis(100));
    // who only reads does not wait
    assert_eq!(count(&opened), 0);

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| number(&opened, "points.upsert", row(), "upserted"));
        std::thread::sleep(Duration::from_millis(30));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(waiting.join().unwrap(), 1);
    });
}

#[test]
fn many_threads_read_and_write() {
    let directory = Directory::new("threads");
    let opened = directory.open();
    create(&opened, 12, METRIC);
    let points = Points::new(1, 1000, 12);
    points.add(&opened);
    let ended = AtomicBool::new(false);
    let searches: usize = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let mut searches = 0;
                    while !ended.load(Ordering::Relaxed) || searches < 3 {
                        let query = &points.vectors[..12];
                        let request = on().with("vectors", Matrix::new(query, 12)).with("k", 150);
                        let hits = ask(&opened, "search", request, |answer| {
                            answer.get("ids").unwrap().as_texts().unwrap().len()
                        });
                        assert_eq!(hits.unwrap(), 150);
                        searches += 1;
                    }
                    searches
                })
            })
            .collect();
        for round in 0..10 {
            let mut part = Points::new(1, 1000, 12);
            part.retain(|i| i % 10 == round);
            part.add(&opened);
        }
        ended.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    assert!(searches >= 18);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
}

#[test]
fn what_is_not_ours_is_refused() {
    let directory = Directory::new("later");
    drop(directory.open());
    directory.execute("PRAGMA user_version = 2");
    let error = directory.try_open().err().unwrap();
    assert_eq!(error.code(), code::VERSION_TOO_NEW, "{error}");

    fs::write(directory.path().join("points.sqlite"), [b'x'; 4096]).unwrap();
    let error = directory.try_open().err().unwrap();
    assert_eq!(error.code(), code::CORRUPT, "{error}");

    let parameters = Body::new().with("directory", "relative");
    let error = Opened::open(&Call::new("open"), parameters.map()).err().unwrap();
    assert_eq!(error.code(), code::INVALID_ARGUMENT, "{error}");
    let file = directory.path().join("points.sqlite/below");
    let parameters = Body::new().with("directory", file.as_path());
    let error = Opened::open(&Call::new("open"), parameters.map()).err().unwrap();
    assert_eq!(error.code(), code::IO, "{error}");
}

#[test]
fn an_instance_shares_its_graph_and_outlives_others() {
    let directory = Directory::new("shared");
    let (first, second) = (directory.open(), directory.open());
    create(&first, 12, METRIC);
    let points = Points::new(1, 400, 12);
    points.add(&first);
    assert_eq!(graph(&second), (400, false));
    drop(first);
    assert!(points.recall(&second, METRIC, 10) >= 0.95);
    assert!(directory.graph().is_none());
    drop(second);
    assert!(directory.graph().is_some());
}

#[test]
fn collections_have_ids_of_their_own() {
    let directory = Directory::new("ids");
    let opened = directory.open();
    let id = || {
        ask(&opened, "collection.describe", on(), |answer| {
            let attributes = answer.get("attributes").unwrap().as_map().unwrap();
            attributes.get("id").unwrap().as_str().unwrap().to_owned()
        })
        .unwrap()
    };
    create(&opened, 2, METRIC);
    let first = id();
    let again = on().with("dimension", 2);
    let error = opened.call(&Call::new("collection.create"), again.map()).err().unwrap();
    assert_eq!(error.code(), code::ALREADY_EXISTS);
    ask(&opened, "collection.drop", on(), |_| ()).unwrap();
    create(&opened, 2, METRIC);
    assert_ne!(first, id());
}
