//! Products of a dense coupling with the adjoint of the trailing rows.

use faer::{MatMut, MatRef, Par};

use super::LevelPass;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{dense, small};

/// Rows of a coupling that are multiplied at once.
const CHUNK_ROWS: usize = 256;

impl LevelPass<'_> {
    /// Adds `C Kbar C'` to q for a dense coupling, and `C Kbar` to the panels that are kept.
    pub(super) fn dense_share(
        &self,
        values: &[f64],
        k: usize,
        q: &mut [f64],
        mut kept: Option<&mut Vec<f64>>,
    ) -> Result<()> {
        let cols = self.system.structure.trailing_dim();
        let active = self.bar.rows();
        if active == 0 {
            return Ok(());
        }
        let levels = (CHUNK_ROWS / k).max(1);
        let mut panel = zeroed(levels * k * active, "a panel")?;
        for (chunk, q) in values
            .chunks(levels * k * cols)
            .zip(q.chunks_mut(levels * k * k))
        {
            let rows = chunk.len() / cols;
            let c = MatRef::from_row_major_slice(chunk, rows, cols).submatrix(0, 0, rows, active);
            let panel = &mut panel[..rows * active];
            let out = MatMut::from_row_major_slice_mut(panel, rows, active);
            dense::multiply(out, c, self.bar.view(), Par::Seq);
            if let Some(kept) = &mut kept {
                kept.extend_from_slice(panel);
            }
            for (level, q) in q.chunks_exact_mut(k * k).enumerate() {
                for j in 0..k {
                    let right = &chunk[(level * k + j) * cols..][..active];
                    for i in j..k {
                        let left = &panel[(level * k + i) * active..][..active];
                        let product = small::dot(left, right);
                        q[i + j * k] += product;
                        if i > j {
                            q[j + i * k] += product;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
