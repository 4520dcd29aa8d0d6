// SPDX-License-Identifier: Apache-2.0
//! R264: a whole index, page by page and point by point.
use std::collections::BTreeSet;

use crate::common::Rig;

#[test]
fn r264_pages_and_rows() {
    let rig = Rig::new();
    let index = rig.session.create_index().send().unwrap();
    let ids: Vec<String> = (0..1000).map(|i| format!("p{i}")).collect();
    let numbers: Vec<f32> = (0..2000).map(|i| i as f32).collect();
    let parity: Vec<i64> = (0..1000).map(|i| i % 2).collect();
    index.add(&ids, simplugin::Matrix::new(&numbers, 2)).field("parity", &parity).send().unwrap();

    let (mut seen, mut pages) = (BTreeSet::new(), 0);
    for page in index.scan().max_rows(300).send().unwrap() {
        let page = page.unwrap();
        pages += 1;
        assert!(page.len() <= 300);
        seen.extend(page.ids().iter().map(str::to_owned));
    }
    assert!(pages >= 4 && seen.len() == 1000);

    // rows outlive the pages that come after theirs
    let scan = index.scan().max_rows(7).fields(["parity"]).filter("parity == 1").send().unwrap();
    let rows: Vec<_> = scan.rows().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), 500);
    for row in rows {
        let i: usize = row.id()[1..].parse().unwrap();
        assert_eq!(row.vector(), [2.0 * i as f32, 2.0 * i as f32 + 1.0]);
        assert_eq!(row.field("parity").unwrap().as_i64(), Some(1));
        assert!(row.sample_id().is_none());
    }
}

#[test]
fn a_scan_that_is_left_early_closes() {
    let rig = Rig::new();
    let index = rig.fruit();
    let mut scan = index.scan().max_rows(1).send().unwrap();
    let handle = scan.handle();
    let first = scan.next().unwrap().unwrap();
    drop(scan);
    assert_eq!(first.len(), 1, "what it gave stays");
    handle.call("scan.next").send().unwrap_err();
}
