// SPDX-License-Identifier: Apache-2.0
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use simplugin_abi::{Body, Encode};
use simplugin_sys as sys;

use crate::cancel::Follower;
use crate::embed::Embedding;
use crate::handle::{Handle, Node};
use crate::reply::Answer;
use crate::{CancelToken, Error, Reply, Result};

/// A call of any method, to be given its body and sent.
///
/// ```
/// # fn main() -> simplugin::Result<()> {
/// let index = simplugin::create_index().dimension(2).send()?;
/// let reply = index.call("index.size").send()?;
/// assert_eq!(reply.get("size").unwrap().as_u64(), Some(0));
/// # index.cleanup().send()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'a> {
    target: Handle,
    method: &'a str,
    pub(crate) body: Body<'a>,
    pub(crate) parent: Option<&'a Arc<Node>>,
    pub(crate) options: Options<'a>,
    pub(crate) embedding: Option<Embedding>,
    pub(crate) texts: Option<Vec<String>>,
}

/// How to make a call.
#[derive(Default)]
pub(crate) struct Options<'a> {
    pub(crate) timeout_ms: i64,
    pub(crate) cancel: Option<&'a CancelToken>,
    trace_id: Option<&'a str>,
    progress: Option<Box<dyn FnMut(u64, u64) + 'a>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(target: Handle, method: &'a str, parent: Option<&'a Arc<Node>>) -> Self {
        Call {
            target,
            method,
            body: Body::new(),
            parent,
            options: Options::default(),
            embedding: None,
            texts: None,
        }
    }

    pub(crate) fn of(node: &'a Arc<Node>, method: &'a str) -> Self {
        Call::new(node.handle, method, Some(node))
    }

    /// Sets a key of the body.
    pub fn set(mut self, key: &str, value: impl Encode<'a>) -> Self {
        self.body.set(key, value);
        self
    }

    /// The whole body instead.
    pub fn body(mut self, body: Body<'a>) -> Self {
        self.body = body;
        self
    }

    crate::request::options!(options);

    /// Makes the call.
    pub fn send(mut self) -> Result<Reply> {
        self.perform()
    }

    pub(crate) fn send_as<T: Answer>(mut self) -> Result<T> {
        let reply = self.perform()?;
        T::read(reply, &self)
    }

    fn perform(&mut self) -> Result<Reply> {
        self.embed()?;
        let mut reply = Reply::empty();
        let mut error = std::ptr::null_mut();
        let request = if self.body.is_empty() { None } else { Some(self.body.request()) };
        let request = request.as_ref().map_or(std::ptr::null(), |request| &raw const *request);
        let mut listener = self.options.listener()?;
        let options = self.options.raw(listener.as_mut());
        let options = options.as_ref().map_or(std::ptr::null(), |options| &raw const *options);
        let method = self.method;
        // SAFETY: the request, options and what they point to live until the call returns.
        let code = unsafe {
            sys::simplugin_call(
                self.target.raw(),
                method.as_ptr().cast(),
                method.len() as u64,
                request,
                options,
                reply.raw(),
                &mut error,
            )
        };
        let answer = if code == sys::code::OK { Ok(reply) } else { Err(Error::take(code, error)) };
        if let Some(panic) = listener.and_then(|listener| listener.panic) {
            resume_unwind(panic);
        }
        answer
    }

    /// Texts to search for become vectors here, or stay texts, of which the library tells that it
    /// embeds none.
    fn embed(&mut self) -> Result<()> {
        let Some(mut texts) = self.texts.take() else { return Ok(()) };
        match &self.embedding {
            Some(embedding) => {
                let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
                embedding.embed(&borrowed, &mut self.body).map_err(Error::embedding)?;
            }
            None if texts.len() == 1 => self.body.set("text", texts.remove(0)),
            None => self.body.set("text", texts),
        }
        Ok(())
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // the keys and no values, as parameters may be secrets
        let keys: Vec<&str> = self.body.map().iter().map(|(key, _)| key).collect();
        write!(f, "{} on {} with {keys:?}", self.method, self.target.raw())
    }
}

impl<'a> Options<'a> {
    pub(crate) fn timeout(&mut self, timeout: Duration) {
        // 0 would stand for the default
        let ms = timeout.as_nanos().div_ceil(1_000_000).max(1);
        self.timeout_ms = ms.try_into().unwrap_or(i64::MAX);
    }

    pub(crate) fn trace_id(&mut self, trace_id: &'a str) {
        self.trace_id = Some(trace_id);
    }

    pub(crate) fn progress(&mut self, progress: impl FnMut(u64, u64) + 'a) {
        self.progress = Some(Box::new(progress));
    }

    fn listener(&mut self) -> Result<Option<Listener<'a>>> {
        let Some(progress) = self.progress.take() else { return Ok(None) };
        // a panic in it ends the call, but not others that carry the caller's token
        let cancel = Follower::of(self.cancel)?;
        Ok(Some(Listener { progress, cancel, panic: None }))
    }

    /// `None` where everything is as by default.
    fn raw(&self, listener: Option<&mut Listener<'a>>) -> Option<sys::simplugin_options> {
        if self.timeout_ms == 0
            && self.cancel.is_none()
            && self.trace_id.is_none()
            && listener.is_none()
        {
            return None;
        }
        let own = listener.as_ref().map(|listener| listener.cancel.token());
        Some(sys::simplugin_options {
            size: size_of::<sys::simplugin_options>() as u64,
            timeout_ms: self.timeout_ms,
            cancel: own.or(self.cancel).map_or(0, CancelToken::raw),
            trace_id: self.trace_id.map_or(std::ptr::null(), |id| id.as_ptr().cast()),
            trace_id_size: self.trace_id.map_or(0, |id| id.len() as u64),
            progress: listener.is_some().then_some(heard as sys::simplugin_progress_fn),
            progress_context: listener.map_or(std::ptr::null_mut(), |l| (&raw mut *l).cast()),
            reserved: [0; 4],
        })
    }
}

/// Whom to tell of the progress of one call, on its own thread.
struct Listener<'a> {
    progress: Box<dyn FnMut(u64, u64) + 'a>,
    cancel: Follower<'a>,
    panic: Option<Box<dyn Any + Send>>,
}

unsafe extern "C" fn heard(context: *mut c_void, done: u64, total: u64) {
    // SAFETY: the listener that `send` passed, on the thread that is in `send`.
    let listener = unsafe { &mut *context.cast::<Listener<'_>>() };
    if listener.panic.is_some() {
        return;
    }
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (listener.progress)(done, total))) {
        listener.panic = Some(panic);
        listener.cancel.token().cancel();
    }
}
