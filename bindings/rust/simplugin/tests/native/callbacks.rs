// SPDX-License-Identifier: Apache-2.0
//! Progress, and panics on their way through C.
use std::panic::{AssertUnwindSafe, catch_unwind};

use simplugin::{CancelToken, Index};

use crate::common::Rig;

fn large(rig: &Rig) -> Index {
    let index = rig.session.create_index().send().unwrap();
    let ids: Vec<String> = (0..3000).map(|i| format!("p{i}")).collect();
    let numbers: Vec<f32> = (0..3000 * 8).map(|i| (i % 97) as f32).collect();
    index.add(&ids, simplugin::Matrix::new(&numbers, 8)).send().unwrap();
    index
}

#[test]
fn progress_is_told_on_the_calling_thread() {
    let rig = Rig::new();
    let index = large(&rig);
    let thread = std::thread::current().id();
    let mut last = (0, 0);
    let near = index.neighbors().k(1).progress(|done, total| {
        assert_eq!(std::thread::current().id(), thread);
        last = (done, total);
    });
    near.send().unwrap();
    assert_eq!(last, (3000, 3000));
}

#[test]
fn a_panic_ends_the_call_and_goes_on_after_it() {
    let rig = Rig::new();
    let index = large(&rig);
    let mut calls = 0;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        index
            .neighbors()
            .k(1)
            .progress(|_, _| {
                calls += 1;
                panic!("enough")
            })
            .send()
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"enough"));
    assert_eq!(calls, 1);
    assert_eq!(index.size().send().unwrap(), 3000, "the index is as before");
}

#[test]
fn a_panic_leaves_the_callers_token_alone() {
    let rig = Rig::new();
    let index = large(&rig);
    let token = CancelToken::new().unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        index.neighbors().k(1).cancel(&token).progress(|_, _| panic!("enough")).send()
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"enough"));
    assert_eq!(index.size().cancel(&token).send().unwrap(), 3000);
}

#[test]
fn a_callback_may_cancel_its_call_and_call_the_library() {
    let rig = Rig::new();
    let index = large(&rig);
    let token = CancelToken::new().unwrap();
    let near = index.neighbors().k(1).cancel(&token).progress(|_, _| {
        assert_eq!(index.size().send().unwrap(), 3000);
        token.cancel();
    });
    assert_eq!(near.send().unwrap_err().kind(), simplugin::ErrorKind::Cancelled);
}
