// SPDX-License-Identifier: Apache-2.0
//! Columns that came in.
use std::fmt;

use crate::{Map, Tensor, Texts, Value};

/// What the values of a column are, or the elements of its lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `text`
    Text,
    /// `int64`
    Int,
    /// `float64`
    Float,
    /// `bool`
    Bool,
}

impl Kind {
    /// The protocol's name of the type of a column.
    pub const fn name(self, lists: bool) -> &'static str {
        match (self, lists) {
            (Kind::Text, false) => "text",
            (Kind::Int, false) => "int64",
            (Kind::Float, false) => "float64",
            (Kind::Bool, false) => "bool",
            (Kind::Text, true) => "list<text>",
            (Kind::Int, true) => "list<int64>",
            (Kind::Float, true) => "list<float64>",
            (Kind::Bool, true) => "list<bool>",
        }
    }

    /// The type of that name, and whether it is one of lists.
    pub fn named(name: &str) -> Option<(Kind, bool)> {
        let kinds = [Kind::Text, Kind::Int, Kind::Float, Kind::Bool];
        let mut types = kinds.iter().flat_map(|kind| [(*kind, false), (*kind, true)]);
        types.find(|(kind, lists)| kind.name(*lists) == name)
    }
}

/// The values of one field, a row for each point; some may be missing.
#[derive(Clone, Copy)]
pub struct Column<'a> {
    kind: Kind,
    rows: usize,
    elements: Elements<'a>,
    lists: Option<&'a [i64]>,
    valid: Option<&'a [u8]>,
}

#[derive(Clone, Copy)]
enum Elements<'a> {
    Texts(Texts<'a>),
    Ints(&'a [i64]),
    Floats(&'a [f64]),
    Bools(&'a [u8]),
}

impl<'a> Column<'a> {
    /// Reads a column, or says what is wrong with it.
    pub fn read(map: &Map<'a>) -> Result<Self, &'static str> {
        let tensor = |key| match map.get(key) {
            None => Ok(None),
            Some(Value::Tensor(tensor)) => Ok(Some(tensor)),
            Some(_) => Err("values, offsets, lists and valid are tensors"),
        };
        let name = match map.get("type") {
            None => "text",
            Some(value) => value.as_str().ok_or("a column's type is text")?,
        };
        let (kind, is_list) = Kind::named(name).ok_or("unknown column type")?;
        let values = tensor("values")?.ok_or("a column needs the tensor \"values\"")?;
        let elements = Elements::read(kind, &values, tensor("offsets")?)?;
        let mut rows = elements.len();
        let mut lists = None;
        if is_list {
            let ends: &[i64] = ints(tensor("lists")?, "lists need \"lists\": int64")?;
            let inside = |at: &i64| usize::try_from(*at).is_ok_and(|at| at <= rows);
            if ends.is_empty() || !ends.is_sorted() || !ends.iter().all(inside) {
                return Err("lists fall, or point outside the elements");
            }
            rows = ends.len() - 1;
            lists = Some(ends);
        }
        let valid = match tensor("valid")? {
            None => None,
            Some(bits) if bits.cols() == rows => bits.bit_bytes(),
            Some(_) => return Err("valid is one row of bits, one for each row of the column"),
        };
        Ok(Column { kind, rows, elements, lists, valid })
    }

    /// How many rows.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What its values are, or the elements of its lists.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether its values are lists.
    pub const fn has_lists(&self) -> bool {
        self.lists.is_some()
    }

    /// Whether a row has a value.
    pub fn is_valid(&self, row: usize) -> bool {
        row < self.rows
            && self
                .valid
                .is_none_or(|bits| bits.get(row / 8).is_some_and(|b| b >> (row % 8) & 1 == 1))
    }

    /// The value of a row; `None` where it is missing.
    pub fn get(&self, row: usize) -> Option<Cell<'a>> {
        if !self.is_valid(row) {
            return None;
        }
        let Some(lists) = self.lists else { return self.elements.get(row) };
        let (from, to) = (lists[row] as usize, lists[row + 1] as usize);
        Some(Cell::List(List { elements: self.elements, from, to }))
    }

    /// The values of all rows.
    pub fn iter(&self) -> impl Iterator<Item = Option<Cell<'a>>> + use<'a> {
        let column = *self;
        (0..self.rows).map(move |row| column.get(row))
    }

    /// All of them, where they are text and none is missing.
    pub fn texts(&self) -> Option<Texts<'a>> {
        match self.elements {
            Elements::Texts(texts) if self.is_dense() => Some(texts),
            _ => None,
        }
    }

    /// All of them, where they are whole numbers and none is missing.
    pub fn ints(&self) -> Option<&'a [i64]> {
        match self.elements {
            Elements::Ints(ints) if self.is_dense() => Some(ints),
            _ => None,
        }
    }

    /// All of them, where they are floats and none is missing.
    pub fn floats(&self) -> Option<&'a [f64]> {
        match self.elements {
            Elements::Floats(floats) if self.is_dense() => Some(floats),
            _ => None,
        }
    }

    fn is_dense(&self) -> bool {
        self.lists.is_none()
            && (self.valid.is_none() || (0..self.rows).all(|row| self.is_valid(row)))
    }
}

impl fmt::Debug for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> Elements<'a> {
    fn read(
        kind: Kind,
        values: &Tensor<'a>,
        offsets: Option<Tensor<'a>>,
    ) -> Result<Self, &'static str> {
        const UNFIT: &str = "values do not fit the column's type";
        if kind == Kind::Text {
            let all = values.elements::<u8>().ok_or("the values of text are uint8")?;
            let all = std::str::from_utf8(all).map_err(|_| "the values of text are not UTF-8")?;
            let offsets = ints(offsets, "text needs offsets: int64")?;
            if offsets.is_empty() {
                return Err("text needs offsets: int64, one more than there are elements");
            }
            let texts = Texts::new(all, offsets);
            return texts.map(Elements::Texts).ok_or("offsets fall, or point outside the values");
        }
        if offsets.is_some() || (values.rows() > 0 && values.cols() != 1) {
            return Err(UNFIT);
        }
        match kind {
            Kind::Int => values.elements().map(Elements::Ints),
            Kind::Float => values.elements().map(Elements::Floats),
            _ => values.elements().map(Elements::Bools),
        }
        .ok_or(UNFIT)
    }

    const fn len(&self) -> usize {
        match self {
            Elements::Texts(texts) => texts.len(),
            Elements::Ints(ints) => ints.len(),
            Elements::Floats(floats) => floats.len(),
            Elements::Bools(bools) => bools.len(),
        }
    }

    fn get(&self, i: usize) -> Option<Cell<'a>> {
        match self {
            Elements::Texts(texts) => texts.get(i).map(Cell::Text),
            Elements::Ints(ints) => ints.get(i).copied().map(Cell::Int),
            Elements::Floats(floats) => floats.get(i).copied().map(Cell::Float),
            Elements::Bools(bools) => bools.get(i).map(|one| Cell::Bool(*one != 0)),
        }
    }
}

fn ints<'a>(tensor: Option<Tensor<'a>>, wrong: &'static str) -> Result<&'a [i64], &'static str> {
    tensor.filter(|t| t.cols() == 1).and_then(|t| t.elements()).ok_or(wrong)
}

/// One value of a column.
#[derive(Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Of a column of text.
    Text(&'a str),
    /// Of a column of int64.
    Int(i64),
    /// Of a column of float64.
    Float(f64),
    /// Of a column of bool.
    Bool(bool),
    /// Of a column of lists.
    List(List<'a>),
}

impl<'a> Cell<'a> {
    /// Text.
    pub fn as_str(&self) -> Option<&'a str> {
        if let Cell::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    pub fn as_i64(&self) -> Option<i64> {
        if let Cell::Int(number) = self { Some(*number) } else { None }
    }

    /// A number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Cell::Int(number) => Some(*number as f64),
            Cell::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// A bool.
    pub fn as_bool(&self) -> Option<bool> {
        if let Cell::Bool(value) = self { Some(*value) } else { None }
    }

    /// A list.
    pub fn as_list(&self) -> Option<List<'a>> {
        if let Cell::List(list) = self { Some(*list) } else { None }
    }
}

impl fmt::Debug for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Text(text) => text.fmt(f),
            Cell::Int(number) => number.fmt(f),
            Cell::Float(number) => number.fmt(f),
            Cell::Bool(value) => value.fmt(f),
            Cell::List(list) => list.fmt(f),
        }
    }
}

impl From<Cell<'_>> for rmpv::Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Text(text) => text.into(),
            Cell::Int(number) => number.into(),
            Cell::Float(number) => number.into(),
            Cell::Bool(value) => value.into(),
            Cell::List(list) => rmpv::Value::Array(list.iter().map(Into::into).collect()),
        }
    }
}

/// The elements of one list.
#[derive(Clone, Copy)]
pub struct List<'a> {
    elements: Elements<'a>,
    from: usize,
    to: usize,
}

impl<'a> List<'a> {
    /// How many.
    pub const fn len(&self) -> usize {
        self.to - self.from
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let elements = self.elements;
        (self.from..self.to).map_while(move |i| elements.get(i))
    }
}

impl PartialEq for List<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
