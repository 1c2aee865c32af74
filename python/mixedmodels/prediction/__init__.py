"""Predictions from fitted models; everything here reads a `FittedModel`."""
