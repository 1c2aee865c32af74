"""Residuals, influence and checks; everything here reads a `Fitted`."""
