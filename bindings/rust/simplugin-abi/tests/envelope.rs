// SPDX-License-Identifier: Apache-2.0
//! Bodies written and read again, and bytes that are none.
#![allow(missing_docs)]

use simplugin_abi::*;

fn column<'b>(body: &'b Body<'_>, key: &str) -> Column<'b> {
    body.map().get(key).unwrap().as_column().unwrap()
}

#[test]
fn scalars() {
    let body = Body::new()
        .with("nil", ())
        .with("yes", true)
        .with("low", i64::MIN)
        .with("high", u64::MAX)
        .with("small", -5)
        .with("float", 0.1)
        .with("text", "Ω😀")
        .with("long", "x".repeat(70_000))
        .with("bytes", rmpv::Value::Binary(vec![0, 255]))
        .with("list", vec![Some("a"), None])
        .with("map", std::collections::BTreeMap::from([("k", vec![1.5, 2.5])]));
    let map = body.map();
    assert_eq!(map.len(), 11);
    assert!(map.get("nil").is_none() && map.get("nobody").is_none());
    assert_eq!(map.get("yes").unwrap().as_bool(), Some(true));
    assert_eq!(map.get("low").unwrap().as_i64(), Some(i64::MIN));
    assert_eq!(
        (map.get("low").unwrap().as_u64(), map.get("high").unwrap().as_u64()),
        (None, Some(u64::MAX))
    );
    assert_eq!(map.get("high").unwrap().as_i64(), None);
    assert_eq!(map.get("small").unwrap().as_f64(), Some(-5.0));
    assert_eq!(map.get("float").unwrap().as_f64(), Some(0.1));
    assert_eq!(map.get("text").unwrap().as_str(), Some("Ω😀"));
    assert_eq!(map.get("long").unwrap().as_str().unwrap().len(), 70_000);
    assert_eq!(map.get("bytes").unwrap().as_bytes(), Some(&[0, 255][..]));
    let list: Vec<_> =
        map.get("list").unwrap().as_array().unwrap().iter().map(|one| one.as_str()).collect();
    assert_eq!(list, [Some("a"), None]);
    let inner = map.get("map").unwrap().as_map().unwrap().get("k").unwrap().to_owned();
    assert_eq!(inner, rmpv::Value::Array(vec![1.5.into(), 2.5.into()]));
    assert!(map.get("text").unwrap().as_map().is_none());
}

#[test]
fn maps_that_are_added_to() {
    let mut body = Body::new().with("first", 1);
    body.add("open", "a", 1);
    body.set("second", 2);
    body.add("open", "b", "two");
    body.add_all::<&str, ()>("empty", []);
    let request = body.request();
    assert_eq!(request.tensor_count, 0);
    let map = body.map();
    assert_eq!(
        map.iter().map(|(key, _)| key).collect::<Vec<_>>(),
        ["first", "second", "open", "empty"]
    );
    let open = map.get("open").unwrap().as_map().unwrap();
    assert_eq!((open.len(), open.get("b").unwrap().as_str()), (2, Some("two")));
    assert!(map.get("empty").unwrap().as_map().unwrap().is_empty());
    assert_eq!(
        format!("{map:?}"),
        r#"{"first": Int(1), "second": Int(2), "open": Map({"a": Int(1), "b": Text("two")}), "empty": Map({})}"#
    );
}

#[test]
fn an_empty_body_is_nothing() {
    let mut body = Body::new().with("absent", None::<&str>);
    let request = body.request();
    assert!(request.body.is_null() && request.body_size == 0 && request.tensors.is_null());
    assert!(body.is_empty() && body.map().is_empty());
}

#[test]
fn vectors_stay_where_they_are() {
    let rows = [[1.0_f32, 2.0], [3.0, 4.0]];
    let wide = [1.0_f64, 2.0, 9.0, 3.0, 4.0];
    let half = [0x3c00_u16];
    let mut body = Body::new()
        .with("rows", Matrix::from(&rows))
        .with("wide", Matrix::strided(&wide, 2, 2, 3))
        .with("half", Matrix::float16(&half, 1))
        .with("owned", Matrix::owned(vec![5.0_f32, 6.0], 2));
    // SAFETY: as many tensors as it says.
    let tensors = unsafe {
        let request = body.request();
        std::slice::from_raw_parts(request.tensors, request.tensor_count as usize)
    };
    assert_eq!(tensors[0].data, rows.as_ptr().cast());
    assert_eq!((tensors[1].data, tensors[1].row_stride), (wide.as_ptr().cast(), 24));
    assert_eq!((tensors[2].data, tensors[2].dtype), (half.as_ptr().cast(), plugin::dtype::FLOAT16));
    let map = body.map();
    let tensor = |key| map.get(key).unwrap().as_tensor().unwrap();
    assert_eq!(tensor("rows").elements(), Some(&[1.0_f32, 2.0, 3.0, 4.0][..]));
    assert_eq!(tensor("wide").elements::<f64>(), None, "there are gaps");
    assert_eq!(tensor("wide").row(1), Some(&[3.0_f64, 4.0][..]));
    assert_eq!(tensor("wide").row::<f32>(1), None);
    assert_eq!(tensor("wide").row::<f64>(2), None);
    assert_eq!(tensor("owned").elements(), Some(&[5.0_f32, 6.0][..]));
    let mut copy = [0.0_f64; 4];
    assert_eq!(tensor("wide").bytes(), 32);
    // SAFETY: there are 32 bytes.
    unsafe { tensor("wide").copy_to(copy.as_mut_ptr().cast()) };
    assert_eq!(copy, [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn shapes_that_are_none() {
    let numbers = [1.0_f32; 5];
    let fails =
        |work: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err();
    assert!(fails(&|| _ = Matrix::new(&numbers, 2)));
    assert!(fails(&|| _ = Matrix::new(&numbers, 0)));
    assert!(fails(&|| _ = Matrix::strided(&numbers, 3, 2, 2)));
    assert!(fails(&|| _ = Matrix::strided(&numbers, 2, 3, 2)));
    assert!(fails(&|| _ = Matrix::strided(&numbers, usize::MAX, 1, usize::MAX)));
    assert!(fails(&|| _ = Tensor::new(&[1_i64, 2, 3], 2, 2)));
    assert_eq!(Matrix::new::<f32>(&[], 0).rows(), 0);
    assert_eq!(Matrix::strided(&numbers, 2, 2, 3).rows(), 2);
}

#[test]
fn columns_of_every_type() {
    let (ints, floats) = ([1, -2, i64::MAX], [0.5, f64::NAN]);
    let body = Body::new()
        .with("ints", Values::ints(&ints))
        .with("floats", Values::floats(&floats))
        .with("text", Values::new(["a", "", "Ω"]))
        .with("holes", Values::new([None, Some(String::from("b")), None]))
        .with("bools", Values::new([true, false]))
        .with("lists", Values::new([Some(vec!["x", "yy"]), None, Some(vec![])]))
        .with("pairs", Values::new([[1_i64, 2], [3, 4]]))
        .with("none", Values::new::<[f32; 0]>([]));
    assert_eq!(column(&body, "ints").ints().unwrap().as_ptr(), ints.as_ptr(), "not copied");
    assert_eq!(column(&body, "floats").floats().unwrap().as_ptr(), floats.as_ptr());
    assert_eq!(column(&body, "text").texts().unwrap(), ["a", "", "Ω"]);
    let holes = column(&body, "holes");
    assert!(holes.texts().is_none());
    assert_eq!(holes.iter().collect::<Vec<_>>(), [None, Some(Cell::Text("b")), None]);
    assert_eq!(column(&body, "bools").get(1), Some(Cell::Bool(false)));
    let lists = column(&body, "lists");
    assert_eq!(format!("{lists:?}"), r#"[Some(["x", "yy"]), None, Some([])]"#);
    assert_eq!((lists.len(), lists.kind(), lists.has_lists()), (3, Kind::Text, true));
    assert_eq!(column(&body, "pairs").get(1).unwrap().as_list().unwrap().len(), 2);
    assert!(column(&body, "none").is_empty());
    let owned = body.map().get("holes").unwrap().to_owned();
    assert_eq!(owned, rmpv::Value::Array(vec![rmpv::Value::Nil, "b".into(), rmpv::Value::Nil]));
}

#[test]
fn what_is_missing_at_every_place() {
    for count in 0..40 {
        for missing in 0..count {
            let values = (0..count).map(|i| if i == missing { None } else { Some(i) });
            let body = Body::new().with("c", Values::new(values.clone()));
            let read = column(&body, "c");
            assert_eq!(read.len(), count as usize);
            assert!(read.iter().eq(values.map(|value| value.map(Cell::Int))));
        }
    }
}

#[test]
fn columns_that_are_filled_value_by_value() {
    let source = Body::new().with("c", Values::new([Some(vec![1.5]), None, Some(vec![])]));
    let read = column(&source, "c");
    let (mut again, mut owned) =
        (Values::empty(Kind::Float, true), Values::empty(Kind::Float, true));
    for cell in read.iter() {
        again.push(cell);
        owned.push_owned(&cell.map_or(rmpv::Value::Nil, Into::into));
    }
    let body = Body::new().with("again", again).with("owned", owned);
    assert_eq!(format!("{:?}", column(&body, "again")), format!("{read:?}"));
    assert_eq!(format!("{:?}", column(&body, "owned")), format!("{read:?}"));
    let mut grown = Values::ints(&[7]);
    grown.push(None);
    grown.push(Some(Cell::Int(8)));
    let body = Body::new().with("c", grown);
    assert!(column(&body, "c").iter().eq([Some(Cell::Int(7)), None, Some(Cell::Int(8))]));
}

#[test]
fn ids() {
    let ids: Ids<'_> = ["apple", "pear"].into_iter().collect();
    assert_eq!((ids.len(), ids.is_empty()), (2, false));
    let body = Body::new().with("ids", ids);
    let texts = body.map().get("ids").unwrap().as_texts().unwrap();
    assert_eq!(texts, ["apple", "pear"]);
    assert_eq!(texts.iter().rev().collect::<Vec<_>>(), ["pear", "apple"]);
    assert_eq!(texts.range(1..2), ["pear"]);
    assert!(texts.range(2..2).is_empty());
    let again = Body::new().with("ids", texts).with("none", Texts::default());
    assert_eq!(
        again.map().get("ids").unwrap().as_texts().unwrap(),
        texts.iter().collect::<Vec<_>>()
    );
    assert!(again.map().get("none").unwrap().as_texts().unwrap().is_empty());
}

#[test]
fn texts_that_are_none() {
    assert!(Texts::new("Ωa", &[0, 1, 3]).is_none(), "in the middle of a character");
    assert!(Texts::new("ab", &[0, 2, 1]).is_none());
    assert!(Texts::new("ab", &[-1, 2]).is_none());
    assert!(Texts::new("ab", &[0, 3]).is_none());
    assert!(Texts::new("ab", &[]).unwrap().is_empty());
    assert_eq!(Texts::new("ab", &[0, 1]).unwrap().get(usize::MAX), None);
}

/// A column of tensors as they are given.
fn map_of(kind: &str, tensors: &[(&str, Tensor<'_>)]) -> Result<usize, &'static str> {
    let mut body = Body::new();
    body.set("type", kind.to_owned());
    for (key, tensor) in tensors {
        body.set(key, *tensor);
    }
    Column::read(&body.map()).map(|column| column.len())
}

#[test]
fn columns_that_disagree_with_themselves() {
    let text = Tensor::new(b"ab", 1, 2);
    let (two, far, falls) = ([0_i64, 1, 2], [0_i64, 9], [0_i64, 2, 1]);
    let ints = Tensor::new(&two, 3, 1);
    assert_eq!(map_of("text", &[("values", text), ("offsets", ints)]), Ok(2));
    map_of("text", &[("values", text)]).unwrap_err();
    map_of("text", &[("values", text), ("offsets", Tensor::new(&far, 2, 1))]).unwrap_err();
    map_of("text", &[("values", text), ("offsets", Tensor::new(&falls, 3, 1))]).unwrap_err();
    map_of("text", &[("values", text), ("offsets", Tensor::new(&falls[..0], 0, 1))]).unwrap_err();
    map_of("text", &[("values", Tensor::new(&[0xc3, 0x28], 1, 2)), ("offsets", ints)]).unwrap_err();
    assert_eq!(map_of("int64", &[("values", ints)]), Ok(3));
    map_of("int64", &[("values", ints), ("offsets", ints)]).unwrap_err();
    map_of("float64", &[("values", ints)]).unwrap_err();
    map_of("bool", &[("values", ints)]).unwrap_err();
    map_of("nonsense", &[("values", ints)]).unwrap_err();
    assert_eq!(map_of("list<int64>", &[("values", ints), ("lists", ints)]), Ok(2));
    map_of("list<int64>", &[("values", ints)]).unwrap_err();
    map_of("list<int64>", &[("values", ints), ("lists", Tensor::new(&far, 2, 1))]).unwrap_err();
    map_of("int64", &[("values", ints), ("valid", ints)]).unwrap_err();
    map_of("int64", &[]).unwrap_err();
}

/// Reads everything that can be read of a body.
fn walk(body: Map<'_>) -> usize {
    fn inside(value: &Value<'_>) -> usize {
        _ = value.as_column().map(|column| column.iter().count());
        1 + match value {
            Value::Array(array) => array.iter().map(|one| inside(&one)).sum(),
            Value::Map(map) => map.iter().map(|(_, one)| inside(&one)).sum(),
            _ => 0,
        }
    }
    _ = Value::Map(body).to_owned();
    inside(&Value::Map(body))
}

#[test]
fn bytes_that_are_no_body() {
    let rows = [[1.0_f32, 2.0]];
    let mut good = Body::new()
        .with("ids", ["a", "b"].into_iter().collect::<Ids<'_>>())
        .with("vectors", Matrix::from(&rows))
        .with("fields", Columns::new().with("f", Values::new([Some(vec![1_i64]), None])))
        .with("n", vec![1, 200, 70_000])
        .with("t", "some text")
        .with("x", 1.5);
    let request = good.request();
    // SAFETY: as large as it says.
    let bytes =
        unsafe { std::slice::from_raw_parts(request.body, request.body_size as usize) }.to_vec();
    let tensors = good.tensors();
    for cut in 0..bytes.len() {
        walk(Map::new(&bytes[..cut], tensors));
    }
    // every byte as every head there is, with all tensors and with none
    for at in 0..bytes.len() {
        let mut wrong = bytes.clone();
        for byte in [0, 1, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xe0, 0xff]
            .into_iter()
            .chain(0xc0..=0xdf)
        {
            wrong[at] = byte;
            walk(Map::new(&wrong, if byte % 2 == 0 { tensors } else { &[] }));
        }
    }
    // nested deeper than anybody may
    let mut deep = vec![0x81, 0xa1, b'k'];
    deep.extend([0x91; 100_000]);
    deep.push(0xc0);
    assert!(walk(Map::new(&deep, &[])) < 40);
    // counts of what is not there
    for head in [0xdc_u8, 0xdd, 0xde, 0xdf, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xd9, 0xdb] {
        walk(Map::new(&[0x81, 0xa1, b'k', head, 255, 255, 255, 255], &[]));
    }
    // a key that is no text, and a body that is no map
    assert_eq!(Map::new(&[0x81, 0x01, 0x01], &[]).iter().count(), 0);
    assert!(Map::new(&[0x91, 0x01], &[]).is_empty());
}

#[test]
fn a_body_that_is_written_already_takes_more_keys() {
    let long: Vec<(String, u32)> = (0..20).map(|i| (format!("k{i}"), i)).collect();
    let heads: [&[u8]; 3] = [&[0x81], &[0xde, 0, 1], &[0xdf, 0, 0, 0, 1]];
    for head in heads {
        let mut bytes = head.to_vec();
        bytes.extend_from_slice(b"\xa1a\x01");
        let numbers = [1.5_f32, 2.5];
        let mut body = Body::from_bytes(bytes.clone());
        assert_eq!(body.map().len(), 1);
        body.set("absent", None::<bool>);
        body.set("b", Matrix::new(&numbers, 2));
        body.add("open", "c", "three");
        for (key, value) in &long {
            body.set(key, *value);
        }
        body.request();
        let map = body.map();
        assert_eq!(map.len(), 23);
        assert_eq!(map.iter().count(), 23);
        assert_eq!(map.get("a").unwrap().as_i64(), Some(1));
        assert_eq!(map.get("b").unwrap().as_tensor().unwrap().row(0), Some(&numbers[..]));
        assert_eq!(
            map.get("open").unwrap().as_map().unwrap().get("c").unwrap().as_str(),
            Some("three")
        );
        assert_eq!(map.get("k19").unwrap().as_u64(), Some(19));
        // untouched it stays as it is
        let mut body = Body::from_bytes(bytes.clone());
        let request = body.request();
        assert_eq!(request.body_size, bytes.len() as u64);
    }
    let mut body = Body::from_bytes(Vec::new());
    body.set("a", 1);
    assert_eq!(body.map().len(), 1);
}

#[test]
fn what_is_no_map_takes_none() {
    let broken: [&[u8]; 6] =
        [b"\x07", b"\xa3abc", b"\xc1", b"\xde\x00", b"\xdf\x00\x00\x00", b"\x92\x01\x02"];
    for bytes in broken {
        let mut body = Body::from_bytes(bytes.to_vec());
        body.set("a", 1);
        let request = body.request();
        // SAFETY: the request points into the body, which is there.
        let sent = unsafe { std::slice::from_raw_parts(request.body, request.body_size as usize) };
        assert!(sent.starts_with(bytes), "it is sent, for the library to refuse");
    }
}

#[test]
fn debug_shows_keys_and_sizes_and_no_values() {
    let numbers = [1.5_f32, 2.5];
    let mut body = Body::new()
        .with("password", "hunter2")
        .with("pin", 4711)
        .with("float", 47.11)
        .with("bytes", rmpv::Value::Binary(b"hunter2".to_vec()))
        .with("list", ["hunter2", "4711"])
        .with("map", std::collections::BTreeMap::from([("token", "hunter2")]))
        .with("matrix", Matrix::new(&numbers, 2))
        .with("ids", ["hunter2"].into_iter().collect::<Ids>());
    body.add("parameters", "api_key", "hunter2");
    let shown = format!("{body:?} {body:#?}");
    for secret in ["hunter2", "4711", "47.11", "104, 117"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for said in [
        "password",
        "text of 7 bytes",
        "list",
        "array of 2",
        "map of 1",
        "1 x 2 float32",
        "parameters",
    ] {
        assert!(shown.contains(said), "no {said} in {shown}");
    }
}

/// Rows that a matrix owns lie where they lay.
#[test]
fn owned_rows_are_not_copied() {
    let rows = vec![[1.0_f32, 2.0], [3.0, 4.0]];
    let flat = vec![1.0_f64, 2.0, 3.0, 4.0];
    let at = [rows.as_ptr() as usize, flat.as_ptr() as usize];
    let body = Body::new().with("rows", Matrix::from(rows)).with("flat", Matrix::owned(flat, 2));
    let map = body.map();
    let tensor = |key| map.get(key).unwrap().as_tensor().unwrap();
    assert_eq!(tensor("rows").row(1), Some(&[3.0_f32, 4.0][..]));
    assert_eq!(tensor("rows").row::<f32>(0).unwrap().as_ptr() as usize, at[0]);
    assert_eq!(tensor("flat").row::<f64>(0).unwrap().as_ptr() as usize, at[1]);
    assert_eq!((tensor("rows").rows(), tensor("rows").cols()), (2, 2));
}
