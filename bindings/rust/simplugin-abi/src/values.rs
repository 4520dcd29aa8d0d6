// SPDX-License-Identifier: Apache-2.0
//! Columns that go out.
use std::borrow::Cow;

use crate::{Body, Encode, Kind, Tensor, Texts};

/// Ids on their way into a body: one buffer of text, made in one pass.
#[derive(Clone, Debug)]
pub struct Ids<'a> {
    all: Cow<'a, str>,
    offsets: Cow<'a, [i64]>,
}

impl Ids<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: AsRef<str>> FromIterator<T> for Ids<'static> {
    fn from_iter<I: IntoIterator<Item = T>>(ids: I) -> Self {
        let ids = ids.into_iter();
        let mut all = String::new();
        let mut offsets = Vec::with_capacity(ids.size_hint().0 + 1);
        offsets.push(0);
        for id in ids {
            all.push_str(id.as_ref());
            offsets.push(all.len() as i64);
        }
        Ids { all: all.into(), offsets: offsets.into() }
    }
}

impl<'a> From<Texts<'a>> for Ids<'a> {
    fn from(texts: Texts<'a>) -> Self {
        let (all, offsets) = texts.parts();
        let offsets = if offsets.is_empty() { &[0] } else { offsets };
        Ids { all: all.into(), offsets: offsets.into() }
    }
}

impl<'a> Encode<'a> for Ids<'a> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_map(2);
        body.write_str("values");
        write_text(body, self.all);
        body.write_str("offsets");
        body.write_cow(self.offsets);
    }
}

fn write_text<'a>(body: &mut Body<'a>, all: Cow<'a, str>) {
    match all {
        Cow::Borrowed(all) => body.write_tensor(*Tensor::new(all.as_bytes(), 1, all.len()).raw()),
        Cow::Owned(all) => {
            let bytes = all.into_bytes();
            body.write_tensor(*Tensor::new(&bytes, 1, bytes.len()).raw());
            body.keep(Box::new(bytes));
        }
    }
}

/// The values of one field, a row for each point.
///
/// ```
/// use simplugin_abi::Values;
/// let pages = Values::new([Some(10), None, Some(-3)]);
/// let tags = Values::new([vec!["red", "round"], vec![]]);
/// let weights = Values::floats(&[0.5, 1.5]); // not copied
/// assert_eq!((pages.len(), tags.len(), weights.len()), (3, 2, 2));
/// ```
#[derive(Clone, Debug)]
pub struct Values<'a> {
    kind: Kind,
    rows: usize,
    elements: Elements<'a>,
    /// Where lists end, one more than there are rows.
    lists: Option<Vec<i64>>,
    /// A bit for each row, once one was missing.
    valid: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Elements<'a> {
    Texts(String, Vec<i64>),
    Ints(Cow<'a, [i64]>),
    Floats(Cow<'a, [f64]>),
    Bools(Vec<u8>),
}

impl<'a> Values<'a> {
    /// From text, whole numbers, floats, bools, or lists of them; `None` is missing.
    pub fn new<I>(values: I) -> Values<'static>
    where
        I: IntoIterator,
        I::Item: IntoCell,
    {
        let mut made = Values::empty(I::Item::KIND, I::Item::IS_LIST);
        for value in values {
            made.begin_row();
            value.put(&mut made);
            made.end_row();
        }
        made
    }

    /// Whole numbers where they lie.
    pub fn ints(values: &'a [i64]) -> Self {
        let elements = Elements::Ints(values.into());
        Values { rows: values.len(), elements, ..Values::empty(Kind::Int, false) }
    }

    /// Floats where they lie.
    pub fn floats(values: &'a [f64]) -> Self {
        let elements = Elements::Floats(values.into());
        Values { rows: values.len(), elements, ..Values::empty(Kind::Float, false) }
    }

    /// No rows of that type, to be filled with [`Values::push`].
    pub fn empty(kind: Kind, lists: bool) -> Self {
        let elements = match kind {
            Kind::Text => Elements::Texts(String::new(), vec![0]),
            Kind::Int => Elements::Ints(Cow::Owned(Vec::new())),
            Kind::Float => Elements::Floats(Cow::Owned(Vec::new())),
            Kind::Bool => Elements::Bools(Vec::new()),
        };
        let lists = lists.then(|| vec![0]);
        Values { kind, rows: 0, elements, lists, valid: Vec::new() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// One more row: a value, or none.
    ///
    /// # Panics
    /// If it is of another type.
    pub fn push(&mut self, value: Option<crate::Cell<'_>>) {
        use crate::Cell;
        self.begin_row();
        match value {
            None => self.miss(),
            Some(Cell::List(list)) => {
                assert!(self.lists.is_some(), "a list in a column of {:?}", self.kind);
                list.iter().for_each(|cell| self.element(cell));
            }
            Some(cell) => {
                assert!(self.lists.is_none(), "no list in a column of lists");
                self.element(cell);
            }
        }
        self.end_row();
    }

    /// The same of a value that owns what it holds: nil is missing, an array a list.
    ///
    /// # Panics
    /// If it is of another type.
    pub fn push_owned(&mut self, value: &rmpv::Value) {
        let cell = |value| owned_cell(value).unwrap_or_else(|| panic!("no column holds {value}"));
        self.begin_row();
        match (value, self.lists.is_some()) {
            (rmpv::Value::Nil, _) => self.miss(),
            (rmpv::Value::Array(list), true) => list.iter().for_each(|one| self.element(cell(one))),
            (value, false) => self.element(cell(value)),
            (value, true) => panic!("{value} in a column of lists"),
        }
        self.end_row();
    }

    fn element(&mut self, cell: crate::Cell<'_>) {
        use crate::Cell;
        match (&mut self.elements, cell) {
            (Elements::Texts(all, ends), Cell::Text(text)) => {
                all.push_str(text);
                ends.push(all.len() as i64);
            }
            (Elements::Ints(ints), Cell::Int(number)) => ints.to_mut().push(number),
            (Elements::Floats(floats), Cell::Float(number)) => floats.to_mut().push(number),
            (Elements::Bools(bools), Cell::Bool(value)) => bools.push(value.into()),
            (_, cell) => panic!("{cell:?} in a column of {:?}", self.kind),
        }
    }

    fn begin_row(&mut self) {
        if !self.valid.is_empty() {
            self.valid.resize(self.rows / 8 + 1, 0);
            self.valid[self.rows / 8] |= 1 << (self.rows % 8);
        }
    }

    /// The row that has begun has no value; where rows are no lists, something takes its place.
    fn miss(&mut self) {
        if self.valid.is_empty() {
            self.valid = vec![0xff; self.rows / 8 + 1];
            self.valid[self.rows / 8] = (1 << (self.rows % 8)) - 1;
        }
        self.valid[self.rows / 8] &= !(1 << (self.rows % 8));
        if self.lists.is_some() {
            return;
        }
        match &mut self.elements {
            Elements::Texts(all, ends) => ends.push(all.len() as i64),
            Elements::Ints(ints) => ints.to_mut().push(0),
            Elements::Floats(floats) => floats.to_mut().push(0.0),
            Elements::Bools(bools) => bools.push(0),
        }
    }

    fn end_row(&mut self) {
        self.rows += 1;
        let count = match &self.elements {
            Elements::Texts(_, ends) => ends.len() - 1,
            Elements::Ints(ints) => ints.len(),
            Elements::Floats(floats) => floats.len(),
            Elements::Bools(bools) => bools.len(),
        };
        if let Some(lists) = &mut self.lists {
            lists.push(count as i64);
        }
    }
}

fn owned_cell(value: &rmpv::Value) -> Option<crate::Cell<'_>> {
    use crate::Cell;
    match value {
        rmpv::Value::String(text) => text.as_str().map(Cell::Text),
        rmpv::Value::Integer(number) => number.as_i64().map(Cell::Int),
        rmpv::Value::F64(number) => Some(Cell::Float(*number)),
        rmpv::Value::Boolean(value) => Some(Cell::Bool(*value)),
        _ => None,
    }
}

impl<'a> Encode<'a> for Values<'a> {
    fn encode(self, body: &mut Body<'a>) {
        let texts = matches!(self.elements, Elements::Texts(..));
        let entries = 2
            + u32::from(texts)
            + u32::from(self.lists.is_some())
            + u32::from(!self.valid.is_empty());
        body.write_map(entries);
        body.write_str("type");
        body.write_str(self.kind.name(self.lists.is_some()));
        body.write_str("values");
        match self.elements {
            Elements::Texts(all, ends) => {
                write_text(body, all.into());
                body.write_str("offsets");
                body.write_cow::<i64>(ends.into());
            }
            Elements::Ints(ints) => body.write_cow(ints),
            Elements::Floats(floats) => body.write_cow(floats),
            Elements::Bools(bools) => body.write_cow::<u8>(bools.into()),
        }
        if let Some(lists) = self.lists {
            body.write_str("lists");
            body.write_cow::<i64>(lists.into());
        }
        if !self.valid.is_empty() {
            body.write_str("valid");
            body.write_tensor(*Tensor::bits(&self.valid, self.rows).raw());
            body.keep(Box::new(self.valid));
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A value of a field, or none.
///
/// ```compile_fail
/// simplugin_abi::Values::new([vec![Some(1), None]]); // elements of lists are not missing
/// ```
pub trait IntoCell: sealed::Sealed {
    #[doc(hidden)]
    const KIND: Kind;
    #[doc(hidden)]
    const IS_LIST: bool = false;
    #[doc(hidden)]
    const MAY_MISS: bool = false;
    #[doc(hidden)]
    fn put(self, into: &mut Values<'static>);
}

macro_rules! cells {
    ($($type:ty: $kind:ident $cell:ident($value:ident => $as:expr)),* $(,)?) => {$(
        impl sealed::Sealed for $type {}
        impl IntoCell for $type {
            const KIND: Kind = Kind::$kind;
            fn put(self, into: &mut Values<'static>) {
                let $value = self;
                into.element(crate::Cell::$cell($as));
            }
        }
        impl sealed::Sealed for &$type {}
        impl IntoCell for &$type {
            const KIND: Kind = Kind::$kind;
            fn put(self, into: &mut Values<'static>) {
                let $value = *self;
                into.element(crate::Cell::$cell($as));
            }
        }
    )*};
}

cells! {
    i64: Int Int(v => v),
    i32: Int Int(v => v.into()),
    u32: Int Int(v => v.into()),
    f64: Float Float(v => v),
    f32: Float Float(v => v.into()),
    bool: Bool Bool(v => v),
}

macro_rules! text_cells {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl IntoCell for $type {
            const KIND: Kind = Kind::Text;
            fn put(self, into: &mut Values<'static>) {
                into.element(crate::Cell::Text(self.as_ref()));
            }
        }
    )*};
}

text_cells!(&str, &&str, String, &String, Cow<'_, str>);

impl<T: IntoCell> sealed::Sealed for Option<T> {}
impl<T: IntoCell> IntoCell for Option<T> {
    const KIND: Kind = T::KIND;
    const IS_LIST: bool = T::IS_LIST;
    const MAY_MISS: bool = true;
    fn put(self, into: &mut Values<'static>) {
        match self {
            Some(value) => value.put(into),
            None => into.miss(),
        }
    }
}

/// The kind of the elements of a list, which are there, and no lists.
const fn element_kind<T: IntoCell>() -> Kind {
    assert!(!T::IS_LIST, "there are no lists of lists");
    assert!(!T::MAY_MISS, "elements of lists are not missing");
    T::KIND
}

macro_rules! list_cells {
    ($($type:ty, $item:ty $(, $n:ident)?);*) => {$(
        impl<T $(, const $n: usize)?> sealed::Sealed for $type {}
        impl<T $(, const $n: usize)?> IntoCell for $type where $item: IntoCell {
            const KIND: Kind = element_kind::<$item>();
            const IS_LIST: bool = true;
            fn put(self, into: &mut Values<'static>) {
                for one in self {
                    one.put(into);
                }
            }
        }
    )*};
}

list_cells!(Vec<T>, T; [T; N], T, N);

impl<T> sealed::Sealed for &[T] {}
impl<'b, T> IntoCell for &'b [T]
where
    &'b T: IntoCell,
{
    const KIND: Kind = element_kind::<&T>();
    const IS_LIST: bool = true;
    fn put(self, into: &mut Values<'static>) {
        for one in self {
            one.put(into);
        }
    }
}

/// Fields by name.
#[derive(Clone, Debug, Default)]
pub struct Columns<'a>(Vec<(String, Values<'a>)>);

impl<'a> Columns<'a> {
    /// None yet.
    pub const fn new() -> Self {
        Columns(Vec::new())
    }

    /// One more.
    pub fn with(mut self, name: impl Into<String>, values: Values<'a>) -> Self {
        self.0.push((name.into(), values));
        self
    }
}

impl<'a> IntoIterator for Columns<'a> {
    type Item = (String, Values<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> Encode<'a> for Columns<'a> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_map(self.0.len() as u32);
        for (name, values) in self.0 {
            body.write_str(&name);
            values.encode(body);
        }
    }
}
