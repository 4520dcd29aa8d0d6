// SPDX-License-Identifier: Apache-2.0
//! Replies as JSON.
use serde_json::{Map, Value as Json, json};
use simplugin::{Cell, Column, Reply, Tensor, Value};

pub fn json_of(reply: &Reply) -> Json {
    map_json(reply.body())
}

pub fn map_json(map: simplugin::Map<'_>) -> Json {
    let mut object = Map::new();
    for (key, value) in map.iter() {
        if !matches!(value, Value::Nil) {
            object.insert(key.to_owned(), value_json(&value, key));
        }
    }
    Json::Object(object)
}

/// `key`: the one the value stands under.
fn value_json(value: &Value<'_>, key: &str) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Uint(value) => (*value).into(),
        Value::Float(value) => number(*value),
        Value::Text(value) => (*value).into(),
        Value::Bytes(value) => format!("<{} bytes>", value.len()).into(),
        Value::Tensor(value) => tensor_json(value, key == "vectors"),
        Value::Array(value) => value.iter().map(|one| value_json(&one, "")).collect(),
        Value::Map(map) => match value.as_column() {
            Some(column) => column_json(&column),
            None => map_json(*map),
        },
    }
}

pub fn number(number: f64) -> Json {
    if number.is_finite() {
        return number.into();
    }
    json!({"$float": if number.is_nan() { "nan" } else if number > 0.0 { "inf" } else { "-inf" }})
}

pub fn tensor_json(tensor: &Tensor<'_>, matrix: bool) -> Json {
    let rows = (0..tensor.rows()).map(|i| -> Vec<Json> {
        if let Some(row) = tensor.row::<f32>(i) {
            row.iter().map(|one| number((*one).into())).collect()
        } else if let Some(row) = tensor.row::<f64>(i) {
            row.iter().map(|one| number(*one)).collect()
        } else if let Some(row) = tensor.row::<i64>(i) {
            row.iter().map(|one| (*one).into()).collect()
        } else if let Some(row) = tensor.row::<u8>(i) {
            row.iter().map(|one| (*one).into()).collect()
        } else {
            panic!("{tensor:?} in a reply")
        }
    });
    if tensor.cols() == 1 && !matrix {
        rows.flatten().collect()
    } else {
        rows.map(Json::from).collect()
    }
}

pub fn column_json(column: &Column<'_>) -> Json {
    column.iter().map(|cell| cell.map_or(Json::Null, cell_json)).collect()
}

pub fn cell_json(cell: Cell<'_>) -> Json {
    match cell {
        Cell::Text(text) => text.into(),
        Cell::Int(value) => value.into(),
        Cell::Float(value) => number(value),
        Cell::Bool(value) => value.into(),
        Cell::List(list) => list.iter().map(cell_json).collect(),
    }
}
