// SPDX-License-Identifier: Apache-2.0
use simplugin_abi::{Map, Tensor, Texts};

use crate::index::Fields;
use crate::reply::{Answer, read};
use crate::{Call, Error, Reply, Result};

/// Points as columns in the library's memory: what [`Index::get`](crate::Index::get) answers, and
/// a page of a [`Scan`](crate::Scan).
#[derive(Debug)]
pub struct Points {
    // what these borrow is the reply's, and stays where it is until that is dropped
    ids: Texts<'static>,
    vectors: Option<Tensor<'static>>,
    reply: Reply,
}

impl Answer for Points {
    fn read(reply: Reply, _: &Call<'_>) -> Result<Self> {
        // SAFETY: it is kept beside the reply, and lent for as long as self is borrowed.
        let body: Map<'static> = unsafe { reply.unbound() };
        let ids: Texts<'_> = read(&body, "ids")?;
        let vectors: Option<Tensor<'_>> = read(&body, "vectors")?;
        let fits = |v: Tensor<'_>| v.rows() == ids.len() && v.elements::<f32>().is_some();
        if !vectors.is_none_or(fits) {
            return Err(Error::reply("vectors"));
        }
        Ok(Points { ids, vectors, reply })
    }
}

impl Points {
    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Their ids.
    pub fn ids(&self) -> Texts<'_> {
        self.ids
    }

    /// The samples of patches.
    pub fn sample_ids(&self) -> Option<Texts<'_>> {
        self.reply.get("sample_ids")?.as_texts()
    }

    /// Their vectors, row after row; empty if they were not asked for.
    pub fn vectors(&self) -> &[f32] {
        self.vectors.and_then(|vectors| vectors.elements()).unwrap_or_default()
    }

    /// The vector of one; empty if it was not asked for, or there is no such point.
    pub fn vector(&self, i: usize) -> &[f32] {
        self.vectors.and_then(|vectors| vectors.row(i)).unwrap_or_default()
    }

    /// How many numbers a vector has; 0 if they were not asked for.
    pub fn dimension(&self) -> usize {
        self.vectors.map_or(0, |vectors| vectors.cols())
    }

    /// The fields that were asked for.
    pub fn fields(&self) -> Fields<'_> {
        Fields(self.reply.get("fields").and_then(|fields| fields.as_map()))
    }

    /// The ids that were asked for and are not there.
    pub fn missing(&self) -> Option<Texts<'_>> {
        self.reply.get("missing")?.as_texts()
    }

    /// The reply as it came.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }
}
