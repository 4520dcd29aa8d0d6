// SPDX-License-Identifier: Apache-2.0
//! The functions of the crate, by the methods that they call.
use simplugin::request::*;

macro_rules! requests {
    ($($request:ident),* $(,)?) => {
        vec![$(($request::METHOD, $request::KEYS)),*]
    };
}

/// Methods and their keys.
pub fn all() -> Vec<(&'static str, &'static [&'static str])> {
    requests![
        OpenSession,
        Resolve,
        Explain,
        ListBackends,
        Describe,
        Connect,
        Health,
        BackendCall,
        CreateIndex,
        OpenIndex,
        Info,
        Add,
        SetFields,
        Remove,
        Get,
        Search,
        Radius,
        FindNeighbors,
        FindDuplicates,
        FindUnique,
        Size,
        Cleanup,
        Check,
        Compact,
        Backup,
        CreateView,
        ScanIndex,
        NextPage,
        ListRuns,
        RunInfo,
        LoadRun,
        RenameRun,
        DeleteRun,
        CopyIndex,
        CopyStep,
        Metrics,
    ]
}

/// Whatever a program may ask for has a function here, and whatever has a function is documented.
#[test]
fn every_method_and_key_of_the_protocol() {
    let page = std::fs::read_to_string(crate::load::top().join("docs/protocol.md")).unwrap();
    let table = page.split("<!-- table: application -->").nth(1).unwrap();
    let mut documented: Vec<(String, Vec<String>)> = Vec::new();
    for line in table.trim_start().lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let mut keys: Vec<String> = cells[3].split_whitespace().map(str::to_owned).collect();
        keys.sort();
        let method = cells[1].trim_matches('`').to_owned();
        // what closes is `close` of the object
        if !method.ends_with(".close") {
            documented.push((method, keys));
        }
    }
    let mut ours: Vec<(String, Vec<String>)> = all()
        .into_iter()
        .map(|(method, keys)| {
            let name = |key: &&str| if *key == "settings" { "where" } else { *key }.to_owned();
            let mut keys: Vec<String> = keys.iter().map(name).collect();
            keys.sort();
            (method.to_owned(), keys)
        })
        .collect();
    documented.sort();
    ours.sort();
    assert!(documented.len() > 30);
    assert_eq!(ours, documented);
}
