// SPDX-License-Identifier: Apache-2.0
//! One case: its directory, its session, its steps.
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value as Json, json};
use simplugin::{Body, CancelToken, Encode, Error, Handle, Session};

use crate::Tally;
use crate::compare::{Told, compare, compare_hits};
use crate::expand::Scope;
use crate::load::{Case, top};
use crate::native::{self, How, Object, Objects};
use crate::node::{Impossible, Node, hex};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// By the crate's functions, where they take the body.
    Native,
    /// By the generic call, arrays as they are written.
    Plain,
    /// By the generic call, arrays as tensors and columns.
    Columns,
}

impl Way {
    pub fn takes(self, one: &Json) -> bool {
        match one["form"].as_str() {
            Some("plain") => self == Way::Plain,
            Some(_) => self != Way::Plain,
            None => true,
        }
    }
}

pub enum Outcome {
    Passed,
    NotApplicable,
    LeftOut,
    Failed(String),
}

pub struct Config {
    backend: String,
    parameters: Json,
    plugin_path: Vec<String>,
    describe: Json,
    /// Keys of replies by method, of docs/protocol.md.
    replies: HashMap<String, Vec<String>>,
}

impl Config {
    pub fn new(backend: &str, parameters: Json) -> Self {
        let mut plugin_path = vec![installed_plugins()];
        plugin_path.extend(std::env::var("SIMPLUGIN_TEST_RUST_PLUGINS"));
        let session =
            Session::open().plugin_path(&plugin_path).environment::<&str, &str>([]).send().unwrap();
        let describe = crate::decode::json_of(&session.describe(backend).send().unwrap());
        Config {
            backend: backend.to_owned(),
            parameters,
            plugin_path,
            describe,
            replies: documented(),
        }
    }

    fn offers(&self, needs: &Json) -> bool {
        let Some(needs) = needs.as_object() else { return true };
        needs.iter().all(|(key, words)| {
            let words = words.as_array().cloned().unwrap_or_else(|| vec![words.clone()]);
            let offered = &self.describe[key.as_str()];
            words.iter().all(|word| {
                offered == word
                    || offered.as_array().is_some_and(|all| all.contains(word))
                    || word.as_str().is_some_and(|word| offered.get(word).is_some())
                    || (key == "backend" && word == &json!(self.backend))
            })
        })
    }

    fn serves(&self, method: &Json) -> bool {
        self.describe["methods"].as_array().is_some_and(|all| all.contains(method))
    }
}

fn installed_plugins() -> String {
    let out = std::process::Command::new("pkg-config")
        .args(["--variable=plugindir", "simplugin"])
        .output()
        .expect("pkg-config");
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn documented() -> HashMap<String, Vec<String>> {
    let page = std::fs::read_to_string(top().join("docs/protocol.md")).unwrap();
    let table = page.split("<!-- table: application -->").nth(1).unwrap();
    let rows = table.trim_start().lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut replies: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let keys = match cells[4].strip_prefix("as `").and_then(|rest| rest.strip_suffix('`')) {
            Some(other) if replies.contains_key(other) => replies[other].clone(),
            _ if cells[4].starts_with("as ") => continue,
            _ => cells[4].split_whitespace().map(str::to_owned).collect(),
        };
        replies.insert(cells[1].trim_matches('`').to_owned(), keys);
    }
    replies
}

/// Removed with what is in it.
struct Directory(PathBuf);

impl Directory {
    fn new(unique: &str) -> Self {
        let path = std::env::temp_dir().join(format!("simplugin-corpus-{unique}"));
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    fn text(&self) -> String {
        self.0.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Runner<'a> {
    config: &'a Config,
    way: Way,
    scope: Scope,
    objects: Objects,
    session: u64,
    indexes: Vec<u64>,
    tally: &'a mut Tally,
}

enum Stop {
    /// The case ends here, as the step says.
    Ends,
    LeftOut,
    Wrong(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Stop::Wrong(why)
    }
}

impl From<Impossible> for Stop {
    fn from(_: Impossible) -> Self {
        Stop::LeftOut
    }
}

pub fn run(config: &Config, one: &Case, way: Way, tally: &mut Tally) -> Outcome {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    if !config.offers(&one.json["needs"]) {
        return Outcome::NotApplicable;
    }
    let unique = format!("{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let directory = Directory::new(&unique);
    let scope = Scope {
        variables: Map::new(),
        directory: directory.text(),
        plugin_path: json!(config.plugin_path),
        backend: config.backend.clone(),
        unique,
    };
    let mut objects = Objects::new();
    objects.insert(0, Object::Session(Session::default()));
    let mut runner = Runner { config, way, scope, objects, session: 0, indexes: Vec::new(), tally };
    let outcome = runner.run(&one.json);
    runner.clean_up();
    match outcome {
        Ok(()) | Err(Stop::Ends) => Outcome::Passed,
        Err(Stop::LeftOut) => Outcome::LeftOut,
        Err(Stop::Wrong(why)) => Outcome::Failed(why),
    }
}

impl Runner<'_> {
    fn run(&mut self, one: &Json) -> Result<(), Stop> {
        self.write_files(one);
        self.open_session(one)?;
        for (i, step) in one["steps"].as_array().unwrap().iter().enumerate() {
            let done = if step.get("drain").is_some() {
                self.drain(step)
            } else if step.get("finish").is_some() {
                self.finish(step)
            } else if step.get("close").is_some() {
                self.close(step)
            } else {
                self.call(step)
            };
            done.map_err(|stop| match stop {
                Stop::Wrong(why) => {
                    Stop::Wrong(format!("step {} ({}): {why}", i + 1, step["call"]))
                }
                stop => stop,
            })?;
        }
        Ok(())
    }

    fn write_files(&self, one: &Json) {
        let backend = &self.config.backend;
        let brain = json!({
            "default_similarity_backend": backend,
            "similarity_backends": {backend.as_str(): self.config.parameters}
        });
        let write = |name: &str, content: &Json| {
            let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
            std::fs::write(format!("{}/{name}", self.scope.directory), text).unwrap();
        };
        write("brain_config.json", &brain);
        for (name, content) in one["files"].as_object().into_iter().flatten() {
            write(name, &self.scope.expand(content, false));
        }
    }

    fn open_session(&mut self, one: &Json) -> Result<(), Stop> {
        let directory = &self.scope.directory;
        let mut body = json!({
            "config_path": format!("{directory}/brain_config.json"), "data_dir": format!("{directory}/data"),
            "environment": {}, "plugin_path": self.scope.plugin_path
        });
        if let Json::Object(more) = self.scope.expand(&one["session"], false) {
            body.as_object_mut().unwrap().extend(more);
        }
        let answer = self.send(&Json::Null, "session.open", 0, &body)?;
        let answer = answer.map_err(|error| format!("session.open: {error:?}"))?;
        self.session = answer["session"].as_u64().unwrap();
        Ok(())
    }

    fn target(&self, target: &Json) -> Result<u64, String> {
        if let Some(number) = target.as_i64() {
            return Ok(number as u64);
        }
        match target.as_str().unwrap_or("session") {
            "session" => Ok(self.session),
            "default" => Ok(0),
            name => {
                let value = self.scope.variables.get(name.trim_start_matches('$'));
                value.and_then(Json::as_u64).ok_or_else(|| format!("no handle {name:?}"))
            }
        }
    }

    /// Makes the call of a step, one way or the other.
    fn send(
        &mut self,
        step: &Json,
        method: &str,
        target: u64,
        body: &Json,
    ) -> Result<Result<Json, Error>, Stop> {
        let token = match step["cancelled"].as_bool() {
            Some(true) => {
                let token = CancelToken::new().unwrap();
                token.cancel();
                Some(token)
            }
            _ => None,
        };
        let how = How { timeout_ms: step["timeout_ms"].as_i64(), token: token.as_ref() };
        let empty = json!({});
        let body = if body.is_null() { &empty } else { body };
        let node = match self.way {
            Way::Native | Way::Plain => Node::plain(body)?,
            Way::Columns => Node::columns(body)?,
        };
        let raw = step.get("raw");
        let native = if self.way == Way::Native && raw.is_none() {
            // functions take natural values, which are matrices and columns
            let natural = natural(body)?;
            native::native(&self.objects, target, method, &natural, &how)
        } else {
            None
        };
        let answer = match native {
            Some(answer) => {
                *self.tally.native.entry(method.to_owned()).or_default() += 1;
                answer
            }
            None => {
                self.tally.call += 1;
                native::generic(target, method, body_of(&node, raw)?, &how)
            }
        };
        Ok(answer.map(|(json, opened)| {
            if let Some(index) = json["index"].as_u64() {
                self.indexes.push(index);
            }
            if let Some((handle, object)) = opened {
                self.objects.insert(handle, object);
            }
            json
        }))
    }

    fn call(&mut self, step: &Json) -> Result<(), Stop> {
        let method = step["call"].as_str().unwrap();
        let mut failure = step.get("error");
        let mut last = false;
        if let Some(lacks) =
            step.get("without_method").filter(|lacks| !self.config.serves(&lacks["method"]))
        {
            failure = Some(&lacks["error"]);
            last = true;
        }
        let body = self.scope.expand(&step["body"], false);
        let target = self.target(&step["target"])?;
        let answer = match self.closing(method, target, failure.is_none()) {
            Some(closed) => closed.map(|()| json!({})),
            None => self.send(step, method, target, &body)?,
        };
        match (failure, answer) {
            (Some(_), Ok(_)) => {
                return Err(Stop::Wrong("succeeded where an error was expected".into()));
            }
            (Some(expected), Err(error)) => {
                compare_error(&self.scope.expand(expected, true), &error)?
            }
            (None, Err(error)) => return Err(Stop::Wrong(format!("{error:?}"))),
            (None, Ok(reply)) => {
                for (key, name) in step["bind"].as_object().into_iter().flatten() {
                    if let Some(value) = reply.get(key) {
                        self.scope
                            .variables
                            .insert(name.as_str().unwrap().to_owned(), value.clone());
                    }
                }
                self.keys_are_documented(method, &reply)?;
                self.compare_reply(step, method, &reply)?;
            }
        }
        if last { Err(Stop::Ends) } else { Ok(()) }
    }

    /// What closes an object is its `close`, where nothing is to be refused.
    fn closing(&mut self, method: &str, target: u64, succeeds: bool) -> Option<Result<(), Error>> {
        let object = self.objects.get(&target)?;
        if self.way != Way::Native || !succeeds || object.closes_with() != method {
            return None;
        }
        *self.tally.native.entry(method.to_owned()).or_default() += 1;
        Some(object.close())
    }

    fn keys_are_documented(&self, method: &str, reply: &Json) -> Told {
        let Some(keys) = self.config.replies.get(method).filter(|keys| !keys.is_empty()) else {
            return Ok(());
        };
        if method == "health" || method == "backend.call" {
            return Ok(());
        }
        match reply.as_object().unwrap().keys().find(|key| !keys.contains(key)) {
            Some(key) => Err(format!("docs/protocol.md does not list the reply's key {key:?}")),
            None => Ok(()),
        }
    }

    fn compare_reply(&self, step: &Json, method: &str, reply: &Json) -> Told {
        if let Some(expected) = step.get("expect") {
            let mut expected = self.scope.expand(expected, true);
            if method == "index.add" {
                self.adapt_counts(reply, &mut expected);
            }
            compare(&expected, Some(reply), "reply")?;
        }
        if let Some(hits) = step.get("hits") {
            compare_hits(&self.scope.expand(hits, true), reply)?;
        }
        Ok(())
    }

    /// Where the backend cannot know how many points were replaced, all that were written count
    /// as added.
    fn adapt_counts(&self, reply: &Json, expected: &mut Json) {
        let knows = self.config.describe["counts_replaced"] == true;
        let Some(updated) =
            expected["updated"].as_u64().filter(|_| !knows && !reply["updated"].is_u64())
        else {
            return;
        };
        if let Some(added) = expected["added"].as_u64() {
            expected["added"] = (added + updated).into();
        }
        expected["updated"] = Json::Null;
    }

    fn drain(&mut self, step: &Json) -> Result<(), Stop> {
        let target = self.target(&step["drain"])?;
        let mut all = Map::new();
        let mut replies = 0;
        let at_most = step["at_most"].as_u64().unwrap_or(u64::MAX);
        loop {
            let page = match self.objects.get(&target) {
                Some(Object::Scan(scan)) => {
                    *self.tally.native.entry("scan.next".to_owned()).or_default() += 1;
                    match scan.lock().unwrap().next() {
                        Some(page) => page.map(|page| native::points(page).0),
                        None => break,
                    }
                }
                _ => self.send(&Json::Null, "scan.next", target, &Json::Null)?,
            };
            let page = page.map_err(|error| format!("scan.next: {error:?}"))?;
            replies += 1;
            let rows = page["ids"].as_array().map_or(0, Vec::len) as u64;
            if rows > at_most {
                return Err(Stop::Wrong("a reply of scan.next has too many rows".into()));
            }
            let done = page["done"] == true;
            native::append(&mut all, page);
            if done && self.way != Way::Native {
                break;
            }
        }
        all.insert("replies".into(), replies.into());
        compare(&self.scope.expand(&step["expect"], true), Some(&Json::Object(all)), "scan")?;
        Ok(())
    }

    fn finish(&mut self, step: &Json) -> Result<(), Stop> {
        let target = self.target(&step["finish"])?;
        for _ in 0..1000 {
            let state = self.send(&Json::Null, "copy.next", target, &Json::Null)?;
            let state = state.map_err(|error| format!("copy.next: {error:?}"))?;
            self.keys_are_documented("copy.next", &state)?;
            if state["phase"] == "done" {
                compare(&self.scope.expand(&step["expect"], true), Some(&state), "copy")?;
                return Ok(());
            }
        }
        Err(Stop::Wrong("copy.next is never done".into()))
    }

    fn close(&mut self, step: &Json) -> Result<(), Stop> {
        let target = self.target(&step["close"])?;
        let error = step.get("error");
        let closed = match self
            .objects
            .get(&target)
            .filter(|_| self.way == Way::Native && error.is_none())
        {
            Some(object) => {
                *self.tally.native.entry(object.closes_with().to_owned()).or_default() += 1;
                object.close()
            }
            None => Handle::from_raw(target).close(),
        };
        match (error, closed) {
            (Some(expected), Err(error)) => {
                Ok(compare_error(&self.scope.expand(expected, true), &error)?)
            }
            (None, Ok(())) => Ok(()),
            (_, closed) => Err(Stop::Wrong(format!("close: {closed:?}"))),
        }
    }

    fn clean_up(&mut self) {
        for index in &self.indexes {
            _ = Handle::from_raw(*index).call("index.cleanup").send();
        }
        // objects close before what they came from, the session last
        self.objects.clear();
        if self.session != 0 && self.way != Way::Native {
            _ = Handle::from_raw(self.session).close();
        }
    }
}

/// A body as functions take it: matrices and columns where they can be, ids as they are written.
fn natural(body: &Json) -> Result<Node, Impossible> {
    let Node::Map(mut pairs) = Node::columns(body)? else { return Node::plain(body) };
    for (key, node) in &mut pairs {
        if matches!(key.as_str(), "ids" | "sample_ids") {
            *node = Node::plain(&body[key.as_str()])?;
        }
    }
    Ok(Node::Map(pairs))
}

fn body_of<'a>(node: &'a Node, raw: Option<&Json>) -> Result<Body<'a>, Impossible> {
    if let Some(raw) = raw {
        return match raw.get("body_size") {
            Some(_) => Err(Impossible),
            None => Ok(Body::from_bytes(hex(raw["hex"].as_str().unwrap()))),
        };
    }
    let mut body = Body::new();
    if let Node::Map(pairs) = node {
        pairs.iter().for_each(|(key, value)| body.set(key, value));
    } else {
        node.encode(&mut body);
    }
    Ok(body)
}

fn compare_error(expected: &Json, error: &Error) -> Told {
    let name = error.code_name();
    let is = |one: &Json| one == name;
    let code = &expected["code"];
    if !code.as_array().map_or_else(|| is(code), |codes| codes.iter().any(is)) {
        return Err(format!("expected the error {code}, got {error:?}"));
    }
    let message = error.message();
    if message.is_empty() || message.contains('\n') || error.domain().is_empty() {
        return Err(format!("the message or domain of {error:?} is not one line"));
    }
    for (key, value) in expected["details"].as_object().into_iter().flatten() {
        if !error
            .details()
            .any(|(name, detail)| name == key && compare(value, Some(&detail.into()), key).is_ok())
        {
            return Err(format!("{error:?} has no such detail {key:?}"));
        }
    }
    let texts = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
    if let Some(part) =
        texts("message_contains").iter().find(|part| !message.contains(part.as_str().unwrap()))
    {
        return Err(format!("the message {message:?} does not say {part}"));
    }
    if let Some(part) =
        texts("message_lacks").iter().find(|part| message.contains(part.as_str().unwrap()))
    {
        return Err(format!("the message {message:?} says {part}"));
    }
    match expected["retryable"].as_bool() {
        Some(expected) if expected != error.is_retryable() => {
            Err(format!("{error:?} has the wrong retryable"))
        }
        _ => Ok(()),
    }
}
