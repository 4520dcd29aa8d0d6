// SPDX-License-Identifier: Apache-2.0
//! Notations that stand for plain values.
use serde_json::{Map, Value, json};

pub struct Scope {
    pub variables: Map<String, Value>,
    pub directory: String,
    pub plugin_path: Value,
    pub backend: String,
    pub unique: String,
}

/// The name and argument of `{"$name": argument}`.
pub fn notation(value: &Value) -> Option<(&str, &Value)> {
    let object = value.as_object()?;
    let (name, argument) = object.iter().next()?;
    (object.len() == 1 && name.starts_with('$')).then_some((name.as_str(), argument))
}

/// Element i of the pseudo-random numbers of a seed.
pub fn random(seed: u64, i: u64) -> f64 {
    let mut z = seed.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 40) as f64 / 8_388_608.0 - 1.0
}

pub struct Random {
    pub rows: usize,
    pub cols: usize,
    pub numbers: Vec<f64>,
}

pub fn random_rows(argument: &Value) -> Random {
    let number = |key: &str, otherwise| argument[key].as_u64().unwrap_or(otherwise);
    let (rows, cols) = (number("rows", 1), number("cols", 1));
    let from = number("first", 0) * cols;
    let numbers = (from..from + rows * cols).map(|i| random(number("seed", 0), i));
    Random { rows: rows as usize, cols: cols as usize, numbers: numbers.collect() }
}

impl Scope {
    /// What is sent, or with `lists` what is compared: then matrices are arrays as well.
    pub fn expand(&self, value: &Value, lists: bool) -> Value {
        match value {
            Value::Array(values) => values.iter().map(|one| self.expand(one, lists)).collect(),
            Value::Object(object) => {
                let pairs = object.iter().map(|(key, one)| (key.clone(), self.expand(one, lists)));
                let expanded = Value::Object(pairs.collect());
                match notation(&expanded) {
                    Some((name, argument)) => self.resolve(name, argument, lists),
                    None => None,
                }
                .unwrap_or(expanded)
            }
            _ => value.clone(),
        }
    }

    fn resolve(&self, name: &str, argument: &Value, lists: bool) -> Option<Value> {
        let number = |key: &str, otherwise| argument[key].as_u64().unwrap_or(otherwise);
        Some(match (name, argument.as_str()) {
            ("$var", Some(name)) => {
                let value = self.variables.get(name);
                value.unwrap_or_else(|| panic!("the case binds no variable {name:?}")).clone()
            }
            ("$ids", _) => {
                let prefix = argument["prefix"].as_str().unwrap_or_default();
                let width = number("width", 1) as usize;
                let range = number("first", 0)..number("first", 0) + number("count", 0);
                range.map(|i| Value::from(format!("{prefix}{i:0width$}"))).collect()
            }
            ("$repeat", _) => {
                let count = number("count", 0) as usize;
                match argument["text"].as_str() {
                    Some(text) => text.repeat(count).into(),
                    None => vec![argument["value"].clone(); count].into(),
                }
            }
            ("$join", _) => {
                let parts = argument.as_array().unwrap().iter();
                parts.flat_map(|part| part.as_array().unwrap().clone()).collect()
            }
            ("$path", Some(name)) => format!("{}/{name}", self.directory).into(),
            ("$unique", Some(name)) => format!("{name}_{}", self.unique).into(),
            ("$backend", _) => self.backend.clone().into(),
            ("$plugin_path", _) => self.plugin_path.clone(),
            ("$random", _) if lists => {
                let Random { cols, numbers, .. } = random_rows(argument);
                numbers.chunks(cols).map(|row| json!(row)).collect()
            }
            ("$tensor", _) if lists => argument["data"].clone(),
            _ => return None,
        })
    }
}
