"""The basis of tests: coefficients, a covariance matrix, degrees of freedom."""
