// SPDX-License-Identifier: Apache-2.0
//! The nearest fruit that is not purple.

fn main() -> simplugin::Result<()> {
    let index = simplugin::create_index().metric("cosine").send()?;
    index
        .add(["apple", "pear", "plum"], &[[1.0_f32, 0.0], [0.9, 0.1], [0.0, 1.0]])
        .field("color", ["red", "green", "purple"])
        .send()?;
    let hits = index.search().vectors(&[0.9_f32, 0.1]).k(2).filter("color != \"purple\"").send()?;
    for hit in hits.query(0) {
        println!("{} {:.3}", hit.id, hit.distance);
    }
    index.cleanup().send()?;
    Ok(())
}
