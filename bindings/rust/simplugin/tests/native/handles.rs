// SPDX-License-Identifier: Apache-2.0
//! Handles close by themselves, twice is harmless, and a closed one is an error.
use simplugin::{ErrorKind, Handle, Index, Session};

use crate::common::Rig;

fn is_stale(handle: Handle, method: &str) -> bool {
    handle.call(method).send().is_err_and(|error| error.kind() == ErrorKind::StaleHandle)
}

#[test]
fn what_is_dropped_is_closed() {
    let rig = Rig::new();
    let index = rig.fruit();
    let view = index.view().ids(["apple"]).send().unwrap();
    let scan = index.scan().send().unwrap();
    let connection = rig.session.connect().send().unwrap();
    let (v, s, c, i) = (view.handle(), scan.handle(), connection.handle(), index.handle());
    drop((view, scan, connection));
    assert!(is_stale(v, "view.close") && is_stale(s, "scan.next") && is_stale(c, "health"));
    drop(index);
    assert!(is_stale(i, "index.size"));
}

#[test]
fn twice_is_harmless_and_a_closed_one_is_stale() {
    let rig = Rig::new();
    let index = rig.fruit();
    let view = index.view().ids(["apple"]).send().unwrap();
    view.close().unwrap();
    view.close().unwrap();
    let error = index.search().vectors(&[1.0_f32, 0.0]).view(&view).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StaleHandle);
    index.close().unwrap();
    index.close().unwrap();
    assert_eq!(index.size().send().unwrap_err().kind(), ErrorKind::StaleHandle);
}

#[test]
fn what_came_from_something_keeps_it_open() {
    let index: Index = {
        let rig = Rig::new();
        let index = rig.fruit();
        // the session and its directory are gone for the caller
        drop(rig.session);
        index
    };
    assert_eq!(index.size().send().unwrap(), 3);
    let (view, scan) = (index.view().ids(["apple"]).send().unwrap(), index.scan().send().unwrap());
    let handle = index.handle();
    drop(index);
    assert_eq!(scan.rows().count(), 3, "a scan keeps its index");
    drop(view);
    assert!(is_stale(handle, "index.size"));
}

#[test]
fn a_closed_session_takes_everything_along() {
    let rig = Rig::new();
    let index = rig.fruit();
    rig.session.close().unwrap();
    rig.session.close().unwrap();
    assert_eq!(index.size().send().unwrap_err().kind(), ErrorKind::StaleHandle);
    index.close().unwrap();
}

#[test]
fn the_default_session_does_not_close() {
    Session::default().close().unwrap_err();
    simplugin::metrics().send().unwrap();
}

#[test]
fn numbers_that_are_no_handles() {
    for number in [1, 4711, u64::MAX] {
        assert!(is_stale(Handle::from_raw(number), "index.size"));
        let error = Handle::from_raw(number).close().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StaleHandle);
    }
}

#[test]
fn closing_beside_calls() {
    let rig = Rig::new();
    for _ in 0..50 {
        let index = rig.fruit();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        match index.search().vectors(&[1.0_f32, 0.0]).k(1).send() {
                            Ok(hits) => assert_eq!(hits.ids(), ["apple"]),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::StaleHandle),
                        }
                    }
                });
            }
            scope.spawn(|| index.close().unwrap());
            scope.spawn(|| index.close().unwrap());
        });
    }
}

#[test]
fn an_index_tells_of_its_backend() {
    let rig = Rig::new();
    let index = rig.fruit();
    let told = index.capabilities().send().unwrap();
    let asked = rig.session.describe(index.opened().backend()).send().unwrap();
    assert!(told.body().get("methods").is_some());
    assert_eq!(format!("{:?}", told.body()), format!("{:?}", asked.body()));
}
