"""Comparisons of models by their likelihoods."""
