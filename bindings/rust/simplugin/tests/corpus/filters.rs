// SPDX-License-Identifier: Apache-2.0
//! Truth tables of the filter language, as cases.
use serde_json::{Value, json};

pub fn case_of(table: &Value) -> Value {
    let rows = table["rows"].as_array().unwrap();
    let mut steps = vec![json!({
        "call": "index.create", "body": {"dimension": 1, "metric": "euclidean"}, "bind": {"index": "ix"}
    })];
    if !rows.is_empty() {
        let ids: Vec<_> = rows.iter().map(|row| row["id"].clone()).collect();
        let vectors: Vec<_> = (0..rows.len()).map(|i| json!([i])).collect();
        let fields = table["types"].as_object().unwrap().iter().map(|(name, kind)| {
            let values: Vec<_> = rows.iter().map(|row| plain(&row["fields"][name])).collect();
            (name.clone(), json!({"$column": {"type": kind, "values": values}}))
        });
        let fields = Value::Object(fields.collect());
        steps.push(json!({
            "call": "index.add", "target": "$ix", "body": {"ids": ids, "vectors": vectors, "fields": fields}
        }));
    }
    for one in table["cases"].as_array().unwrap() {
        steps.extend(steps_of(one));
    }
    json!({"needs": table["needs"], "steps": steps})
}

/// A search that accepts every row, and a count; or the error of both.
fn steps_of(one: &Value) -> Vec<Value> {
    let filter = &one["filter"];
    if let Some(ids) = one["ids"].as_array() {
        return vec![
            json!({"call": "index.search", "target": "$ix",
                   "body": {"vectors": [[0]], "k": 100, "filter": filter}, "expect": {"ids": {"$set": ids}}}),
            json!({"call": "index.size", "target": "$ix", "body": {"filter": filter}, "expect": {"size": ids.len()}}),
        ];
    }
    let error = &one["error"];
    vec![
        json!({"call": "index.search", "target": "$ix", "body": {"vectors": [[0]], "filter": filter},
                "error": {"code": error["code"], "details": {"argument": "filter"},
                          "message_contains": [format!("column {}", error["column"])]}}),
    ]
}

/// `{"int64": TEXT}` and `{"float64": TEXT}` stand for numbers that JSON cannot be trusted with.
fn plain(value: &Value) -> Value {
    if let Some(list) = value.as_array() {
        return list.iter().map(plain).collect();
    }
    if let Some(text) = value["int64"].as_str() {
        return text.parse::<i64>().unwrap().into();
    }
    match value["float64"].as_str() {
        None => value.clone(),
        Some("NaN") => json!({"$float": "nan"}),
        Some("Infinity") => json!({"$float": "inf"}),
        Some("-Infinity") => json!({"$float": "-inf"}),
        Some(number) => number.parse::<f64>().unwrap().into(),
    }
}
