// SPDX-License-Identifier: Apache-2.0
use std::fmt;

/// A column of text as it lies in memory: all of it in a row, and where each begins.
///
/// ```
/// let texts = simplugin_abi::Texts::new("applepear", &[0, 5, 9]).unwrap();
/// assert_eq!(texts.get(1), Some("pear"));
/// assert_eq!(texts.iter().collect::<Vec<_>>(), ["apple", "pear"]);
/// ```
#[derive(Clone, Copy, Default)]
pub struct Texts<'a> {
    all: &'a str,
    offsets: &'a [i64],
}

impl<'a> Texts<'a> {
    /// Text i is `all[offsets[i]..offsets[i + 1]]`. `None` if offsets fall, or are not at the
    /// boundaries of characters.
    pub fn new(all: &'a str, offsets: &'a [i64]) -> Option<Self> {
        let ascending = offsets.is_sorted() && offsets.first().is_none_or(|first| *first >= 0);
        let inside = |at: &i64| usize::try_from(*at).is_ok_and(|at| all.is_char_boundary(at));
        (ascending && offsets.iter().all(inside)).then_some(Texts { all, offsets })
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at this place.
    pub fn get(&self, i: usize) -> Option<&'a str> {
        let from = *self.offsets.get(i)? as usize;
        let to = *self.offsets.get(i.checked_add(1)?)? as usize;
        self.all.get(from..to)
    }

    /// Those at these places, which must be there.
    ///
    /// # Panics
    /// If they are not.
    pub fn range(&self, range: std::ops::Range<usize>) -> Texts<'a> {
        if range.is_empty() && range.end <= self.len() {
            return Texts::default();
        }
        Texts { all: self.all, offsets: &self.offsets[range.start..=range.end] }
    }

    /// One after the other.
    pub fn iter(&self) -> TextsIter<'a> {
        TextsIter { texts: *self, next: 0, end: self.len() }
    }

    pub(crate) fn parts(&self) -> (&'a str, &'a [i64]) {
        (self.all, self.offsets)
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: AsRef<str>> PartialEq<[T]> for Texts<'_> {
    fn eq(&self, other: &[T]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<T: AsRef<str>, const N: usize> PartialEq<[T; N]> for Texts<'_> {
    fn eq(&self, other: &[T; N]) -> bool {
        *self == other[..]
    }
}

impl<T: AsRef<str>> PartialEq<Vec<T>> for Texts<'_> {
    fn eq(&self, other: &Vec<T>) -> bool {
        *self == other[..]
    }
}

impl<'a> IntoIterator for Texts<'a> {
    type Item = &'a str;
    type IntoIter = TextsIter<'a>;

    fn into_iter(self) -> TextsIter<'a> {
        self.iter()
    }
}

/// The texts of a [`Texts`].
#[derive(Clone, Debug)]
pub struct TextsIter<'a> {
    texts: Texts<'a>,
    next: usize,
    end: usize,
}

impl<'a> Iterator for TextsIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        self.texts.get(self.next - 1)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl DoubleEndedIterator for TextsIter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.next == self.end {
            return None;
        }
        self.end -= 1;
        self.texts.get(self.end)
    }
}

impl ExactSizeIterator for TextsIter<'_> {}
