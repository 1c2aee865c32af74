"""Tests and estimates from fitted models; everything here reads a `FittedModel`."""
