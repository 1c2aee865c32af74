"""The optimum of a fit: as an object, and as a file that restores the model without a search."""
