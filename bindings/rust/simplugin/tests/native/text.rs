// SPDX-License-Identifier: Apache-2.0
//! R282: text queries through an embedding function.
use std::error::Error as _;

use simplugin::{ErrorKind, Matrix};

use crate::common::Rig;

/// How round and how long.
fn embed(texts: &[&str]) -> Result<Vec<Vec<f32>>, std::convert::Infallible> {
    Ok(texts
        .iter()
        .map(|text| if *text == "round" { vec![1.0, 0.0] } else { vec![0.0, 1.0] })
        .collect())
}

#[test]
fn r282_texts_are_embedded_by_the_function() {
    let rig = Rig::new();
    let index = rig.fruit();
    index.set_embedding(embed);
    let hits = index.search().text(["round", "long"]).k(1).send().unwrap();
    assert_eq!(hits.ids(), ["apple", "plum"]);
    let hits = index.search().text(["round"]).k(2).filter("color != \"red\"").send().unwrap();
    assert_eq!(hits.ids(), ["pear", "plum"]);
}

#[test]
fn r282_the_function_may_be_given_when_the_index_is_made_or_opened() {
    let rig = Rig::new();
    let create = rig.session.create_index().brain_key("fruit").model("clip").supports_prompts(true);
    let index = create.embedding(embed).send().unwrap();
    index.add(["apple"], &[1.0_f32, 0.0]).send().unwrap();
    assert_eq!(index.search().text(["round"]).send().unwrap().ids(), ["apple"]);
    let loaded = rig.session.load_run("fruit").embedding(embed).send().unwrap();
    assert_eq!(loaded.search().text(["round"]).send().unwrap().ids(), ["apple"]);
    let opened = rig.session.open_index().brain_key("fruit").embedding(embed).send().unwrap();
    assert_eq!(opened.search().text(["round"]).send().unwrap().ids(), ["apple"]);
}

#[test]
fn r282_without_a_function_the_error_names_the_model() {
    let rig = Rig::new();
    let index = rig.session.create_index().dimension(2).model("clip-vit-base32").send().unwrap();
    for texts in [vec!["round"], vec!["round", "long"]] {
        let error = index.search().text(texts).send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PromptUnsupported);
        assert_eq!(error.detail("model"), Some("clip-vit-base32"));
        assert!(error.message().contains("clip-vit-base32"));
    }
}

#[test]
fn r282_an_error_of_the_function_is_the_source() {
    let rig = Rig::new();
    let index = rig.fruit();
    index.set_embedding(|_| Err::<Vec<[f32; 2]>, _>(std::io::Error::other("no model")));
    let error = index.search().text(["round"]).send().unwrap_err();
    assert_eq!(
        (error.kind(), error.code(), error.code_name()),
        (ErrorKind::Embedding, 0, "EMBEDDING")
    );
    assert!(error.source().unwrap().downcast_ref::<std::io::Error>().is_some());
    assert!(error.to_string().contains("no model"));
}

#[test]
fn vectors_of_another_length_are_the_librarys_to_refuse() {
    let rig = Rig::new();
    let index = rig.fruit();
    index.set_embedding(|_| Ok::<_, std::io::Error>(vec![vec![1.0, 2.0, 3.0]]));
    let error = index.search().text(["round"]).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DimensionMismatch);
}

#[test]
fn r282_vectors_may_be_any_rows_that_are_owned() {
    type Never = std::convert::Infallible;
    let rig = Rig::new();
    let index = rig.fruit();
    let found = || {
        let hits = index.search().text(["round", "long"]).k(1).send().unwrap();
        hits.ids().iter().map(str::to_owned).collect::<Vec<_>>()
    };
    index.set_embedding(|_| Ok::<_, Never>(Matrix::owned(vec![1.0_f32, 0.0, 0.0, 1.0], 2)));
    assert_eq!(found(), ["apple", "plum"]);
    index.set_embedding(|_| Ok::<_, Never>(Matrix::owned(vec![0.0_f64, 1.0, 1.0, 0.0], 2)));
    assert_eq!(found(), ["plum", "apple"]);
    index.set_embedding(|_| Ok::<_, Never>(vec![[1.0_f32, 0.0], [0.0, 1.0]]));
    assert_eq!(found(), ["apple", "plum"]);
    index.set_embedding(|_| Ok::<_, Never>(vec![vec![0.0_f64, 1.0], vec![1.0, 0.0]]));
    assert_eq!(found(), ["plum", "apple"]);
    // a model's matrix, whose rows need not lie one after the other
    #[cfg(feature = "ndarray")]
    for turned in [false, true] {
        index.set_embedding(move |_| {
            let rows = ndarray::array![[0.0_f32, 1.0], [1.0, 0.0]];
            Ok::<_, Never>(if turned { rows.reversed_axes() } else { rows })
        });
        assert_eq!(found(), ["plum", "apple"]);
    }
}

#[test]
fn rows_that_make_no_matrix_are_the_librarys_to_refuse() {
    let rig = Rig::new();
    let index = rig.fruit();
    for rows in [vec![vec![], vec![]], vec![vec![1.0_f32, 0.0], vec![1.0]]] {
        index.set_embedding(move |_| Ok::<_, std::io::Error>(rows.clone()));
        index.search().text(["round", "long"]).send().unwrap_err();
    }
}
