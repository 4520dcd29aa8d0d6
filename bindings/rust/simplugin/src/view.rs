// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use crate::handle::Node;
use crate::reply::{Answer, read};
use crate::{Call, Handle, Reply, Result};

/// A set of points that restricts searches of one index. [`Index::view`](crate::Index::view) makes
/// them.
#[derive(Debug)]
pub struct View {
    node: Arc<Node>,
    known: u64,
    reply: Reply,
}

impl Answer for View {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self> {
        let node = Node::new(read(&reply.body(), "view")?, call.parent);
        Ok(View { node, known: read(&reply.body(), "known")?, reply })
    }
}

impl View {
    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// How many of its points are in the index.
    pub fn known(&self) -> u64 {
        self.known
    }

    /// The reply as it came.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Closes it. Again is harmless.
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}
