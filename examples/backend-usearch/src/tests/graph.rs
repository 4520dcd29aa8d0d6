// SPDX-License-Identifier: Apache-2.0
//! The graph and its file: whatever becomes of that, answers are those of the store.
use std::fs;
use std::time::Duration;

use simplugin_backend::Matrix;
use simplugin_backend::plugin::code;

use super::rig::{Directory, Points, ask, count, create, graph, number, on, within};
use crate::metric::Metric;

const METRIC: Metric = Metric::Euclidean;

/// 1,500 points, and the file of their graph.
fn filled(name: &str) -> (Directory, Points) {
    let (directory, points) = (Directory::new(name), Points::new(1, 1500, 12));
    let opened = directory.open();
    create(&opened, 12, METRIC);
    points.add(&opened);
    drop(opened);
    assert!(directory.graph().is_some());
    (directory, points)
}

#[test]
fn every_metric_finds_its_neighbors() {
    for metric in [Metric::Cosine, Metric::Dotproduct, Metric::Euclidean] {
        let directory = Directory::new(metric.name());
        let (opened, points) = (directory.open(), Points::new(2, 2000, 24));
        create(&opened, 24, metric);
        points.add(&opened);
        assert_eq!(graph(&opened), (2000, false));
        for k in [1, 10, 130, 2500] {
            let recall = points.recall(&opened, metric, k);
            assert!(recall >= 0.95, "{metric:?}, k {k}: {recall}");
        }
    }
}

#[test]
fn the_graph_is_read_again() {
    let (directory, points) = filled("again");
    let opened = directory.open();
    assert_eq!(graph(&opened), (0, false));
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened), (1500, true));
}

#[test]
fn a_graph_that_is_behind_catches_up() {
    let (directory, mut points) = filled("behind");
    let file = directory.graph().unwrap();
    let before = fs::read(&file).unwrap();
    let (opened, mut more) = (directory.open(), Points::new(3, 1900, 12));
    more.retain(|i| i >= 1400);
    more.add(&opened);
    Points::delete(&opened, &points.ids[..300]);
    drop(opened);
    // as if the process had died
    fs::write(&file, before).unwrap();

    points.retain(|i| (300..1400).contains(&i));
    points.ids.extend(more.ids);
    points.vectors.extend(more.vectors);
    let opened = directory.open();
    assert_eq!(count(&opened), 1600);
    assert!(points.recall(&opened, METRIC, 20) >= 0.95);
    assert_eq!(graph(&opened), (1600, true));
}

#[test]
fn a_damaged_graph_is_built_again() {
    let (directory, points) = filled("damaged");
    let file = directory.graph().unwrap();
    let whole = fs::read(&file).unwrap();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        bytes
    };
    let damaged = [
        Vec::new(),
        whole[..20].to_vec(),
        whole[..whole.len() - 1].to_vec(),
        flipped(0),
        flipped(9),
        flipped(30),
        flipped(whole.len() / 2),
    ];
    for bytes in damaged {
        fs::write(&file, bytes).unwrap();
        let opened = directory.open();
        assert!(points.recall(&opened, METRIC, 10) >= 0.95);
        assert_eq!(graph(&opened), (1500, false));
    }
    fs::remove_file(&file).unwrap();
    let opened = directory.open();
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened), (1500, false));
}

/// A store from a backup, beside the graph of what came after it.
#[test]
fn a_store_that_was_put_back_is_believed() {
    let (directory, points) = filled("backup");
    let file = directory.path().join("points.sqlite");
    let backup = fs::read(&file).unwrap();
    let opened = directory.open();
    Points::new(9, 2000, 12).add(&opened);
    drop(opened);
    fs::write(&file, backup).unwrap();

    let opened = directory.open();
    assert_eq!(count(&opened), 1500);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened), (1500, false));
}

#[test]
fn enough_is_found_among_many_that_are_gone() {
    let directory = Directory::new("gone");
    let (opened, mut points) = (directory.open(), Points::new(4, 3000, 12));
    create(&opened, 12, METRIC);
    points.add(&opened);
    // too few for a new graph
    let gone: Vec<String> = points.ids.iter().skip(1).step_by(4).cloned().collect();
    assert_eq!(Points::delete(&opened, &gone), 750);
    points.retain(|i| i % 4 != 1);
    for k in [10, 200] {
        assert!(points.recall(&opened, METRIC, k) >= 0.95);
    }
    // enough
    let gone = points.ids.split_off(250);
    points.vectors.truncate(250 * 12);
    assert_eq!(Points::delete(&opened, &gone), 2000);
    for k in [10, 200, 250] {
        assert!(points.recall(&opened, METRIC, k) >= 0.95);
    }
    assert_eq!(graph(&opened), (250, false));
}

#[test]
fn points_that_are_replaced_again_and_again_are_found() {
    let directory = Directory::new("replaced");
    let opened = directory.open();
    create(&opened, 12, METRIC);
    for seed in 0..5 {
        let points = Points::new(seed, 1200, 12);
        points.add(&opened);
        let recall = points.recall(&opened, METRIC, 10);
        assert!(recall >= 0.95, "{seed}: {recall}");
        assert_eq!(graph(&opened).0, 1200);
    }
}

#[test]
fn what_was_deleted_is_not_found() {
    let (directory, _) = filled("all");
    let opened = directory.open();
    let deleted = number(&opened, "points.delete", on().with("all", true), "deleted");
    assert_eq!((deleted, count(&opened)), (1500, 0));
    let points = Points::new(5, 400, 12);
    points.add(&opened);
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened).0, 400);
    drop(opened);
    let opened = directory.open();
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
    assert_eq!(graph(&opened), (400, true));

    ask(&opened, "collection.drop", on(), |_| ()).unwrap();
    assert!(directory.graph().is_none());
    create(&opened, 12, METRIC);
    assert_eq!((count(&opened), graph(&opened)), (0, (0, false)));
    drop(opened);
    assert!(directory.graph().is_none());
}

#[test]
fn a_search_without_time_for_the_whole_graph_leaves_a_part() {
    let (directory, points) = filled("time");
    fs::remove_file(directory.graph().unwrap()).unwrap();
    let opened = directory.open();
    let query = [0.0_f32; 12];
    let mut calls = 0;
    loop {
        let request = on().with("vectors", Matrix::new(&query, 12)).with("k", 3);
        let timeout = Some(Duration::from_millis(5));
        match within(&opened, "search", request, timeout, |_| ()) {
            Ok(()) => break,
            Err(error) => assert_eq!(error.code(), code::DEADLINE_EXCEEDED, "{error}"),
        }
        calls += 1;
        assert!(calls < 10_000, "it gets nowhere");
    }
    assert!(calls > 0);
    assert_eq!(graph(&opened), (1500, false));
    assert!(points.recall(&opened, METRIC, 10) >= 0.95);
}

#[test]
fn a_flush_keeps_the_graph() {
    let directory = Directory::new("flush");
    let opened = directory.open();
    create(&opened, 12, METRIC);
    Points::new(6, 300, 12).add(&opened);
    assert!(directory.graph().is_none());
    ask(&opened, "collection.flush", on(), |_| ()).unwrap();
    assert!(directory.graph().is_some());
}

#[test]
fn zero_vectors_and_equal_ones() {
    let directory = Directory::new("zero");
    let (opened, mut points) = (directory.open(), Points::new(7, 600, 8));
    // an eighth is nothing at all, another eighth all the same, others beyond float32's squares
    for (i, vector) in points.vectors.chunks_exact_mut(8).enumerate() {
        match i % 8 {
            0 => vector.fill(0.0),
            1 => vector.fill(0.25),
            2 => vector.iter_mut().for_each(|x| *x *= 1e30),
            3 => vector.iter_mut().for_each(|x| *x *= 1e-30),
            _ => {}
        }
    }
    create(&opened, 8, Metric::Cosine);
    points.add(&opened);
    for k in [5, 300, 600] {
        assert!(points.recall(&opened, Metric::Cosine, k) >= 0.95);
    }
    let request = on().with("vectors", Matrix::new(&[0.0_f32; 8], 8)).with("k", 7);
    let distances = ask(&opened, "search", request, |answer| {
        answer.get("distances").unwrap().as_tensor().unwrap().elements::<f32>().unwrap().to_vec()
    });
    assert_eq!(distances.unwrap(), [1.0; 7]);
}

#[test]
fn more_candidates_find_more() {
    let directory = Directory::new("expansion");
    let (opened, points) = (directory.open(), Points::new(8, 3000, 64));
    create(&opened, 64, METRIC);
    points.add(&opened);
    let found = |expansion: i64| {
        let query = &points.vectors[..64].iter().map(|x| x * 0.1).collect::<Vec<_>>();
        let parameters = std::collections::BTreeMap::from([("expansion_search", expansion)]);
        let request = on().with("vectors", Matrix::new(query, 64)).with("parameters", parameters);
        ask(&opened, "search", request, |answer| {
            let distances = answer.get("distances").unwrap().as_tensor().unwrap();
            distances.elements::<f32>().unwrap().iter().map(|x| f64::from(*x)).sum::<f64>()
        })
    };
    // all 3,000 are looked at: the truth
    let truth = found(3000).unwrap();
    assert!(found(1000).unwrap() - truth < 0.1 && found(10).unwrap() > truth);
    let refused = found(0).unwrap_err();
    assert_eq!(refused.code(), code::INVALID_ARGUMENT);
    let unknown = on()
        .with("vectors", Matrix::new(&points.vectors[..64], 64))
        .with("parameters", std::collections::BTreeMap::from([("nprobe", 3_i64)]));
    let unknown = ask(&opened, "search", unknown, |_| ());
    assert_eq!(unknown.unwrap_err().code(), code::INVALID_ARGUMENT);
}
