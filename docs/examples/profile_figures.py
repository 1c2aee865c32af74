"""Draws the figures of the page on confidence intervals: python docs/examples/profile_figures.py"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from mixedmodels import lmer, load_sleepstudy

IMAGES = Path(__file__).resolve().parents[1] / "images"


def main() -> None:
    model = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy(), REML=False)
    profile = model.profile()
    profile.plot().savefig(IMAGES / "profile-zeta.png", dpi=80)
    profile.plot("pairs").savefig(IMAGES / "profile-pairs.png", dpi=75)
    surface = model.profile_2d("sd_(Intercept)|Subject", "cor_Days.(Intercept)|Subject")
    surface.plot().figure.savefig(IMAGES / "profile-surface.png", dpi=80)


if __name__ == "__main__":
    main()
