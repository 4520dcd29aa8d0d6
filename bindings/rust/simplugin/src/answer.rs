// SPDX-License-Identifier: Apache-2.0
//! What the calls that change or compare points answer.
use simplugin_abi::Texts;

use crate::reply::answer;

answer! {
    /// What [`Index::add`](crate::Index::add) did.
    Added {
        /// Points that are new.
        added: u64,
        /// Points that were replaced; none where the backend cannot know: then all are `added`.
        updated: Option<u64>,
        /// Points that were left as they are.
        skipped: u64,
        /// Their ids.
        existing: Texts<'_>,
    }
}

answer! {
    /// What [`Index::set_fields`](crate::Index::set_fields) did.
    FieldsSet {
        /// Points that were there.
        updated: u64,
        /// Ids that were not.
        missing: Texts<'_>,
    }
}

answer! {
    /// What [`Index::remove`](crate::Index::remove) did.
    Removed {
        /// Points that were there.
        removed: Option<u64>,
        /// Ids that were not.
        missing: Option<Texts<'_>>,
    }
}

answer! {
    /// What [`Index::compact`](crate::Index::compact) did.
    Compacted {
        /// The size of the store before; none where the backend does not know.
        bytes_before: Option<u64>,
        /// And after.
        bytes_after: Option<u64>,
    }
}

answer! {
    /// The points that are near each point: those of `ids[i]` are the entries `offsets[i]` to
    /// `offsets[i + 1]` of `neighbors`, `distances` and `scores`, nearest first.
    Neighbors {
        /// The points.
        ids: Texts<'_>,
        /// Where the neighbors of each begin, and where the last end.
        offsets: &[i64],
        /// The points near them.
        neighbors: Texts<'_>,
        /// Smaller is nearer.
        distances: &[f32],
        /// The backend's own figures.
        scores: &[f32],
    }
}

answer! {
    /// Which points are kept, and which are close to one of them.
    Duplicates {
        /// Those that are kept.
        unique_ids: Texts<'_>,
        /// Those that are close to one that is.
        duplicate_ids: Option<Texts<'_>>,
        /// Each one's kept neighbor.
        neighbor_ids: Option<Texts<'_>>,
        /// How far that is.
        distances: Option<&[f32]>,
        /// Within which distance points count as close.
        threshold: f64,
    }
}
