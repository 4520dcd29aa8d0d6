// SPDX-License-Identifier: Apache-2.0
//! A backend written in Rust and linked into the program: what of a call reaches it, and what of
//! it reaches the caller.
#![allow(missing_docs)]

mod common;

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use common::{Rig, timed};
use simplugin::{CancelToken, Connection, ErrorKind, Matrix};
use simplugin_backend::plugin::code;
use simplugin_backend::{
    Backend, Body, Call, Error, Instance, Kind, LogLevel, Map, Parameter, Threads, export_backend,
};

struct Probe;
struct Opened {
    greeting: String,
}

/// Where the vectors of the last upsert were.
static VECTORS: AtomicUsize = AtomicUsize::new(0);
static OPEN: AtomicUsize = AtomicUsize::new(0);

export_backend!(Probe);

impl Backend for Probe {
    type Instance = Opened;
    const THREADS: Threads = Threads::Concurrent;

    fn describe() -> Body<'static> {
        let none = Vec::<&str>::new;
        Body::new()
            .with("name", "probe")
            .with("version", "1")
            .with("metrics", ["euclidean"])
            .with("exact", true)
            .with(
                "methods",
                [
                    "native.echo",
                    "native.panic",
                    "native.wait",
                    "native.fail",
                    "native.count",
                    "native.tell",
                ],
            )
            .with("filters", none())
            .with("field_types", none())
            .with("reverse", none())
            .with("radius", false)
            .with("vectors", "exact")
            .with("consistency_levels", none())
            .with(
                "parameters",
                vec![
                    Parameter::new("greeting", Kind::Text, "what it says")
                        .connection()
                        .default("hello"),
                    Parameter::new("token", Kind::Text, "what it keeps to itself")
                        .connection()
                        .secret(),
                ],
            )
            .with("search_parameters", none())
    }

    fn open(call: &Call<'_>, parameters: Map<'_>) -> Result<Opened, Error> {
        assert_eq!(call.method(), "open");
        let greeting = parameters.get("greeting").and_then(|value| value.as_str());
        if greeting == Some("nothing") {
            return Err(Error::argument("greeting", "it has to say something"));
        }
        OPEN.fetch_add(1, Ordering::Relaxed);
        Ok(Opened { greeting: greeting.unwrap_or_default().to_owned() })
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
        if self.greeting == "panic" {
            panic!("in close");
        }
    }
}

impl Instance for Opened {
    fn call<'a>(&'a self, call: &Call<'a>, request: Map<'a>) -> Result<Body<'a>, Error> {
        match call.method() {
            "health" => Ok(Body::new().with("version", "1").with("greeting", &*self.greeting)),
            "collection.exists" => Ok(Body::new().with("exists", false)),
            "collection.create" => Ok(Body::new().with("collection", text(request, "collection"))),
            "collection.describe" => Ok(Body::new()
                .with("collection", text(request, "collection"))
                .with("dimension", 4)
                .with("metric", "euclidean")
                .with("count", 0)
                .with("fields", std::collections::BTreeMap::<&str, &str>::new())
                .with("id_mode", "native")),
            "points.count" => Ok(Body::new().with("count", 0)),
            "points.upsert" => {
                let vectors = request.get("vectors").and_then(|value| value.as_tensor()).unwrap();
                let first: &[f32] = vectors.row(0).unwrap();
                VECTORS.store(first.as_ptr() as usize, Ordering::Relaxed);
                Ok(Body::new().with("upserted", vectors.rows()))
            }
            // what is borrowed of the request goes back as it came
            "native.echo" => {
                simplugin_backend::log(LogLevel::Debug, "echo");
                let mut body = Body::new().with("trace", call.trace_id());
                for (key, value) in request.iter() {
                    match value.as_tensor() {
                        Some(tensor) => body.set(key, tensor),
                        None => body.set(key, value.to_owned()),
                    }
                }
                Ok(body)
            }
            "native.panic" => panic!("the\nsky falls"),
            "native.fail" => Err(Error::new(code::BUSY, "somebody is in")
                .detail("who", "me")
                .backend(-7, "go away")
                .retryable(false)),
            "native.count" => {
                (1..=3).for_each(|i| call.progress(i, 3));
                Ok(Body::new())
            }
            // tells of its progress and waits to be ended
            "native.wait" | "native.tell" => {
                if call.method() == "native.tell" {
                    call.progress(1, 2);
                }
                let (wake, woken) = mpsc::sync_channel(1);
                let left = call.remaining().unwrap_or(Duration::MAX);
                call.while_watched(|| _ = wake.try_send(()), || _ = woken.recv_timeout(left));
                call.check()?;
                Err(Error::new(code::INTERNAL, "woken for nothing"))
            }
            method => Err(Error::unknown_method(method)),
        }
    }
}

fn text<'a>(request: Map<'a>, key: &str) -> Option<&'a str> {
    request.get(key)?.as_str()
}

fn probe(rig: &Rig) -> Connection {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        // SAFETY: a zero-terminated name, and an entry that is there for good.
        let code = unsafe {
            simplugin_sys::simplugin_backend_register(
                c"probe".as_ptr(),
                Some(simplugin_backend_entry),
                std::ptr::null_mut(),
            )
        };
        assert_eq!(code, simplugin_sys::code::OK);
    });
    rig.session.connect().backend("probe").send().unwrap()
}

#[test]
fn bodies_and_tensors_go_through() {
    let rig = Rig::new();
    let connection = probe(&rig);
    let (numbers, longs) = ([1.5_f32, 2.5, 3.5, 4.5], [1_i64, 2, 3]);
    let call = connection.backend_call("native.echo").set("matrix", Matrix::new(&numbers, 2));
    let reply = call
        .set("longs", simplugin::Tensor::new(&longs, 3, 1))
        .set("strided", Matrix::strided(&numbers, 2, 1, 3))
        .set("text", "Ω😀")
        .set("list", vec![1, -2])
        .set("nothing", None::<bool>)
        .trace_id("trace-7")
        .send()
        .unwrap();
    let tensor = |key| reply.get(key).unwrap().as_tensor().unwrap();
    assert_eq!(tensor("matrix").row::<f32>(1), Some(&numbers[2..]));
    assert_eq!(tensor("longs").elements(), Some(&longs[..]));
    assert_eq!(tensor("strided").elements(), Some(&[1.5_f32, 4.5][..]));
    assert_eq!(reply.get("text").unwrap().as_str(), Some("Ω😀"));
    let list: Vec<_> =
        reply.get("list").unwrap().as_array().unwrap().iter().map(|one| one.as_i64()).collect();
    assert_eq!(list, [Some(1), Some(-2)]);
    assert_eq!(reply.get("trace").unwrap().as_str(), Some("trace-7"));
    assert!(reply.get("nothing").is_none());
}

#[test]
fn parameters_arrive_and_what_is_refused_is() {
    let rig = Rig::new();
    probe(&rig);
    let connect = || rig.session.connect().backend("probe");
    let said = connect().parameter("greeting", "good day").send().unwrap().health().send().unwrap();
    assert_eq!(said.get("greeting").unwrap().as_str(), Some("good day"));
    let error = connect().parameter("greeting", "nothing").send().unwrap_err();
    assert_eq!(
        (error.kind(), error.detail("argument")),
        (ErrorKind::InvalidArgument, Some("greeting"))
    );
    let explained =
        rig.session.explain().backend("probe").parameter("token", "hunter2").send().unwrap();
    assert!(!format!("{explained:?}").contains("hunter2"));
}

/// A caller's vectors reach the backend where they lie.
#[test]
fn vectors_are_not_copied_on_their_way() {
    let rig = Rig::new();
    probe(&rig);
    let index = rig.session.create_index().backend("probe").dimension(4).send().unwrap();
    let ids: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    let rows = vec![[1.0_f32, 2.0, 3.0, 4.0]; 100];
    index.add(&ids, &rows).send().unwrap();
    assert_eq!(VECTORS.load(Ordering::Relaxed), rows.as_ptr() as usize);
    let wide = vec![1.0_f32; 100 * 7];
    index.add(&ids, Matrix::strided(&wide, 100, 4, 7)).send().unwrap();
    assert_eq!(VECTORS.load(Ordering::Relaxed), wide.as_ptr() as usize, "nor are rows with gaps");
}

#[test]
fn panics_become_errors() {
    let rig = Rig::new();
    let connection = probe(&rig);
    let error = connection.backend_call("native.panic").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains("panicked: the sky falls"), "{error:?}");
    connection.health().send().unwrap();
    // also where it closes
    let error = rig
        .session
        .connect()
        .backend("probe")
        .parameter("greeting", "panic")
        .send()
        .unwrap()
        .close();
    error.unwrap();
}

#[test]
fn errors_are_whole() {
    let rig = Rig::new();
    let error = probe(&rig).backend_call("native.fail").send().unwrap_err();
    assert_eq!((error.kind(), error.detail("who")), (ErrorKind::Busy, Some("me")));
    assert_eq!((error.backend_code(), error.backend_message()), (-7, "go away"));
    assert!(!error.is_retryable() && error.message().contains("somebody is in"));
    let error = probe(&rig).backend_call("native.nothing").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownMethod);
}

#[test]
fn tokens_and_deadlines_wake_it() {
    let rig = Rig::new();
    let connection = probe(&rig);
    let token = CancelToken::new().unwrap();
    let (answer, took) = timed(|| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                token.cancel();
            });
            connection.backend_call("native.wait").cancel(&token).no_timeout().send()
        })
    });
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(took < Duration::from_secs(20), "{took:?}");
    let wait = connection.backend_call("native.wait").timeout(Duration::from_millis(50));
    assert_eq!(wait.send().unwrap_err().kind(), ErrorKind::DeadlineExceeded);
}

#[test]
fn progress_comes_through() {
    let rig = Rig::new();
    let mut told = Vec::new();
    let connection = probe(&rig);
    connection
        .backend_call("native.count")
        .progress(|done, total| told.push((done, total)))
        .send()
        .unwrap();
    assert_eq!(told, [(1, 3), (2, 3), (3, 3)]);
}

/// A panic in a progress function ends the call at once, whatever token it carries.
#[test]
fn a_panic_beside_a_token_ends_the_call_at_once() {
    let rig = Rig::new();
    let connection = probe(&rig);
    let token = CancelToken::new().unwrap();
    let call = || connection.backend_call("native.tell").timeout(Duration::from_secs(30));
    let (panic, took) = timed(|| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            call().cancel(&token).progress(|_, _| panic!("enough")).send()
        }))
    });
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"enough"));
    assert!(took < Duration::from_secs(15), "{took:?}");
    connection.health().cancel(&token).send().unwrap();
}

/// The caller's token ends a call that has a progress function as any other.
#[test]
fn tokens_end_calls_that_tell_of_their_progress() {
    let rig = Rig::new();
    let connection = probe(&rig);
    let token = CancelToken::new().unwrap();
    let call = || connection.backend_call("native.tell").timeout(Duration::from_secs(30));
    let (answers, took) = timed(|| {
        std::thread::scope(|scope| {
            let (told, heard) = mpsc::channel();
            let calls: Vec<_> = (0..3)
                .map(|_| {
                    let (told, token) = (told.clone(), &token);
                    scope.spawn(move || {
                        call().cancel(token).progress(|_, _| told.send(()).unwrap()).send()
                    })
                })
                .collect();
            (0..3).for_each(|_| heard.recv().unwrap());
            token.clone().cancel();
            calls.into_iter().map(|call| call.join().unwrap()).collect::<Vec<_>>()
        })
    });
    for answer in answers {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Cancelled);
    }
    let later = call().cancel(&token).progress(|_, _| ()).send();
    assert_eq!(later.unwrap_err().kind(), ErrorKind::Cancelled, "and later ones");
    assert!(took < Duration::from_secs(15), "{took:?}");
}
