// SPDX-License-Identifier: Apache-2.0
//! What tests share.
#![allow(dead_code, unreachable_pub)]

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use simplugin::{Connection, Index, Session};

/// Removed with what is in it.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("simplugin-rust-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Directory(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A session that sees nothing of the environment, and its data.
pub struct Rig {
    pub session: Session,
    pub directory: Directory,
}

impl Rig {
    pub fn new() -> Self {
        let directory = Directory::new();
        let config = directory.path().join("brain_config.json");
        std::fs::write(&config, "{}").unwrap();
        let session = Session::open()
            .config_path(config)
            .data_dir(directory.path().join("data"))
            .environment::<&str, &str>([])
            .send()
            .unwrap();
        Rig { session, directory }
    }

    /// Apple, pear and plum.
    pub fn fruit(&self) -> Index {
        let index = self.session.create_index().metric("cosine").send().unwrap();
        let rows = [[1.0_f32, 0.0], [0.9, 0.1], [0.0, 1.0]];
        let colors = ["red", "green", "purple"];
        index.add(["apple", "pear", "plum"], &rows).field("color", colors).send().unwrap();
        index
    }

    /// A connection to a server that takes them and never says a word.
    pub fn hanging(&self, server: &Silence) -> Connection {
        let url = format!("http://{}", server.address);
        self.session.connect().backend("qdrant").parameter("url", url).send().unwrap()
    }
}

/// A server that takes connections and never answers.
pub struct Silence {
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Silence {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Silence { address: listener.local_addr().unwrap(), listener }
    }

    /// Waits until somebody waits for an answer.
    pub fn wait(&self) -> std::net::TcpStream {
        self.listener.accept().unwrap().0
    }
}

/// How long something took.
pub fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let begin = Instant::now();
    (work(), begin.elapsed())
}

pub fn rss_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
