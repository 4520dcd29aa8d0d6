// SPDX-License-Identifier: Apache-2.0
//! `simplugin/plugin.h`, declared by hand; its comments say what everything means.
#![allow(non_camel_case_types, missing_docs)]

use std::ffi::{c_char, c_void};

/// `SIMPLUGIN_ABI_1_0`: major << 16 | minor.
pub const ABI_1_0: u32 = 0x0001_0000;
/// `SIMPLUGIN_ABI_VERSION`: the newest that is declared here.
pub const ABI_VERSION: u32 = ABI_1_0;

/// The codes of both headers.
pub mod code {
    pub const OK: i32 = 0;
    pub const INVALID_ARGUMENT: i32 = 1;
    pub const NOT_FOUND: i32 = 2;
    pub const ALREADY_EXISTS: i32 = 3;
    pub const UNIMPLEMENTED: i32 = 4;
    pub const DEADLINE_EXCEEDED: i32 = 5;
    pub const CANCELLED: i32 = 6;
    pub const BUSY: i32 = 7;
    pub const UNAVAILABLE: i32 = 8;
    pub const UNAUTHENTICATED: i32 = 9;
    pub const PERMISSION_DENIED: i32 = 10;
    pub const RESOURCE_EXHAUSTED: i32 = 11;
    pub const OUT_OF_MEMORY: i32 = 12;
    pub const IO: i32 = 13;
    pub const CORRUPT: i32 = 14;
    pub const READ_ONLY: i32 = 15;
    pub const NO_SPACE: i32 = 16;
    pub const VERSION_TOO_OLD: i32 = 17;
    pub const VERSION_TOO_NEW: i32 = 18;
    pub const INCOMPATIBLE: i32 = 19;
    pub const STALE_HANDLE: i32 = 20;
    pub const FORKED: i32 = 21;
    pub const PROMPT_UNSUPPORTED: i32 = 22;
    pub const DIMENSION_MISMATCH: i32 = 23;
    pub const MALFORMED: i32 = 24;
    pub const CONFIG: i32 = 25;
    pub const UNKNOWN_METHOD: i32 = 26;
    pub const UNKNOWN_PARAMETER: i32 = 27;
    pub const INTERNAL: i32 = 28;
    pub const PROTOCOL: i32 = 29;
    pub const BACKEND_UNKNOWN: i32 = 40;
    pub const BACKEND_NAME: i32 = 41;
    pub const PLUGIN_PATH: i32 = 42;
    pub const PLUGIN_UNSAFE: i32 = 43;
    pub const PLUGIN_UNLOADABLE: i32 = 44;
    pub const PLUGIN_NO_ENTRY: i32 = 45;
    pub const PLUGIN_FOREIGN_ENTRY: i32 = 46;
    pub const PLUGIN_BAD_TABLE: i32 = 47;
    pub const PLUGIN_ENTRY_FAILED: i32 = 48;
}

/// What a tensor's elements are.
pub mod dtype {
    pub const FLOAT32: u32 = 1;
    pub const FLOAT64: u32 = 2;
    pub const FLOAT16: u32 = 3;
    pub const INT64: u32 = 4;
    pub const UINT64: u32 = 5;
    pub const INT32: u32 = 6;
    pub const UINT8: u32 = 7;
    pub const BITS: u32 = 8;
}

pub const EXT_TENSOR: i8 = 1;
pub const MAX_DEPTH: u32 = 32;
pub const MAX_BODY: u64 = 1 << 30;
pub const MAX_TENSORS: u64 = 1024;

pub const LOG_ERROR: i32 = 1;
pub const LOG_WARNING: i32 = 2;
pub const LOG_INFO: i32 = 3;
pub const LOG_DEBUG: i32 = 4;

pub const THREADS_SERIAL: u32 = 1;
pub const THREADS_CONCURRENT: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct simplugin_tensor {
    pub dtype: u32,
    pub reserved0: u32,
    pub data: *const c_void,
    pub rows: u64,
    pub cols: u64,
    pub row_stride: u64,
    pub reserved: [u64; 3],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct simplugin_request {
    pub size: u64,
    pub body: *const u8,
    pub body_size: u64,
    pub tensors: *const simplugin_tensor,
    pub tensor_count: u64,
    pub reserved: [u64; 3],
}

#[repr(C)]
#[derive(Debug)]
pub struct simplugin_reply {
    pub size: u64,
    pub body: *const u8,
    pub body_size: u64,
    pub tensors: *const simplugin_tensor,
    pub tensor_count: u64,
    pub owner: *mut c_void,
    pub reserved: [u64; 2],
}

/// Opaque; the host's.
#[repr(C)]
pub struct simplugin_error {
    _opaque: [u8; 0],
}

/// Opaque; the backend's.
#[repr(C)]
pub struct simplugin_instance {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct simplugin_call_info {
    pub size: u64,
    pub method: *const c_char,
    pub method_size: u64,
    pub deadline: i64,
    pub cancel: u64,
    pub trace_id: *const c_char,
    pub trace_id_size: u64,
    pub progress: u64,
    pub reserved: [u64; 4],
}

/// What the host offers. A slot is `None` where the host is older than it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct simplugin_host {
    pub size: u64,
    pub abi_min: u32,
    pub abi_max: u32,
    pub reply_alloc: Option<unsafe extern "C" fn(*mut simplugin_reply, u64) -> *mut c_void>,
    pub error_set:
        Option<unsafe extern "C" fn(*mut *mut simplugin_error, i32, *const c_char, u64) -> i32>,
    pub error_set_backend:
        Option<unsafe extern "C" fn(*mut *mut simplugin_error, i64, *const c_char, u64)>,
    pub error_set_retryable: Option<unsafe extern "C" fn(*mut *mut simplugin_error, i32)>,
    pub error_add_detail: Option<
        unsafe extern "C" fn(*mut *mut simplugin_error, *const c_char, u64, *const c_char, u64),
    >,
    pub log: Option<unsafe extern "C" fn(i32, *const c_char, u64)>,
    pub cancelled: Option<unsafe extern "C" fn(u64) -> i32>,
    pub cancel_watch: Option<
        unsafe extern "C" fn(
            u64,
            Option<unsafe extern "C" fn(*mut c_void)>,
            *mut c_void,
            *mut u64,
        ) -> i32,
    >,
    pub cancel_unwatch: Option<unsafe extern "C" fn(u64)>,
    pub progress: Option<unsafe extern "C" fn(u64, u64, u64)>,
}

/// What a backend offers.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct simplugin_backend {
    pub size: u64,
    pub abi: u32,
    pub threads: u32,
    pub describe:
        Option<unsafe extern "C" fn(*mut simplugin_reply, *mut *mut simplugin_error) -> i32>,
    pub open: Option<
        unsafe extern "C" fn(
            *const simplugin_call_info,
            *const simplugin_request,
            *mut *mut simplugin_instance,
            *mut *mut simplugin_error,
        ) -> i32,
    >,
    pub call: Option<
        unsafe extern "C" fn(
            *mut simplugin_instance,
            *const simplugin_call_info,
            *const simplugin_request,
            *mut simplugin_reply,
            *mut *mut simplugin_error,
        ) -> i32,
    >,
    pub close: Option<unsafe extern "C" fn(*mut simplugin_instance)>,
}

/// `simplugin_backend_entry`, the one symbol of a plugin.
pub type simplugin_backend_entry_fn = unsafe extern "C" fn(
    *const simplugin_host,
    *mut *const simplugin_backend,
    *mut *mut simplugin_error,
) -> i32;
