// SPDX-License-Identifier: Apache-2.0
use std::marker::PhantomData;

use crate::plugin::{dtype, simplugin_tensor};
use crate::tensor::{Element, describe};
use crate::{Body, Encode};

/// Vectors that go out: rows of float32, float64 or float16, where they lie.
///
/// `&[f32]` is one row, `&[[f32; N]]` are rows; [`Matrix::new`] cuts a flat slice into rows. None
/// of these copies anything, nor do `Vec<[f32; N]>` and [`Matrix::owned`], which take the memory
/// over. With the feature `ndarray` an `ArrayView2` is one as well, whatever
/// its distance from row to row; only one whose rows do not lie element after element is copied.
pub struct Matrix<'a> {
    raw: simplugin_tensor,
    kept: Option<Box<dyn Send + Sync + 'a>>,
    data: PhantomData<&'a [u8]>,
}

// SAFETY: a shared borrow of plain numbers, or their owner.
unsafe impl Send for Matrix<'_> {}
// SAFETY: as above.
unsafe impl Sync for Matrix<'_> {}

/// f32 or f64.
pub trait Float: Element {}
impl Float for f32 {}
impl Float for f64 {}

impl<'a> Matrix<'a> {
    /// Rows of `cols` numbers that follow each other.
    ///
    /// # Panics
    /// If `data` is not a whole number of rows.
    pub fn new<T: Float>(data: &'a [T], cols: usize) -> Self {
        Matrix::borrowed(T::DTYPE, data.as_ptr().cast(), rows_of(data.len(), cols), cols, 0)
    }

    /// The same of IEEE binary16, as its bits.
    ///
    /// # Panics
    /// If `bits` is not a whole number of rows.
    pub fn float16(bits: &'a [u16], cols: usize) -> Self {
        let rows = rows_of(bits.len(), cols);
        Matrix::borrowed(dtype::FLOAT16, bits.as_ptr().cast(), rows, cols, 0)
    }

    /// Rows of `cols` numbers, of which each begins `stride` numbers after the one before.
    ///
    /// # Panics
    /// If `data` does not hold the last row, or rows overlap.
    pub fn strided<T: Float>(data: &'a [T], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(stride >= cols || rows < 2, "rows of {cols} numbers every {stride} overlap");
        let last = stride.checked_mul(rows.saturating_sub(1)).and_then(|at| at.checked_add(cols));
        assert!(
            rows == 0 || last.is_some_and(|end| end <= data.len()),
            "{rows} rows of {cols} numbers every {stride} do not fit into {}",
            data.len()
        );
        Matrix::borrowed(T::DTYPE, data.as_ptr().cast(), rows, cols, stride * size_of::<T>())
    }

    /// Rows that the matrix owns.
    ///
    /// # Panics
    /// If `data` is not a whole number of rows.
    pub fn owned<T: Float>(data: Vec<T>, cols: usize) -> Matrix<'static> {
        let raw = describe(T::DTYPE, data.as_ptr().cast(), rows_of(data.len(), cols), cols, 0);
        Matrix { raw, kept: Some(Box::new(data)), data: PhantomData }
    }

    /// How many rows.
    pub const fn rows(&self) -> usize {
        self.raw.rows as usize
    }

    /// How many numbers in each.
    pub const fn cols(&self) -> usize {
        self.raw.cols as usize
    }

    fn borrowed(dtype: u32, data: *const u8, rows: usize, cols: usize, stride: usize) -> Self {
        Matrix { raw: describe(dtype, data, rows, cols, stride), kept: None, data: PhantomData }
    }
}

fn rows_of(len: usize, cols: usize) -> usize {
    if len == 0 {
        return 0;
    }
    assert!(cols > 0 && len % cols == 0, "{len} numbers are no whole number of rows of {cols}");
    len / cols
}

impl<'a> Encode<'a> for Matrix<'a> {
    fn encode(self, body: &mut Body<'a>) {
        body.write_tensor(self.raw);
        if let Some(kept) = self.kept {
            body.keep(kept);
        }
    }
}

impl<'a, T: Float> From<&'a [T]> for Matrix<'a> {
    fn from(row: &'a [T]) -> Self {
        Matrix::borrowed(T::DTYPE, row.as_ptr().cast(), 1, row.len(), 0)
    }
}

impl<'a, T: Float> From<&'a Vec<T>> for Matrix<'a> {
    fn from(row: &'a Vec<T>) -> Self {
        row.as_slice().into()
    }
}

impl<'a, T: Float, const N: usize> From<&'a [T; N]> for Matrix<'a> {
    fn from(row: &'a [T; N]) -> Self {
        row.as_slice().into()
    }
}

impl<'a, T: Float, const N: usize> From<&'a [[T; N]]> for Matrix<'a> {
    fn from(rows: &'a [[T; N]]) -> Self {
        Matrix::borrowed(T::DTYPE, rows.as_ptr().cast(), rows.len(), N, 0)
    }
}

impl<'a, T: Float, const N: usize> From<&'a Vec<[T; N]>> for Matrix<'a> {
    fn from(rows: &'a Vec<[T; N]>) -> Self {
        rows.as_slice().into()
    }
}

impl<T: Float, const N: usize> From<Vec<[T; N]>> for Matrix<'static> {
    fn from(rows: Vec<[T; N]>) -> Self {
        let raw = describe(T::DTYPE, rows.as_ptr().cast(), rows.len(), N, 0);
        Matrix { raw, kept: Some(Box::new(rows)), data: PhantomData }
    }
}

impl<'a, T: Float, const M: usize, const N: usize> From<&'a [[T; N]; M]> for Matrix<'a> {
    fn from(rows: &'a [[T; N]; M]) -> Self {
        rows.as_slice().into()
    }
}

#[cfg(feature = "ndarray")]
mod with_ndarray {
    use ndarray::{Array2, ArrayBase, ArrayView1, ArrayView2, Data, Ix1, Ix2};

    use super::{Float, Matrix, PhantomData, describe};

    impl<T: Float> From<Array2<T>> for Matrix<'static> {
        fn from(array: Array2<T>) -> Self {
            let (rows, cols) = array.dim();
            if !array.is_standard_layout() {
                return Matrix::owned(array.iter().copied().collect(), cols);
            }
            let raw = describe(T::DTYPE, array.as_ptr().cast(), rows, cols, 0);
            Matrix { raw, kept: Some(Box::new(array)), data: PhantomData }
        }
    }

    impl<'a, T: Float> From<ArrayView2<'a, T>> for Matrix<'a> {
        fn from(view: ArrayView2<'a, T>) -> Self {
            let (rows, cols) = view.dim();
            let strides = view.strides();
            let dense = cols < 2 || strides[1] == 1;
            let ahead = rows < 2 || usize::try_from(strides[0]).is_ok_and(|stride| stride >= cols);
            if !(dense && ahead) {
                return Matrix::owned(view.iter().copied().collect(), cols);
            }
            let stride = if rows < 2 { 0 } else { strides[0] as usize * size_of::<T>() };
            Matrix::borrowed(T::DTYPE, view.as_ptr().cast(), rows, cols, stride)
        }
    }

    impl<'a, T: Float> From<ArrayView1<'a, T>> for Matrix<'a> {
        fn from(view: ArrayView1<'a, T>) -> Self {
            view.insert_axis(ndarray::Axis(0)).into()
        }
    }

    impl<'a, T: Float, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix2>> for Matrix<'a> {
        fn from(array: &'a ArrayBase<S, Ix2>) -> Self {
            array.view().into()
        }
    }

    impl<'a, T: Float, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix1>> for Matrix<'a> {
        fn from(array: &'a ArrayBase<S, Ix1>) -> Self {
            array.view().into()
        }
    }
}
