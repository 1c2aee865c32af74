//! One step of penalised iteratively reweighted least squares on the random effects: new weights and
//! a factor, a solve, the variances of the rows.
//! Run with `cargo bench -p mixedmodels --bench weighted`.

mod designs;

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use designs::Shape;
use mixedmodels::model::Frame;
use mixedmodels::products::Layout;
use mixedmodels::system::WeightedSystem;

const STRUCTURES: [Shape; 5] = [
    Shape {
        name: "one scalar factor, 60 levels",
        rows: 1934,
        factors: &[(60, 1)],
        effects: 1.0,
    },
    Shape {
        name: "one vector factor, 60 levels",
        rows: 1934,
        factors: &[(60, 2)],
        effects: 1.0,
    },
    Shape {
        name: "crossed, 316 x 24",
        rows: 7584,
        factors: &[(316, 1), (24, 1)],
        effects: 1.0,
    },
    Shape {
        name: "crossed, 2972 x 1128",
        rows: 73_421,
        factors: &[(2972, 1), (1128, 1)],
        effects: 1.0,
    },
    Shape {
        name: "sparsely crossed, 6000 x 5000 x 3000",
        rows: 9000,
        factors: &[(6000, 1), (5000, 1), (3000, 1)],
        effects: 1.0,
    },
];

fn steps(bench: &mut Bench) {
    for shape in &STRUCTURES {
        let name = shape.name;
        let (_, predictors) = shape.design().split();
        let frame = Frame::without_fixed(predictors, Layout::Cheapest, 1).expect("valid");
        let z = frame.block_rows().expect("memory");
        let lambda: Vec<Vec<f64>> = frame
            .structure
            .blocks
            .iter()
            .map(|b| {
                let k = b.width;
                (0..k * k).map(|e| f64::from(e % k == e / k)).collect()
            })
            .collect();
        let n = frame.n_obs();
        let weights: Vec<f64> = (0..n).map(|i| 0.1 + 0.05 * (i % 4) as f64).collect();
        let mut h = vec![0.0; n];
        let mut system = WeightedSystem::new(&frame, &z).expect("memory");
        bench.bench_function(&format!("{name}/weights and factor"), |b| {
            b.iter(|| system.update(&weights, &lambda));
        });
        bench.bench_function(&format!("{name}/factor"), |b| {
            b.iter(|| system.system_mut().update(&lambda));
        });
        bench.bench_function(&format!("{name}/projection, solve, expansion"), |b| {
            b.iter(|| {
                let right = system.project(&weights, 1).expect("memory");
                system.expand(&system.system().solve(right), &mut h);
            });
        });
        bench.bench_function(&format!("{name}/variances of the rows"), |b| {
            b.iter(|| system.row_variances(&mut h));
        });
    }
}

criterion_group! {
    name = benches;
    config = Bench::default().sample_size(20);
    targets = steps
}
criterion_main!(benches);
