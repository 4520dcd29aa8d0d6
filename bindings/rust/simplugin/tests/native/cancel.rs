// SPDX-License-Identifier: Apache-2.0
//! R274: deadlines and tokens end calls that wait for a server.
use std::time::Duration;

use simplugin::{CancelToken, ErrorKind};

use crate::common::{Rig, Silence, timed};

const LONG: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(10);

#[test]
fn r274_a_token_ends_a_call_from_another_thread() {
    let (rig, server) = (Rig::new(), Silence::new());
    let hanging = rig.hanging(&server);
    let token = CancelToken::new().unwrap();
    let (answer, took) = timed(|| {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let waiting = server.wait();
                token.clone().cancel();
                waiting
            });
            let answer = hanging.health().timeout(LONG).cancel(&token).send();
            drop(other.join().unwrap());
            answer
        })
    });
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn r274_a_token_ends_every_call_that_carries_it() {
    let (rig, server) = (Rig::new(), Silence::new());
    let hanging = rig.hanging(&server);
    let token = CancelToken::new().unwrap();
    std::thread::scope(|scope| {
        let list = || hanging.backend_call("collection.list").timeout(LONG).cancel(&token).send();
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(list)).collect();
        let _waiting = server.wait();
        token.cancel();
        for call in calls {
            assert_eq!(call.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        }
    });
    let error = hanging.health().cancel(&token).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled, "and later ones");
}

#[test]
fn r274_a_deadline_ends_a_call() {
    let (rig, server) = (Rig::new(), Silence::new());
    let hanging = rig.hanging(&server);
    let (answer, took) = timed(|| hanging.health().timeout(Duration::from_millis(200)).send());
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.is_retryable());
    assert!(took >= Duration::from_millis(200) && took < SOON, "{took:?}");
    // the shortest there is, and not the default
    let (answer, took) = timed(|| hanging.health().timeout(Duration::ZERO).send());
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_scan_carries_its_options() {
    let rig = Rig::new();
    let index = rig.fruit();
    let token = CancelToken::new().unwrap();
    let mut scan = index.scan().max_rows(1).cancel(&token).send().unwrap();
    assert_eq!(scan.next().unwrap().unwrap().len(), 1);
    token.cancel();
    assert_eq!(scan.next().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(scan.next().is_none(), "an error is the end of the iteration");
    assert_eq!(scan.next_page().send().unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn the_longest_timeouts() {
    let rig = Rig::new();
    let index = rig.fruit();
    assert_eq!(index.size().timeout(Duration::MAX).send().unwrap(), 3);
    assert_eq!(index.size().no_timeout().send().unwrap(), 3);
}

#[test]
fn closing_waits_for_calls_and_ends_later_ones() {
    let (rig, server) = (Rig::new(), Silence::new());
    let hanging = rig.hanging(&server);
    std::thread::scope(|scope| {
        let call = scope.spawn(|| hanging.health().timeout(Duration::from_secs(3)).send());
        let _waiting = server.wait();
        hanging.close().unwrap();
        let error = call.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "the call ended as it would have");
    });
    assert_eq!(hanging.health().send().unwrap_err().kind(), ErrorKind::StaleHandle);
}
