// SPDX-License-Identifier: Apache-2.0
//! R281: fields as natural values, both ways.
use simplugin::{Cell, Columns, Kind, Values};

use crate::common::Rig;

#[test]
fn r281_all_types_and_what_is_missing() {
    let rig = Rig::new();
    let index = rig.session.create_index().send().unwrap();
    let columns = Columns::new()
        .with("page", Values::ints(&[10, -3, i64::MAX]))
        .with("weight", Values::floats(&[0.5, 1e300, -0.0]));
    index
        .add(["a", "b", "c"], &[[1.0_f32], [2.0], [3.0]])
        .fields(columns)
        .field("source", [Some("manual.pdf"), None, Some("")])
        .field("ok", vec![Some(true), Some(false), None])
        .field("tags", [Some(vec!["x", "yy"]), Some(vec![]), None])
        .field("pages", [vec![1_i64, 2], vec![], vec![-9]])
        .send()
        .unwrap();
    let points = index.get().ids(["c", "a"]).all_fields().vectors(false).send().unwrap();
    let fields = points.fields();
    assert_eq!(fields.get("page").unwrap().ints(), Some(&[i64::MAX, 10][..]));
    assert_eq!(fields.get("weight").unwrap().floats(), Some(&[-0.0, 0.5][..]));
    assert_eq!(fields.get("source").unwrap().texts().unwrap(), ["", "manual.pdf"]);
    let ok = fields.get("ok").unwrap();
    assert_eq!((ok.kind(), ok.get(0), ok.get(1)), (Kind::Bool, None, Some(Cell::Bool(true))));
    assert!(!ok.is_valid(0) && ok.is_valid(1));
    let tags = fields.get("tags").unwrap();
    assert!(tags.has_lists() && tags.get(0).is_none());
    let words = tags.get(1).unwrap().as_list().unwrap();
    assert_eq!(words.iter().collect::<Vec<_>>(), [Cell::Text("x"), Cell::Text("yy")]);
    assert!(fields.get("nothing").is_none());
    assert_eq!(points.vectors(), [0.0_f32; 0]);

    let hits = index.search().vectors(&[1.0_f32]).k(1).fields(["page"]).send().unwrap();
    assert_eq!(hits.fields().names().collect::<Vec<_>>(), ["page"]);
}

#[test]
fn r281_fields_of_points_that_are_there() {
    let rig = Rig::new();
    let index = rig.fruit();
    let set =
        index.set_fields(["plum", "nobody"]).field("color", [None::<&str>, None]).send().unwrap();
    assert_eq!((set.updated(), set.missing().get(0)), (1, Some("nobody")));
    assert_eq!(index.size().filter("exists color").send().unwrap(), 2);
    let info = index.info().send().unwrap();
    assert_eq!(info.fields().unwrap().get("color").unwrap().as_str(), Some("text"));
}

#[test]
fn ids_come_in_every_form() {
    let rig = Rig::new();
    let index = rig.session.create_index().send().unwrap();
    let owned: Vec<String> = (0..4).map(|i| format!("p{i}")).collect();
    let rows = [[0.0_f32], [1.0], [2.0], [3.0]];
    assert_eq!(index.add(&owned, &rows).send().unwrap().added(), 4);
    let added = index.add(owned.iter().map(String::as_str), &rows).send().unwrap();
    assert_eq!(added.updated(), Some(4));
    let hits = index.search().ids(["p2"]).k(2).exclude_self(true).send().unwrap();
    // ids of an answer are the ids of the next question
    let points = index.get().ids(hits.ids()).send().unwrap();
    assert_eq!(points.ids(), hits.ids().iter().collect::<Vec<_>>());
    assert_eq!(index.remove().ids(points.ids()).send().unwrap().removed(), Some(2));
}

#[test]
fn vectors_come_in_every_form() {
    let rig = Rig::new();
    let index = rig.session.create_index().metric("euclidean").send().unwrap();
    let flat = [1.0_f32, 2.0, 3.0, 4.0];
    index.add(["a", "b"], simplugin::Matrix::new(&flat, 2)).send().unwrap();
    // each row begins three numbers after the one before
    let wide = [5.0_f64, 6.0, 99.0, 7.0, 8.0];
    index.add(["c", "d"], simplugin::Matrix::strided(&wide, 2, 2, 3)).send().unwrap();
    // 1.0 and -2.0 in binary16
    index.add(["e"], simplugin::Matrix::float16(&[0x3c00, 0xc000], 2)).send().unwrap();
    index.add(["f"], &vec![9.0_f32, 9.5]).send().unwrap();
    let points = index.get().send().unwrap();
    assert_eq!((points.len(), points.dimension()), (6, 2));
    let rows: Vec<_> =
        points.ids().iter().zip(0..).map(|(id, i)| (id, points.vector(i).to_vec())).collect();
    for (id, row) in [
        ("b", [3.0, 4.0]),
        ("c", [5.0, 6.0]),
        ("d", [7.0, 8.0]),
        ("e", [1.0, -2.0]),
        ("f", [9.0, 9.5]),
    ] {
        assert!(rows.contains(&(id, row.to_vec())), "{id} in {rows:?}");
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn arrays_of_ndarray() {
    use ndarray::{Array2, array, s};
    let rig = Rig::new();
    let index = rig.session.create_index().metric("euclidean").send().unwrap();
    let rows: Array2<f32> = array![[1.0, 2.0, 0.0], [3.0, 4.0, 0.0], [5.0, 6.0, 0.0]];
    index.add(["a", "b"], rows.slice(s![..;2, ..2])).send().unwrap();
    // columns first, and backwards: copied
    let turned: Array2<f64> = array![[7.0, 8.0], [9.0, 10.0]].reversed_axes();
    index.add(["c", "d"], &turned).send().unwrap();
    index.add(["e", "f"], rows.slice(s![..2;-1, ..2])).send().unwrap();
    let points = index.get().ids(["a", "b", "c", "d", "e", "f"]).send().unwrap();
    assert_eq!(points.vectors(), [1.0, 2.0, 5.0, 6.0, 7.0, 9.0, 8.0, 10.0, 3.0, 4.0, 1.0, 2.0]);
    let hits = index.search().vectors(rows.row(0).slice(s![..2])).k(1).send().unwrap();
    assert_eq!(hits.distances(), [0.0]);
}
