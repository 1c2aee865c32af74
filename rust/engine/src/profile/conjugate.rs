//! Coordinates of the coefficients in which some of them are held.

use crate::fit::engine_coefficients;
use crate::linalg::small;
use crate::model::GeneralizedModel;
use crate::parameters::AffineVector;

/// Coordinates of the coefficients of which the first follow from those that are held.
///
/// With γ = γ₀ + Pδ and β = T^-1 γ, the coefficients that are held are `β₀ + G δ`. G' = QR; in the coordinates
/// Q'δ they are β₀ + R't.
#[derive(Debug)]
pub struct Split {
    origin: Vec<f64>,
    /// R, m × m, upper triangular, column-major.
    upper: Vec<f64>,
}

impl Split {
    pub fn of(
        model: &GeneralizedModel,
        fixed: &mut AffineVector,
        columns: &[usize],
        beta: &[f64],
    ) -> Self {
        let p = fixed.dim();
        let frame = model.frame();
        fixed.origin = engine_coefficients(model, beta);
        // Rows of G: those of T^-1 P.
        let inverse = frame.fixed.solve(fixed.map.clone(), p);
        let m = columns.len();
        let mut upper = vec![0.0; m * m];
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(p);
        for (place, &row) in columns.iter().enumerate() {
            let mut own: Vec<f64> = (0..p).map(|j| inverse[row + j * p]).collect();
            let shares = make_orthogonal(&mut own, &basis);
            upper[place * m..place * m + place].copy_from_slice(&shares);
            upper[place + place * m] = normalise(&mut own);
            basis.push(own);
        }
        while basis.len() < p {
            // The axis of which most is left.
            let taken = |i: usize| basis.iter().map(|v| v[i] * v[i]).sum::<f64>();
            let axis = (0..p).min_by(|&a, &b| taken(a).total_cmp(&taken(b)));
            let mut own: Vec<f64> = (0..p)
                .map(|i| f64::from(u8::from(Some(i) == axis)))
                .collect();
            make_orthogonal(&mut own, &basis);
            normalise(&mut own);
            basis.push(own);
        }
        let mut map = vec![0.0; p * p];
        for (j, own) in basis.iter().enumerate() {
            for (i, &v) in own.iter().enumerate() {
                small::axpy(
                    v,
                    &fixed.map[i * p..(i + 1) * p],
                    &mut map[j * p..(j + 1) * p],
                );
            }
        }
        fixed.map = map;
        Self {
            origin: columns.iter().map(|&j| beta[j]).collect(),
            upper,
        }
    }

    pub fn m(&self) -> usize {
        self.origin.len()
    }

    /// t = R'^-1 (β - β₀).
    pub fn coordinates(&self, beta: &[f64]) -> Vec<f64> {
        let m = self.m();
        let mut out: Vec<f64> = beta.iter().zip(&self.origin).map(|(b, o)| b - o).collect();
        for j in 0..m {
            let done: f64 = (0..j).map(|i| self.upper[i + j * m] * out[i]).sum();
            out[j] = (out[j] - done) / self.upper[j + j * m];
        }
        out
    }

    /// Derivatives in β from those in t: R^-1 g.
    pub fn pull(&self, gradient: &[f64]) -> Vec<f64> {
        let m = self.m();
        let mut out = gradient.to_vec();
        for j in (0..m).rev() {
            let done: f64 = (j + 1..m).map(|i| self.upper[j + i * m] * out[i]).sum();
            out[j] = (out[j] - done) / self.upper[j + j * m];
        }
        out
    }
}

/// Takes out of a vector what it shares with an orthonormal basis; the shares.
fn make_orthogonal(vector: &mut [f64], basis: &[Vec<f64>]) -> Vec<f64> {
    let mut shares = vec![0.0; basis.len()];
    // The second pass takes out what rounding has left.
    for _ in 0..2 {
        for (share, known) in shares.iter_mut().zip(basis) {
            let own = small::dot(known, vector);
            small::axpy(-own, known, vector);
            *share += own;
        }
    }
    shares
}

/// Scales a vector to length one; its length before.
fn normalise(vector: &mut [f64]) -> f64 {
    let size = small::dot(vector, vector).sqrt();
    vector.iter_mut().for_each(|v| *v /= size);
    size
}
