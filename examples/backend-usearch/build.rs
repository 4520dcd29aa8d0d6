// SPDX-License-Identifier: Apache-2.0
//! What the crates below export for each other is no part of the plugin.
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-cdylib-link-arg=-Wl,--exclude-libs,ALL");
}
