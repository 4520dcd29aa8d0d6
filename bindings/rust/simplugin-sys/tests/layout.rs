// SPDX-License-Identifier: Apache-2.0
//! The declarations against the C headers: a program in C prints what a compiler makes of these.
#![allow(missing_docs)]

use std::mem::{offset_of, size_of};
use std::path::Path;
use std::process::Command;

use simplugin_sys::*;

macro_rules! layouts {
    ($($type:ident { $($field:ident),* $(,)? })*) => {{
        let mut all: Vec<(String, i64)> = Vec::new();
        $(
            let name = stringify!($type);
            all.push((format!("sizeof({name})"), size_of::<$type>() as i64));
            $(all.push((
                format!("offsetof({name}, {})", stringify!($field)),
                offset_of!($type, $field) as i64,
            ));)*
        )*
        all
    }};
}

macro_rules! constants {
    ($prefix:literal, $module:path: $($name:ident),* $(,)?) => {{
        use $module as module;
        vec![$((format!(concat!($prefix, "{}"), stringify!($name)), module::$name as i64)),*]
    }};
}

fn declared() -> Vec<(String, i64)> {
    let mut all = layouts! {
        simplugin_tensor { dtype, reserved0, data, rows, cols, row_stride, reserved }
        simplugin_request { size, body, body_size, tensors, tensor_count, reserved }
        simplugin_reply { size, body, body_size, tensors, tensor_count, owner, reserved }
        simplugin_call_info {
            size, method, method_size, deadline, cancel, trace_id, trace_id_size, progress, reserved
        }
        simplugin_host {
            size, abi_min, abi_max, reply_alloc, error_set, error_set_backend,
            error_set_retryable, error_add_detail, log, cancelled, cancel_watch, cancel_unwatch,
            progress
        }
        simplugin_backend { size, abi, threads, describe, open, call, close }
        simplugin_options {
            size, timeout_ms, cancel, trace_id, trace_id_size, progress, progress_context, reserved
        }
    };
    all.extend(constants!("SIMPLUGIN_", simplugin_sys::code:
        OK, INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, UNIMPLEMENTED, DEADLINE_EXCEEDED,
        CANCELLED, BUSY, UNAVAILABLE, UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
        OUT_OF_MEMORY, IO, CORRUPT, READ_ONLY, NO_SPACE, VERSION_TOO_OLD, VERSION_TOO_NEW,
        INCOMPATIBLE, STALE_HANDLE, FORKED, PROMPT_UNSUPPORTED, DIMENSION_MISMATCH, MALFORMED,
        CONFIG, UNKNOWN_METHOD, UNKNOWN_PARAMETER, INTERNAL, PROTOCOL, BACKEND_UNKNOWN,
        BACKEND_NAME, PLUGIN_PATH, PLUGIN_UNSAFE, PLUGIN_UNLOADABLE, PLUGIN_NO_ENTRY,
        PLUGIN_FOREIGN_ENTRY, PLUGIN_BAD_TABLE, PLUGIN_ENTRY_FAILED));
    all.extend(constants!("SIMPLUGIN_", simplugin_sys::dtype:
        FLOAT32, FLOAT64, FLOAT16, INT64, UINT64, INT32, UINT8, BITS));
    all.extend(constants!("SIMPLUGIN_", simplugin_sys:
        ABI_1_0, ABI_VERSION, EXT_TENSOR, MAX_DEPTH, MAX_BODY, MAX_TENSORS, LOG_ERROR, LOG_WARNING,
        LOG_INFO, LOG_DEBUG, THREADS_SERIAL, THREADS_CONCURRENT, TIMEOUT_DEFAULT, TIMEOUT_NONE));
    all
}

/// What the functions are in C, as far as a compiler compares types.
const FUNCTIONS: &str = "
const char *(*a)(void) = simplugin_version;
int32_t (*b)(uint64_t, const char *, uint64_t, const simplugin_request *, const simplugin_options *,
             simplugin_reply *, simplugin_error **) = simplugin_call;
void (*c)(simplugin_reply *) = simplugin_reply_clear;
int32_t (*d)(uint64_t, simplugin_error **) = simplugin_close;
int32_t (*e)(uint64_t *, simplugin_error **) = simplugin_cancel_new;
int32_t (*f)(uint64_t) = simplugin_cancel_fire;
int32_t (*g)(uint64_t) = simplugin_cancel_free;
int32_t (*h)(const simplugin_error *) = simplugin_error_code;
const char *(*i)(const simplugin_error *, uint64_t *) = simplugin_error_message;
const char *(*j)(const simplugin_error *) = simplugin_error_domain;
int64_t (*k)(const simplugin_error *) = simplugin_error_backend_code;
const char *(*l)(const simplugin_error *, uint64_t *) = simplugin_error_backend_message;
int32_t (*m)(const simplugin_error *) = simplugin_error_retryable;
uint64_t (*n)(const simplugin_error *) = simplugin_error_detail_count;
const char *(*o)(const simplugin_error *, uint64_t) = simplugin_error_detail_key;
const char *(*p)(const simplugin_error *, uint64_t) = simplugin_error_detail_value;
void (*q)(simplugin_error **) = simplugin_error_free;
const char *(*r)(int32_t) = simplugin_code_name;
void (*s)(void (*)(void *, int32_t, const char *, uint64_t), void *, int32_t) = simplugin_log_set;
int32_t (*t)(const char *, simplugin_backend_entry_fn, simplugin_error **) = simplugin_backend_register;
";

#[test]
fn the_headers_say_the_same() {
    let declared = declared();
    let prints: String = declared
        .iter()
        .map(|(what, _)| format!("    printf(\"%lld\\n\", (long long)({what}));\n"))
        .collect();
    let program = format!(
        "#include <simplugin.h>\n#include <stddef.h>\n#include <stdio.h>\n{FUNCTIONS}\nint main(void)\n{{\n{prints}    return 0;\n}}\n"
    );
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (directory.join("layout.c"), directory.join("layout"));
    std::fs::write(&source, program).unwrap();
    let flags =
        Command::new("pkg-config").args(["--cflags", "--libs", "simplugin"]).output().unwrap();
    let flags = String::from_utf8(flags.stdout).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = Command::new(compiler)
        .args(["-Werror", "-o"])
        .args([&binary, &source])
        .args(flags.split_whitespace())
        .status()
        .unwrap();
    assert!(compiled.success());
    let printed = Command::new(&binary).output().unwrap();
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let printed: Vec<i64> = printed.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(printed.len(), declared.len());
    for ((what, ours), theirs) in declared.iter().zip(printed) {
        assert_eq!(*ours, theirs, "{what}");
    }
}
