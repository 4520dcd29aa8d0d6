// SPDX-License-Identifier: Apache-2.0
//! One index from many threads.
use crate::common::Rig;

#[test]
fn many_threads_share_an_index() {
    let rig = Rig::new();
    let index = rig.session.create_index().metric("euclidean").send().unwrap();
    index.add(["origin"], &[0.0_f32, 0.0]).send().unwrap();
    std::thread::scope(|scope| {
        for t in 0..8 {
            let index = &index;
            scope.spawn(move || {
                for i in 0..25 {
                    let id = format!("{t}-{i}");
                    let row = [t as f32 + 1.0, i as f32];
                    index.add([&id], &row).send().unwrap();
                    let hits = index.search().vectors(&row).k(1).send().unwrap();
                    assert_eq!(hits.ids(), [id.as_str()]);
                    assert_eq!(hits.query(0).next().unwrap().distance, 0.0);
                    let points = index.get().ids([&id]).send().unwrap();
                    assert_eq!(points.vector(0), row);
                }
            });
        }
    });
    assert_eq!(index.size().send().unwrap(), 201);
}

#[test]
fn answers_travel_between_threads() {
    let rig = Rig::new();
    let index = rig.fruit();
    let hits = index.search().vectors(&[0.9_f32, 0.1]).k(2).send().unwrap();
    drop(index);
    let ids = std::thread::spawn(move || hits.ids().iter().map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(ids.join().unwrap(), ["pear", "apple"]);
}
