"""The packaged data sets, with their origin and references."""

from __future__ import annotations

from .load import dataset_names, load_dataset, loader

load_arabidopsis = loader("Arabidopsis")
load_bacteria = loader("bacteria")
load_beets = loader("beets")
load_cake = loader("cake")
load_carrots = loader("carrots")
load_cbpp = loader("cbpp")
load_chickweight = loader("ChickWeight")
load_contraception = loader("Contraception")
load_dietox = loader("dietox")
load_dyestuff = loader("Dyestuff")
load_dyestuff2 = loader("Dyestuff2")
load_epil = loader("epil")
load_grouseticks = loader("grouseticks")
load_ham = loader("ham")
load_insteval = loader("InstEval")
load_machines = loader("Machines")
load_orthodont = loader("Orthodont")
load_oxboys = loader("Oxboys")
load_pastes = loader("Pastes")
load_penicillin = loader("Penicillin")
load_rail = loader("Rail")
load_salamanders = loader("Salamanders")
load_sleepstudy = loader("sleepstudy")
load_sleepstudy_x = loader("sleepstudy_x")
load_verbagg = loader("VerbAgg")

__all__ = [
    "dataset_names",
    "load_arabidopsis",
    "load_bacteria",
    "load_beets",
    "load_cake",
    "load_carrots",
    "load_cbpp",
    "load_chickweight",
    "load_contraception",
    "load_dataset",
    "load_dietox",
    "load_dyestuff",
    "load_dyestuff2",
    "load_epil",
    "load_grouseticks",
    "load_ham",
    "load_insteval",
    "load_machines",
    "load_orthodont",
    "load_oxboys",
    "load_pastes",
    "load_penicillin",
    "load_rail",
    "load_salamanders",
    "load_sleepstudy",
    "load_sleepstudy_x",
    "load_verbagg",
]
