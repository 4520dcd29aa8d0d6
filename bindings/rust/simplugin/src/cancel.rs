// SPDX-License-Identifier: Apache-2.0
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
struct Token {
    raw: u64,
    followers: Mutex<Followers>,
}

/// Tokens of single calls, which end with this one and may end before.
#[derive(Debug, Default)]
struct Followers {
    is_fired: bool,
    raw: Vec<u64>,
}

impl CancelToken {
    /// A token for any number of calls.
    pub fn new() -> Result<Self> {
        let (mut raw, mut error) = (0, std::ptr::null_mut());
        // SAFETY: both are ours.
        match unsafe { sys::simplugin_cancel_new(&mut raw, &mut error) } {
            sys::code::OK => Ok(CancelToken(Arc::new(Token { raw, followers: Mutex::default() }))),
            code => Err(Error::take(code, error)),
        }
    }

    /// Ends all calls that carry the token, and every later one, with
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn cancel(&self) {
        let mut followers = self.followers();
        followers.is_fired = true;
        for raw in followers.raw.iter().chain([&self.raw()]) {
            // SAFETY: any number may be fired, also again; none of these is freed yet.
            unsafe { sys::simplugin_cancel_fire(*raw) };
        }
    }

    pub(crate) fn raw(&self) -> u64 {
        self.0.raw
    }

    fn followers(&self) -> MutexGuard<'_, Followers> {
        self.0.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: it is ours; calls that carry it borrow a clone.
        unsafe { sys::simplugin_cancel_free(self.raw) };
    }
}

/// A token of one call, which can be ended without the others that carry the caller's.
pub(crate) struct Follower<'a> {
    own: CancelToken,
    leader: Option<&'a CancelToken>,
}

impl<'a> Follower<'a> {
    pub(crate) fn of(leader: Option<&'a CancelToken>) -> Result<Self> {
        let own = CancelToken::new()?;
        if let Some(leader) = leader {
            let mut followers = leader.followers();
            followers.raw.push(own.raw());
            if followers.is_fired {
                own.cancel();
            }
        }
        Ok(Follower { own, leader })
    }

    pub(crate) fn token(&self) -> &CancelToken {
        &self.own
    }
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            leader.followers().raw.retain(|raw| *raw != self.own.raw());
        }
    }
}
