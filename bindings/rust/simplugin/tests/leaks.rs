// SPDX-License-Identifier: Apache-2.0
//! Opening, searching and closing leaves memory as it was.
#![allow(missing_docs)]

mod common;

use common::{Rig, rss_kib};
use simplugin::CancelToken;

const CYCLES: usize = 10_000;
const WARM: usize = 1_000;

#[test]
fn ten_thousand_cycles() {
    let rig = Rig::new();
    let name = rig.fruit().info().send().unwrap().collection_name().unwrap().to_owned();
    let cycle = || {
        let index =
            rig.session.open_index().backend("sklearn").collection_name(&name).send().unwrap();
        let view = index.view().ids(["apple", "pear"]).send().unwrap();
        let token = CancelToken::new().unwrap();
        let search = index.search().vectors(&[0.9_f32, 0.1]).k(2).view(&view).all_fields();
        let hits = search.cancel(&token).progress(|_, _| {}).send().unwrap();
        assert_eq!(hits.len(), 1);
        index.search().ids(["nobody"]).send().unwrap_err();
    };
    (0..WARM).for_each(|_| cycle());
    let before = rss_kib();
    (0..CYCLES - WARM).for_each(|_| cycle());
    let grown = rss_kib() - before;
    println!("{CYCLES} cycles: {grown} KiB more");
    assert!(grown < 2048, "{grown} KiB more after {CYCLES} cycles");
}
