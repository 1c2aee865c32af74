"""
The lines that the harness and its workers exchange; fields are separated by tabs.

A worker speaks first: ``ready <name and version>``, or ``missing <reason>`` and ends. Then it answers,
one line each,

* ``load <dataset> <stem>`` (files of :mod:`.exchange`) with ``loaded <rows>``;
* ``fit <dataset> <formula> <1 for REML, else 0> <burst> [<control for lme4>]`` with
  ``fit <seconds,seconds,...> <objective>``: the fit is repeated until ``burst`` seconds are spent, once
  at least;
* ``glmer <dataset> <formula> <burst> <family> <nAGQ> [<column of weights>]`` in the same way;
* either with ``error <message>`` when it went wrong;
* ``quit`` with nothing.

Answers start with ``@`` and a tab; other lines on standard output are a package's own prints and are ignored.
"""

from __future__ import annotations

MARK = "@\t"


def to_line(*fields: object) -> str:
    """Fields as one line; tabs and line breaks inside a field become spaces."""
    return "\t".join(" ".join(str(field).split()) for field in fields) + "\n"


def parse_reply(line: str) -> list[str] | None:
    """The fields of an answer, None for a line that is not one."""
    return line.rstrip("\n").removeprefix(MARK).split("\t") if line.startswith(MARK) else None
