"""Estimates of a fit: coefficients, random effects, variances, criteria."""
