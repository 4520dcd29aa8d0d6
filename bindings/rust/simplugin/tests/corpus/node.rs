// SPDX-License-Identifier: Apache-2.0
//! Bodies of cases on their way to the library.
use serde_json::Value as Json;
use simplugin::{Body, Encode, Kind, Matrix, Tensor, Values, rmpv};

use crate::expand::{Random, notation, random_rows};

/// A value of a body, owning what the call borrows.
#[derive(Debug)]
pub enum Node {
    Plain(rmpv::Value),
    Array(Vec<Node>),
    Map(Vec<(String, Node)>),
    Column(Values<'static>),
    Rows(Numbers, Shape),
}

#[derive(Debug)]
pub enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    F16(Vec<u16>),
    I64(Vec<i64>),
    U64(Vec<u64>),
    I32(Vec<i32>),
    U8(Vec<u8>),
}

#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub rows: usize,
    pub cols: usize,
    /// In numbers.
    pub stride: usize,
}

/// What safe code cannot make.
#[derive(Debug)]
pub struct Impossible;

impl Node {
    pub fn plain(json: &Json) -> Result<Node, Impossible> {
        Ok(match json {
            Json::Null => Node::Plain(rmpv::Value::Nil),
            Json::Bool(value) => Node::Plain((*value).into()),
            Json::Number(number) => Node::Plain(match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => number.into(),
                (_, Some(number)) => number.into(),
                _ => number.as_f64().unwrap().into(),
            }),
            Json::String(text) => Node::Plain(text.as_str().into()),
            Json::Array(values) => {
                Node::Array(values.iter().map(Node::plain).collect::<Result<_, _>>()?)
            }
            Json::Object(object) => match notation(json) {
                Some((name, argument)) => Node::notation(name, argument)?,
                None => {
                    let pairs =
                        object.iter().map(|(key, one)| Ok((key.clone(), Node::plain(one)?)));
                    Node::Map(pairs.collect::<Result<_, _>>()?)
                }
            },
        })
    }

    /// With the arrays under ids, sample_ids, vectors and fields as tensors and columns, where
    /// they can be.
    pub fn columns(json: &Json) -> Result<Node, Impossible> {
        let Some(object) = json.as_object().filter(|_| notation(json).is_none()) else {
            return Node::plain(json);
        };
        let mut pairs = Vec::new();
        for (key, value) in object {
            let node = match key.as_str() {
                "vectors" => Node::matrix(value),
                "ids" | "sample_ids" => column_of(value)
                    .filter(|(kind, lists, _)| *kind == Kind::Text && !lists)
                    .map(|c| Node::Column(c.2)),
                "fields" if value.is_object() => Some(Node::Map(
                    value
                        .as_object()
                        .unwrap()
                        .iter()
                        .map(|(name, values)| match column_of(values) {
                            Some((.., values)) => Ok((name.clone(), Node::Column(values))),
                            None => Ok((name.clone(), Node::plain(values)?)),
                        })
                        .collect::<Result<_, _>>()?,
                )),
                _ => None,
            };
            pairs.push((key.clone(), node.map_or_else(|| Node::plain(value), Ok)?));
        }
        Ok(Node::Map(pairs))
    }

    fn notation(name: &str, argument: &Json) -> Result<Node, Impossible> {
        Ok(match name {
            "$float" => Node::Plain(float(argument).into()),
            "$random" => {
                let Random { rows, cols, numbers } = random_rows(argument);
                let shape = Shape { rows, cols, stride: cols };
                if argument["dtype"] == "float64" {
                    Node::Rows(Numbers::F64(numbers), shape)
                } else {
                    Node::Rows(
                        Numbers::F32(numbers.into_iter().map(|one| one as f32).collect()),
                        shape,
                    )
                }
            }
            "$tensor" => tensor(argument)?,
            "$column" => {
                let (kind, lists) = Kind::named(argument["type"].as_str().unwrap()).unwrap();
                let values = argument["values"].as_array().unwrap();
                Node::Column(filled(kind, lists, values).expect("values of the column's type"))
            }
            "$bytes" => Node::Plain(hex(argument.as_str().unwrap()).into()),
            "$text" => match String::from_utf8(hex(argument.as_str().unwrap())) {
                Ok(text) => Node::Plain(text.into()),
                Err(_) => return Err(Impossible),
            },
            "$nest" => {
                if argument.as_u64().unwrap() > 1000 {
                    return Err(Impossible); // rmpv's values are built and freed recursively
                }
                let nested = (0..argument.as_u64().unwrap())
                    .fold(rmpv::Value::Nil, |inner, _| rmpv::Value::Array(vec![inner]));
                Node::Plain(nested)
            }
            "$ext" => return Err(Impossible),
            _ => panic!("unknown notation {name}"),
        })
    }

    /// A matrix of an array of arrays of numbers, all as long.
    pub fn matrix(json: &Json) -> Option<Node> {
        let rows = json.as_array().filter(|rows| !rows.is_empty())?;
        let cols = rows[0].as_array().filter(|row| !row.is_empty())?.len();
        let mut numbers = Vec::with_capacity(rows.len() * cols);
        for row in rows {
            let row = row.as_array().filter(|row| row.len() == cols)?;
            for one in row {
                numbers.push(special(one)? as f32);
            }
        }
        Some(Node::Rows(Numbers::F32(numbers), Shape { rows: rows.len(), cols, stride: cols }))
    }
}

pub fn special(json: &Json) -> Option<f64> {
    match notation(json) {
        Some(("$float", argument)) => Some(float(argument)),
        _ => json.as_f64(),
    }
}

fn float(argument: &Json) -> f64 {
    match argument.as_str() {
        None => argument.as_f64().unwrap(),
        Some("nan") => f64::NAN,
        Some("-inf") => f64::NEG_INFINITY,
        Some(_) => f64::INFINITY,
    }
}

pub fn hex(text: &str) -> Vec<u8> {
    let digit = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn tensor(argument: &Json) -> Result<Node, Impossible> {
    if argument.get("claim").is_some() || argument.get("misaligned").is_some() {
        return Err(Impossible);
    }
    let data = argument["data"].as_array().unwrap();
    let nested = data.first().is_some_and(Json::is_array);
    let cols = if nested { data[0].as_array().unwrap().len() } else { 1 };
    let flat: Vec<&Json> = match nested {
        true => data.iter().flat_map(|row| row.as_array().unwrap()).collect(),
        false => data.iter().collect(),
    };
    let dtype = match argument.get("dtype") {
        None => "float32",
        Some(name) => name.as_str().ok_or(Impossible)?,
    };
    let size = match dtype {
        "float16" => 2,
        "float32" | "int32" => 4,
        "uint8" | "bits" => 1,
        _ => 8,
    };
    let stride = argument["row_stride"].as_u64().map_or(cols, |bytes| bytes as usize / size);
    if argument["row_stride"].as_u64().is_some_and(|bytes| bytes as usize % size != 0)
        || stride < cols
    {
        return Err(Impossible);
    }
    let shape = Shape { rows: data.len(), cols, stride };
    fn spread<T: Copy + Default>(flat: &[&Json], shape: Shape, one: impl Fn(&Json) -> T) -> Vec<T> {
        let mut all = vec![T::default(); shape.rows * shape.stride];
        for (i, json) in flat.iter().enumerate() {
            all[i / shape.cols * shape.stride + i % shape.cols] = one(json);
        }
        all
    }
    let float = |json: &Json| special(json).unwrap();
    let int =
        |json: &Json| json.as_i64().unwrap_or_else(|| json.as_bool().unwrap_or_default().into());
    let numbers = match dtype {
        "float32" => Numbers::F32(spread(&flat, shape, |one| float(one) as f32)),
        "float64" => Numbers::F64(spread(&flat, shape, float)),
        "float16" => Numbers::F16(spread(&flat, shape, |one| half(float(one)))),
        "int64" => Numbers::I64(spread(&flat, shape, int)),
        "uint64" => Numbers::U64(spread(&flat, shape, |one| int(one) as u64)),
        "int32" => Numbers::I32(spread(&flat, shape, |one| int(one) as i32)),
        "uint8" => Numbers::U8(spread(&flat, shape, |one| int(one) as u8)),
        _ => return Err(Impossible),
    };
    Ok(Node::Rows(numbers, shape))
}

/// Enough of binary16 for the numbers that cases write.
fn half(number: f64) -> u16 {
    let bits = (number as f32).to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let exponent = (bits >> 23 & 0xff) as i32 - 127 + 15;
    match number {
        _ if number.is_nan() => 0x7e00,
        _ if number.abs() >= 65520.0 => sign | 0x7c00,
        _ if exponent <= 0 => sign | (number.abs() * 16_777_216.0) as u16,
        _ => sign | (exponent as u16) << 10 | (bits >> 13 & 0x3ff) as u16,
    }
}

/// The column that an array of values makes, if it makes one.
pub fn column_of(json: &Json) -> Option<(Kind, bool, Values<'static>)> {
    let values = json.as_array()?;
    let present: Vec<&Json> = values.iter().filter(|value| !value.is_null()).collect();
    let lists = present.iter().any(|value| value.is_array());
    if lists && !present.iter().all(|value| value.is_array()) {
        return None;
    }
    let mut kind = None;
    let mut join = |one: &Json| -> Option<()> {
        let found = match one {
            Json::String(_) => Kind::Text,
            Json::Bool(_) => Kind::Bool,
            Json::Number(number) if number.is_f64() => Kind::Float,
            Json::Number(_) => Kind::Int,
            _ => return None,
        };
        kind = match (kind, found) {
            (None, found) => Some(found),
            (Some(Kind::Int), Kind::Float) | (Some(Kind::Float), Kind::Int) => Some(Kind::Float),
            (Some(before), found) if before == found => Some(found),
            _ => return None,
        };
        Some(())
    };
    for value in present {
        match value.as_array() {
            Some(list) => list.iter().try_for_each(&mut join)?,
            None => join(value)?,
        }
    }
    let kind = kind?;
    Some((kind, lists, filled(kind, lists, values)?))
}

/// A column of natural values.
fn filled(kind: Kind, lists: bool, values: &[Json]) -> Option<Values<'static>> {
    fn of<T>(values: &[Json], one: impl Fn(&Json) -> Option<T>) -> Option<Vec<Option<T>>> {
        values
            .iter()
            .map(|value| if value.is_null() { Some(None) } else { one(value).map(Some) })
            .collect()
    }
    fn list<T>(one: impl Fn(&Json) -> Option<T>) -> impl Fn(&Json) -> Option<Vec<T>> {
        move |value| value.as_array()?.iter().map(&one).collect()
    }
    let text = |value: &Json| value.as_str().map(str::to_owned);
    Some(match (kind, lists) {
        (Kind::Text, false) => Values::new(of(values, text)?),
        (Kind::Int, false) => Values::new(of(values, Json::as_i64)?),
        (Kind::Float, false) => Values::new(of(values, special)?),
        (Kind::Bool, false) => Values::new(of(values, Json::as_bool)?),
        (Kind::Text, true) => Values::new(of(values, list(text))?),
        (Kind::Int, true) => Values::new(of(values, list(Json::as_i64))?),
        (Kind::Float, true) => Values::new(of(values, list(special))?),
        (Kind::Bool, true) => Values::new(of(values, list(Json::as_bool))?),
    })
}

/// What a function that takes vectors is given.
pub fn matrix(node: &Node) -> Option<Matrix<'_>> {
    let Node::Rows(numbers, Shape { rows, cols, stride }) = node else { return None };
    match numbers {
        Numbers::F32(data) if stride == cols => Some(Matrix::new(data, *cols)),
        Numbers::F32(data) => Some(Matrix::strided(data, *rows, *cols, *stride)),
        Numbers::F64(data) => Some(Matrix::strided(data, *rows, *cols, *stride)),
        Numbers::F16(data) if stride == cols => Some(Matrix::float16(data, *cols)),
        _ => None,
    }
}

impl<'a> Encode<'a> for &'a Node {
    fn encode(self, body: &mut Body<'a>) {
        match self {
            Node::Plain(value) => value.encode(body),
            Node::Array(values) => {
                body.write_array(values.len() as u32);
                values.iter().for_each(|one| one.encode(body));
            }
            Node::Map(pairs) => {
                body.write_map(pairs.len() as u32);
                for (key, one) in pairs {
                    body.write_str(key);
                    one.encode(body);
                }
            }
            Node::Column(values) => values.clone().encode(body),
            Node::Rows(numbers, Shape { rows, cols, stride }) => match (matrix(self), numbers) {
                (Some(matrix), _) => matrix.encode(body),
                (_, Numbers::I64(data)) if stride == cols => {
                    Tensor::new(data, *rows, *cols).encode(body)
                }
                (_, Numbers::U64(data)) if stride == cols => {
                    Tensor::new(data, *rows, *cols).encode(body)
                }
                (_, Numbers::I32(data)) if stride == cols => {
                    Tensor::new(data, *rows, *cols).encode(body)
                }
                (_, Numbers::U8(data)) if stride == cols => {
                    Tensor::new(data, *rows, *cols).encode(body)
                }
                _ => panic!("a tensor with gaps"),
            },
        }
    }
}
