//! One evaluation of the objective, one with its derivatives, and an exact Hessian, on the structures
//! that matter.
//! Run with `cargo bench -p mixedmodels`.

use criterion::{criterion_group, criterion_main, Criterion as Bench};
use mixedmodels::covariance::template;
use mixedmodels::design::{Design, Model, Term};
use mixedmodels::linalg::Matrix;
use mixedmodels::objective::{Coordinates, Criterion, LmmObjective, Objective};

/// Pseudo-random level of row i, different for every factor.
fn level(i: usize, factor: usize, levels: usize) -> u32 {
    let mixed = (i as u64 + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15 + 2 * factor as u64)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed % levels as u64) as u32
}

fn design(n: usize, factors: &[(usize, usize)]) -> Design {
    let noise = |i: usize, j: usize| f64::from(level(i, 97 + j, 1000)) / 500.0 - 1.0;
    let terms = factors
        .iter()
        .enumerate()
        .map(|(f, &(levels, k))| Term {
            codes: (0..n).map(|i| level(i, f, levels)).collect(),
            n_levels: levels,
            z: (0..n)
                .flat_map(|i| (0..k).map(move |j| if j == 0 { 1.0 } else { noise(i, j) }))
                .collect(),
            k,
            template: template("unstructured").expect("known"),
        })
        .collect();
    let mut x = vec![1.0; n];
    x.extend((0..n).map(|i| noise(i, 1)));
    Design {
        y: (0..n).map(|i| 3.0 * noise(i, 2) + noise(i, 1)).collect(),
        x: Matrix::from_columns(n, 2, x),
        terms,
        weights: None,
        offset: None,
    }
}

/// Name, number of rows, and (levels, columns) of every factor.
type Case = (&'static str, usize, &'static [(usize, usize)]);

fn evaluation(bench: &mut Bench) {
    let cases: [Case; 6] = [
        ("one scalar factor, 6 levels", 30, &[(6, 1)]),
        ("one vector factor, 18 levels", 180, &[(18, 2)]),
        ("one vector factor, 10,000 levels", 100_000, &[(10_000, 2)]),
        ("crossed vectors, 60 x 40", 9600, &[(60, 4), (40, 4)]),
        (
            "crossed, 3000 x 1100 x 28",
            73_000,
            &[(3000, 1), (1100, 1), (28, 1)],
        ),
        (
            "sparsely crossed, 6000 x 5000 x 3000",
            9000,
            &[(6000, 1), (5000, 1), (3000, 1)],
        ),
    ];
    for (name, n, factors) in cases {
        let model = Model::new(design(n, factors)).expect("a valid design");
        let coordinates = Coordinates::engine(&model.design.terms);
        let mut theta = vec![0.1; coordinates.dim];
        for column in coordinates.columns() {
            theta[column[0]] = 0.7;
        }
        let monitor = |_| Ok(());
        let mut objective =
            LmmObjective::new(&model, Criterion::Reml, coordinates, &monitor).expect("memory");
        // A new point every time: the objective remembers the last one.
        let mut move_on = || {
            theta[0] = 1.3 - theta[0] * 0.9;
            theta.clone()
        };
        bench.bench_function(&format!("{name}/value"), |b| {
            b.iter(|| objective.value(&move_on()));
        });
        bench.bench_function(&format!("{name}/value and derivatives"), |b| {
            b.iter(|| {
                objective.value(&move_on()).expect("computable");
                objective.derivatives()
            });
        });
        bench.bench_function(&format!("{name}/Hessian"), |b| {
            b.iter(|| objective.hessian());
        });
    }
}

criterion_group! {
    name = benches;
    config = Bench::default().sample_size(20);
    targets = evaluation
}
criterion_main!(benches);
