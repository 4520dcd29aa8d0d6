// SPDX-License-Identifier: Apache-2.0
//! The HNSW graph of a collection in this process. It follows the store: points with greater
//! numbers than it has seen are added, points of removals it has not seen are taken out. All of
//! that is done in blocks, by whoever needs the graph, within that call's time; what is done stays
//! done.
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction};
use simplugin_backend::plugin::code;
use simplugin_backend::{Call, Error, LogLevel, log};
use usearch::{Index, IndexOptions, ScalarKind};

use crate::collection::Collection;
use crate::rows::floats;
use crate::saved::{self, Marks};
use crate::store::{Store, failed};

/// Points that are added while others wait, and the bytes of their vectors.
const BLOCK_ROWS: usize = 256;
const BLOCK_BYTES: usize = 256 << 10;

/// Removals that are followed while others wait.
const REMOVALS: usize = 4096;

/// Threads that add a block to a graph that has so many points. In smaller ones, points that are
/// added at once too often miss each other.
const THREADS: usize = 8;
const THREADS_FROM: usize = 4096;

/// A graph out of which more points were taken than this, and than are left, is begun anew: those
/// that are gone still stand between the others.
const CHURN_MIN: i64 = 1000;

/// A graph is saved when so many points were added or taken out since, and this part of all: few
/// programs close what they open.
const UNSAVED_MIN: usize = 1000;
const UNSAVED_PART: usize = 8;

/// What a disk writes in a second at least: a call that has less time than that does not save.
const BYTES_PER_SECOND: usize = 50 << 20;

/// Searches in one graph at a time; USearch keeps memory for each.
const SEARCHES: usize = 64;

#[derive(Default)]
pub(crate) struct Graph {
    built: RwLock<Option<Built>>,
    searches: AtomicUsize,
    /// What the file says, which one thread at a time writes.
    saved: Mutex<Option<Marks>>,
    /// Points that were added or taken out since then.
    unsaved: AtomicUsize,
}

struct Built {
    index: Index,
    marks: Marks,
    /// Whether the graph began with it.
    from_file: bool,
    /// Whether it was begun because points and store were not as many.
    recounted: bool,
    uuid: String,
}

/// What `native.graph` tells.
pub(crate) struct State {
    pub(crate) points: usize,
    pub(crate) bytes: usize,
    pub(crate) from_file: bool,
}

impl Graph {
    /// Keeps step with the store, as it is now.
    pub(crate) fn follow(
        &self,
        call: &Call<'_>,
        store: &Store,
        collection: &Collection,
    ) -> Result<(), Error> {
        while !self.is_current(call, store, collection)? {
            let mut built = self.writing(call)?;
            // one thread at a time works in here, and lets others in after each block
            let changed = store
                .read(call, |transaction| self.step(&mut built, transaction, store, collection))?;
            self.unsaved.fetch_add(changed, Ordering::Relaxed);
            if let Some(built) = &*built {
                call.progress(built.index.size() as u64, collection.points as u64);
            }
        }
        if self.is_worth_saving(call)? {
            if let Err(error) = self.flush(call, store, collection) {
                // the next one tries again
                log(LogLevel::Warning, &format!("usearch: {error}"));
            }
        }
        Ok(())
    }

    /// Writes the file of what there is.
    pub(crate) fn flush(
        &self,
        call: &Call<'_>,
        store: &Store,
        collection: &Collection,
    ) -> Result<(), Error> {
        let built = self.reading(call)?;
        store.read(call, |transaction| {
            self.save(built, transaction, &store.directory, collection.number)
        })
    }

    fn is_worth_saving(&self, call: &Call<'_>) -> Result<bool, Error> {
        let unsaved = self.unsaved.load(Ordering::Relaxed);
        if unsaved < UNSAVED_MIN {
            return Ok(false);
        }
        let (points, bytes) = match &*self.reading(call)? {
            Some(built) => (built.index.size(), built.index.serialized_length()),
            None => return Ok(false),
        };
        let needed = Duration::from_secs((bytes / BYTES_PER_SECOND + 1) as u64);
        let in_time = call.remaining().is_none_or(|left| left > needed);
        Ok(in_time && unsaved >= points / UNSAVED_PART)
    }

    fn is_current(
        &self,
        call: &Call<'_>,
        store: &Store,
        collection: &Collection,
    ) -> Result<bool, Error> {
        call.check()?;
        let known = self.reading(call)?.as_ref().map(|built| (built.marks, built.index.size()));
        let Some((marks, size)) = known else { return Ok(false) };
        store.read(call, |transaction| {
            let mut statement = transaction
                .prepare_cached(
                    "SELECT epoch = ?2 AND points = ?5
                        AND NOT EXISTS (SELECT 1 FROM points WHERE collection = ?1 AND number > ?3)
                        AND NOT EXISTS (SELECT 1 FROM removals WHERE number > ?4)
                     FROM collections WHERE number = ?1",
                )
                .map_err(failed)?;
            let known = (collection.number, marks.epoch, marks.added, marks.removed, size as i64);
            let current =
                statement.query_row(known, |row| row.get(0)).optional().map_err(failed)?;
            current.ok_or_else(|| collection.is_gone())
        })
    }

    /// The numbers of points that are nearest, as the graph sees it.
    pub(crate) fn search(
        &self,
        call: &Call<'_>,
        query: &[f32],
        candidates: usize,
    ) -> Result<Vec<i64>, Error> {
        let built = self.reading(call)?;
        while self.searches.fetch_add(1, Ordering::Acquire) >= SEARCHES {
            self.searches.fetch_sub(1, Ordering::Release);
            rest(call)?;
        }
        let found = match &*built {
            Some(built) if built.index.size() > 0 => {
                built.index.search(query, candidates).map(|found| found.keys)
            }
            _ => Ok(Vec::new()),
        };
        self.searches.fetch_sub(1, Ordering::Release);
        Ok(found.map_err(of_usearch)?.into_iter().map(|key| key as i64).collect())
    }

    pub(crate) fn state(&self, call: &Call<'_>) -> Result<Option<State>, Error> {
        Ok(self.reading(call)?.as_ref().map(|built| State {
            points: built.index.size(),
            bytes: built.index.memory_usage(),
            from_file: built.from_file,
        }))
    }

    /// The same without a call, of whoever uses the graph last.
    pub(crate) fn close(
        &self,
        connection: &Connection,
        directory: &Path,
        number: i64,
    ) -> Result<(), Error> {
        let built = self.built.try_read().map_err(of_usearch)?;
        self.save(built, connection, directory, number)
    }

    /// If there is anything new to be kept, and the collection is still there.
    fn save(
        &self,
        built: RwLockReadGuard<'_, Option<Built>>,
        connection: &Connection,
        directory: &Path,
        number: i64,
    ) -> Result<(), Error> {
        let mut saved = match self.saved.try_lock() {
            Ok(saved) => saved,
            Err(TryLockError::Poisoned(saved)) => saved.into_inner(),
            // another thread is at it
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let (marks, uuid, bytes, changes) = match &*built {
            Some(built) if *saved != Some(built.marks) && built.index.size() > 0 => {
                let bytes = saved::bytes(built.marks, &built.index).map_err(of_usearch)?;
                let changes = self.unsaved.load(Ordering::Relaxed);
                (built.marks, built.uuid.clone(), bytes, changes)
            }
            _ => return Ok(()),
        };
        // others may go on while it is written
        drop(built);
        let known: Option<String> = connection
            .query_row("SELECT uuid FROM collections WHERE number = ?", [number], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if known.as_ref() != Some(&uuid) {
            return Ok(());
        }
        saved::write(directory, &uuid, &bytes).map_err(|error| {
            let code = match error.kind() {
                std::io::ErrorKind::StorageFull => code::NO_SPACE,
                _ => code::IO,
            };
            Error::new(code, format!("the graph {uuid} cannot be written: {error}"))
        })?;
        *saved = Some(marks);
        self.unsaved.fetch_sub(changes, Ordering::Relaxed);
        Ok(())
    }

    /// Who writes the file at this moment knows better.
    fn note_saved(&self, marks: Option<Marks>) {
        if let Ok(mut saved) = self.saved.try_lock() {
            *saved = marks;
        }
    }

    fn reading(&self, call: &Call<'_>) -> Result<RwLockReadGuard<'_, Option<Built>>, Error> {
        loop {
            match self.built.try_read() {
                Ok(built) => return Ok(built),
                Err(TryLockError::Poisoned(_)) => drop(self.writing(call)?),
                Err(TryLockError::WouldBlock) => rest(call)?,
            }
        }
    }

    /// Whoever panicked while changing the graph may have left half of a change.
    fn writing(&self, call: &Call<'_>) -> Result<RwLockWriteGuard<'_, Option<Built>>, Error> {
        loop {
            match self.built.try_write() {
                Ok(built) => return Ok(built),
                Err(TryLockError::Poisoned(poisoned)) => {
                    self.built.clear_poison();
                    let mut built = poisoned.into_inner();
                    *built = None;
                    return Ok(built);
                }
                Err(TryLockError::WouldBlock) => rest(call)?,
            }
        }
    }

    /// One block of work: removals first, then points that are new, all of one state of the store.
    /// Returns how many there were.
    fn step(
        &self,
        place: &mut Option<Built>,
        transaction: &Transaction<'_>,
        store: &Store,
        collection: &Collection,
    ) -> Result<usize, Error> {
        let mut statement = transaction
            .prepare_cached(
                "SELECT epoch, points,
                (SELECT coalesce(min(number), 0) FROM removals),
                (SELECT coalesce(max(number), 0) FROM removals)
             FROM collections WHERE number = ?",
            )
            .map_err(failed)?;
        let state = statement
            .query_row([collection.number], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional();
        let (epoch, points, oldest, youngest): (i64, i64, i64, i64) =
            state.map_err(failed)?.ok_or_else(|| collection.is_gone())?;
        let begun = Marks { epoch, removed: youngest, ..Marks::default() };
        let mut built = match place.take() {
            Some(built) => built,
            None => {
                let built = Built::load(&store.directory, collection, begun)?;
                self.note_saved(built.from_file.then_some(built.marks));
                built
            }
        };
        let marks = built.marks;
        // removals that nobody remembers any more may have been of our points
        let forgotten = oldest > marks.removed + 1;
        if marks.epoch != epoch || forgotten || marks.churn > points.max(CHURN_MIN) {
            built = Built::new(collection, begun)?;
        }
        let (mut changed, last) = built.take_out(transaction, collection)?;
        let added = if last { built.add(transaction, collection)? } else { 0 };
        changed += added;
        if last && added == 0 && built.index.size() as i64 != points {
            // the store is another one than the file knew, such as a restored one
            if built.recounted {
                return Err(collection.is_damaged());
            }
            built = Built { recounted: true, ..Built::new(collection, begun)? };
            self.note_saved(None);
        }
        // not after an error: it may have come halfway
        *place = Some(built);
        Ok(changed)
    }
}

impl Built {
    fn new(collection: &Collection, marks: Marks) -> Result<Self, Error> {
        let options = IndexOptions {
            dimensions: collection.dimension,
            metric: collection.metric.kind(),
            quantization: ScalarKind::F32,
            connectivity: collection.connectivity as usize,
            expansion_add: collection.expansion_add as usize,
            // a search asks for as many candidates as it wants to be looked at
            expansion_search: 1,
            multi: false,
        };
        let built = Built {
            index: Index::new(&options).map_err(of_usearch)?,
            marks,
            from_file: false,
            recounted: false,
            uuid: collection.uuid.clone(),
        };
        built.reserve(0)?;
        Ok(built)
    }

    /// From its file, if there is one that is any good.
    fn load(directory: &Path, collection: &Collection, begun: Marks) -> Result<Self, Error> {
        let mut built = Built::new(collection, begun)?;
        match saved::read(directory, &collection.uuid, &built.index) {
            Some(marks) => {
                (built.marks, built.from_file) = (marks, true);
                built.index.change_expansion_add(collection.expansion_add as usize);
                built.index.change_expansion_search(1);
                built.reserve(0)?;
                Ok(built)
            }
            // a load that failed may have left anything in it
            None => Built::new(collection, begun),
        }
    }

    /// Room for so many more.
    fn reserve(&self, more: usize) -> Result<(), Error> {
        let needed = self.index.size() + self.marks.churn as usize + more;
        if more > 0 && needed <= self.index.capacity() {
            return Ok(());
        }
        let capacity = needed.next_power_of_two().max(self.index.capacity());
        self.index.reserve_capacity_and_threads(capacity, SEARCHES).map_err(of_usearch)
    }

    /// How many points it took out, and whether there are no more removals to be followed.
    fn take_out(
        &mut self,
        transaction: &Transaction<'_>,
        collection: &Collection,
    ) -> Result<(usize, bool), Error> {
        let mut statement = transaction
            .prepare_cached(
                "SELECT number, collection, point FROM removals WHERE number > ?
                 ORDER BY number LIMIT ?",
            )
            .map_err(failed)?;
        let mut rows = statement.query((self.marks.removed, REMOVALS as i64)).map_err(failed)?;
        let (mut count, mut removed) = (0, 0);
        while let Some(row) = rows.next().map_err(failed)? {
            let (number, of, point): (i64, i64, i64) = row.try_into().map_err(failed)?;
            self.marks.removed = number;
            count += 1;
            if of == collection.number && point <= self.marks.added {
                removed += self.index.remove(point as u64).map_err(of_usearch)?;
            }
        }
        self.marks.churn += removed as i64;
        Ok((removed, count < REMOVALS))
    }

    /// How many points it added.
    fn add(
        &mut self,
        transaction: &Transaction<'_>,
        collection: &Collection,
    ) -> Result<usize, Error> {
        let rows = (BLOCK_BYTES / size_of::<f32>() / collection.dimension).clamp(1, BLOCK_ROWS);
        let mut statement = transaction
            .prepare_cached(
                "SELECT number, vector FROM points WHERE collection = ? AND number > ?
                 ORDER BY number LIMIT ?",
            )
            .map_err(failed)?;
        let found = statement
            .query_map((collection.number, self.marks.added, rows as i64), |row| {
                Ok((row.get::<_, i64>(0)?, floats(row.get_ref(1)?.as_blob()?)))
            })
            .map_err(failed)?;
        let block: Vec<(i64, Vec<f32>)> = found.collect::<Result<_, _>>().map_err(failed)?;
        let Some((last, _)) = block.last() else { return Ok(0) };
        self.reserve(block.len())?;
        let index = &self.index;
        let threads = match index.size() {
            THREADS_FROM.. => std::thread::available_parallelism().map_or(1, usize::from),
            _ => 1,
        };
        let part = block.len().div_ceil(threads.min(THREADS));
        let add = |rows: &[(i64, Vec<f32>)]| {
            rows.iter().try_for_each(|(number, vector)| {
                index.add(*number as u64, &collection.metric.fit(vector)).map_err(of_usearch)
            })
        };
        std::thread::scope(|scope| {
            let (first, others) = block.split_at(part);
            let others: Vec<_> =
                others.chunks(part).map(|rows| scope.spawn(move || add(rows))).collect();
            let mut result = add(first);
            for other in others {
                let ended = other.join().unwrap_or_else(|_| Err(of_usearch("a thread panicked")));
                result = result.and(ended);
            }
            result
        })?;
        self.marks.added = *last;
        Ok(block.len())
    }
}

/// Between two looks at a lock.
fn rest(call: &Call<'_>) -> Result<(), Error> {
    call.check()?;
    std::thread::sleep(Duration::from_micros(200));
    Ok(())
}

fn of_usearch(error: impl std::fmt::Display) -> Error {
    Error::new(code::INTERNAL, format!("USearch failed: {error}"))
}
