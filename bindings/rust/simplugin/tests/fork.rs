// SPDX-License-Identifier: Apache-2.0
//! R275: what was opened before a fork is refused or opened again in the child, and never hangs.
#![allow(missing_docs)]

mod common;

use common::{Rig, Silence};
use simplugin::ErrorKind;

/// Runs `child` in a child; its answer, or the signal that ended it, as wait tells it.
fn forked(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child ends by _exit, and a hang by the alarm.
    unsafe {
        match libc::fork() {
            0 => {
                libc::alarm(30);
                let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child));
                libc::_exit(code.unwrap_or(99));
            }
            pid => {
                let mut status = 0;
                assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
                if libc::WIFEXITED(status) {
                    libc::WEXITSTATUS(status)
                } else {
                    -libc::WTERMSIG(status)
                }
            }
        }
    }
}

fn answered<T>(answer: simplugin::Result<T>) -> i32 {
    match answer {
        Ok(_) => 0,
        Err(error) if error.kind() == ErrorKind::Forked => 1,
        Err(error) => {
            eprintln!("{error:?}");
            2
        }
    }
}

#[test]
fn r275_in_a_forked_child() {
    let rig = Rig::new();
    let index = rig.fruit();
    let search = || index.search().vectors(&[1.0_f32, 0.0]).k(1).send();
    let scan = index.scan().send().unwrap();
    // opened again, or refused: never anything else
    assert!(matches!(forked(|| answered(search())), 0 | 1));
    assert!(matches!(forked(|| answered(scan.next_page().send())), 0 | 1));
    // a child may open its own
    let own =
        || rig.session.create_index().send().and_then(|index| index.add(["a"], &[1.0_f32]).send());
    assert_eq!(forked(|| answered(own())), 0);
    // and drops what it inherited
    let view = index.view().ids(["apple"]).send().unwrap();
    assert_eq!(
        forked(move || {
            drop(view);
            0
        }),
        0
    );
    // the parent goes on
    assert_eq!(search().unwrap().ids(), ["apple"]);
}

#[test]
fn r275_with_a_server() {
    let (rig, server) = (Rig::new(), Silence::new());
    let hanging = rig.hanging(&server);
    let short = std::time::Duration::from_millis(300);
    _ = hanging.health().timeout(short).send().unwrap_err();
    // refused, or out of time on a connection of its own
    let child = forked(|| match hanging.health().timeout(short).send().unwrap_err().kind() {
        ErrorKind::Forked | ErrorKind::DeadlineExceeded | ErrorKind::Unavailable => 0,
        _ => 2,
    });
    assert_eq!(child, 0);
}
