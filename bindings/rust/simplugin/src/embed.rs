// SPDX-License-Identifier: Apache-2.0
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use simplugin_abi::{Body, Encode, Float, Matrix};

/// What a function that embeds texts may answer: rows, one for each text.
///
/// A [`Matrix::owned`], a `Vec<[f32; N]>` and, with the feature `ndarray`, an `Array2` go to the
/// library as they are; a `Vec<Vec<f32>>` is copied into a matrix. All may be of f64.
pub trait Embedded {
    /// Makes them the queries of a search.
    fn set(self, body: &mut Body<'_>);
}

impl Embedded for Matrix<'static> {
    fn set(self, body: &mut Body<'_>) {
        body.set("vectors", self);
    }
}

impl<T: Float, const N: usize> Embedded for Vec<[T; N]> {
    fn set(self, body: &mut Body<'_>) {
        Matrix::from(self).set(body);
    }
}

impl<T: Float + for<'a> Encode<'a>> Embedded for Vec<Vec<T>> {
    fn set(self, body: &mut Body<'_>) {
        let cols = self.first().map_or(0, Vec::len);
        if cols > 0 && self.iter().all(|row| row.len() == cols) {
            Matrix::owned(self.concat(), cols).set(body);
        } else {
            body.set("vectors", self); // which the library refuses, and says why
        }
    }
}

#[cfg(feature = "ndarray")]
impl<T: Float> Embedded for ndarray::Array2<T> {
    fn set(self, body: &mut Body<'_>) {
        Matrix::from(self).set(body);
    }
}

/// What embeds texts, a vector for each.
#[derive(Clone)]
pub(crate) struct Embedding(Arc<Function>);

type Failure = Box<dyn Error + Send + Sync>;
type Function = dyn Fn(&[&str], &mut Body<'_>) -> Result<(), Failure> + Send + Sync;

impl Embedding {
    pub(crate) fn new<F, V, E>(function: F) -> Self
    where
        F: Fn(&[&str]) -> Result<V, E> + Send + Sync + 'static,
        V: Embedded,
        E: Into<Failure>,
    {
        Embedding(Arc::new(move |texts, body| {
            function(texts).map_err(Into::into)?.set(body);
            Ok(())
        }))
    }

    /// Sets the vectors of the texts.
    pub(crate) fn embed(&self, texts: &[&str], body: &mut Body<'_>) -> Result<(), Failure> {
        (self.0)(texts, body)
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedding")
    }
}
