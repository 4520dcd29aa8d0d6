// SPDX-License-Identifier: Apache-2.0
//! R276: copies tell how far they are, stop where they are told, and go on.
use std::ops::ControlFlow;
use std::time::Duration;

use simplugin::ErrorKind;

use crate::common::Rig;

#[test]
fn r276_a_copy_tells_its_progress() {
    let rig = Rig::new();
    let source = rig.fruit();
    let mut states = 0;
    let copy = rig.session.copy(&source).brain_key("copy").collection_name("copy").verify("all");
    let (target, last) = copy
        .run(|state| {
            states += 1;
            assert!(state.copied() <= state.total());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(last.is_done() && states >= 1);
    assert_eq!((last.copied(), last.verified(), last.differences()), (3, Some(3), Some(0)));
    assert_eq!((last.compared(), last.different().unwrap().len()), (Some("exact"), 0));
    assert_eq!(target.size().send().unwrap(), 3);
    assert_eq!(rig.session.load_run("copy").send().unwrap().size().send().unwrap(), 3);
}

#[test]
fn r276_a_copy_that_is_stopped_goes_on() {
    let rig = Rig::new();
    let source = rig.session.create_index().send().unwrap();
    let ids: Vec<String> = (0..20_000).map(|i| format!("p{i}")).collect();
    let numbers: Vec<f32> = (0..20_000 * 64).map(|i| i as f32).collect();
    source.add(&ids, simplugin::Matrix::new(&numbers, 64)).send().unwrap();
    let copy = || rig.session.copy(&source).collection_name("copy").batch_bytes(64 * 1024);
    // a step does what its timeout allows, and fails where that is not a page
    let opened = copy().send().unwrap();
    let step = || opened.step().timeout(Duration::from_millis(20)).send();
    let state = loop {
        match step() {
            Ok(state) => break state,
            Err(error) => assert_eq!(error.kind(), ErrorKind::DeadlineExceeded),
        }
    };
    assert!(state.copied() > 0, "{state:?}");
    let index = opened.index().handle();
    drop(opened);
    assert_eq!(index.call("index.size").send().unwrap_err().kind(), ErrorKind::StaleHandle);
    assert!(!state.is_done());
    let again = copy().send().unwrap();
    let resumed = again.reply().get("resumed").unwrap().as_u64().unwrap();
    assert!(resumed >= state.copied());
    while !again.step().send().unwrap().is_done() {}
    assert_eq!(again.into_index().size().send().unwrap(), 20_000);
}

#[test]
fn r276_the_callback_may_stop_it() {
    let rig = Rig::new();
    let source = rig.fruit();
    let mut states = 0;
    let stop = |_: &simplugin::CopyState| {
        states += 1;
        ControlFlow::Break(())
    };
    let (target, state) = rig.session.copy(&source).collection_name("copy").run(stop).unwrap();
    assert_eq!((states, state.total()), (1, 3));
    target.size().send().unwrap();
}

#[test]
fn r276_a_panic_of_the_callback_ends_the_copy() {
    let rig = Rig::new();
    let source = rig.fruit();
    let copy = rig.session.copy(&source).collection_name("copy");
    let panic =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| copy.run(|_| panic!("enough"))));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"enough"));
}

#[test]
fn r276_a_plan_makes_nothing() {
    let rig = Rig::new();
    let source = rig.fruit();
    let plan = rig.session.copy(&source).collection_name("copy").plan().unwrap();
    assert_eq!((plan.total(), plan.resumed(), plan.losses().len()), (3, 0, 0));
    assert_eq!((plan.backend(), plan.collection_name()), ("sklearn", "copy"));
    let open = rig.session.open_index().backend("sklearn").collection_name("copy").send();
    assert_eq!(open.unwrap_err().kind(), ErrorKind::NotFound);
}
