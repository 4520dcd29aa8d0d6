// SPDX-License-Identifier: Apache-2.0
//! Steps through the crate's own functions.
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use serde_json::{Map, Value as Json, json};
use simplugin::{
    CancelToken, Columns, Connection, Copy, Error, Handle, Hits, Index, Matrix, Points, Scan,
    Session, View, rmpv,
};

use crate::decode::{column_json, json_of, number, tensor_json};
use crate::node::{self, Node};

pub enum Object {
    Session(Session),
    Connection(Connection),
    Index(Index),
    View(View),
    Scan(Mutex<Scan>),
    Copy(Copy),
}

pub type Objects = HashMap<u64, Object>;

impl Object {
    pub fn close(&self) -> Result<(), Error> {
        match self {
            Object::Session(one) => one.close(),
            Object::Connection(one) => one.close(),
            Object::Index(one) => one.close(),
            Object::View(one) => one.close(),
            Object::Scan(one) => one.lock().unwrap().close(),
            Object::Copy(one) => one.close(),
        }
    }

    /// The method that `close` stands for.
    pub fn closes_with(&self) -> &'static str {
        match self {
            Object::Session(_) => "session.close",
            Object::Connection(_) => "connection.close",
            Object::Index(_) => "index.close",
            Object::View(_) => "view.close",
            Object::Scan(_) => "scan.close",
            Object::Copy(_) => "copy.close",
        }
    }
}

/// What a call answered, and what it opened.
pub type Answered = Result<(Json, Option<(u64, Object)>), Error>;

/// How to make the call.
pub struct How<'a> {
    pub timeout_ms: Option<i64>,
    pub token: Option<&'a CancelToken>,
}

/// The keys of a body, to be taken one by one: `None` where a value is not of the type that the
/// function takes.
struct Keys<'n> {
    left: BTreeMap<&'n str, &'n Node>,
    objects: &'n Objects,
}

/// What a function takes for the fields that are asked for.
enum Names {
    All,
    These(Vec<String>),
}

impl<'n> Keys<'n> {
    fn take<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&'n Node) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.left.remove(key) {
            // nil counts as absent
            None | Some(Node::Plain(rmpv::Value::Nil)) => Some(None),
            Some(node) => read(node).map(Some),
        }
    }

    fn text(&mut self, key: &str) -> Option<Option<&'n str>> {
        self.take(key, plain_text)
    }

    fn int(&mut self, key: &str) -> Option<Option<u64>> {
        self.take(key, |node| if let Node::Plain(value) = node { value.as_u64() } else { None })
    }

    fn float(&mut self, key: &str) -> Option<Option<f64>> {
        self.take(key, |node| if let Node::Plain(value) = node { value.as_f64() } else { None })
    }

    fn flag(&mut self, key: &str) -> Option<Option<bool>> {
        self.take(key, |node| if let Node::Plain(value) = node { value.as_bool() } else { None })
    }

    /// Arrays of text; columns of them were made of such arrays.
    fn ids(&mut self, key: &str) -> Option<Option<Vec<&'n str>>> {
        self.take(key, texts)
    }

    fn matrix(&mut self, key: &str) -> Option<Option<Matrix<'n>>> {
        self.take(key, |node| match node {
            Node::Array(rows) if rows.is_empty() => Some(Matrix::new::<f32>(&[], 0)),
            _ => node::matrix(node),
        })
    }

    fn map(&mut self, key: &str) -> Option<Option<Vec<(&'n str, &'n Node)>>> {
        self.take(key, |node| match node {
            Node::Map(pairs) => {
                Some(pairs.iter().map(|(key, value)| (key.as_str(), value)).collect())
            }
            _ => None,
        })
    }

    fn text_map(&mut self, key: &str) -> Option<Option<Vec<(&'n str, &'n str)>>> {
        match self.map(key)? {
            None => Some(None),
            Some(pairs) => pairs
                .into_iter()
                .map(|(k, v)| Some((k, plain_text(v)?)))
                .collect::<Option<_>>()
                .map(Some),
        }
    }

    fn names(&mut self, key: &str) -> Option<Option<Names>> {
        self.take(key, |node| match node {
            Node::Plain(value) => (value.as_bool()?).then_some(Names::All),
            node => Some(Names::These(texts(node)?.into_iter().map(str::to_owned).collect())),
        })
    }

    fn columns(&mut self, key: &str) -> Option<Option<Columns<'static>>> {
        self.take(key, |node| {
            let Node::Map(pairs) = node else { return None };
            pairs.iter().try_fold(Columns::new(), |columns, (name, values)| match values {
                Node::Column(values) => Some(columns.with(name.as_str(), values.clone())),
                _ => None,
            })
        })
    }

    fn view(&mut self, key: &str) -> Option<Option<&'n View>> {
        let objects = self.objects;
        Some(match self.int(key)? {
            None => None,
            Some(handle) => match objects.get(&handle)? {
                Object::View(view) => Some(view),
                _ => return None,
            },
        })
    }

    fn index(&mut self, key: &str) -> Option<&'n Index> {
        let objects = self.objects;
        match objects.get(&self.int(key)??)? {
            Object::Index(index) => Some(index),
            _ => None,
        }
    }

    /// Nothing is left that no function was given.
    fn end(&self) -> Option<()> {
        self.left.is_empty().then_some(())
    }
}

fn plain_text(node: &Node) -> Option<&str> {
    if let Node::Plain(value) = node { value.as_str() } else { None }
}

fn texts(node: &Node) -> Option<Vec<&str>> {
    match node {
        Node::Array(values) => values.iter().map(plain_text).collect(),
        _ => None,
    }
}

/// Gives a request each key that is there, by the function of that name.
macro_rules! give {
    ($request:ident, $keys:ident; $($kind:ident $key:ident),* $(,)?) => {
        $(if let Some(value) = $keys.$kind(stringify!($key))? {
            $request = $request.$key(value);
        })*
    };
}

macro_rules! give_names {
    ($request:ident, $keys:ident) => {
        match $keys.names("fields")? {
            None => {}
            Some(Names::All) => $request = $request.all_fields(),
            Some(Names::These(names)) => $request = $request.fields(names),
        }
    };
}

macro_rules! send {
    ($request:expr, $how:expr) => {{
        let mut request = $request;
        if let Some(timeout) = $how.timeout_ms {
            request = match u64::try_from(timeout) {
                Ok(ms) if ms > 0 => request.timeout(std::time::Duration::from_millis(ms)),
                _ if timeout == -1 => request.no_timeout(),
                _ => request.timeout_ms(timeout),
            };
        }
        if let Some(token) = $how.token {
            request = request.cancel(token);
        }
        request.send()
    }};
}

/// Makes the call through the function of its method. `None`: it has none for this body.
pub fn native(
    objects: &Objects,
    target: u64,
    method: &str,
    body: &Node,
    how: &How<'_>,
) -> Option<Answered> {
    let Node::Map(pairs) = body else { return None };
    let left = pairs.iter().map(|(key, node)| (key.as_str(), node)).collect();
    let keys = Keys { left, objects };
    match objects.get(&target)? {
        Object::Session(session) => of_session(session, method, keys, how),
        Object::Connection(connection) => of_connection(connection, method, keys, how),
        Object::Index(index) => of_index(index, method, keys, how),
        Object::View(_) => None,
        Object::Scan(scan) if method == "scan.next" => {
            keys.end()?;
            let scan = scan.lock().unwrap();
            Some(send!(scan.next_page(), how).map(points))
        }
        Object::Copy(copy) if method == "copy.next" => {
            keys.end()?;
            Some(send!(copy.step(), how).map(|state| (json_of(state.reply()), None)))
        }
        _ => None,
    }
}

fn of_session(
    session: &Session,
    method: &str,
    mut keys: Keys<'_>,
    how: &How<'_>,
) -> Option<Answered> {
    let k = &mut keys;
    Some(match method {
        "session.open" => {
            let mut r = Session::open();
            give!(r, k; text config_path, ids plugin_path, text data_dir, text_map environment);
            k.end()?;
            send!(r, how).map(|session| {
                let handle = session.handle().raw();
                (json!({"session": handle}), Some((handle, Object::Session(session))))
            })
        }
        "config.resolve" => {
            let mut r = session.resolve();
            give!(r, k; text backend, map parameters);
            k.end()?;
            send!(r, how).map(|answer| (json_of(answer.reply()), None))
        }
        "config.explain" => {
            let mut r = session.explain();
            give!(r, k; text backend, map parameters, flag load);
            k.end()?;
            send!(r, how).map(|reply| (json_of(&reply), None))
        }
        "backends.list" => {
            k.end()?;
            send!(session.backends(), how).map(|answer| {
                assert_eq!(answer.names().count(), answer.backends().len());
                (json_of(answer.reply()), None)
            })
        }
        "backends.describe" => {
            let r = session.describe(k.text("backend")??);
            k.end()?;
            send!(r, how).map(|reply| (json_of(&reply), None))
        }
        "connection.open" => {
            let mut r = session.connect();
            give!(r, k; text backend, map parameters);
            k.end()?;
            send!(r, how).map(|connection| {
                let json = json_of(connection.reply());
                assert_eq!(json["backend"], connection.backend());
                (json, Some((connection.handle().raw(), Object::Connection(connection))))
            })
        }
        "index.create" => {
            let mut r = session.create_index();
            give!(r, k; text dataset, text brain_key, text backend, text collection_name, int dimension,
                  text metric, text patches_field, text model, flag supports_prompts, text_map fields,
                  map parameters, flag overwrite);
            k.end()?;
            send!(r, how).map(index)
        }
        "index.open" => {
            let mut r = session.open_index();
            give!(r, k; text dataset, text brain_key, text backend, text collection_name, map parameters);
            k.end()?;
            send!(r, how).map(index)
        }
        "runs.load" => {
            let mut r = session.load_run(k.text("brain_key")??);
            give!(r, k; text dataset, map parameters);
            k.end()?;
            send!(r, how).map(index)
        }
        "runs.list" => {
            let mut r = session.runs();
            give!(r, k; text dataset);
            if let Some(settings) = k.map("where")? {
                r = r.settings(settings);
            }
            k.end()?;
            send!(r, how).map(|runs| {
                assert_eq!(runs.keys().count(), runs.runs().len());
                (json_of(runs.reply()), None)
            })
        }
        "runs.info" => {
            let mut r = session.run_info(k.text("brain_key")??);
            give!(r, k; text dataset);
            k.end()?;
            send!(r, how).map(|run| {
                let json = json_of(run.reply());
                assert_eq!(
                    (&json["dataset"], &json["brain_key"]),
                    (&run.dataset().into(), &run.brain_key().into())
                );
                (json, None)
            })
        }
        "runs.rename" => {
            let mut r = session.rename_run(k.text("brain_key")??, k.text("new_brain_key")??);
            give!(r, k; text dataset);
            k.end()?;
            send!(r, how).map(|()| (json!({}), None))
        }
        "runs.delete" => {
            let mut r = session.delete_run(k.text("brain_key")??);
            give!(r, k; text dataset);
            k.end()?;
            send!(r, how).map(|()| (json!({}), None))
        }
        "copy.open" => of_copy(session, k, how)?,
        "metrics.render" => {
            k.end()?;
            send!(session.metrics(), how).map(|metrics| (json!({"text": metrics.text()}), None))
        }
        _ => return None,
    })
}

fn of_copy(session: &Session, k: &mut Keys<'_>, how: &How<'_>) -> Option<Answered> {
    let mut r = session.copy(k.index("source")?);
    let target = k.map("target")??;
    let mut t = Keys { left: target.into_iter().collect(), objects: k.objects };
    let t = &mut t;
    give!(r, t; text backend, text brain_key, text dataset, text collection_name, text metric,
          text patches_field, text model, flag supports_prompts, flag overwrite, flag merge, text_map fields);
    t.end()?;
    give!(r, k; text verify, int sample_size, flag resume, int batch_bytes, text mixed_fields);
    if let Some(true) = k.flag("dry_run")? {
        k.end()?;
        return Some(r.plan().map(|plan| {
            let json = json_of(plan.reply());
            assert_eq!(json["total"], plan.total());
            (json, None)
        }));
    }
    k.end()?;
    Some(send!(r, how).map(|copy| {
        let json = json_of(copy.reply());
        assert_eq!(json["index"], copy.index().handle().raw());
        (json, Some((copy.handle().raw(), Object::Copy(copy))))
    }))
}

fn of_connection(
    connection: &Connection,
    method: &str,
    mut k: Keys<'_>,
    how: &How<'_>,
) -> Option<Answered> {
    Some(match method {
        "health" => {
            k.end()?;
            send!(connection.health(), how).map(|reply| (json_of(&reply), None))
        }
        "backend.call" => {
            let mut r = connection.backend_call(k.text("method")??);
            for (key, value) in k.map("body")?.unwrap_or_default() {
                r = r.set(key, value);
            }
            k.end()?;
            send!(r, how).map(|reply| (json_of(&reply), None))
        }
        _ => return None,
    })
}

fn of_index(index: &Index, method: &str, mut keys: Keys<'_>, how: &How<'_>) -> Option<Answered> {
    let k = &mut keys;
    Some(match method {
        "health" => {
            k.end()?;
            send!(index.health(), how).map(|reply| (json_of(&reply), None))
        }
        "backend.call" => {
            let mut r = index.backend_call(k.text("method")??);
            if let Some(body) = k.map("body")? {
                r = r.body(body);
            }
            k.end()?;
            send!(r, how).map(|reply| (json_of(&reply), None))
        }
        "index.info" => {
            k.end()?;
            send!(index.info(), how).map(|info| {
                let json = json_of(info.reply());
                assert_eq!(info.backend(), json["backend"]);
                assert_eq!(info.size(), json["size"].as_u64());
                (json, None)
            })
        }
        "index.add" => {
            let mut r = index.add(k.ids("ids")??, k.matrix("vectors")??);
            give!(r, k; ids sample_ids, columns fields, flag overwrite, flag allow_existing,
                  flag warn_existing, text duplicates, map parameters);
            k.end()?;
            send!(r, how).map(|added| {
                let existing: Vec<&str> = added.existing().iter().collect();
                (json!({"added": added.added(), "updated": added.updated(), "skipped": added.skipped(),
                        "existing": existing}), None)
            })
        }
        "index.set_fields" => {
            let mut r = index.set_fields(k.ids("ids")??);
            give!(r, k; columns fields);
            k.end()?;
            send!(r, how).map(|set| {
                let missing: Vec<&str> = set.missing().iter().collect();
                (json!({"updated": set.updated(), "missing": missing}), None)
            })
        }
        "index.remove" => {
            let mut r = index.remove();
            give!(r, k; ids ids, ids sample_ids, text filter, flag all, flag allow_missing, flag warn_missing);
            k.end()?;
            send!(r, how).map(|removed| {
                let mut json = json_of(removed.reply());
                json["removed"] = removed.removed().into();
                (json, None)
            })
        }
        "index.get" => {
            let mut r = index.get();
            give!(r, k; ids ids, ids sample_ids, flag vectors, flag allow_missing, flag warn_missing);
            give_names!(r, k);
            k.end()?;
            send!(r, how).map(points)
        }
        "index.search" => {
            let mut r = index.search();
            give!(r, k; matrix vectors, ids ids, int k, flag reverse, text aggregation, view view,
                  text filter, flag exclude_self, float max_distance, float min_score,
                  flag with_vectors, map parameters);
            give_names!(r, k);
            if let Some(text) = k.text("text")? {
                r = r.text([text]);
            }
            if let Some(pairs) = k.map("mmr")? {
                let mut mmr = Keys { left: pairs.into_iter().collect(), objects: k.objects };
                let (lambda, fetch_k) = (mmr.float("lambda")?, mmr.int("fetch_k")?);
                mmr.end()?;
                r = r.mmr(lambda, fetch_k);
            }
            k.end()?;
            send!(r, how).map(hits)
        }
        "index.radius" => {
            let mut r = index.radius(k.float("radius")??);
            give!(r, k; matrix vectors, ids ids, int limit, view view, text filter, flag exclude_self,
                  flag with_vectors, map parameters);
            give_names!(r, k);
            k.end()?;
            send!(r, how).map(hits)
        }
        "index.neighbors" => {
            let mut r = index.neighbors();
            give!(r, k; int k, float radius, view view, map parameters);
            k.end()?;
            send!(r, how).map(|near| {
                let json = json_of(near.reply());
                assert_eq!(json["ids"].as_array().unwrap().len() + 1, near.offsets().len());
                assert_eq!(near.neighbors().len(), near.distances().len());
                assert_eq!(near.scores().len(), near.distances().len());
                (json, None)
            })
        }
        "index.duplicates" => {
            let mut r = index.duplicates();
            give!(r, k; float threshold, float fraction, view view);
            k.end()?;
            send!(r, how).map(duplicates)
        }
        "index.unique" => {
            let mut r = index.unique(k.int("count")??);
            give!(r, k; view view);
            k.end()?;
            send!(r, how).map(duplicates)
        }
        "index.size" => {
            let mut r = index.size();
            give!(r, k; text filter);
            k.end()?;
            send!(r, how).map(|size| (json!({"size": size}), None))
        }
        "index.cleanup" => {
            k.end()?;
            send!(index.cleanup(), how).map(|cleaned| (json!({"dropped": cleaned.dropped()}), None))
        }
        "index.check" => {
            k.end()?;
            send!(index.check(), how).map(|checked| (json!({"rows": checked.rows()}), None))
        }
        "index.compact" => {
            k.end()?;
            send!(index.compact(), how).map(|done| {
                (
                    json!({"bytes_before": done.bytes_before(), "bytes_after": done.bytes_after()}),
                    None,
                )
            })
        }
        "index.backup" => {
            let r = index.backup(k.text("path")??);
            k.end()?;
            send!(r, how).map(|()| (json!({}), None))
        }
        "view.create" => {
            let mut r = index.view();
            give!(r, k; ids ids, ids sample_ids, text filter);
            k.end()?;
            send!(r, how).map(|view| {
                let handle = view.handle().raw();
                (json!({"view": handle, "known": view.known()}), Some((handle, Object::View(view))))
            })
        }
        "scan.open" => {
            let mut r = index.scan();
            give!(r, k; flag vectors, text filter, view view, int max_rows);
            give_names!(r, k);
            k.end()?;
            send!(r, how).map(|scan| {
                let handle = scan.handle().raw();
                (json!({"scan": handle}), Some((handle, Object::Scan(Mutex::new(scan)))))
            })
        }
        _ => return None,
    })
}

fn index(index: Index) -> (Json, Option<(u64, Object)>) {
    let json = json_of(index.opened().reply());
    let opened = index.opened();
    assert_eq!(json["backend"], opened.backend());
    assert_eq!(json["metric"].as_str(), opened.metric());
    assert_eq!(json["dimension"].as_u64(), opened.dimension());
    (json, Some((index.handle().raw(), Object::Index(index))))
}

fn duplicates(found: simplugin::Duplicates) -> (Json, Option<(u64, Object)>) {
    let json = json_of(found.reply());
    assert_eq!(json["threshold"].as_f64(), Some(found.threshold()));
    if let Some(distances) = found.distances() {
        assert_eq!(found.duplicate_ids().map(|ids| ids.len()), Some(distances.len()));
        assert_eq!(found.neighbor_ids().map(|ids| ids.len()), Some(distances.len()));
    }
    (json, None)
}

/// As the functions of `Points` tell them.
pub fn points(points: Points) -> (Json, Option<(u64, Object)>) {
    let mut json = json_of(points.reply());
    json["ids"] = points.ids().iter().collect();
    if json.get("vectors").is_some() {
        let row = |i| points.vector(i).iter().map(|one| number((*one).into())).collect::<Json>();
        json["vectors"] = (0..points.len()).map(row).collect();
        assert_eq!(points.vectors().len(), points.len() * points.dimension());
    }
    if json.get("fields").is_some() {
        json["fields"] = points
            .fields()
            .iter()
            .map(|(name, column)| (name.to_owned(), column_json(&column)))
            .collect();
    }
    if let Some(samples) = points.sample_ids() {
        json["sample_ids"] = samples.iter().collect();
    }
    if let Some(missing) = points.missing() {
        json["missing"] = missing.iter().collect();
    }
    (json, None)
}

/// As the functions of `Hits` tell them.
fn hits(hits: Hits) -> (Json, Option<(u64, Object)>) {
    let mut json = json_of(hits.reply());
    let all: Vec<_> = hits.iter().flatten().collect();
    json["ids"] = all.iter().map(|hit| hit.id).collect();
    json["distances"] = all.iter().map(|hit| number(hit.distance.into())).collect();
    json["scores"] = all.iter().map(|hit| number(hit.score.into())).collect();
    json["offsets"] = hits.offsets().iter().copied().collect();
    assert_eq!(
        (hits.ids().len(), hits.distances().len(), hits.scores().len()),
        (all.len(), all.len(), all.len())
    );
    if json.get("fields").is_some() {
        json["fields"] = hits
            .fields()
            .iter()
            .map(|(name, column)| (name.to_owned(), column_json(&column)))
            .collect();
    }
    if let Some(vectors) = hits.vectors() {
        json["vectors"] = tensor_json(&vectors, true);
    }
    if let Some(samples) = hits.sample_ids() {
        json["sample_ids"] = samples.iter().collect();
    }
    (json, None)
}

/// The same through the generic call, whatever it is.
pub fn generic(target: u64, method: &str, body: simplugin::Body<'_>, how: &How<'_>) -> Answered {
    send!(Handle::from_raw(target).call(method).body(body), how)
        .map(|reply| (json_of(&reply), None))
}

/// Puts the columns of pages behind each other.
pub fn append(all: &mut Map<String, Json>, page: Json) {
    let Json::Object(page) = page else { return };
    for (key, value) in page {
        match (all.get_mut(&key), value) {
            (Some(Json::Array(so_far)), Json::Array(more)) => so_far.extend(more),
            (Some(Json::Object(so_far)), Json::Object(more)) => append(so_far, Json::Object(more)),
            (_, value) => _ = all.insert(key, value),
        }
    }
}
