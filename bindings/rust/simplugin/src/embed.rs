// SPDX-License-Identifier: Apache-2.0
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What embeds texts, a vector for each.
#[derive(Clone)]
pub(crate) struct Embedding(Arc<Function>);

type Function =
    dyn Fn(&[&str]) -> Result<Vec<Vec<f32>>, Box<dyn Error + Send + Sync>> + Send + Sync;

impl Embedding {
    pub(crate) fn new<F, E>(function: F) -> Self
    where
        F: Fn(&[&str]) -> Result<Vec<Vec<f32>>, E> + Send + Sync + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Embedding(Arc::new(move |texts| function(texts).map_err(Into::into)))
    }

    pub(crate) fn embed(
        &self,
        texts: &[&str],
    ) -> Result<Vec<Vec<f32>>, Box<dyn Error + Send + Sync>> {
        (self.0)(texts)
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedding")
    }
}
