"""Tests of coefficients, terms and linear hypotheses."""
