"""The models to fit, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LMER_PEERS = ("ours", "lme4", "glmm", "mixedlm")
MANY_PEERS = ("ours", "lme4", "lme_python")
ALL_PEERS = (*LMER_PEERS, "statsmodels", "lme_python")
ONE_PEERS = (*LMER_PEERS, "statsmodels")


@dataclass(frozen=True)
class Model:
    """
    One fit that every able peer is asked for.

    Parameters
    ----------
    name : str
        Short name, used on the command line.
    dataset : str
        A packaged data set, or a simulated one of :mod:`benches.peers.simulate`.
    formula : str
        In lme4 syntax. Without a left side: fit every column of the data set whose name begins with ``y``.
    reml : bool
        REML criterion, else maximum likelihood.
    peers : tuple of str
        The runners that can fit it.
    lme4_control : str
        R code for lme4's ``control`` where its defaults refuse the model; else empty (defaults).
    spellings : mapping of str to str
        The same model for peers that do not understand ``formula``.
    slow_peers : tuple of str
        The peers that take minutes; they take part on request only.
    large : bool
        Only run on request.
    """

    name: str
    dataset: str
    formula: str
    reml: bool = True
    peers: tuple[str, ...] = LMER_PEERS
    lme4_control: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)
    slow_peers: tuple[str, ...] = ()
    large: bool = False


MODELS = (
    Model("dyestuff", "Dyestuff", "Yield ~ 1 + (1 | Batch)", peers=ONE_PEERS),
    Model("dyestuff2", "Dyestuff2", "Yield ~ 1 + (1 | Batch)", peers=ONE_PEERS),
    Model("sleepstudy", "sleepstudy", "Reaction ~ Days + (Days | Subject)", peers=ONE_PEERS),
    Model("penicillin", "Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    Model("pastes", "Pastes", "strength ~ 1 + (1 | batch/cask)"),
    Model("insteval-3", "InstEval", "y ~ service + (1 | s) + (1 | d) + (1 | dept:service)"),
    Model("insteval-2", "InstEval", "y ~ 1 + (1 | s) + (1 | d)", reml=False),
    Model("insteval-dept", "InstEval", "y ~ service * dept + (1 | s) + (1 | d)", reml=False),
    Model(
        "sleepstudy-55",
        "sleepstudy_x",
        "Reaction ~ DaysF + (DaysF | Subject)",
        reml=False,
        lme4_control='lmerControl(check.nobs.vs.nRE = "ignore")',
    ),
    Model(
        "maximal",
        "crossed",
        "y ~ a * b + (1 + a * b | subj) + (1 + a * b | item)",
        spellings={"glmm": "y ~ a + b + ab + (1 + a + b + ab | subj) + (1 + a + b + ab | item)"},
    ),
    Model("responses", "genes", "~ x + (1 | subject)", peers=MANY_PEERS),
    Model("million", "grouped", "y ~ x + (1 + x | g)", large=True),
    Model(
        "million-crossed",
        "ratings",
        "y ~ x + (1 | user) + (1 | item)",
        slow_peers=("lme4", "mixedlm"),
        large=True,
    ),
)
