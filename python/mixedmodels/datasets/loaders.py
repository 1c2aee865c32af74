"""One function for each packaged data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from .catalogue import CATALOGUE
from .load import load_dataset

if TYPE_CHECKING:
    import pandas as pd

_Loader = TypeVar("_Loader", bound=Callable[[], "pd.DataFrame"])


def _described(name: str) -> Callable[[_Loader], _Loader]:
    """Give a loader the full description of its data set; its own line is for readers of the code."""

    def complete(loader: _Loader) -> _Loader:
        loader.__doc__ = CATALOGUE[name].docstring()
        return loader

    return complete


@_described("sleepstudy")
def load_sleepstudy() -> pd.DataFrame:
    """Reaction times in a study of sleep restriction."""
    return load_dataset("sleepstudy")


@_described("Dyestuff")
def load_dyestuff() -> pd.DataFrame:
    """Yield of dyestuff from six batches of an intermediate product."""
    return load_dataset("Dyestuff")


@_described("Dyestuff2")
def load_dyestuff2() -> pd.DataFrame:
    """Constructed yields whose batches do not differ."""
    return load_dataset("Dyestuff2")


@_described("Penicillin")
def load_penicillin() -> pd.DataFrame:
    """Diameters of growth inhibition zones of six penicillin samples on 24 plates."""
    return load_dataset("Penicillin")


@_described("Pastes")
def load_pastes() -> pd.DataFrame:
    """Strength of a chemical paste by delivery batch and cask."""
    return load_dataset("Pastes")


@_described("InstEval")
def load_insteval() -> pd.DataFrame:
    """Ratings of lectures by students of ETH Zurich."""
    return load_dataset("InstEval")


@_described("cake")
def load_cake() -> pd.DataFrame:
    """Breakage angle of chocolate cakes by recipe and baking temperature."""
    return load_dataset("cake")


@_described("cbpp")
def load_cbpp() -> pd.DataFrame:
    """Contagious bovine pleuropneumonia in herds of zebu cattle."""
    return load_dataset("cbpp")


@_described("VerbAgg")
def load_verbagg() -> pd.DataFrame:
    """Responses to a questionnaire on verbal aggression."""
    return load_dataset("VerbAgg")


@_described("grouseticks")
def load_grouseticks() -> pd.DataFrame:
    """Numbers of ticks on red grouse chicks."""
    return load_dataset("grouseticks")


@_described("Arabidopsis")
def load_arabidopsis() -> pd.DataFrame:
    """Fruits of Arabidopsis thaliana after clipping and fertilisation."""
    return load_dataset("Arabidopsis")


@_described("Contraception")
def load_contraception() -> pd.DataFrame:
    """Use of contraception by women in Bangladesh."""
    return load_dataset("Contraception")


@_described("Machines")
def load_machines() -> pd.DataFrame:
    """Productivity of six workers on three machines."""
    return load_dataset("Machines")


@_described("Oxboys")
def load_oxboys() -> pd.DataFrame:
    """Heights of boys from Oxford on nine occasions."""
    return load_dataset("Oxboys")


@_described("ChickWeight")
def load_chickweight() -> pd.DataFrame:
    """Weights of chicks on four diets."""
    return load_dataset("ChickWeight")


@_described("Orthodont")
def load_orthodont() -> pd.DataFrame:
    """Growth of a distance in the skull of children."""
    return load_dataset("Orthodont")


@_described("Rail")
def load_rail() -> pd.DataFrame:
    """Travel times of ultrasonic waves in six rails."""
    return load_dataset("Rail")


@_described("Salamanders")
def load_salamanders() -> pd.DataFrame:
    """Counts of stream salamanders near mountaintop mines."""
    return load_dataset("Salamanders")


@_described("bacteria")
def load_bacteria() -> pd.DataFrame:
    """Presence of H. influenzae in children with otitis media."""
    return load_dataset("bacteria")


@_described("beets")
def load_beets() -> pd.DataFrame:
    """Yield and sugar content of sugar beets in a split-plot experiment."""
    return load_dataset("beets")


@_described("carrots")
def load_carrots() -> pd.DataFrame:
    """Preferences of consumers for twelve kinds of carrots."""
    return load_dataset("carrots")


@_described("dietox")
def load_dietox() -> pd.DataFrame:
    """Growth of pigs by vitamin E and copper in the feed."""
    return load_dataset("dietox")


@_described("epil")
def load_epil() -> pd.DataFrame:
    """Epileptic seizures under progabide or placebo."""
    return load_dataset("epil")


@_described("ham")
def load_ham() -> pd.DataFrame:
    """Liking of dry-cured hams with and without information on their origin."""
    return load_dataset("ham")


@_described("sleepstudy_x")
def load_sleepstudy_x() -> pd.DataFrame:
    """The sleep restriction data with extra columns for trying out options."""
    return load_dataset("sleepstudy_x")
