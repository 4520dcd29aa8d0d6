// SPDX-License-Identifier: Apache-2.0
use std::ops::ControlFlow;
use std::sync::Arc;

use simplugin_abi::{Array, Encode};

use crate::handle::Node;
use crate::reply::{Answer, answer, read};
use crate::request::request;
use crate::{Call, CancelToken, Handle, Index, Reply, Result};

request! {
    /// [`Session::copy`](crate::Session::copy). What the target is not given is as the source has
    /// it. Timeout and token hold for each step as well.
    ///
    /// A dry run makes no copy, so that it has a function of its own, [`CopyIndex::plan`]:
    ///
    /// ```compile_fail,E0599
    /// # fn wrong(index: &simplugin::Index) {
    /// simplugin::copy(index).dry_run(true).send();
    /// # }
    /// ```
    CopyIndex = "copy.open" -> Copy {
        /// The handle of the index to copy.
        source: int,
        /// The keys of [`CreateIndex`](crate::request::CreateIndex) but `dimension`, and `merge`;
        /// or one by one, below.
        target: map,
        /// [`CopyIndex::plan`] sets it.
        dry_run: own,
        /// What is read again when all is written: `none`, `sample` or `all`; `sample`.
        verify: text,
        /// How many points of a sample; 1,000.
        sample_size: int,
        /// Go on where an earlier copy stopped; true.
        resume: bool,
        /// How many bytes are read at a time; 32 MiB.
        batch_bytes: int,
        /// What becomes of values of another type than their field's: `fail` or `skip`.
        mixed_fields: text,
    }
}

macro_rules! target {
    ($($(#[$doc:meta])* $key:ident: $type:ty),*) => {
        impl<'a> CopyIndex<'a> {
            $(
                $(#[$doc])*
                pub fn $key(self, $key: $type) -> Self {
                    self.set_target(stringify!($key), $key)
                }
            )*

            fn set_target(mut self, key: &str, value: impl Encode<'a>) -> Self {
                self.call.body.add("target", key, value);
                self
            }
        }
    };
}

target! {
    /// The target's backend; the source's.
    backend: &str,
    /// Records a run of this key when the copy is done.
    brain_key: &str,
    /// Of the run; the source's.
    dataset: &str,
    /// The target's collection.
    collection_name: &str,
    /// The target's metric; the source's.
    metric: &str,
    /// The source's.
    patches_field: &str,
    /// The source's.
    model: &str,
    /// The source's.
    supports_prompts: bool,
    /// A collection that is there is dropped, and a run of that key replaced.
    overwrite: bool,
    /// The points are written beside those that are there.
    merge: bool
}

impl<'a> CopyIndex<'a> {
    /// Parameters of the target's backend.
    pub fn parameters<K, V: Into<simplugin_abi::rmpv::Value>>(
        self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self
    where
        K: AsRef<str>,
    {
        let pairs = pairs.into_iter().map(|(name, value)| (name.as_ref().into(), value.into()));
        self.set_target("parameters", simplugin_abi::rmpv::Value::Map(pairs.collect()))
    }

    /// The types of fields of the target.
    pub fn fields<K: AsRef<str>, V: AsRef<str>>(
        self,
        types: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let types =
            types.into_iter().map(|(name, kind)| (name.as_ref().into(), kind.as_ref().into()));
        self.set_target("fields", simplugin_abi::rmpv::Value::Map(types.collect()))
    }

    /// What the copy would do and lose. Nothing is made, written or noted.
    pub fn plan(mut self) -> Result<CopyPlan> {
        self.call.body.set("dry_run", true);
        self.call.send_as()
    }

    /// Copies all points. `each` is told how far it is after every step, of about a second, and
    /// may stop it: then the same call goes on later. Answers with the target and the last state.
    pub fn run(
        self,
        mut each: impl FnMut(&CopyState) -> ControlFlow<()>,
    ) -> Result<(Index, CopyState)> {
        let copy = self.send()?;
        loop {
            let state = copy.step().send()?;
            if each(&state).is_break() || state.is_done() {
                return Ok((copy.into_index(), state));
            }
        }
    }
}

answer! {
    /// What a copy does, and what it would not keep.
    CopyPlan {
        /// The target's backend.
        backend: &str,
        /// The target's collection.
        collection_name: &str,
        /// Points of the source now.
        total: u64,
        /// Those that are copied already.
        resumed: u64,
        /// Maps of `what`, `name`, `detail` and `fatal`.
        losses: Array<'_>,
    }
}

/// The points of an index on their way into another. Dropped before it is done, it stays as it
/// is, and the same call goes on with it later.
#[derive(Debug)]
pub struct Copy {
    node: Arc<Node>,
    index: Index,
    timeout_ms: i64,
    cancel: Option<CancelToken>,
}

impl Answer for Copy {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self> {
        let node = Node::new(read(&reply.body(), "copy")?, call.parent);
        Ok(Copy {
            node,
            index: Index::read(reply, call)?,
            timeout_ms: call.options.timeout_ms,
            cancel: call.options.cancel.cloned(),
        })
    }
}

request! {
    /// [`Copy::step`].
    CopyStep = "copy.next" -> CopyState {}
}

answer! {
    /// How far a copy is.
    CopyState {
        /// `copying`, `verifying` or `done`.
        phase: &str,
        /// Points that were copied.
        copied: u64,
        /// Of how many.
        total: u64,
        /// Bytes in all.
        bytes: Option<u64>,
        /// Of the phase; none: not known yet.
        rows_per_second: Option<f64>,
        /// Of the phase; none: not known yet.
        seconds_left: Option<f64>,
        /// Points that were compared.
        verified: Option<u64>,
        /// How: `exact`, `rounded` or `direction`; none: nothing yet.
        compared: Option<&str>,
        /// Points that are not the same, or only on one side.
        differences: Option<u64>,
        /// What is different about the first.
        difference: Option<&str>,
        /// The first 100 of their ids.
        different: Option<Array<'_>>,
    }
}

impl CopyState {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.phase() == "done"
    }
}

impl Copy {
    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// Works for about a second, or as long as its timeout lets it, and at least for a page. After
    /// an error the same goes on where it was.
    pub fn step(&self) -> CopyStep<'_> {
        let mut step = CopyStep::of(&self.node).timeout_ms(self.timeout_ms);
        step.call.options.cancel = self.cancel.as_ref();
        step
    }

    /// The target.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The target, which stays open when the copy closes.
    pub fn into_index(self) -> Index {
        self.index
    }

    /// The reply as it came.
    pub fn reply(&self) -> &Reply {
        self.index.opened().reply()
    }

    /// Closes it, in any phase. Again is harmless.
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}
