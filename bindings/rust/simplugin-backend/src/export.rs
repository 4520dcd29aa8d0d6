// SPDX-License-Identifier: Apache-2.0
//! The table of functions that the host sees.
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use simplugin_abi::Map;
use simplugin_abi::plugin::{
    ABI_1_0, code, simplugin_backend, simplugin_call_info, simplugin_error, simplugin_host,
    simplugin_instance, simplugin_reply, simplugin_request,
};

use crate::{Backend, Call, Error, Instance, host, reply};

/// Exports a [`Backend`] as the one symbol of a plugin file. Once in a crate.
#[macro_export]
macro_rules! export_backend {
    ($backend:ty) => {
        /// Called by the host, once.
        ///
        /// # Safety
        /// As simplugin/plugin.h says.
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn simplugin_backend_entry(
            host: *const $crate::plugin::simplugin_host,
            backend: *mut *const $crate::plugin::simplugin_backend,
            error: *mut *mut $crate::plugin::simplugin_error,
        ) -> i32 {
            // SAFETY: the host's arguments are passed on.
            unsafe { $crate::export::enter::<$backend>(host, backend, error) }
        }
    };
}

/// # Safety
/// The arguments are those of `simplugin_backend_entry`.
pub unsafe fn enter<B: Backend>(
    host: *const simplugin_host,
    backend: *mut *const simplugin_backend,
    error: *mut *mut simplugin_error,
) -> i32 {
    // SAFETY: the caller's.
    unsafe {
        host::keep(host);
        let (abi_min, abi_max) = ((*host).abi_min, (*host).abi_max);
        if !(abi_min..=abi_max).contains(&ABI_1_0) {
            let version = |abi: u32| format!("{}.{}", abi >> 16, abi & 0xffff);
            let message = format!(
                "the backend speaks ABI {0} to {0}, the host {1} to {2}",
                version(ABI_1_0),
                version(abi_min),
                version(abi_max)
            );
            return Error::new(code::INCOMPATIBLE, message).give(error);
        }
        *backend = Table::<B>::TABLE;
        code::OK
    }
}

struct Table<B>(std::marker::PhantomData<B>);

impl<B: Backend> Table<B> {
    const TABLE: &'static simplugin_backend = &simplugin_backend {
        size: size_of::<simplugin_backend>() as u64,
        abi: ABI_1_0,
        threads: B::THREADS.raw(),
        describe: Some(describe::<B>),
        open: Some(open::<B>),
        call: Some(call::<B::Instance>),
        close: Some(close::<B::Instance>),
    };
}

unsafe extern "C" fn describe<B: Backend>(
    reply: *mut simplugin_reply,
    error: *mut *mut simplugin_error,
) -> i32 {
    // SAFETY: the host's arguments.
    unsafe { guarded(error, || reply::fill(reply, B::describe())) }
}

unsafe extern "C" fn open<B: Backend>(
    info: *const simplugin_call_info,
    request: *const simplugin_request,
    instance: *mut *mut simplugin_instance,
    error: *mut *mut simplugin_error,
) -> i32 {
    // SAFETY: the host's arguments, borrowed until we return.
    unsafe {
        guarded(error, || {
            let opened = B::open(&Call::of(info), Map::of_request(&*request))?;
            *instance = Box::into_raw(Box::new(opened)).cast();
            Ok(())
        })
    }
}

unsafe extern "C" fn call<I: Instance>(
    instance: *mut simplugin_instance,
    info: *const simplugin_call_info,
    request: *const simplugin_request,
    reply: *mut simplugin_reply,
    error: *mut *mut simplugin_error,
) -> i32 {
    // SAFETY: the instance is of this type, and not closed while we are here; the rest is the
    // host's, borrowed until we return.
    unsafe {
        guarded(error, || {
            let instance = &*instance.cast::<I>();
            let body = instance.call(&Call::of(info), Map::of_request(&*request))?;
            reply::fill(reply, body)
        })
    }
}

unsafe extern "C" fn close<I: Instance>(instance: *mut simplugin_instance) {
    if instance.is_null() {
        return;
    }
    // SAFETY: `open` made it, and the host closes it once.
    let closed =
        catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(instance.cast::<I>()) })));
    if let Err(panic) = closed {
        crate::log(crate::LogLevel::Error, &format!("panicked in close: {}", said(&*panic)));
    }
}

/// # Safety
/// `error` is where the host lets errors go.
unsafe fn guarded(
    error: *mut *mut simplugin_error,
    work: impl FnOnce() -> Result<(), Error>,
) -> i32 {
    let failed = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => return code::OK,
        Ok(Err(failed)) => failed,
        Err(panic) => {
            Error::new(code::INTERNAL, format!("the backend panicked: {}", said(&*panic)))
        }
    };
    // SAFETY: the caller's.
    unsafe { failed.give(error) }
}

/// A panic's message, in one line.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    text.replace('\n', " ")
}
