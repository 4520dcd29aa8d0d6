// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use simplugin_abi::Cell;

use crate::handle::Node;
use crate::reply::{Answer, read};
use crate::request::request;
use crate::{Call, CancelToken, Handle, Points, Reply, Result};

request! {
    /// [`Index::scan`](crate::Index::scan). Timeout and token hold for each page as well.
    ScanIndex = "scan.open" -> Scan {
        /// With vectors; true.
        vectors: bool,
        /// With these fields.
        fields: names,
        /// Only points that this filter accepts.
        filter: text,
        /// Only points of this view.
        view: view,
        /// At most so many points on a page.
        max_rows: int,
    }
}

request! {
    /// [`Scan::next_page`].
    NextPage = "scan.next" -> Points {}
}

/// An iteration over the points of an index, in constant memory: over pages, or over points with
/// [`Scan::rows`]. Every point that is there from the beginning to the end comes exactly once.
///
/// ```
/// # fn main() -> simplugin::Result<()> {
/// # let index = simplugin::create_index().send()?;
/// # index.add(["a", "b", "c"], &[[0.0_f32, 0.0], [3.0, 4.0], [1.0, 1.0]]).send()?;
/// for page in index.scan().max_rows(2).send()? {
///     let page = page?;
///     println!("{} points of dimension {}", page.len(), page.dimension());
/// }
/// for row in index.scan().send()?.rows() {
///     let row = row?;
///     println!("{} {:?}", row.id(), row.vector());
/// }
/// # index.cleanup().send()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Scan {
    node: Arc<Node>,
    timeout_ms: i64,
    cancel: Option<CancelToken>,
    is_done: bool,
}

impl Answer for Scan {
    fn read(reply: Reply, call: &Call<'_>) -> Result<Self> {
        Ok(Scan {
            node: Node::new(read(&reply.body(), "scan")?, call.parent),
            timeout_ms: call.options.timeout_ms,
            cancel: call.options.cancel.cloned(),
            is_done: false,
        })
    }
}

impl Scan {
    /// Its number in the library.
    pub fn handle(&self) -> Handle {
        self.node.handle
    }

    /// The next page, with options of its own. The last one's reply says that it is `done`.
    pub fn next_page(&self) -> NextPage<'_> {
        let mut next = NextPage::of(&self.node).timeout_ms(self.timeout_ms);
        next.call.options.cancel = self.cancel.as_ref();
        next
    }

    /// Point by point.
    pub fn rows(self) -> Rows {
        Rows { scan: self, page: None, next: 0 }
    }

    /// Closes it. Again is harmless.
    pub fn close(&self) -> Result<()> {
        self.node.close()
    }
}

/// Pages; the one after an error is the end.
impl Iterator for Scan {
    type Item = Result<Points>;

    fn next(&mut self) -> Option<Result<Points>> {
        if self.is_done {
            return None;
        }
        let page = self.next_page().send();
        self.is_done = match &page {
            Ok(page) => page.reply().get("done").and_then(|done| done.as_bool()).unwrap_or(true),
            Err(_) => true,
        };
        Some(page)
    }
}

impl std::iter::FusedIterator for Scan {}

/// The points of a [`Scan`].
#[derive(Debug)]
pub struct Rows {
    scan: Scan,
    page: Option<Arc<Points>>,
    next: usize,
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        loop {
            if let Some(page) = self.page.as_ref().filter(|page| self.next < page.len()) {
                self.next += 1;
                return Some(Ok(Row { page: page.clone(), i: self.next - 1 }));
            }
            self.page = None;
            self.next = 0;
            match self.scan.next()? {
                Ok(page) => self.page = Some(Arc::new(page)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl std::iter::FusedIterator for Rows {}

/// One point of a scan. It keeps its page.
#[derive(Clone, Debug)]
pub struct Row {
    page: Arc<Points>,
    i: usize,
}

impl Row {
    /// Its id.
    pub fn id(&self) -> &str {
        self.page.ids().get(self.i).unwrap_or_default()
    }

    /// The sample of a patch.
    pub fn sample_id(&self) -> Option<&str> {
        self.page.sample_ids()?.get(self.i)
    }

    /// Its vector; empty if it was not asked for.
    pub fn vector(&self) -> &[f32] {
        self.page.vector(self.i)
    }

    /// The value of a field that was asked for; `None` where it is missing.
    pub fn field(&self, name: &str) -> Option<Cell<'_>> {
        self.page.fields().get(name)?.get(self.i)
    }
}
