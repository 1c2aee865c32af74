"""Permutation tests of fixed-effects terms."""
