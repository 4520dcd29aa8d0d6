// SPDX-License-Identifier: Apache-2.0
use std::sync::{Arc, PoisonError, RwLock};

use simplugin_abi::{Column, Map};

use crate::answer::{Added, Compacted, Duplicates, FieldsSet, Neighbors, Removed};
use crate::embed::Embedding;
use crate::handle::Node;
use crate::reply::{Answer, answer, read};
use crate::request::{BackendCall, ScanIndex, request};
use crate::session::Describe;
use crate::{Call, Handle, Hits, Points, Reply, Result, View};

/// One collection of a backend under a metric, with the semantics of FiftyOne's similarity
/// indexes; possibly recorded as a brain run.
///
/// Made by [`create_index`](crate::create_index), [`open_index`](crate::open_index) and
/// [`load_run`](crate::load_run), here or of a [`Session`](crate::Session). All its functions may
/// be called from any thread at any time. It closes when it and its views and scans are gone.
#[derive(Debug)]
pub struct Index {
    node: Arc<Node>,
    opened: IndexInfo,
    embedding: RwLock<Option<Embedding>>,
}

answer! {
    /// What an index is.
    IndexInfo {
        /// The backend's name.
        backend: &str,
        /// The collection's name, none before the first vectors.
        collection_name: Option<&str>,
        /// None before the first vectors.
        dimension: Option<u64>,
        /// The backend's name of the metric.
        metric: Option<&str>,
        /// The key of its run.
        brain_key: Option<&str>,
        /// The run's dataset.
        dataset: Option<&str>,
        /// Whether the collection was there.
        existing: Option<bool>,
        /// The field whose labels the points are.
        patches_field: Option<&str>,
        /// Whether points have sample ids.
        patches: Option<bool>,
        /// The model that embeds.
        model: Option<&str>,
        /// Whether it embeds text.
        supports_prompts: Option<bool>,
        /// How many points; only of [`Index::info`].
        size: Option<u64>,
        /// The types of fields by name; only of [`Index::info`].
        fields: Option<Map<'_>>,
        /// What it was made with, but for secrets; only of [`Index::info`].
        parameters: Option<Map<'_>>,
    }
}

impl Answer for Index {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self> {
        let node = Node::new(read(&reply.body(), "index")?, call.parent);
        let embedding = RwLock::new(call.embedding.clone());
        Ok(Index { node, opened: IndexInfo::read(reply, call)?, embedding })
    }
}

impl Index {
    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// What it was when it was opened.
    pub fn opened(&self) -> &IndexInfo {
        &self.opened
    }

    /// What its backend is and can do, as [`Session::describe`](crate::Session::describe) says it.
    pub fn capabilities(&self) -> Describe<'_> {
        let session = self.node.parent.as_ref().unwrap_or(&self.node);
        Describe::of(session).backend(self.opened.backend())
    }

    /// What it is now.
    pub fn info(&self) -> Info<'_> {
        Info::of(&self.node)
    }

    /// Adds points, or replaces those that are there.
    pub fn add<'a, T: AsRef<str>>(
        &'a self,
        ids: impl IntoIterator<Item = T>,
        vectors: impl Into<simplugin_abi::Matrix<'a>>,
    ) -> Add<'a> {
        Add::of(&self.node).ids(ids).vectors(vectors)
    }

    /// Sets fields of points that are there and leaves their others; `None` takes one away.
    pub fn set_fields<T: AsRef<str>>(&self, ids: impl IntoIterator<Item = T>) -> SetFields<'_> {
        SetFields::of(&self.node).ids(ids)
    }

    /// Removes points: by ids, sample ids or a filter, or all.
    pub fn remove(&self) -> Remove<'_> {
        Remove::of(&self.node)
    }

    /// Points by ids or sample ids, or all.
    pub fn get(&self) -> Get<'_> {
        Get::of(&self.node)
    }

    /// The nearest points of vectors, of other points, or of texts.
    pub fn search(&self) -> Search<'_> {
        let mut search = Search::of(&self.node);
        search.call.embedding = self.embedding();
        search
    }

    /// All points within a distance of vectors or of other points.
    pub fn radius(&self, radius: f64) -> Radius<'_> {
        Radius::of(&self.node).radius(radius)
    }

    /// The nearest points of every point.
    pub fn neighbors(&self) -> FindNeighbors<'_> {
        FindNeighbors::of(&self.node)
    }

    /// Points that are close to others.
    pub fn duplicates(&self) -> FindDuplicates<'_> {
        FindDuplicates::of(&self.node)
    }

    /// `count` points that are farthest apart.
    pub fn unique(&self, count: u64) -> FindUnique<'_> {
        FindUnique::of(&self.node).count(count)
    }

    /// How many points there are, exactly.
    pub fn size(&self) -> Size<'_> {
        Size::of(&self.node)
    }

    /// Drops the collection. A run's record stays.
    pub fn cleanup(&self) -> Cleanup<'_> {
        Cleanup::of(&self.node)
    }

    /// Looks for damage in the store.
    pub fn check(&self) -> Check<'_> {
        Check::of(&self.node)
    }

    /// Gives space in the store back.
    pub fn compact(&self) -> Compact<'_> {
        Compact::of(&self.node)
    }

    /// Copies the store to a new path.
    pub fn backup(&self, path: impl AsRef<std::path::Path>) -> Backup<'_> {
        Backup::of(&self.node).path(path)
    }

    /// A set of points that restricts searches: of ids, of samples, or of a filter.
    pub fn view(&self) -> CreateView<'_> {
        CreateView::of(&self.node)
    }

    /// An iteration over all points, or those of a view or filter, in constant memory.
    pub fn scan(&self) -> ScanIndex<'_> {
        ScanIndex::of(&self.node)
    }

    /// Asks the backend whether it is well.
    pub fn health(&self) -> Health<'_> {
        Health::of(&self.node)
    }

    /// Any method of the backend, its own `native.` ones included.
    pub fn backend_call<'a>(&'a self, method: &str) -> BackendCall<'a> {
        BackendCall::of(&self.node).method(method)
    }

    /// Any method of docs/protocol.md.
    pub fn call<'a>(&'a self, method: &'a str) -> Call<'a> {
        Call::of(&self.node, method)
    }

    /// What embeds the texts of [`Search::text`]: a vector for each.
    pub fn set_embedding<F, V, E>(&self, embed: F)
    where
        F: Fn(&[&str]) -> std::result::Result<V, E> + Send + Sync + 'static,
        V: crate::Embedded,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let embedding = Some(Embedding::new(embed));
        *self.embedding.write().unwrap_or_else(PoisonError::into_inner) = embedding;
    }

    fn embedding(&self) -> Option<Embedding> {
        self.embedding.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes it, its views and its scans; calls that are in it end first. Again is harmless.
    /// What is called later is [`StaleHandle`](crate::ErrorKind::StaleHandle).
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}

request! {
    /// [`Index::info`].
    Info = "index.info" -> IndexInfo {}
}

request! {
    /// [`Index::add`].
    ///
    /// A call that is larger than what the backend likes in one request is cut into several; if
    /// one of these fails the rows of those before it stay written. Repeat the same call.
    Add = "index.add" -> Added {
        /// One for each row of vectors.
        ids: ids,
        /// The vectors.
        vectors: matrix,
        /// The sample of each; required in an index of patches, refused in others.
        sample_ids: ids,
        /// Fields, a row for each id.
        fields: columns,
        /// Replace points that are there; true.
        overwrite: bool,
        /// Where they are not replaced: skip them, or fail and add nothing; true.
        allow_existing: bool,
        /// Log how many were skipped; false.
        warn_existing: bool,
        /// What a second row of one id means: `fail`, or `first` or `last` wins.
        duplicates: text,
        /// The backend's parameters.
        parameters: parameters,
    }
}

request! {
    /// [`Index::set_fields`].
    SetFields = "index.set_fields" -> FieldsSet {
        /// Whose fields.
        ids: ids,
        /// Fields, a row for each id.
        fields: columns,
    }
}

request! {
    /// [`Index::remove`].
    Remove = "index.remove" -> Removed {
        /// The points of these ids.
        ids: ids,
        /// All points of these samples.
        sample_ids: ids,
        /// The points that a filter accepts.
        filter: text,
        /// All points.
        all: bool,
        /// Ids that are not there are no error; true.
        allow_missing: bool,
        /// Log how many are not there; false.
        warn_missing: bool,
    }
}

request! {
    /// [`Index::get`].
    Get = "index.get" -> Points {
        /// The points of these ids, in this order.
        ids: ids,
        /// All points of these samples.
        sample_ids: ids,
        /// With vectors; true.
        vectors: bool,
        /// With these fields.
        fields: names,
        /// Ids that are not there are no error; true.
        allow_missing: bool,
        /// Log how many are not there; false.
        warn_missing: bool,
    }
}

request! {
    /// [`Index::search`]: one query for each row of vectors, each id or each text.
    Search = "index.search" -> Hits {
        /// The queries.
        vectors: matrix,
        /// The points whose vectors are the queries.
        ids: ids,
        /// Texts to search for: embedded by the function that the index was given. Without one
        /// the call fails with [`PromptUnsupported`](crate::ErrorKind::PromptUnsupported), which
        /// names the index's model.
        text: texts,
        /// How many points for each query; 10.
        k: int,
        /// Least similar first.
        reverse: bool,
        /// All queries become one: `mean` of the vectors, or of the distances to them
        /// `post-mean`, `post-min` or `post-max`.
        aggregation: text,
        /// Only points of this view.
        view: view,
        /// Only points that this filter accepts.
        filter: text,
        /// A query by id leaves that id out.
        exclude_self: bool,
        /// Only points that are at most so far away.
        max_distance: float,
        /// Only points of at least this score; for distances as scores, at most.
        min_score: float,
        /// Maximal marginal relevance: `lambda` (0.5), `fetch_k` (4 k).
        mmr: mmr,
        /// With these fields.
        fields: names,
        /// With vectors.
        with_vectors: bool,
        /// The backend's search parameters.
        parameters: parameters,
    }
}

request! {
    /// [`Index::radius`].
    Radius = "index.radius" -> Hits {
        /// The queries.
        vectors: matrix,
        /// The points whose vectors are the queries.
        ids: ids,
        /// The distance.
        radius: float,
        /// At most so many for each query.
        limit: int,
        /// Only points of this view.
        view: view,
        /// Only points that this filter accepts.
        filter: text,
        /// A query by id leaves that id out.
        exclude_self: bool,
        /// With these fields.
        fields: names,
        /// With vectors.
        with_vectors: bool,
        /// The backend's search parameters.
        parameters: parameters,
    }
}

request! {
    /// [`Index::neighbors`]: the `k` nearest of each, or all within `radius`.
    FindNeighbors = "index.neighbors" -> Neighbors {
        /// How many of each.
        k: int,
        /// Or how far away.
        radius: float,
        /// Only among the points of this view.
        view: view,
        /// The backend's search parameters.
        parameters: parameters,
    }
}

request! {
    /// [`Index::duplicates`]: each point that lies within `threshold` of one kept before; or such
    /// a `fraction` of all.
    FindDuplicates = "index.duplicates" -> Duplicates {
        /// The distance.
        threshold: float,
        /// Or what part of the points to drop.
        fraction: float,
        /// Only among the points of this view.
        view: view,
    }
}

request! {
    /// [`Index::unique`].
    FindUnique = "index.unique" -> Duplicates {
        /// How many points stay.
        count: int,
        /// Only among the points of this view.
        view: view,
    }
}

request! {
    /// [`Index::size`].
    Size = "index.size" -> u64 {
        /// Only points that this filter accepts.
        filter: text,
    }
}

request! {
    /// [`Index::cleanup`]: whether there was a collection.
    Cleanup = "index.cleanup" -> Cleaned {}
}

request! {
    /// [`Index::check`].
    Check = "index.check" -> Checked {}
}

request! {
    /// [`Index::compact`].
    Compact = "index.compact" -> Compacted {}
}

request! {
    /// [`Index::backup`].
    Backup = "index.backup" -> () {
        /// Absolute, and not there yet.
        path: path,
    }
}

request! {
    /// [`Index::view`].
    CreateView = "view.create" -> View {
        /// These points; those that are not in the index are harmless.
        ids: ids,
        /// All points of these samples.
        sample_ids: ids,
        /// The points that a filter accepts now.
        filter: text,
    }
}

request! {
    /// [`Index::health`] and [`Connection::health`](crate::Connection::health): as the backend
    /// answers, its `version` at least.
    Health = "health" -> Reply {}
}

answer! {
    /// What [`Index::cleanup`] did.
    Cleaned {
        /// Whether there was a collection.
        dropped: bool,
    }
}

answer! {
    /// What [`Index::check`] found to be in order.
    Checked {
        /// How many rows.
        rows: u64,
    }
}

impl Answer for u64 {
    fn read(reply: Reply, _: &Call<'_>) -> Result<Self> {
        read(&reply.body(), "size")
    }
}

/// Columns by the names of fields.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub(crate) Option<Map<'a>>);

impl<'a> Fields<'a> {
    /// The values of a field, a row for each point. `None` for a field that nobody has, or that
    /// was not asked for.
    pub fn get(&self, name: &str) -> Option<Column<'a>> {
        self.0?.get(name)?.as_column()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Column<'a>)> + use<'a> {
        let fields = self.0;
        fields
            .into_iter()
            .flat_map(|map| map.iter())
            .filter_map(|(name, value)| Some((name, value.as_column()?)))
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.iter().map(|(name, _)| name)
    }
}
