"""The models to fit, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LMER_PEERS = ("ours", "lme4", "glmm", "mixedlm")
MANY_PEERS = ("ours", "lme4", "lme_python")
ALL_PEERS = (*LMER_PEERS, "statsmodels", "lme_python")
ONE_PEERS = (*LMER_PEERS, "statsmodels")


@dataclass(frozen=True)
class Glm:
    """
    What makes a model a generalized one.

    Parameters
    ----------
    family : {"binomial", "poisson"}
        The distribution of the response, with its canonical link.
    n_agq : int
        1 for the Laplace approximation, more for as many points of adaptive Gauss-Hermite quadrature, 0 for
        coefficients from the penalized least squares and an optimization of theta alone.
    weights : str
        The column of the numbers of trials where the response is a proportion; else empty.
    """

    family: str
    n_agq: int = 1
    weights: str = ""


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
        REML criterion, else maximum likelihood; a generalized model is fitted by the latter in any case.
    glm : Glm, optional
        The family and more of a generalized model; None for a linear one.
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
    glm: Glm | None = None
    peers: tuple[str, ...] = LMER_PEERS
    lme4_control: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)
    slow_peers: tuple[str, ...] = ()
    large: bool = False

    @property
    def criterion(self) -> str:
        """What is optimized, in words for the report."""
        if self.glm is None:
            return "REML" if self.reml else "ML"
        approximation = "Laplace" if self.glm.n_agq == 1 else f"nAGQ = {self.glm.n_agq}"
        return f"{self.glm.family}, {approximation}"


VERBAGG = "r2 ~ Anger + Gender + btype + situ + mode + (1 | id) + (1 | item)"
CONTRACEPTION = "use ~ age + I(age^2) + urban + livch + (1 | district)"
CONTRACEPTION_VECTOR = "use ~ age * ch + I(age^2) + urban + (1 + urban | district)"


def _other_powers(formula: str) -> dict[str, str]:
    """The formula for mixedlm, which writes a power inside ``I()`` as Python does."""
    return {"mixedlm": formula.replace("^", "**")}


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
    # statsmodels and lme-python have no likelihood of generalized models.
    Model("verbagg", "VerbAgg01", VERBAGG, glm=Glm("binomial")),
    # glmm has no nAGQ = 0.
    Model(
        "verbagg-fast", "VerbAgg01", VERBAGG, glm=Glm("binomial", n_agq=0), peers=("ours", "lme4", "mixedlm")
    ),
    Model(
        "contraception",
        "Contraception01",
        CONTRACEPTION,
        glm=Glm("binomial"),
        spellings=_other_powers(CONTRACEPTION),
    ),
    Model(
        "contraception-agq9",
        "Contraception01",
        CONTRACEPTION,
        glm=Glm("binomial", n_agq=9),
        spellings=_other_powers(CONTRACEPTION),
    ),
    Model(
        "contraception-vector",
        "Contraception01",
        CONTRACEPTION_VECTOR,
        glm=Glm("binomial"),
        spellings=_other_powers(CONTRACEPTION_VECTOR),
    ),
    Model("cbpp", "cbpp", "prop ~ period + (1 | herd)", glm=Glm("binomial", weights="size")),
    Model(
        "grouseticks",
        "grouseticks",
        "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)",
        glm=Glm("poisson"),
    ),
    Model(
        "insteval-binary",
        "InstEval01",
        "high ~ 1 + (1 | s) + (1 | d)",
        glm=Glm("binomial"),
        slow_peers=("lme4", "mixedlm"),
        large=True,
    ),
)
