// SPDX-License-Identifier: Apache-2.0
//! The backend as it is shipped, held to what every backend has to do.
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn conformance() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // cargo does not build the library of a crate of this type for its tests
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release"])
        .current_dir(root)
        .status();
    assert!(built.unwrap().success(), "cargo build failed");
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root.join(directory),
        None => root.join("target"),
    };
    // the file is called simplugin_NAME.so, and replaced, not written over, for it may be loaded
    let plugin = root.join("target/plugin/simplugin_@NAME@.so");
    fs::create_dir_all(plugin.parent().unwrap()).unwrap();
    _ = fs::remove_file(&plugin);
    fs::copy(target.join("release/libsimplugin_@NAME@.so"), &plugin).unwrap();
    let ran = Command::new(root.join("tests/conformance"))
        .arg(&plugin)
        .status();
    assert!(
        ran.unwrap().success(),
        "the backend does not conform: see above"
    );
}
