// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use simplugin_sys as sys;

use crate::{Error, Result};

/// Ends calls from another thread. Clones are the same token; the last one frees it.
///
/// ```
/// # fn main() -> simplugin::Result<()> {
/// let token = simplugin::CancelToken::new()?;
/// let other = token.clone();
/// std::thread::spawn(move || other.cancel()).join().unwrap();
/// let error = simplugin::backends().cancel(&token).send().unwrap_err();
/// assert_eq!(error.kind(), simplugin::ErrorKind::Cancelled);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CancelToken(Arc<Token>);

#[derive(Debug)]
struct Token(u64);

impl CancelToken {
    /// A token for any number of calls.
    pub fn new() -> Result<Self> {
        let (mut token, mut error) = (0, std::ptr::null_mut());
        // SAFETY: both are ours.
        match unsafe { sys::simplugin_cancel_new(&mut token, &mut error) } {
            sys::code::OK => Ok(CancelToken(Arc::new(Token(token)))),
            code => Err(Error::take(code, error)),
        }
    }

    /// Ends all calls that carry the token, and every later one, with
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn cancel(&self) {
        // SAFETY: any number may be fired, also again; ours is not freed yet.
        unsafe { sys::simplugin_cancel_fire(self.raw()) };
    }

    pub(crate) fn raw(&self) -> u64 {
        self.0.0
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: it is ours; calls that carry it borrow a clone.
        unsafe { sys::simplugin_cancel_free(self.0) };
    }
}
