// SPDX-License-Identifier: Apache-2.0
use simplugin_abi::{Body, Encode, Kind, rmpv};

/// One of the `parameters`, or `search_parameters`, that a backend describes.
///
/// ```
/// use simplugin_backend::{Body, Kind, Parameter};
/// let describe = Body::new().with("parameters", vec![
///     Parameter::new("host", Kind::Text, "where the server is").connection().default("here"),
///     Parameter::new("password", Kind::Text, "of the user").connection().secret(),
/// ]);
/// ```
#[derive(Clone, Debug)]
pub struct Parameter {
    name: &'static str,
    kind: &'static str,
    doc: &'static str,
    default: rmpv::Value,
    is_secret: bool,
    is_connection: bool,
    aliases: Vec<&'static str>,
}

impl Parameter {
    /// Text, a whole number, a float or a bool.
    pub fn new(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        let kind = match kind {
            Kind::Text => "text",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bool => "bool",
        };
        let default = rmpv::Value::Nil;
        Parameter {
            name,
            kind,
            doc,
            default,
            is_secret: false,
            is_connection: false,
            aliases: Vec::new(),
        }
    }

    /// Its value where none is given.
    pub fn default(mut self, value: impl Into<rmpv::Value>) -> Self {
        self.default = value.into();
        self
    }

    /// It is masked wherever it is shown, and never recorded.
    pub fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// It belongs to `open`; the others belong to `collection.create`.
    pub fn connection(mut self) -> Self {
        self.is_connection = true;
        self
    }

    /// Another name of it.
    pub fn alias(mut self, name: &'static str) -> Self {
        self.aliases.push(name);
        self
    }
}

impl<'a> Encode<'a> for Parameter {
    fn encode(self, body: &mut Body<'a>) {
        body.write_map(7);
        body.write_str("name");
        self.name.encode(body);
        body.write_str("type");
        self.kind.encode(body);
        body.write_str("doc");
        self.doc.encode(body);
        body.write_str("default");
        self.default.encode(body);
        body.write_str("secret");
        self.is_secret.encode(body);
        body.write_str("connection");
        self.is_connection.encode(body);
        body.write_str("aliases");
        self.aliases.encode(body);
    }
}
