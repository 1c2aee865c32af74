"""Fitted models in the forms that other packages take; each needs that package installed."""
