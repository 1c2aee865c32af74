"""Fit the lecture evaluations of ETH Zurich: 73,421 ratings of 1,128 instructors by 2,972 students."""

import time

from mixedmodels import lmer, load_insteval

data = load_insteval()
start = time.perf_counter()
model = lmer("y ~ service + (1 | s) + (1 | d) + (1 | dept:service)", data)
seconds = time.perf_counter() - start
print(model.summary())
print(f"\nFitted in {seconds:.2f} s, formula and data frame included.")
