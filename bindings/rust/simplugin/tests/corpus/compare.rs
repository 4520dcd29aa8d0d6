// SPDX-License-Identifier: Apache-2.0
//! What a case expects, and the matchers that say it less strictly.
use serde_json::Value;

use crate::expand::notation;

const TOLERANCE: f64 = 1e-4;

pub type Told = Result<(), String>;

/// Whether a value, or its absence, is what is expected.
pub fn compare(expected: &Value, actual: Option<&Value>, path: &str) -> Told {
    let same = match notation(expected).and_then(|(name, argument)| matcher(name, argument, actual))
    {
        Some(result) => result,
        None => match (expected, actual) {
            (Value::Null, None | Some(Value::Null)) => true,
            (_, None) => false,
            (Value::Number(e), Some(Value::Number(a))) if e.is_f64() || a.is_f64() => {
                let (e, a) = (e.as_f64().unwrap(), a.as_f64().unwrap());
                (e - a).abs() <= TOLERANCE * e.abs().max(1.0)
            }
            (Value::Object(object), Some(Value::Object(actual))) if !is_float(expected) => {
                for (key, one) in object {
                    compare(one, actual.get(key), &format!("{path}.{key}"))?;
                }
                true
            }
            (Value::Array(e), Some(Value::Array(a))) if e.len() == a.len() => {
                for (i, (e, a)) in e.iter().zip(a).enumerate() {
                    compare(e, Some(a), &format!("{path}[{i}]"))?;
                }
                true
            }
            (expected, Some(actual)) => expected == actual,
        },
    };
    if same {
        return Ok(());
    }
    let actual = actual.map_or("nothing".to_owned(), Value::to_string);
    Err(format!("{path}: expected {}, got {}", short(expected.to_string()), short(actual)))
}

fn is_float(value: &Value) -> bool {
    notation(value).is_some_and(|(name, _)| name == "$float")
}

fn short(mut text: String) -> String {
    if text.len() > 500 {
        let end = (0..=500).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        text.truncate(end);
        text.push_str("...");
    }
    text
}

fn matches(expected: &Value, actual: &Value) -> bool {
    compare(expected, Some(actual), "").is_ok()
}

/// `None` if it is no matcher.
fn matcher(name: &str, argument: &Value, actual: Option<&Value>) -> Option<bool> {
    let elements = actual.and_then(Value::as_array);
    let arguments = argument.as_array();
    let has = |one: &Value| elements.is_some_and(|all| all.iter().any(|a| matches(one, a)));
    Some(match name {
        "$absent" => actual.is_none(),
        "$any" => actual.is_some(),
        "$set" => elements.is_some_and(|all| same_set(arguments.unwrap(), all)),
        "$count" => elements.is_some_and(|all| Some(all.len() as u64) == argument.as_u64()),
        "$between" => actual.and_then(Value::as_f64).is_some_and(|number| {
            let bounds = arguments.unwrap();
            bounds[0].as_f64().unwrap() <= number && number <= bounds[1].as_f64().unwrap()
        }),
        "$containing" => {
            let part = argument.as_str().unwrap();
            actual.and_then(Value::as_str).is_some_and(|text| text.contains(part))
        }
        "$not" => actual.is_some_and(|actual| actual != argument),
        "$contains" => elements.is_some() && arguments.unwrap().iter().all(has),
        "$lacks" => elements.is_some() && !arguments.unwrap().iter().any(has),
        _ => return None,
    })
}

/// Every element of each has its own partner in the other.
fn same_set(expected: &[Value], actual: &[Value]) -> bool {
    let mut left: Vec<&Value> = actual.iter().collect();
    expected.len() == actual.len()
        && expected.iter().all(|one| {
            let partner = left.iter().position(|actual| matches(one, actual));
            partner.map(|i| left.swap_remove(i)).is_some()
        })
}

/// One list for each query, of ids or of ids and distances.
pub fn compare_hits(expected: &Value, reply: &Value) -> Told {
    let lists = expected.as_array().unwrap();
    let offsets = reply["offsets"].as_array().ok_or("the reply has no offsets")?;
    if offsets.len() != lists.len() + 1 {
        return Err(format!("hits: {} offsets for {} queries", offsets.len(), lists.len()));
    }
    for (q, list) in lists.iter().enumerate() {
        let list = list.as_array().unwrap();
        let range =
            offsets[q].as_u64().unwrap() as usize..offsets[q + 1].as_u64().unwrap() as usize;
        let ids = &reply["ids"].as_array().unwrap()[range.clone()];
        let distances = &reply["distances"].as_array().unwrap()[range];
        let wrong = || format!("hits: expected {list:?}, got {ids:?}");
        if ids.len() != list.len() {
            return Err(wrong());
        }
        for ((one, id), distance) in list.iter().zip(ids).zip(distances) {
            let pair = one.as_array();
            if pair.map_or(one, |pair| &pair[0]) != id {
                return Err(wrong());
            }
            if let Some(expected) = pair.and_then(|pair| pair.get(1)) {
                compare(expected, Some(distance), "hits.distances")?;
            }
        }
    }
    Ok(())
}
