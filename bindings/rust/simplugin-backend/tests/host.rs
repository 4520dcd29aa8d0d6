// SPDX-License-Identifier: Apache-2.0
//! The entry and the table, as hosts of other versions meet them.
#![allow(missing_docs)]

use std::ffi::{c_char, c_void};
use std::sync::Mutex;

use ::simplugin_backend::plugin::{self, code, simplugin_error, simplugin_host, simplugin_reply};
use ::simplugin_backend::{Backend, Body, Call, Error, Instance, Map, Threads, export_backend};

struct Small;
struct Nothing;

export_backend!(Small);

impl Backend for Small {
    type Instance = Nothing;
    const THREADS: Threads = Threads::Serial;

    fn describe() -> Body<'static> {
        Body::new().with("name", "small")
    }

    fn open(_: &Call<'_>, _: Map<'_>) -> Result<Nothing, Error> {
        Ok(Nothing)
    }
}

impl Instance for Nothing {
    fn call<'a>(&'a self, call: &Call<'a>, _: Map<'a>) -> Result<Body<'a>, Error> {
        Err(Error::unknown_method(call.method()))
    }
}

/// What the last error said.
static SAID: Mutex<String> = Mutex::new(String::new());

unsafe extern "C" fn error_set(
    _: *mut *mut simplugin_error,
    code: i32,
    message: *const c_char,
    size: u64,
) -> i32 {
    // SAFETY: text of that size.
    let message = unsafe { std::slice::from_raw_parts(message.cast::<u8>(), size as usize) };
    *SAID.lock().unwrap() = String::from_utf8(message.to_vec()).unwrap();
    code
}

unsafe extern "C" fn no_memory(_: *mut simplugin_reply, _: u64) -> *mut c_void {
    std::ptr::null_mut()
}

fn host(abi_min: u32, abi_max: u32) -> simplugin_host {
    simplugin_host {
        size: size_of::<simplugin_host>() as u64,
        abi_min,
        abi_max,
        reply_alloc: Some(no_memory),
        error_set: Some(error_set),
        error_set_backend: None,
        error_set_retryable: None,
        error_add_detail: None,
        log: None,
        cancelled: None,
        cancel_watch: None,
        cancel_unwatch: None,
        progress: None,
    }
}

/// One test, as the host that is met first is kept.
#[test]
fn what_a_host_meets() {
    let (mut table, mut error): (*const plugin::simplugin_backend, _) =
        (std::ptr::null(), std::ptr::null_mut());
    // a host that knows nothing of progress and watches; it is the one that is kept
    let mut older = host(0x0001_0000, 0x0001_0000);
    older.size = std::mem::offset_of!(simplugin_host, cancelled) as u64;
    // SAFETY: as a host calls it.
    let table = unsafe {
        assert_eq!(simplugin_backend_entry(&older, &mut table, &mut error), code::OK);
        &*table
    };
    assert_eq!((table.size, table.abi, table.threads), (48, 0x0001_0000, 1));

    let mut reply = simplugin_reply {
        size: size_of::<simplugin_reply>() as u64,
        body: std::ptr::null(),
        body_size: 0,
        tensors: std::ptr::null(),
        tensor_count: 0,
        owner: std::ptr::null_mut(),
        reserved: [0; 2],
    };
    // SAFETY: as above.
    unsafe {
        assert_eq!(table.describe.unwrap()(&mut reply, &mut error), code::OUT_OF_MEMORY);
        assert!(reply.body.is_null());
        table.close.unwrap()(std::ptr::null_mut());
    }
    assert!(SAID.lock().unwrap().contains("memory"));

    // a host of other versions is told both ranges
    let mut table = std::ptr::null();
    // SAFETY: as above.
    let code =
        unsafe { simplugin_backend_entry(&host(0x0002_0000, 0x0002_0003), &mut table, &mut error) };
    assert_eq!(code, code::INCOMPATIBLE);
    assert!(table.is_null());
    assert_eq!(*SAID.lock().unwrap(), "the backend speaks ABI 1.0 to 1.0, the host 2.0 to 2.3");
}
