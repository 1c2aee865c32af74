//! What a supernode costs, in multiplications at the speed of large dense products.

/// A product of rank w takes as long as one of rank w + `THIN` would at full speed: entries of the
/// update are moved whatever the rank, and moved once more when the parent takes them over.
const THIN: f64 = 12.0;
/// Per supernode, whatever its size.
const OVERHEAD: f64 = 1500.0;

/// Multiplications that eliminate `width` columns with `below` rows below them.
#[must_use]
pub fn multiplications(width: usize, below: usize) -> f64 {
    let (w, r) = (width as f64, below as f64);
    w * w * w / 6.0 + w * w * r / 2.0 + w * r * r / 2.0
}

/// The same as a time.
pub fn time(width: usize, below: usize) -> f64 {
    let (w, r) = (width as f64, below as f64);
    w * w * (w + THIN) / 6.0 + w * (w + THIN) * r / 2.0 + (w + THIN) * r * r / 2.0 + OVERHEAD
}
