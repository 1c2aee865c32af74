"""Marginal means: averages of a model's predictions over a grid of its predictors, and contrasts of them."""
