//! The cross-products of the random effects cell by cell, whatever their storage: for those who look
//! at A once a fit.

use crate::linalg::Matrix;
use crate::products::coupling::Coupling;
use crate::products::cross_products::{CrossProducts, Leading, Trailing};
use crate::products::level::{Level, VisitLevel, VisitPair};
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;

impl CrossProducts {
    /// Visits every level.
    pub fn each_level(&self, structure: &Structure, visit: &mut VisitLevel<'_>) {
        for (b, leading) in self.leading.iter().enumerate() {
            let k = structure.blocks[b].width;
            for (v, d) in leading.diagonal.chunks_exact(k * k).enumerate() {
                visit(Level { block: b, level: v }, d);
            }
        }
        match &self.trailing {
            Trailing::Dense(matrix) => each_dense_level(matrix, structure, visit),
            Trailing::Sparse(products) => products.each_level(structure, visit),
        }
    }

    /// Visits every pair of levels of two blocks that may share an observation, once.
    pub fn each_pair(&self, structure: &Structure, visit: &mut VisitPair<'_>) {
        for (b, leading) in self.leading.iter().enumerate() {
            leading.each_pair(structure, b, visit);
        }
        match &self.trailing {
            Trailing::Dense(matrix) => each_dense_pair(matrix, structure, visit),
            Trailing::Sparse(products) => products.each_pair(structure, visit),
        }
    }
}

impl CrossProducts {
    /// The columns of A that belong to X: [Z X]'X.
    #[must_use]
    pub fn x_columns(&self, structure: &Structure) -> Stacked {
        let (q, p) = (structure.n_trailing, structure.rank);
        let leading = self.leading.iter().map(|leading| match &leading.coupling {
            Coupling::Dense(values) => {
                let rows = values.chunks_exact(structure.trailing_dim().max(1));
                rows.flat_map(|row| &row[q..]).copied().collect()
            }
            Coupling::Sparse(sparse) => sparse.fixed.clone(),
        });
        let trailing = match &self.trailing {
            Trailing::Dense(matrix) => {
                let dim = structure.trailing_dim();
                let rows = 0..dim;
                rows.flat_map(|i| (q..dim).map(move |j| matrix[(i, j)]))
                    .collect()
            }
            Trailing::Sparse(products) => products.x_columns(),
        };
        Stacked {
            m: p,
            leading: leading.collect(),
            trailing,
        }
    }
}

impl Leading {
    fn each_pair(&self, structure: &Structure, b: usize, visit: &mut VisitPair<'_>) {
        let k = structure.blocks[b].width;
        let at = |block, level| Level { block, level };
        for (i, values) in self.ancestors.iter().enumerate() {
            let above = b + 1 + i;
            let cells = values.chunks_exact(k * structure.blocks[above].width);
            for ((v, cell), &parent) in cells.enumerate().zip(&structure.parents[b][i]) {
                visit(at(b, v), at(above, parent as usize), cell);
            }
        }
        match &self.coupling {
            Coupling::Dense(_) if structure.n_trailing == 0 => {}
            Coupling::Dense(values) => {
                let columns = structure.trailing_dim();
                let mut cell = Vec::new();
                for (v, rows) in values.chunks_exact(k * columns).enumerate() {
                    for (t, (start, other)) in structure.trailing().enumerate() {
                        for u in 0..other.n_levels {
                            let first = start + u * other.width;
                            let columns =
                                (first..first + other.width).zip(std::iter::repeat(columns));
                            cell.clear();
                            cell.extend(columns.flat_map(|(c, columns)| {
                                (0..k).map(move |h| rows[h * columns + c])
                            }));
                            visit(at(b, v), at(structure.n_leading + t, u), &cell);
                        }
                    }
                }
            }
            Coupling::Sparse(sparse) => {
                for (v, range) in sparse.ranges.windows(2).enumerate() {
                    let mut e = range[0];
                    while e < range[1] {
                        let row = sparse.rows[e] as usize;
                        let t = structure.starts.partition_point(|&start| start <= row) - 1;
                        let other = structure.n_leading + t;
                        let width = structure.blocks[other].width;
                        let u = (row - structure.starts[t]) / width;
                        visit(
                            at(b, v),
                            at(other, u),
                            &sparse.values[e * k..(e + width) * k],
                        );
                        e += width;
                    }
                }
            }
        }
    }
}

fn each_dense_level(matrix: &Matrix, structure: &Structure, visit: &mut VisitLevel<'_>) {
    let mut cell = Vec::new();
    for (t, (start, block)) in structure.trailing().enumerate() {
        for level in 0..block.n_levels {
            let own = start + level * block.width..start + (level + 1) * block.width;
            cell.clear();
            cell.extend(own.clone().flat_map(|c| &matrix.column(c)[own.clone()]));
            let block = structure.n_leading + t;
            visit(Level { block, level }, &cell);
        }
    }
}

fn each_dense_pair(matrix: &Matrix, structure: &Structure, visit: &mut VisitPair<'_>) {
    let at = |t, level| Level {
        block: structure.n_leading + t,
        level,
    };
    let mut cell = Vec::new();
    for (t, (start, block)) in structure.trailing().enumerate() {
        for v in 0..block.n_levels {
            let columns = start + v * block.width..start + (v + 1) * block.width;
            for (s, (start, other)) in structure.trailing().enumerate().skip(t + 1) {
                for u in 0..other.n_levels {
                    let rows = start + u * other.width..start + (u + 1) * other.width;
                    cell.clear();
                    let columns = columns.clone();
                    cell.extend(columns.flat_map(|c| &matrix.column(c)[rows.clone()]));
                    visit(at(s, u), at(t, v), &cell);
                }
            }
        }
    }
}
