// SPDX-License-Identifier: Apache-2.0
use simplugin_abi::{Map, Tensor, Texts};

use crate::index::Fields;
use crate::reply::{Answer, read};
use crate::{Call, Error, Reply, Result};

/// The nearest points of each query, as columns in the library's memory: those of query i are the
/// entries `offsets[i]` to `offsets[i + 1]`, nearest first.
///
/// ```
/// # fn main() -> simplugin::Result<()> {
/// # let index = simplugin::create_index().metric("euclidean").send()?;
/// # index.add(["a", "b"], &[[0.0_f32, 0.0], [3.0, 4.0]]).send()?;
/// let hits = index.search().vectors(&[[0.0_f32, 0.0], [3.0, 4.0]]).k(2).send()?;
/// assert_eq!(hits.ids(), ["a", "b", "b", "a"]);
/// assert_eq!(hits.distances(), [0.0, 5.0, 0.0, 5.0]);
/// for (i, list) in hits.iter().enumerate() {
///     for hit in list {
///         println!("query {i}: {} at {}", hit.id, hit.distance);
///     }
/// }
/// # index.cleanup().send()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Hits {
    // what these borrow is the reply's, and stays where it is until that is dropped
    offsets: &'static [i64],
    ids: Texts<'static>,
    distances: &'static [f32],
    scores: &'static [f32],
    reply: Reply,
}

impl Answer for Hits {
    fn read(reply: Reply, _: &Call<'_>) -> Result<Self> {
        // SAFETY: it is kept beside the reply, and lent for as long as self is borrowed.
        let body: Map<'static> = unsafe { reply.unbound() };
        let offsets: &[i64] = read(&body, "offsets")?;
        let ids: Texts<'_> = read(&body, "ids")?;
        let distances: &[f32] = read(&body, "distances")?;
        let scores: &[f32] = read(&body, "scores")?;
        let inside = |at: &i64| usize::try_from(*at).is_ok_and(|at| at <= ids.len());
        if offsets.is_empty() || !offsets.is_sorted() || !offsets.iter().all(inside) {
            return Err(Error::reply("offsets"));
        }
        if distances.len() != ids.len() || scores.len() != ids.len() {
            return Err(Error::reply("distances"));
        }
        Ok(Hits { offsets, ids, distances, scores, reply })
    }
}

impl Hits {
    /// How many queries there were.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the hits of each query begin, and where the last end.
    pub fn offsets(&self) -> &[i64] {
        self.offsets
    }

    /// The points.
    pub fn ids(&self) -> Texts<'_> {
        self.ids
    }

    /// Smaller is nearer.
    pub fn distances(&self) -> &[f32] {
        self.distances
    }

    /// The backend's own figures.
    pub fn scores(&self) -> &[f32] {
        self.scores
    }

    /// The samples of patches.
    pub fn sample_ids(&self) -> Option<Texts<'_>> {
        self.reply.get("sample_ids")?.as_texts()
    }

    /// The fields that were asked for.
    pub fn fields(&self) -> Fields<'_> {
        Fields(self.reply.get("fields").and_then(|fields| fields.as_map()))
    }

    /// The vectors, if they were asked for.
    pub fn vectors(&self) -> Option<Tensor<'_>> {
        self.reply.get("vectors")?.as_tensor()
    }

    /// The hits of one query.
    ///
    /// # Panics
    /// If there is no such query.
    pub fn query(&self, i: usize) -> impl ExactSizeIterator<Item = Hit<'_>> {
        let range = self.offsets[i] as usize..self.offsets[i + 1] as usize;
        let values = self.distances[range.clone()].iter().zip(&self.scores[range.clone()]);
        self.ids.range(range).iter().zip(values).map(|(id, (distance, score))| Hit {
            id,
            distance: *distance,
            score: *score,
        })
    }

    /// The hits of each query.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = impl ExactSizeIterator<Item = Hit<'_>>> {
        (0..self.len()).map(|i| self.query(i))
    }

    /// The reply as it came.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }
}

/// One point that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit<'a> {
    /// Its id.
    pub id: &'a str,
    /// Smaller is nearer.
    pub distance: f32,
    /// The backend's own figure.
    pub score: f32,
}
