// SPDX-License-Identifier: Apache-2.0
//! The log belongs to the process, and so does this test.
#![allow(missing_docs)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use common::Rig;
use simplugin::{LogLevel, reset_log, set_log};

#[test]
fn the_log_hook() {
    let rig = Rig::new();
    let index = rig.fruit();
    let warn = || index.remove().ids(["nobody"]).warn_missing(true).send().unwrap();

    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = heard.clone();
    set_log(LogLevel::Warning, move |level, message| {
        into.lock().unwrap().push((level, message.to_owned()));
    });
    warn();
    let first = heard.lock().unwrap().remove(0);
    assert_eq!(first.0, LogLevel::Warning);
    assert!(first.1.contains("index.remove"), "{first:?}");

    set_log(LogLevel::Error, |_, message| panic!("not an error: {message}"));
    warn();
    // a panic does not get into the library
    set_log(LogLevel::Warning, |_, _| panic!("enough"));
    warn();

    // set and removed while calls run; what a hook holds is freed when the last call left it
    let dropped = Arc::new(AtomicUsize::new(0));
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    warn();
                }
            });
        }
        for _ in 0..500 {
            let counted = Counted(dropped.clone());
            set_log(LogLevel::Warning, move |_, _| _ = &counted);
        }
        set_log(LogLevel::Error, |_, _| {});
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(dropped.load(Ordering::Relaxed), 500);
    reset_log();
    // and one is left behind when the process ends
    set_log(LogLevel::Debug, |_, _| {});
}
