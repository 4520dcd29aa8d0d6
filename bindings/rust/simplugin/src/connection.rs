// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use simplugin_abi::Encode;

use crate::handle::Node;
use crate::index::Health;
use crate::reply::{Answer, read};
use crate::request::request;
use crate::{Call, Handle, Reply, Result};

request! {
    /// [`Session::connect`](crate::Session::connect).
    Connect = "connection.open" -> Connection {
        /// The backend's name; the configured one.
        backend: text,
        /// The backend's parameters.
        parameters: parameters,
    }
}

/// One backend, opened with its parameters and without an index.
#[derive(Debug)]
pub struct Connection {
    node: Arc<Node>,
    reply: Reply,
}

impl Answer for Connection {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self> {
        let node = Node::new(read(&reply.body(), "connection")?, call.parent);
        read::<&str>(&reply.body(), "backend")?;
        Ok(Connection { node, reply })
    }
}

impl Connection {
    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// The backend's name.
    pub fn backend(&self) -> &str {
        read(&self.reply.body(), "backend").expect("checked before")
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

    /// The reply as it came.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Closes it; calls that are in it end first. Again is harmless.
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}

request! {
    /// A method of a backend's own: [`Connection::backend_call`] and
    /// [`Index::backend_call`](crate::Index::backend_call).
    BackendCall = "backend.call" -> Reply {
        /// Its name.
        method: text,
        /// The body that the backend is given.
        body: map,
    }
}

impl<'a> BackendCall<'a> {
    /// One more key of that body. Arrays of text and numbers become what backends read, and
    /// [`Matrix`](crate::Matrix), [`Ids`](crate::Ids) and [`Columns`](crate::Columns) are that.
    pub fn set(mut self, key: &str, value: impl Encode<'a>) -> Self {
        self.call.body.add("body", key, value);
        self
    }
}
