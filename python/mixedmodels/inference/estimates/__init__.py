"""What a fit estimates: coefficients, random effects, variances, criteria."""
