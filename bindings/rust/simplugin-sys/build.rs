// SPDX-License-Identifier: Apache-2.0
//! Finds libsimplugin by pkg-config.

const VERSION: &str = "1.0.0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let found = pkg_config::Config::new().atleast_version(VERSION).probe("simplugin");
    if let Err(error) = found {
        let path = std::env::var("PKG_CONFIG_PATH").unwrap_or_default();
        println!("cargo::error=libsimplugin was not found.");
        eprintln!(
            "simplugin-sys needs the C library simplugin, {VERSION} or later.

Looked for: simplugin.pc, by pkg-config, in PKG_CONFIG_PATH ({}) and its own directories.
To install it, in a checkout of simplugin: ./configure && make && make install, or ./quickstart.
Installed under a prefix of its own: set PKG_CONFIG_PATH=PREFIX/lib/pkgconfig.

What pkg-config says:
{error}",
            if path.is_empty() { "not set" } else { &path }
        );
        std::process::exit(1);
    }
}
