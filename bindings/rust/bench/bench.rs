// SPDX-License-Identifier: Apache-2.0
//! bench DATA.f32 DIRECTORY: what the crate costs, for bench/bindings.py of the project: 100,000 x
//! 512 float32, and a fresh directory for the index.

use std::io::Read;
use std::time::Instant;

use simplugin::{Result, Session};

const ROWS: usize = 100_000;
const DIMENSION: usize = 512;
const QUERIES: usize = 256;
const K: u64 = 10;
const CALLS: u32 = 1_000_000;
const SEARCHES: usize = 20;

fn rows_of(path: &str) -> Vec<f32> {
    let mut file = std::fs::File::open(path).expect("the file of rows");
    let mut rows = Vec::with_capacity(ROWS * DIMENSION);
    let mut bytes = [0; DIMENSION * size_of::<f32>()];
    for _ in 0..ROWS {
        file.read_exact(&mut bytes).expect("as many rows");
        rows.extend(bytes.chunks_exact(4).map(|b| f32::from_ne_bytes([b[0], b[1], b[2], b[3]])));
    }
    rows
}

fn peak_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("VmHWM")
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, path, directory] = &arguments[..] else { panic!("usage: bench DATA.f32 DIRECTORY") };
    let rows = rows_of(path);
    let ids: Vec<String> = (0..ROWS).map(|i| format!("p{i}")).collect();
    let session = Session::open().data_dir(directory).send()?;
    let index = session.create_index().backend("sklearn").metric("cosine").send()?;

    let (before, begin) = (peak_kib(), Instant::now());
    index.add(&ids, simplugin::Matrix::new(&rows, DIMENSION)).send()?;
    println!("add_s {:.6}", begin.elapsed().as_secs_f64());
    println!("peak_kib {}", peak_kib() - before);

    let queries = &rows[..QUERIES * DIMENSION];
    let mut seconds = Vec::new();
    for _ in 0..SEARCHES {
        let begin = Instant::now();
        let hits =
            index.search().vectors(simplugin::Matrix::new(queries, DIMENSION)).k(K).send()?;
        seconds.push(begin.elapsed().as_secs_f64());
        assert_eq!(hits.len(), QUERIES);
    }
    seconds.sort_by(f64::total_cmp);
    println!("search_s {:.6}", seconds[SEARCHES / 2]);

    let begin = Instant::now();
    for _ in 0..CALLS {
        index.health().send()?;
    }
    println!("null_ns {:.1}", begin.elapsed().as_secs_f64() / f64::from(CALLS) * 1e9);
    index.cleanup().send()?;
    Ok(())
}
