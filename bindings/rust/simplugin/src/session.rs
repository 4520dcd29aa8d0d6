// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use crate::connection::Connect;
use crate::copy::CopyIndex;
use crate::embed::Embedding;
use crate::handle::Node;
use crate::reply::{Answer, answer, read};
use crate::request::request;
use crate::{Call, Handle, Index, Reply, Result};

/// Configuration, data directory and plugin path.
///
/// The functions of the same names at the root of the crate are those of the default session,
/// [`Session::default`], which follows the environment and the brain configuration file. A session
/// is closed when it and everything that came from it is gone.
#[derive(Clone, Debug)]
pub struct Session {
    node: Arc<Node>,
}

impl Default for Session {
    /// The session that is always there.
    fn default() -> Self {
        crate::DEFAULT.clone()
    }
}

impl Answer for Session {
    fn read(reply: Reply, _: &Call<'_>) -> Result<Self> {
        Ok(Session { node: Node::new(read(&reply.body(), "session")?, None) })
    }
}

impl Session {
    pub(crate) fn of_handle(handle: Handle) -> Self {
        Session { node: Node::new(handle.raw(), None) }
    }

    /// A session of its own.
    pub fn open<'a>() -> OpenSession<'a> {
        OpenSession::of(&crate::DEFAULT.node)
    }

    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// Makes a collection, or connects to an existing one of that name.
    pub fn create_index(&self) -> CreateIndex<'_> {
        CreateIndex::of(&self.node)
    }

    /// A run by its dataset and brain key, or a collection by its backend and name.
    pub fn open_index(&self) -> OpenIndex<'_> {
        OpenIndex::of(&self.node)
    }

    /// The index of a recorded run.
    pub fn load_run(&self, brain_key: impl AsRef<str>) -> LoadRun<'_> {
        LoadRun::of(&self.node).brain_key(brain_key)
    }

    /// The keys of recorded runs.
    pub fn runs(&self) -> ListRuns<'_> {
        ListRuns::of(&self.node)
    }

    /// What is recorded of a run.
    pub fn run_info(&self, brain_key: impl AsRef<str>) -> RunInfo<'_> {
        RunInfo::of(&self.node).brain_key(brain_key)
    }

    /// Gives a run another key.
    pub fn rename_run(&self, from: impl AsRef<str>, to: impl AsRef<str>) -> RenameRun<'_> {
        RenameRun::of(&self.node).brain_key(from).new_brain_key(to)
    }

    /// Forgets a run. Its collection stays.
    pub fn delete_run(&self, brain_key: impl AsRef<str>) -> DeleteRun<'_> {
        DeleteRun::of(&self.node).brain_key(brain_key)
    }

    /// A backend without an index.
    pub fn connect(&self) -> Connect<'_> {
        Connect::of(&self.node)
    }

    /// The points of an index into another, here or on another backend.
    pub fn copy<'a>(&'a self, source: &'a Index) -> CopyIndex<'a> {
        CopyIndex::of(&self.node).source(source.handle().raw())
    }

    /// The backends that are there.
    pub fn backends(&self) -> ListBackends<'_> {
        ListBackends::of(&self.node)
    }

    /// What a backend is and can do.
    pub fn describe(&self, backend: impl AsRef<str>) -> Describe<'_> {
        Describe::of(&self.node).backend(backend)
    }

    /// The parameters in force.
    pub fn resolve(&self) -> Resolve<'_> {
        Resolve::of(&self.node)
    }

    /// Every value of the configuration, and where it comes from.
    pub fn explain(&self) -> Explain<'_> {
        Explain::of(&self.node)
    }

    /// Counts and latencies of calls, as Prometheus reads them.
    pub fn metrics(&self) -> Metrics<'_> {
        Metrics::of(&self.node)
    }

    /// Any method of docs/protocol.md.
    pub fn call<'a>(&'a self, method: &'a str) -> Call<'a> {
        Call::of(&self.node, method)
    }

    /// Closes it with everything that came from it; calls that are in these end first. Again is
    /// harmless. The default session does not close.
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}

request! {
    /// [`Session::open`].
    OpenSession = "session.open" -> Session {
        /// The brain configuration file instead of the default one.
        config_path: path,
        /// Absolute directories that are searched for plugins before any other.
        plugin_path: paths,
        /// Absolute; instead of `$SIMPLUGIN_DATA`.
        data_dir: path,
        /// Read instead of the process's environment.
        environment: map,
    }
}

request! {
    /// [`Session::create_index`].
    CreateIndex = "index.create" -> Index {
        /// Of the run; `default`.
        dataset: text,
        /// Records a run of this key.
        brain_key: text,
        /// The backend's name; the configured one.
        backend: text,
        /// A new unique name.
        collection_name: text,
        /// That of the first vectors.
        dimension: int,
        /// One of the backend's; the configured one.
        metric: text,
        /// The points are labels of this field, and each has a sample.
        patches_field: text,
        /// The model that embeds.
        model: text,
        /// Whether it embeds text.
        supports_prompts: bool,
        /// The types of fields, for backends that want them declared.
        fields: types,
        /// The backend's parameters. Credentials are never recorded.
        parameters: parameters,
        /// Replace a run of that key.
        overwrite: bool,
    }
}

request! {
    /// [`Session::open_index`].
    OpenIndex = "index.open" -> Index {
        /// Of the run; `default`.
        dataset: text,
        /// The run's key.
        brain_key: text,
        /// The backend's name.
        backend: text,
        /// The collection's.
        collection_name: text,
        /// Credentials, and what else is not recorded.
        parameters: parameters,
    }
}

request! {
    /// [`Session::load_run`].
    LoadRun = "runs.load" -> Index {
        /// Of the run; `default`.
        dataset: text,
        /// The run's key.
        brain_key: text,
        /// Credentials, and what else is not recorded.
        parameters: parameters,
    }
}

macro_rules! embedding {
    ($($request:ident),*) => {$(
        impl $request<'_> {
            /// What embeds the texts of [`Search::text`](crate::request::Search::text): a vector
            /// for each.
            pub fn embedding<F, V, E>(mut self, embed: F) -> Self
            where
                F: Fn(&[&str]) -> std::result::Result<V, E> + Send + Sync + 'static,
                V: crate::Embedded,
                E: Into<Box<dyn std::error::Error + Send + Sync>>,
            {
                self.call.embedding = Some(Embedding::new(embed));
                self
            }
        }
    )*};
}

embedding!(CreateIndex, OpenIndex, LoadRun);

request! {
    /// [`Session::runs`].
    ListRuns = "runs.list" -> Runs {
        /// Only of this dataset; all.
        dataset: text,
        /// Values of the configuration that must be equal, such as `supports_prompts`.
        settings: settings,
    }
}

request! {
    /// [`Session::run_info`].
    RunInfo = "runs.info" -> Run {
        /// Of the run; `default`.
        dataset: text,
        /// The run's key.
        brain_key: text,
    }
}

request! {
    /// [`Session::rename_run`].
    RenameRun = "runs.rename" -> () {
        /// Of the run; `default`.
        dataset: text,
        /// The run's key.
        brain_key: text,
        /// And its new one.
        new_brain_key: text,
    }
}

request! {
    /// [`Session::delete_run`].
    DeleteRun = "runs.delete" -> () {
        /// Of the run; `default`.
        dataset: text,
        /// The run's key.
        brain_key: text,
    }
}

request! {
    /// [`Session::backends`].
    ListBackends = "backends.list" -> Backends {}
}

request! {
    /// [`Session::describe`]: a reply of the keys that docs/protocol.md lists under `describe`,
    /// and `file`.
    Describe = "backends.describe" -> Reply {
        /// The backend's name.
        backend: text,
    }
}

request! {
    /// [`Session::resolve`].
    Resolve = "config.resolve" -> Resolved {
        /// The backend's name; the configured one.
        backend: text,
        /// As arguments of a call.
        parameters: parameters,
    }
}

request! {
    /// [`Session::explain`]: a reply of `values`, `plugin`, `searched`, `config_file` and more.
    Explain = "config.explain" -> Reply {
        /// The backend's name; the configured one.
        backend: text,
        /// As arguments of a call.
        parameters: parameters,
        /// Whether the plugin may be loaded, to ask what it declares; true. It connects nowhere.
        load: bool,
    }
}

request! {
    /// [`Session::metrics`].
    Metrics = "metrics.render" -> MetricsText {}
}

answer! {
    /// The keys of runs.
    Runs {
        /// Maps of `dataset` and `brain_key`.
        runs: simplugin_abi::Array<'_>,
    }
}

impl Runs {
    /// Dataset and brain key of each.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.runs().iter().filter_map(|run| {
            let run = run.as_map()?;
            Some((run.get("dataset")?.as_str()?, run.get("brain_key")?.as_str()?))
        })
    }
}

answer! {
    /// What is recorded of a run.
    Run {
        /// Its dataset.
        dataset: &str,
        /// Its key.
        brain_key: &str,
        /// The settings.
        config: simplugin_abi::Map<'_>,
    }
}

answer! {
    /// The backends that are there.
    Backends {
        /// Maps of `name`, `file` and `origin`.
        backends: simplugin_abi::Array<'_>,
        /// The configured one.
        default: &str,
    }
}

impl Backends {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.backends().iter().filter_map(|one| one.as_map()?.get("name")?.as_str())
    }
}

answer! {
    /// The parameters in force.
    Resolved {
        /// Of this backend.
        backend: &str,
        /// Secrets are masked.
        parameters: simplugin_abi::Map<'_>,
    }
}

answer! {
    /// Counts and latencies of calls.
    MetricsText {
        /// In Prometheus' text format.
        text: &str,
    }
}
