// SPDX-License-Identifier: Apache-2.0
//! Runs the cases of tests/corpus, and the truth tables of the filter language, through this
//! crate: each step whose method has a function here and whose body fits its types goes through
//! that, the others through the generic call. tests/corpus/README.md says what cases are.
//!
//! `flat` needs no server; `milvus` and `qdrant` run where `SIMPLUGIN_TEST_MILVUS_URI` and
//! `SIMPLUGIN_TEST_QDRANT_URL` name one, `written_in_rust` where `SIMPLUGIN_TEST_RUST_PLUGINS`
//! names the directory of simplugin_memory.so. `SIMPLUGIN_TEST_ONLY` runs only cases whose names
//! hold it.
#![allow(missing_docs, unreachable_pub)]

mod case;
mod compare;
mod decode;
mod expand;
mod filters;
mod load;
mod native;
mod node;
mod requests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use case::{Config, Outcome, Way};
use serde_json::json;

/// Cases that safe code cannot make, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "a full column with a bitmap of what is there",
        "columns make their bitmaps, where values are missing",
    ),
    ("an id that is not UTF-8", "str is UTF-8"),
    ("a body that is too large or too deep", "a body says its true size"),
    ("tensors whose sizes overflow or disagree", "a tensor says the truth of its memory"),
];

/// What the `close` of objects stands for.
const CLOSE: [&str; 6] =
    ["session.close", "connection.close", "index.close", "view.close", "scan.close", "copy.close"];

#[derive(Default)]
pub struct Tally {
    /// How often each function was used.
    native: BTreeMap<String, usize>,
    call: usize,
}

struct Report {
    passed: usize,
    not_applicable: usize,
    left_out: Vec<String>,
    failed: Vec<String>,
    tally: Tally,
}

/// Every case that applies, so many beside each other.
fn run(config: &Config, way: Way, threads: usize) -> Report {
    let only = std::env::var("SIMPLUGIN_TEST_ONLY").unwrap_or_default();
    let all = load::cases();
    let next = AtomicUsize::new(0);
    let report = Mutex::new(Report {
        passed: 0,
        not_applicable: 0,
        left_out: Vec::new(),
        failed: Vec::new(),
        tally: Tally::default(),
    });
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !one.name.contains(&only) || !way.takes(&one.json) {
                        continue;
                    }
                    let mut tally = Tally::default();
                    let outcome =
                        catch_unwind(AssertUnwindSafe(|| case::run(config, one, way, &mut tally)))
                            .unwrap_or_else(|_| Outcome::Failed("panicked".to_owned()));
                    let mut report = report.lock().unwrap();
                    for (name, times) in tally.native {
                        *report.tally.native.entry(name).or_default() += times;
                    }
                    report.tally.call += tally.call;
                    match outcome {
                        Outcome::Passed => report.passed += 1,
                        Outcome::NotApplicable => report.not_applicable += 1,
                        Outcome::LeftOut => report.left_out.push(one.name.clone()),
                        Outcome::Failed(why) => {
                            report.failed.push(format!("{} ({}): {why}", one.name, one.file));
                        }
                    }
                }
            });
        }
    });
    report.into_inner().unwrap()
}

fn corpus(backend: &str, parameters: serde_json::Value, way: Way, threads: usize) -> Report {
    let begin = Instant::now();
    let config = Config::new(backend, parameters);
    let report = run(&config, way, threads);
    println!(
        "corpus on {backend}, {way:?}: {} cases passed, {} failed, {} not applicable, {} left out; \
         steps: {} by the crate's functions, {} by the generic call; {:.1} s",
        report.passed,
        report.failed.len(),
        report.not_applicable,
        report.left_out.len(),
        report.tally.native.values().sum::<usize>(),
        report.tally.call,
        begin.elapsed().as_secs_f64()
    );
    assert!(report.failed.is_empty(), "{}", report.failed.join("\n"));
    assert!(report.passed > 0, "no case ran");
    report
}

/// The run that has all cases also keeps the lists of this test fresh.
#[test]
fn flat() {
    let report = corpus("sklearn_flat", json!({}), Way::Native, 2);
    if std::env::var_os("SIMPLUGIN_TEST_ONLY").is_some() {
        return;
    }
    let mut left_out = report.left_out;
    left_out.sort();
    let mut listed: Vec<_> = LEFT_OUT.iter().map(|(name, _)| *name).collect();
    listed.sort();
    assert_eq!(left_out, listed, "the cases that are left out are not those that are listed");
    let unused: Vec<_> = requests::all()
        .into_iter()
        .map(|(method, _)| method)
        .chain(CLOSE)
        .filter(|method| !report.tally.native.contains_key(*method))
        .collect();
    assert!(unused.is_empty(), "functions that no step used: {unused:?}");
}

/// The same bodies through the generic call: arrays as they are written.
#[test]
fn flat_plain() {
    corpus("sklearn_flat", json!({}), Way::Plain, 2);
}

/// And as tensors and columns.
#[test]
fn flat_columns() {
    corpus("sklearn_flat", json!({}), Way::Columns, 2);
}

#[test]
fn milvus() {
    let Ok(uri) = std::env::var("SIMPLUGIN_TEST_MILVUS_URI") else {
        return println!("corpus on milvus: no SIMPLUGIN_TEST_MILVUS_URI");
    };
    let parameters = json!({"uri": uri, "metric": "cosine", "index_type": "FLAT"});
    corpus("milvus", parameters, Way::Native, 8);
}

#[test]
fn qdrant() {
    let Ok(url) = std::env::var("SIMPLUGIN_TEST_QDRANT_URL") else {
        return println!("corpus on qdrant: no SIMPLUGIN_TEST_QDRANT_URL");
    };
    corpus("qdrant", json!({"url": url}), Way::Native, 8);
}

#[test]
fn written_in_rust() {
    if std::env::var_os("SIMPLUGIN_TEST_RUST_PLUGINS").is_none() {
        return println!("corpus on memory: no SIMPLUGIN_TEST_RUST_PLUGINS");
    }
    corpus("memory", json!({}), Way::Native, 2);
}
