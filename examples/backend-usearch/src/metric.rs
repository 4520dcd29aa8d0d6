// SPDX-License-Identifier: Apache-2.0
use std::borrow::Cow;

use simplugin_backend::Error;
use usearch::MetricKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Metric {
    Cosine,
    Dotproduct,
    Euclidean,
}

impl Metric {
    pub(crate) const NAMES: [&'static str; 3] = ["cosine", "dotproduct", "euclidean"];
    const ALL: [Self; 3] = [Metric::Cosine, Metric::Dotproduct, Metric::Euclidean];

    pub(crate) fn named(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|metric| metric.name() == name);
        found.ok_or_else(|| {
            Error::argument("metric", format!("metric is one of {}", Self::NAMES.join(", ")))
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// What orders the graph: the same order, by other figures.
    pub(crate) const fn kind(self) -> MetricKind {
        match self {
            Metric::Cosine | Metric::Dotproduct => MetricKind::IP,
            Metric::Euclidean => MetricKind::L2sq,
        }
    }

    /// What the graph holds of a vector. Directions alone are compared by their products, which is
    /// quicker, and nothing is too large or too small for that.
    pub(crate) fn fit(self, vector: &[f32]) -> Cow<'_, [f32]> {
        let squared = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
        if self != Metric::Cosine || squared == 0.0 {
            return vector.into();
        }
        let norm = squared.sqrt();
        vector.iter().map(|x| (f64::from(*x) / norm) as f32).collect()
    }

    /// The distance as docs/protocol.md defines it, and the score.
    pub(crate) fn measure(self, query: &[f32], point: &[f32]) -> (f64, f64) {
        let (mut dot, mut squared, mut q, mut x) = (0.0, 0.0, 0.0, 0.0);
        for (a, b) in query.iter().zip(point) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            dot += a * b;
            squared += (a - b) * (a - b);
            q += a * a;
            x += b * b;
        }
        match self {
            Metric::Euclidean => (squared.sqrt(), squared.sqrt()),
            Metric::Dotproduct => (-dot, dot),
            // the zero vector points nowhere
            Metric::Cosine if q == 0.0 || x == 0.0 => (1.0, 0.0),
            Metric::Cosine => {
                let cosine = dot / (q.sqrt() * x.sqrt());
                (1.0 - cosine, cosine)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Metric;

    #[test]
    fn distances_are_canonical() {
        let (q, x) = ([3.0, 4.0], [4.0, 3.0]);
        let (distance, score) = Metric::Cosine.measure(&q, &x);
        assert!((distance - 0.04).abs() < 1e-12 && (score - 0.96).abs() < 1e-12);
        assert_eq!(Metric::Dotproduct.measure(&q, &x), (-24.0, 24.0));
        assert_eq!(Metric::Euclidean.measure(&q, &x), (2_f64.sqrt(), 2_f64.sqrt()));
        assert_eq!(Metric::Cosine.measure(&q, &[0.0, 0.0]), (1.0, 0.0));
        assert_eq!(Metric::Cosine.measure(&[0.0, 0.0], &[0.0, 0.0]), (1.0, 0.0));
        // what a float32 could not hold
        assert_eq!(Metric::Euclidean.measure(&[3e38], &[-3e38]).0, 2.0 * f64::from(3e38_f32));
    }

    #[test]
    fn names_are_found() {
        for name in Metric::NAMES {
            assert_eq!(Metric::named(name).unwrap().name(), name);
        }
        assert!(Metric::named("manhattan").is_err());
    }
}
