// SPDX-License-Identifier: Apache-2.0
//! What is written is what is read.
use simplugin_backend::plugin::code;
use simplugin_backend::{Body, Columns, Ids, Matrix, Numbers, Values};

use super::rig::{Directory, Points, ask, count, create, number, on};
use crate::metric::Metric;
use crate::opened::Opened;

fn small(name: &str) -> (Directory, Opened) {
    let directory = Directory::new(name);
    let opened = directory.open();
    create(&opened, 2, Metric::Cosine);
    (directory, opened)
}

fn row(ids: &[&str]) -> Body<'static> {
    let vectors = (0..ids.len()).flat_map(|i| [1.0, i as f32]).collect::<Vec<f32>>();
    on().with("ids", ids.iter().collect::<Ids<'_>>()).with("vectors", Matrix::owned(vectors, 2))
}

#[test]
fn vectors_and_fields_come_back() {
    let (directory, opened) = small("fields");
    let vectors = [[0.1_f32, -3e38], [f32::MIN_POSITIVE, 1e-45], [0.0, -0.0]];
    let fields = || {
        Columns::new()
            .with("page", Values::new([Some(3_i64), None, Some(i64::MIN)]))
            .with("weight", Values::new([f64::NAN, f64::NEG_INFINITY, 0.1]))
            .with("tags", Values::new([vec!["ä", ""], vec![], vec!["b"]]))
            .with("good", Values::new([true, false, true]))
    };
    let request = on()
        .with("ids", ["ä", "b", "c"].iter().collect::<Ids<'_>>())
        .with("vectors", Matrix::from(&vectors))
        .with("fields", fields());
    ask(&opened, "points.upsert", request, |_| ()).unwrap();
    drop(opened);

    let opened = directory.open();
    let request =
        on().with("ids", ["c", "none", "ä", "c"].iter().collect::<Ids<'_>>()).with("fields", true);
    ask(&opened, "points.get", request, |answer| {
        let positions = answer.get("positions").unwrap().as_tensor().unwrap();
        assert_eq!(positions.elements::<i64>().unwrap(), [0, 2, 3]);
        assert_eq!(answer.get("ids").unwrap().as_texts().unwrap(), ["c", "ä", "c"]);
        let got = answer.get("vectors").unwrap().as_tensor().unwrap();
        let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(got.row(0).unwrap()), bits(&vectors[2]));
        assert_eq!(bits(got.row(1).unwrap()), bits(&vectors[0]));
        let fields = answer.get("fields").unwrap().as_map().unwrap();
        let column = |name| fields.get(name).unwrap().as_column().unwrap();
        let pages: Vec<_> = column("page").iter().map(|x| x.and_then(|x| x.as_i64())).collect();
        assert_eq!(pages, [Some(i64::MIN), Some(3), Some(i64::MIN)]);
        assert!(column("weight").get(1).unwrap().as_f64().unwrap().is_nan());
        let tags = column("tags").get(1).unwrap().as_list().unwrap();
        assert_eq!(tags.iter().map(|x| x.as_str().unwrap()).collect::<Vec<_>>(), ["ä", ""]);
        assert_eq!(column("good").get(0).unwrap().as_bool(), Some(true));
    })
    .unwrap();

    // a type that a field does not have, and nothing of the row is written
    let request = row(&["d"]).with("fields", Columns::new().with("page", Values::new(["three"])));
    let error = ask(&opened, "points.upsert", request, |_| ()).unwrap_err();
    assert_eq!((error.code(), count(&opened)), (code::INVALID_ARGUMENT, 3));
    // no value is of any type
    let none = Values::new([None::<&str>]);
    let request = row(&["d"]).with("fields", Columns::new().with("page", none));
    assert_eq!(number(&opened, "points.upsert", request, "upserted"), 1);
}

#[test]
fn a_field_is_set_and_taken_away() {
    let (_directory, opened) = small("set");
    let fields = Columns::new()
        .with("page", Values::new([1_i64, 2]))
        .with("word", Values::new(["one", "two"]));
    ask(&opened, "points.upsert", row(&["a", "b"]).with("fields", fields), |_| ()).unwrap();
    let fields = Columns::new().with("page", Values::new([None, Some(7_i64), Some(8)]));
    let request =
        on().with("ids", ["a", "none", "b"].iter().collect::<Ids<'_>>()).with("fields", fields);
    ask(&opened, "points.set_fields", request, |answer| {
        assert_eq!(answer.get("updated").unwrap().as_i64(), Some(2));
        let positions = answer.get("positions").unwrap().as_tensor().unwrap();
        assert_eq!(positions.elements::<i64>().unwrap(), [0, 2]);
    })
    .unwrap();
    ask(&opened, "points.scan", on().with("fields", true), |answer| {
        let fields = answer.get("fields").unwrap().as_map().unwrap();
        let pages = fields.get("page").unwrap().as_column().unwrap();
        let pages: Vec<_> = pages.iter().map(|x| x.and_then(|x| x.as_i64())).collect();
        assert_eq!(pages, [None, Some(8)]);
        assert_eq!(fields.get("word").unwrap().as_texts().unwrap(), ["one", "two"]);
    })
    .unwrap();
    let request = on().with("ids", ["a"].iter().collect::<Ids<'_>>());
    let error = ask(&opened, "points.set_fields", request, |_| ()).unwrap_err();
    assert_eq!(error.code(), code::INVALID_ARGUMENT);
}

#[test]
fn existing_points_are_replaced_or_skipped_or_refused() {
    let (_directory, opened) = small("existing");
    ask(&opened, "points.upsert", row(&["a", "b"]), |_| ()).unwrap();
    let request = row(&["c", "b", "d", "a"])
        .with("existing", "skip")
        .with("rows", Numbers(vec![3_i64, 2, 1]));
    ask(&opened, "points.upsert", request, |answer| {
        assert_eq!(answer.get("upserted").unwrap().as_i64(), Some(1));
        assert_eq!(answer.get("replaced").unwrap().as_i64(), Some(0));
        let skipped = answer.get("skipped").unwrap().as_tensor().unwrap();
        assert_eq!(skipped.elements::<i64>().unwrap(), [3, 1]);
    })
    .unwrap();
    let request = row(&["e", "d"]).with("existing", "fail");
    let error = ask(&opened, "points.upsert", request, |_| ()).unwrap_err();
    assert_eq!((error.code(), count(&opened)), (code::ALREADY_EXISTS, 3));
    assert_eq!(number(&opened, "points.upsert", row(&["e", "a"]), "replaced"), 1);
    let error = ask(&opened, "points.upsert", row(&["e"]).with("existing", "ask"), |_| ());
    assert_eq!(error.unwrap_err().code(), code::INVALID_ARGUMENT);
}

#[test]
fn a_scan_brings_every_point_once() {
    let (_directory, opened) = small("scan");
    let points = Points::new(1, 1000, 2);
    points.add(&opened);
    let (mut seen, mut cursor) = (Vec::new(), None);
    for page in 0.. {
        let request = on().with("max_rows", 64).with("cursor", cursor.take());
        ask(&opened, "points.scan", request, |answer| {
            let ids = answer.get("ids").unwrap().as_texts().unwrap();
            assert!((1..=64).contains(&ids.len()));
            seen.extend(ids.iter().map(str::to_owned));
            let next = answer.get("cursor");
            cursor =
                next.map(|next| simplugin_backend::rmpv::Value::from(next.as_bytes().unwrap()));
        })
        .unwrap();
        if page == 5 {
            // one that is replaced meanwhile has been there all the time
            let mut again = Points::new(2, 1000, 2);
            again.retain(|i| i % 7 == 0);
            again.add(&opened);
        }
        if cursor.is_none() {
            break;
        }
    }
    let mut ids = points.ids;
    ids.sort();
    assert_eq!(seen, ids);

    let few = ask(&opened, "points.scan", on().with("max_bytes", 1), |answer| {
        answer.get("ids").unwrap().as_texts().unwrap().len()
    });
    assert_eq!(few.unwrap(), 1);
}

#[test]
fn nothing_is_ignored_silently() {
    let (_directory, opened) = small("keys");
    for method in ["health", "collection.list", "points.count", "points.get", "points.delete"] {
        let error = ask(&opened, method, on().with("colour", "red"), |_| ()).unwrap_err();
        assert_eq!(error.code(), code::INVALID_ARGUMENT, "{method}");
    }
    let error = ask(&opened, "native.none", on(), |_| ()).unwrap_err();
    assert_eq!(error.code(), code::UNKNOWN_METHOD);
    let wide = on()
        .with("ids", ["a"].iter().collect::<Ids<'_>>())
        .with("vectors", Matrix::from(&[[1.0_f32, 2.0, 3.0]]));
    let error = ask(&opened, "points.upsert", wide, |_| ()).unwrap_err();
    assert_eq!(error.code(), code::DIMENSION_MISMATCH);
}
