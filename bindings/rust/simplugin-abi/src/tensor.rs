// SPDX-License-Identifier: Apache-2.0
use std::fmt;
use std::marker::PhantomData;

use crate::plugin::{dtype, simplugin_tensor};

mod sealed {
    pub trait Sealed {}
}

/// A type of numbers that tensors hold.
pub trait Element: Copy + Send + Sync + sealed::Sealed + 'static {
    /// Its number in [`crate::plugin::dtype`].
    const DTYPE: u32;
}

macro_rules! elements {
    ($($element:ty = $dtype:ident),*) => {$(
        impl sealed::Sealed for $element {}
        impl Element for $element {
            const DTYPE: u32 = dtype::$dtype;
        }
    )*};
}

elements!(f32 = FLOAT32, f64 = FLOAT64, i64 = INT64, u64 = UINT64, i32 = INT32, u8 = UINT8);

/// A matrix beside a body, borrowed from whoever holds its memory.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Tensor<'a> {
    raw: simplugin_tensor,
    data: PhantomData<&'a [u8]>,
}

// SAFETY: a shared borrow of plain numbers.
unsafe impl Send for Tensor<'_> {}
// SAFETY: as above.
unsafe impl Sync for Tensor<'_> {}

impl<'a> Tensor<'a> {
    /// # Safety
    /// `raw` says the truth of memory that lives, and is not written to, for `'a`.
    pub const unsafe fn from_raw(raw: simplugin_tensor) -> Self {
        Tensor { raw, data: PhantomData }
    }

    /// Rows that follow each other.
    ///
    /// # Panics
    /// If `data` is not `rows` x `cols`.
    pub fn new<T: Element>(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(cols), "{rows} x {cols} numbers");
        Tensor { raw: describe(T::DTYPE, data.as_ptr().cast(), rows, cols, 0), data: PhantomData }
    }

    pub(crate) fn bits(data: &'a [u8], cols: usize) -> Self {
        assert!(data.len() >= cols.div_ceil(8));
        Tensor { raw: describe(dtype::BITS, data.as_ptr(), 1, cols, 0), data: PhantomData }
    }

    /// As it crosses the line to C.
    pub const fn raw(&self) -> &simplugin_tensor {
        &self.raw
    }

    /// What its elements are: one of [`crate::plugin::dtype`].
    pub const fn dtype(&self) -> u32 {
        self.raw.dtype
    }

    /// How many rows.
    pub const fn rows(&self) -> usize {
        self.raw.rows as usize
    }

    /// How many elements in each.
    pub const fn cols(&self) -> usize {
        self.raw.cols as usize
    }

    /// How many bytes the elements are, without gaps between rows.
    pub fn bytes(&self) -> usize {
        self.rows() * self.row_bytes()
    }

    fn row_bytes(&self) -> usize {
        match self.dtype() {
            dtype::FLOAT64 | dtype::INT64 | dtype::UINT64 => self.cols() * 8,
            dtype::FLOAT32 | dtype::INT32 => self.cols() * 4,
            dtype::FLOAT16 => self.cols() * 2,
            dtype::UINT8 => self.cols(),
            _ => self.cols().div_ceil(8),
        }
    }

    fn stride(&self) -> usize {
        if self.raw.row_stride == 0 { self.row_bytes() } else { self.raw.row_stride as usize }
    }

    /// Copies the elements, row after row.
    ///
    /// # Safety
    /// There are [`Tensor::bytes`] at `to`, of other memory.
    pub unsafe fn copy_to(&self, to: *mut u8) {
        let (row, stride) = (self.row_bytes(), self.stride());
        if row == 0 {
            return;
        }
        // SAFETY: the caller's, and that of whoever made the tensor.
        unsafe {
            let from = self.raw.data.cast::<u8>();
            if stride == row {
                return to.copy_from_nonoverlapping(from, self.bytes());
            }
            for i in 0..self.rows() {
                to.add(i * row).copy_from_nonoverlapping(from.add(i * stride), row);
            }
        }
    }

    /// All elements, where they are of that type and lie one after the other.
    pub fn elements<T: Element>(&self) -> Option<&'a [T]> {
        let dense = self.stride() == self.row_bytes() || self.rows() <= 1;
        (dense && self.dtype() == T::DTYPE)
            // SAFETY: from_raw's caller and `new` vouch for rows x cols elements.
            .then(|| unsafe { slice(self.raw.data.cast(), self.rows() * self.cols()) })
    }

    /// One row, where elements are of that type.
    pub fn row<T: Element>(&self, row: usize) -> Option<&'a [T]> {
        if self.dtype() != T::DTYPE || row >= self.rows() {
            return None;
        }
        let at = row * self.stride();
        // SAFETY: as in `elements`; the row is inside.
        Some(unsafe { slice(self.raw.data.cast::<u8>().add(at).cast(), self.cols()) })
    }

    /// The bits of a tensor of `cols` bits in one row, least significant first.
    pub(crate) fn bit_bytes(&self) -> Option<&'a [u8]> {
        (self.dtype() == dtype::BITS && self.rows() == 1)
            // SAFETY: as in `elements`; a row of bits is padded to bytes.
            .then(|| unsafe { slice(self.raw.data.cast(), self.cols().div_ceil(8)) })
    }
}

impl fmt::Debug for Tensor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            ["?", "float32", "float64", "float16", "int64", "uint64", "int32", "uint8", "bits"];
        let name = names.get(self.dtype() as usize).unwrap_or(&"?");
        write!(f, "<{} x {} {name}>", self.rows(), self.cols())
    }
}

pub(crate) fn describe(
    dtype: u32,
    data: *const u8,
    rows: usize,
    cols: usize,
    stride: usize,
) -> simplugin_tensor {
    simplugin_tensor {
        dtype,
        reserved0: 0,
        data: data.cast(),
        rows: rows as u64,
        cols: cols as u64,
        row_stride: stride as u64,
        reserved: [0; 3],
    }
}

/// # Safety
/// `data` points to `count` elements for `'a`, or `count` is 0.
unsafe fn slice<'a, T>(data: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: the caller's.
    unsafe { std::slice::from_raw_parts(data, count) }
}
