// SPDX-License-Identifier: Apache-2.0
use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use simplugin_abi::plugin::{code, simplugin_call_info};

use crate::Error;
use crate::host::host;

/// One call: its method, and when it has to end.
pub struct Call<'a> {
    info: simplugin_call_info,
    borrowed: PhantomData<&'a simplugin_call_info>,
}

impl<'a> Call<'a> {
    /// # Safety
    /// `info` is the host's, and lives for `'a`.
    pub(crate) unsafe fn of(info: *const simplugin_call_info) -> Self {
        // SAFETY: the caller's.
        Call { info: unsafe { *info }, borrowed: PhantomData }
    }

    /// A call that no host makes, for the tests of a backend: it has all the time there is, and
    /// nobody cancels it or listens.
    ///
    /// ```
    /// use simplugin_backend::{Backend, Body, Call, Error, Instance, Map, Threads};
    /// # struct Counter;
    /// # impl Backend for Counter {
    /// #     type Instance = Counter;
    /// #     const THREADS: Threads = Threads::Serial;
    /// #     fn describe() -> Body<'static> { Body::new() }
    /// #     fn open(_: &Call<'_>, _: Map<'_>) -> Result<Counter, Error> { Ok(Counter) }
    /// # }
    /// # impl Instance for Counter {
    /// #     fn call<'a>(&'a self, call: &Call<'a>, _: Map<'a>) -> Result<Body<'a>, Error> {
    /// #         call.check()?;
    /// #         Ok(Body::new().with("count", 0))
    /// #     }
    /// # }
    /// let instance = Counter::open(&Call::new("open"), Body::new().map())?;
    /// let request = Body::new().with("collection", "digits");
    /// let reply = instance.call(&Call::new("points.count"), request.map())?;
    /// assert_eq!(reply.map().get("count").unwrap().as_u64(), Some(0));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(method: &'a str) -> Self {
        let info = simplugin_call_info {
            size: size_of::<simplugin_call_info>() as u64,
            method: method.as_ptr().cast(),
            method_size: method.len() as u64,
            deadline: i64::MAX,
            cancel: 0,
            trace_id: std::ptr::null(),
            trace_id_size: 0,
            progress: 0,
            reserved: [0; 4],
        };
        Call { info, borrowed: PhantomData }
    }

    /// The same, that ends after so much time.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        let timeout = i64::try_from(timeout.as_nanos()).unwrap_or(i64::MAX);
        self.info.deadline = now().saturating_add(timeout);
        self
    }

    /// The method; `open` when an instance is opened.
    pub fn method(&self) -> &'a str {
        text(self.info.method, self.info.method_size).unwrap_or_default()
    }

    /// For logs and servers.
    pub fn trace_id(&self) -> Option<&'a str> {
        text(self.info.trace_id, self.info.trace_id_size).filter(|id| !id.is_empty())
    }

    /// How much time there is; `None`: as much as it takes.
    pub fn remaining(&self) -> Option<Duration> {
        if self.info.deadline == i64::MAX {
            return None;
        }
        let left = self.info.deadline.saturating_sub(now()).max(0);
        Some(Duration::from_nanos(left as u64))
    }

    /// Whether the program has given up.
    pub fn is_cancelled(&self) -> bool {
        // SAFETY: any token may be asked for, 0 included.
        self.info.cancel != 0
            && host().cancelled.is_some_and(|cancelled| unsafe { cancelled(self.info.cancel) } != 0)
    }

    /// An error if the call is out of time or cancelled. Cheap: meant to be asked between blocks
    /// of work.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() {
            return Err(Error::new(code::CANCELLED, format!("{}: cancelled", self.method())));
        }
        if self.remaining().is_some_and(|left| left.is_zero()) {
            return Err(Error::new(
                code::DEADLINE_EXCEEDED,
                format!("{}: out of time", self.method()),
            ));
        }
        Ok(())
    }

    /// Tells the program how far the call is, in units of the method's choice; a total of 0 is an
    /// unknown one.
    pub fn progress(&self, done: u64, total: u64) {
        if let Some(progress) = host().progress.filter(|_| self.info.progress != 0) {
            // SAFETY: the listener lives as long as the call.
            unsafe { progress(self.info.progress, done, total) };
        }
    }

    /// Does `work`, in which `wake` is called, once and on another thread, if the call is
    /// cancelled. `wake` must not block.
    pub fn while_watched<R>(&self, wake: impl Fn() + Sync, work: impl FnOnce() -> R) -> R {
        let mut watch = Watch(0);
        if let Some(begin) = host().cancel_watch.filter(|_| self.info.cancel != 0) {
            let context = (&raw const wake).cast_mut().cast::<c_void>();
            // SAFETY: `wake` outlives the watch, which ends before this function does. Where the
            // token is gone there is no watch to end.
            unsafe { begin(self.info.cancel, Some(woken(&wake)), context, &mut watch.0) };
        }
        let result = work();
        drop(watch);
        result
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("method", &self.method()).finish_non_exhaustive()
    }
}

/// Ends the watch also where the work panics.
struct Watch(u64);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(end) = host().cancel_unwatch.filter(|_| self.0 != 0) {
            // SAFETY: a watch of ours; it waits for a wake that is running.
            unsafe { end(self.0) };
        }
    }
}

/// The function that calls a closure of that type.
fn woken<F: Fn() + Sync>(_: &F) -> unsafe extern "C" fn(*mut c_void) {
    unsafe extern "C" fn call<F: Fn() + Sync>(context: *mut c_void) {
        // SAFETY: `while_watched` passed a closure of this type, and waits.
        let wake = unsafe { &*context.cast::<F>() };
        _ = catch_unwind(AssertUnwindSafe(wake));
    }
    call::<F>
}

fn text<'a>(text: *const c_char, size: u64) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the host's text, which lives as long as the call.
    std::str::from_utf8(unsafe { std::slice::from_raw_parts(text.cast(), size as usize) }).ok()
}

/// CLOCK_MONOTONIC in nanoseconds, by which deadlines are.
fn now() -> i64 {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    const CLOCK_MONOTONIC: i32 = 1;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // SAFETY: the struct is that of 64-bit Linux.
    unsafe { clock_gettime(CLOCK_MONOTONIC, &mut time) };
    time.seconds.saturating_mul(1_000_000_000).saturating_add(time.nanoseconds)
}
