// SPDX-License-Identifier: Apache-2.0
//! What the build says where the library is not installed.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The build script that built this test.
fn build_script() -> PathBuf {
    let builds = Path::new(env!("OUT_DIR")).ancestors().nth(2).unwrap();
    let scripts = std::fs::read_dir(builds).unwrap().filter_map(|entry| {
        let directory = entry.unwrap().path();
        let is_ours = directory.file_name().unwrap().to_str()?.starts_with("simplugin-sys-");
        let script = directory.join("build-script-build");
        (is_ours && script.exists()).then_some(script)
    });
    scripts.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).unwrap()
}

#[test]
fn the_error_says_what_to_install() {
    let out = Command::new(build_script())
        .env_remove("PKG_CONFIG_PATH")
        .env("PKG_CONFIG_LIBDIR", "/nowhere")
        .env("OUT_DIR", env!("CARGO_TARGET_TMPDIR"))
        .env("TARGET", "x86_64-unknown-linux-gnu")
        .env("HOST", "x86_64-unknown-linux-gnu")
        .output()
        .unwrap();
    assert!(!out.status.success());
    let said = String::from_utf8(out.stderr).unwrap();
    for part in [
        "simplugin.pc",
        "PKG_CONFIG_PATH (not set)",
        "./configure && make && make install",
        "./quickstart",
    ] {
        assert!(said.contains(part), "{part} is not in:\n{said}");
    }
}
