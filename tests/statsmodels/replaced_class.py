"""
A pytest plugin: statsmodels' own tests of MixedLM with the class of this package in its place.

The names are replaced before the installed test file is collected, so that its imports find ours. Outcomes
go, as JSON, to the file that the environment variable names.
"""

import json
import os
from pathlib import Path

OUTCOMES = "MIXEDLM_OUTCOMES"
_NAMES = ("MixedLM", "MixedLMParams", "MixedLMResults", "MixedLMResultsWrapper", "VCSpec")
_outcomes: dict[str, str] = {}


def pytest_configure(config):
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    from statsmodels.regression import mixed_linear_model as theirs

    from mixedmodels import statsmodels as ours

    for name in _NAMES:
        setattr(theirs, name, getattr(ours, name))
    sm.MixedLM = ours.MixedLM
    smf.mixedlm = ours.mixedlm


def pytest_collection_modifyitems(items):
    from mixedmodels.statsmodels import MixedLM

    wrong = [item.nodeid for item in items if item.module.MixedLM is not MixedLM]
    assert not wrong, wrong


def pytest_runtest_logreport(report):
    name = report.nodeid.partition("::")[2]
    if _outcomes.get(name) != "failed" and (report.when == "call" or report.outcome != "passed"):
        _outcomes[name] = report.outcome


def pytest_sessionfinish():
    Path(os.environ[OUTCOMES]).write_text(json.dumps(_outcomes))
