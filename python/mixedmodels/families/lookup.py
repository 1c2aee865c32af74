"""Families by name: every usual spelling of each."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any

from ..errors import ArgumentError
from ..not_here import FAMILIES as NOT_HERE, refuse_not_here
from .family import FAMILIES, Family, check_link


def as_family(family: Any, link: Any = None) -> Family:
    """
    A family from its name, class or object.

    Parameters
    ----------
    family : str, Family or subclass of it
    link : str, optional
        Only with a name or a class; an object has its own.

    Raises
    ------
    ArgumentError
        For an unknown family or link; the message lists the known ones.

    Examples
    --------
    >>> from mixedmodels.families import as_family
    >>> as_family("Bernoulli", "cloglog")
    binomial (cloglog)
    """
    if link is not None and not isinstance(link, str):
        raise ArgumentError(f"link must be the name of a link, not a {type(link).__name__}")
    if isinstance(family, Family):
        if link is not None and check_link(link, family.name, family.links or (family.link,)) != family.link:
            raise ArgumentError(f"link={link!r} conflicts with family={family!r}, which already sets a link")
        return family
    if isinstance(family, type) and issubclass(family, Family) and family.links:
        return family(link=link or "")
    if family is None:
        raise ArgumentError(f"glmer needs a family; {_known()} (lmer fits normal responses)")
    if not isinstance(family, str):
        raise ArgumentError(
            "family must be a name or an object of mixedmodels.families, not "
            f"{type(family).__name__}; {_known()}"
        )
    return FAMILIES[_name(family)](link=link or "")


def spellings() -> dict[str, str]:
    """Every way to write the name of a family, in lower case and without separators, with the name."""
    return {_plain(word): name for name, family in FAMILIES.items() for word in (name, *family.aliases)}


def _plain(text: str) -> str:
    return re.sub(r"[\s_.\-]", "", text).lower()


def _name(text: str) -> str:
    plain = _plain(text)
    if plain.startswith("quasi"):
        raise ArgumentError(
            f"family {text!r} has no likelihood, which a mixed model needs; for overdispersed counts use "
            "'nbinom2' or 'nbinom1', for overdispersed proportions add a random effect for each row"
        )
    names = spellings()
    if plain in names:
        return names[plain]
    _refuse_call(text)
    refuse_not_here(NOT_HERE, plain, f"family={text!r}")
    close = get_close_matches(plain, names, n=1)
    hint = f" (did you mean {names[close[0]]!r}?)" if close else ""
    raise ArgumentError(f"unknown family {text!r}{hint}; {_known()}")


def _refuse_call(text: str) -> None:
    """Say how to write a family and a link in one text, as in R."""
    call = re.fullmatch(r"\s*([\w.]+)\s*\(\s*(?:link\s*=\s*)?[\"']?(\w*)[\"']?\s*\)\s*", text)
    if call is None:
        return
    family, link = _name(call[1]), f", link={call[2]!r}" if call[2] else ""
    raise ArgumentError(
        f"family={text!r}: give the name of the family and its link separately: {family!r}{link}"
    )


def _known() -> str:
    shown = [f"{name} ({', '.join(family.links)})" for name, family in FAMILIES.items()]
    return "families and their links, the default first: " + "; ".join(shown)
