"""Terms of the fixed part as hypotheses about the coefficients."""
