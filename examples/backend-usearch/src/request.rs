// SPDX-License-Identifier: Apache-2.0
//! Keys of requests. Nothing is ignored silently.
use std::ops::RangeInclusive;

use simplugin_backend::{Error, Map, Texts};

pub(crate) fn check_keys(request: Map<'_>, known: &[&str]) -> Result<(), Error> {
    match request.iter().map(|(key, _)| key).find(|key| !known.contains(key)) {
        Some(key) => Err(Error::argument(key, format!("the backend usearch takes no {key} here"))),
        None => Ok(()),
    }
}

pub(crate) fn text<'a>(request: Map<'a>, key: &str) -> Result<&'a str, Error> {
    let text = request.get(key).and_then(|value| value.as_str());
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| Error::argument(key, format!("{key} is a text")))
}

pub(crate) fn flag(request: Map<'_>, key: &str, otherwise: bool) -> Result<bool, Error> {
    request.get(key).map_or(Ok(otherwise), |value| {
        value.as_bool().ok_or_else(|| Error::argument(key, format!("{key} is a bool")))
    })
}

/// A limit of a reply: none is no limit.
pub(crate) fn limit(request: Map<'_>, key: &str) -> Result<u64, Error> {
    request.get(key).map_or(Ok(u64::MAX), |value| {
        value.as_u64().ok_or_else(|| Error::argument(key, format!("{key} is a whole number")))
    })
}

pub(crate) fn ids<'a>(request: Map<'a>) -> Result<Texts<'a>, Error> {
    let ids = request.get("ids").and_then(|value| value.as_texts());
    ids.ok_or_else(|| Error::argument("ids", "ids are a column of text"))
}

/// A whole number that is set with a collection or a search.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) range: RangeInclusive<i64>,
    pub(crate) default: i64,
}

impl Setting {
    /// From the `parameters` of a request.
    pub(crate) fn read(&self, request: Map<'_>) -> Result<i64, Error> {
        let parameters = request.get("parameters").and_then(|value| value.as_map());
        let Some(given) = parameters.and_then(|map| map.get(self.name)) else {
            return Ok(self.default);
        };
        given.as_i64().filter(|value| self.range.contains(value)).ok_or_else(|| {
            let (from, to) = self.range.clone().into_inner();
            Error::argument(self.name, format!("{} is from {from} to {to}", self.name))
        })
    }
}
