// SPDX-License-Identifier: Apache-2.0
//! The SQLite file of a directory. Readers see one state and never wait; writers, of all processes,
//! take turns.
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use simplugin_backend::plugin::code;
use simplugin_backend::{Call, Error, LogLevel, log};

use crate::graph::Graph;

/// Numbers of points only grow: a point that is replaced gets a new one. So do those of removals,
/// of which the youngest are kept.
const SCHEMA: &str = "
    CREATE TABLE collections (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        uuid TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        dimension INTEGER NOT NULL,
        metric TEXT NOT NULL,
        connectivity INTEGER NOT NULL,
        expansion_add INTEGER NOT NULL,
        fields BLOB NOT NULL,
        points INTEGER NOT NULL);
    CREATE TABLE points (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL,
        id TEXT NOT NULL,
        vector BLOB NOT NULL,
        fields BLOB NOT NULL,
        UNIQUE (collection, id));
    CREATE INDEX points_by_age ON points (collection, number);
    CREATE TABLE removals (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        collection INTEGER NOT NULL,
        point INTEGER NOT NULL);
    PRAGMA user_version = 1;";
const VERSION: i64 = 1;

/// How long SQLite waits by itself before we look at the time and the token again.
const PATIENCE: Duration = Duration::from_millis(20);

pub(crate) struct Store {
    pub(crate) directory: PathBuf,
    /// Connections that nobody uses.
    idle: Mutex<Vec<Connection>>,
    /// By the numbers of their collections.
    graphs: Mutex<HashMap<i64, Arc<Graph>>>,
}

impl Store {
    /// The directory is there.
    pub(crate) fn open(call: &Call<'_>, directory: PathBuf) -> Result<Self, Error> {
        let store =
            Store { directory, idle: Mutex::new(Vec::new()), graphs: Mutex::new(HashMap::new()) };
        let connection = store.connect(call)?;
        store.put_back(connection);
        Ok(store)
    }

    /// What is read sees one state.
    pub(crate) fn read<T>(
        &self,
        call: &Call<'_>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.within(call, TransactionBehavior::Deferred, work)
    }

    /// All of it is written, or nothing; and it is on the disk when this returns.
    pub(crate) fn write<T>(
        &self,
        call: &Call<'_>,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.within(call, TransactionBehavior::Immediate, work)
    }

    /// The graph of a collection; an empty one if there was none yet.
    pub(crate) fn graph(&self, number: i64) -> Arc<Graph> {
        let mut graphs = self.graphs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(graphs.entry(number).or_default())
    }

    pub(crate) fn forget_graph(&self, number: i64) {
        self.graphs.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Those that there are, for when the store closes.
    pub(crate) fn take_graphs(&self) -> HashMap<i64, Arc<Graph>> {
        std::mem::take(&mut self.graphs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn within<T>(
        &self,
        call: &Call<'_>,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| self.connect(call), Ok)?;
        let transaction = wait(call, || Transaction::new_unchecked(&connection, behavior))?;
        let result = work(&transaction).and_then(|result| match behavior {
            TransactionBehavior::Deferred => Ok(result),
            _ => wait(call, || transaction.execute_batch("COMMIT")).map(|()| result),
        });
        // what is not committed is rolled back
        drop(transaction);
        if connection.is_autocommit() {
            self.put_back(connection);
        }
        result
    }

    fn put_back(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }

    fn connect(&self, call: &Call<'_>) -> Result<Connection, Error> {
        let file = self.directory.join("points.sqlite");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = wait(call, || Connection::open_with_flags(&file, flags))?;
        connection.set_prepared_statement_cache_capacity(32);
        wait(call, || {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")
        })?;
        let version = |connection: &Connection| {
            connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        };
        let mut found = wait(call, || version(&connection))?;
        if found == 0 {
            let transaction = wait(call, || {
                Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)
            })?;
            // another process may have been here in between
            found = wait(call, || version(&transaction))?;
            if found == 0 {
                wait(call, || transaction.execute_batch(SCHEMA))?;
                found = VERSION;
            }
            wait(call, || transaction.execute_batch("COMMIT"))?;
        }
        if found > VERSION {
            let message = format!("{} was written by a later version", file.display());
            return Err(Error::new(code::VERSION_TOO_NEW, message));
        }
        Ok(connection)
    }
}

impl Drop for Store {
    /// The last instance in this process has closed: what the graphs know is kept.
    fn drop(&mut self) {
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(connection) = idle else { return };
        for (number, graph) in self.take_graphs() {
            if let Err(error) = graph.close(&connection, &self.directory, number) {
                log(LogLevel::Warning, &format!("usearch: a graph was not saved: {error}"));
            }
        }
    }
}

/// Does `work` until nobody is in its way, or the call is over. BUSY if its time went by waiting.
pub(crate) fn wait<T>(
    call: &Call<'_>,
    mut work: impl FnMut() -> rusqlite::Result<T>,
) -> Result<T, Error> {
    loop {
        let error = match work() {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let busy = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if !busy || call.remaining().is_some_and(|left| left.is_zero()) {
            return Err(failed(error));
        }
        call.check()?;
        // some locks are refused at once
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What SQLite says, as an error of ours.
pub(crate) fn failed(error: rusqlite::Error) -> Error {
    let (code, what) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (code::BUSY, "another process or thread is writing to the directory, try again")
        }
        Some(ErrorCode::DiskFull) => (code::NO_SPACE, "the disk is full"),
        Some(ErrorCode::ReadOnly) => (code::READ_ONLY, "the directory cannot be written to"),
        Some(ErrorCode::PermissionDenied) => (code::PERMISSION_DENIED, "the store may not be used"),
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
            (code::IO, "the store cannot be read or written")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (code::CORRUPT, "the store is damaged, restore points.sqlite")
        }
        Some(ErrorCode::OutOfMemory) => (code::OUT_OF_MEMORY, "no memory for the store"),
        _ => (code::INTERNAL, "the store failed"),
    };
    let failed = Error::new(code, format!("{what}: {error}"));
    match error.sqlite_error() {
        Some(cause) => failed.backend(cause.extended_code.into(), error.to_string()),
        None => failed,
    }
}
