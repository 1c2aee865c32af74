"""What tests rest on: coefficients, a covariance matrix, degrees of freedom."""
