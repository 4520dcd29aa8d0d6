// SPDX-License-Identifier: Apache-2.0
//! The files of cases.
use std::path::{Path, PathBuf};

use serde_json::Value;

pub struct Case {
    pub file: String,
    pub name: String,
    pub json: Value,
}

pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

pub fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (file, text) in files("tests/corpus") {
        let content: Value = serde_json::from_str(&text).unwrap();
        for one in content["cases"].as_array().unwrap() {
            let mut json = one.clone();
            if let Some(setup) = one["setup"].as_str() {
                let mut steps = content["setups"][setup].as_array().unwrap().clone();
                steps.extend(one["steps"].as_array().unwrap().iter().cloned());
                json["steps"] = steps.into();
            }
            let name = one["name"].as_str().unwrap().to_owned();
            all.push(Case { file: file.clone(), name, json });
        }
    }
    for (file, text) in files("tests/cases/filter") {
        let json = crate::filters::case_of(&serde_json::from_str(&text).unwrap());
        all.push(Case { name: format!("filters of {file}"), file, json });
    }
    all
}

fn files(directory: &str) -> Vec<(String, String)> {
    let directory = top().join(directory);
    let mut files: Vec<_> = std::fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no cases in {}", directory.display());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}
