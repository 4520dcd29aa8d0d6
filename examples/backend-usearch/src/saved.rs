// SPDX-License-Identifier: Apache-2.0
//! The file of a graph: how far it had followed the store, and USearch's own bytes. One that is
//! damaged, or of another time, is as good as none.
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use simplugin_backend::{Call, Error};
use usearch::Index;

use crate::store::{Store, failed};

const MAGIC: &[u8; 8] = b"spusear1";
/// Magic, checksum of what follows it, epoch, two numbers, how many changes since it was built.
const HEAD: usize = 8 + 4 + 4 * 8;

/// How far a graph has followed the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Another epoch begins when all points are deleted.
    pub(crate) epoch: i64,
    /// The last point and the last removal that the graph knows.
    pub(crate) added: i64,
    pub(crate) removed: i64,
    /// Points that were taken out since the graph was begun.
    pub(crate) churn: i64,
}

fn file(directory: &Path, uuid: &str) -> PathBuf {
    directory.join(format!("{uuid}.graph"))
}

/// What the file of such a graph holds.
pub(crate) fn bytes(marks: Marks, index: &Index) -> Result<Vec<u8>, impl std::fmt::Display> {
    let mut bytes = vec![0; HEAD + index.serialized_length()];
    index.save_to_buffer(&mut bytes[HEAD..]).map(|()| {
        let numbers = [marks.epoch, marks.added, marks.removed, marks.churn];
        for (place, number) in bytes[12..HEAD].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = crc32fast::hash(&bytes[12..]);
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&checksum.to_le_bytes());
        bytes
    })
}

/// Either the whole file is there afterwards, or what was there before.
pub(crate) fn write(directory: &Path, uuid: &str, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = directory.join(format!("{uuid}.{}.new", std::process::id()));
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut to| to.write_all(bytes).and_then(|()| to.sync_all()))
        .and_then(|()| fs::rename(&unfinished, file(directory, uuid)));
    if written.is_err() {
        _ = fs::remove_file(&unfinished);
    }
    written
}

/// Fills an index that was made with the same options.
pub(crate) fn read(directory: &Path, uuid: &str, index: &Index) -> Option<Marks> {
    let bytes = fs::read(file(directory, uuid)).ok()?;
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let checksum = crc32fast::hash(&bytes[12..]).to_le_bytes();
    if head[..8] != *MAGIC || head[8..12] != checksum {
        return None;
    }
    let mut numbers = head[12..]
        .chunks_exact(8)
        .map(|number| i64::from_le_bytes(number.try_into().unwrap_or_default()));
    let mut next = || numbers.next().unwrap_or_default();
    let marks = Marks { epoch: next(), added: next(), removed: next(), churn: next() };
    let (dimensions, connectivity) = (index.dimensions(), index.connectivity());
    index.load_from_buffer(rest).ok()?;
    let same = (index.dimensions(), index.connectivity()) == (dimensions, connectivity);
    same.then_some(marks)
}

pub(crate) fn remove(directory: &Path, uuid: &str) {
    _ = fs::remove_file(file(directory, uuid));
}

/// Takes away what is left of collections that are gone, and of processes that died writing.
pub(crate) fn sweep(call: &Call<'_>, store: &Store) -> Result<(), Error> {
    let names: Vec<String> = store.read(call, |transaction| {
        let mut statement =
            transaction.prepare_cached("SELECT uuid FROM collections").map_err(failed)?;
        let rows = statement.query_map((), |row| row.get(0)).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    })?;
    let Ok(entries) = fs::read_dir(&store.directory) else { return Ok(()) };
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    for entry in entries.flatten() {
        let path = entry.path();
        let old = entry.metadata().and_then(|data| data.modified()).is_ok_and(|at| at < long_ago);
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let useless = match path.extension().and_then(|extension| extension.to_str()) {
            Some("graph") => !names.iter().any(|uuid| uuid == name),
            Some("new") => true,
            _ => false,
        };
        if old && useless {
            _ = fs::remove_file(path);
        }
    }
    Ok(())
}
