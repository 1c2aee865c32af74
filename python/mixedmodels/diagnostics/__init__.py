"""Residuals, influence and checks; everything here reads a `FittedModel`."""
