// SPDX-License-Identifier: Apache-2.0
//! `simplugin.h`, declared by hand: the generic call and what goes with it. The typed functions
//! are for C programs and are not here; the structs of `simplugin/plugin.h` are in
//! [`simplugin_abi::plugin`]. The comments of the headers say what everything means.
#![allow(non_camel_case_types, missing_docs)]

use std::ffi::{c_char, c_void};

pub use simplugin_abi::plugin::*;

pub type simplugin_progress_fn = unsafe extern "C" fn(context: *mut c_void, done: u64, total: u64);

pub const TIMEOUT_DEFAULT: i64 = 0;
pub const TIMEOUT_NONE: i64 = -1;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct simplugin_options {
    pub size: u64,
    pub timeout_ms: i64,
    pub cancel: u64,
    pub trace_id: *const c_char,
    pub trace_id_size: u64,
    pub progress: Option<simplugin_progress_fn>,
    pub progress_context: *mut c_void,
    pub reserved: [u64; 4],
}

pub type simplugin_log_fn = unsafe extern "C" fn(
    context: *mut c_void,
    level: i32,
    message: *const c_char,
    message_size: u64,
);

unsafe extern "C" {
    pub fn simplugin_version() -> *const c_char;
    pub fn simplugin_call(
        target: u64,
        method: *const c_char,
        method_size: u64,
        request: *const simplugin_request,
        options: *const simplugin_options,
        reply: *mut simplugin_reply,
        error: *mut *mut simplugin_error,
    ) -> i32;
    pub fn simplugin_reply_clear(reply: *mut simplugin_reply);
    pub fn simplugin_close(handle: u64, error: *mut *mut simplugin_error) -> i32;

    pub fn simplugin_cancel_new(cancel: *mut u64, error: *mut *mut simplugin_error) -> i32;
    pub fn simplugin_cancel_fire(cancel: u64) -> i32;
    pub fn simplugin_cancel_free(cancel: u64) -> i32;

    pub fn simplugin_error_code(error: *const simplugin_error) -> i32;
    pub fn simplugin_error_message(error: *const simplugin_error, size: *mut u64) -> *const c_char;
    pub fn simplugin_error_domain(error: *const simplugin_error) -> *const c_char;
    pub fn simplugin_error_backend_code(error: *const simplugin_error) -> i64;
    pub fn simplugin_error_backend_message(
        error: *const simplugin_error,
        size: *mut u64,
    ) -> *const c_char;
    pub fn simplugin_error_retryable(error: *const simplugin_error) -> i32;
    pub fn simplugin_error_detail_count(error: *const simplugin_error) -> u64;
    pub fn simplugin_error_detail_key(error: *const simplugin_error, i: u64) -> *const c_char;
    pub fn simplugin_error_detail_value(error: *const simplugin_error, i: u64) -> *const c_char;
    pub fn simplugin_error_free(error: *mut *mut simplugin_error);
    pub fn simplugin_code_name(code: i32) -> *const c_char;

    pub fn simplugin_log_set(fn_: Option<simplugin_log_fn>, context: *mut c_void, level: i32);
    pub fn simplugin_backend_register(
        name: *const c_char,
        entry: Option<simplugin_backend_entry_fn>,
        error: *mut *mut simplugin_error,
    ) -> i32;
}
