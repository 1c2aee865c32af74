"""The cost of a model: memory and operations, block by block of the system that a fit solves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..design import Predictors
from ..render.numbers import format_fixed
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.style import Style
from .engine_terms import engine_terms

if TYPE_CHECKING:
    from .._engine import Glmm, Lmm

# Assumed of one processor core: dense products run faster, small blocks slower.
FLOPS_PER_SECOND = 20e9
# Bytes above which a fit is announced.
LARGE_MODEL = 4 * 2**30

_KIB, _MIB, _GIB = 2.0**10, 2.0**20, 2.0**30
_MILLISECOND = 1e-3
_FIXED_EFFECTS = "X"


@dataclass(frozen=True)
class Block:
    """
    One block: the random effects of a grouping factor, or the fixed effects.

    Attributes
    ----------
    name : str
        The grouping factor; "X" for the fixed effects.
    kind : str
        "block diagonal": eliminated level by level; "dense": part of one dense matrix with all other
        dense blocks and X; "sparse": part of one sparse matrix with all others.
    levels, width : int
        Levels of the grouping factor and random effects of each.
    rows, columns : int
        Random effects (levels times width), and random and fixed effects that are eliminated after all
        block diagonal ones.
    coupling : str
        Whether these rows and columns are stored "dense" or "sparse".
    fill : float
        Share of them that is stored; of the factor for the kind "sparse".
    cross_products, factor, inverse : int
        Bytes of the block's part of the cross-products, of their factor, and of what derivatives take.
    flops_value, flops_derivatives : float
        Floating-point operations for the objective, and for its derivatives on top.
    """

    name: str
    kind: str
    levels: int
    width: int
    rows: int
    columns: int
    coupling: str
    fill: float
    cross_products: int
    factor: int
    inverse: int
    flops_value: float
    flops_derivatives: float

    @property
    def memory(self) -> int:
        """Bytes in all."""
        return self.cross_products + self.factor + self.inverse

    @property
    def flops(self) -> float:
        """Operations of an evaluation with derivatives."""
        return self.flops_value + self.flops_derivatives


@dataclass(frozen=True, repr=False)
class BlockDescription(Printed):
    """
    The cost of a model, block by block. Printed, a table with totals.

    Memory counts cross-products, factor and inverse, but not the data. Where a covariance matrix of a dense
    block is singular, derivatives may need up to twice the dense matrix in addition. Times are for one
    evaluation with derivatives on one core; a fit takes about ten of them.

    Attributes
    ----------
    blocks : tuple of Block
        In the order of elimination, X last.
    memory_available : int or None
        Bytes available without swapping at the time; None where the system does not say.
    """

    blocks: tuple[Block, ...]
    memory_available: int | None

    @property
    def cross_products(self) -> int:
        """Bytes of the cross-products of [Z X]."""
        return sum(block.cross_products for block in self.blocks)

    @property
    def factor(self) -> int:
        """Bytes of the Cholesky factor."""
        return sum(block.factor for block in self.blocks)

    @property
    def inverse(self) -> int:
        """Bytes of the inverse and of what else derivatives take."""
        return sum(block.inverse for block in self.blocks)

    @property
    def memory(self) -> int:
        """Bytes in all."""
        return sum(block.memory for block in self.blocks)

    @property
    def flops_value(self) -> float:
        """Floating-point operations of one value of the objective."""
        return sum(block.flops_value for block in self.blocks)

    @property
    def flops(self) -> float:
        """Floating-point operations of one evaluation with derivatives."""
        return sum(block.flops for block in self.blocks)

    @property
    def seconds(self) -> float:
        """Time of one evaluation with derivatives, at an assumed 20 Gflop/s."""
        return self.flops / FLOPS_PER_SECOND

    def to_frame(self) -> pd.DataFrame:
        """
        One row for each block.

        Returns
        -------
        DataFrame
            Columns ``block``, ``kind``, ``levels``, ``width``, ``rows``, ``columns``, ``coupling``, ``fill``,
            ``MiB`` and ``Mflop`` (of one evaluation with derivatives).
        """
        return pd.DataFrame(
            {
                "block": [block.name for block in self.blocks],
                "kind": [block.kind for block in self.blocks],
                "levels": [block.levels for block in self.blocks],
                "width": [block.width for block in self.blocks],
                "rows": [block.rows for block in self.blocks],
                "columns": [block.columns for block in self.blocks],
                "coupling": [block.coupling for block in self.blocks],
                "fill": [block.fill for block in self.blocks],
                "MiB": [block.memory / _MIB for block in self.blocks],
                "Mflop": [block.flops / 1e6 for block in self.blocks],
            }
        )

    def _page(self, style: Style) -> Page:
        decimals = style.digits or 3
        table = Table.from_columns(
            [
                ("Block", [block.name for block in self.blocks]),
                ("Kind", [block.kind for block in self.blocks]),
                ("Levels", [str(block.levels) for block in self.blocks]),
                ("Width", [str(block.width) for block in self.blocks]),
                ("Rows x cols", [f"{block.rows} x {block.columns}" for block in self.blocks]),
                ("Stored", [block.coupling for block in self.blocks]),
                ("Fill", format_fixed([block.fill for block in self.blocks], 4)),
                ("MiB", format_fixed([block.memory / _MIB for block in self.blocks], decimals)),
                ("Mflop", format_fixed([block.flops / 1e6 for block in self.blocks], decimals)),
            ],
            left=(0, 1, 5),
        )
        return Page.of(table, notes=_totals(self))


def describe_design(design: Predictors) -> BlockDescription:
    """The costs of a design, whether or not there is memory to fit it."""
    from .._engine import describe_blocks

    return _description(describe_blocks(design.x, engine_terms(design), design.weights), design)


def describe_engine(engine: Lmm | Glmm, design: Predictors) -> BlockDescription:
    """The costs of the engine's model of a design."""
    return _description(engine.describe_blocks(), design)


def size_notice(engine: Lmm | Glmm, design: Predictors) -> str | None:
    """The notice before a fit that takes much memory; None for others."""
    if engine.n_bytes <= LARGE_MODEL:
        return None
    costs = describe_engine(engine, design)
    largest = max(costs.blocks, key=lambda block: block.memory)
    left = "" if costs.memory_available is None else f", {_format_bytes(costs.memory_available)} are free"
    memory, taken = _format_bytes(costs.memory), _format_bytes(costs.cross_products)
    return (
        f"the fit needs about {memory} of memory ({taken} of it in use already{left}) and "
        f"{_format_flops(costs.flops)} for each of about ten evaluations, {_time(costs)}; the largest "
        f"part is for {largest.name} ({largest.rows} effects), describe_blocks() shows all: drop a "
        "term, merge levels, or try part of the data first"
    )


def _totals(costs: BlockDescription) -> tuple[str, str]:
    """Memory and time in words."""
    parts = (costs.cross_products, costs.factor, costs.inverse)
    products, factor, inverse = (_format_bytes(part) for part in parts)
    return (
        f"Memory: {_format_bytes(costs.memory)} (cross-products {products}, factor {factor}, "
        f"inverse {inverse})",
        f"One evaluation: {_format_flops(costs.flops_value)}, with derivatives "
        f"{_format_flops(costs.flops)}: {_time(costs)}",
    )


def _time(costs: BlockDescription) -> str:
    """Time of one evaluation with derivatives, and the speed it assumes."""
    return f"{_format_seconds(costs.seconds)} at an assumed {FLOPS_PER_SECOND / 1e9:g} Gflop/s on one core"


def _description(costs: Mapping[str, Any], design: Predictors) -> BlockDescription:
    available = costs["bytes_available"]
    return BlockDescription(
        blocks=tuple(_block(block, design) for block in costs["blocks"]),
        memory_available=None if available is None else int(available),
    )


def _block(costs: Mapping[str, Any], design: Predictors) -> Block:
    products, factor, inverse = map(int, costs["bytes"])
    value, derivatives = costs["flops"]
    terms = costs["terms"]
    return Block(
        name=design.terms[terms[0]].group.label if terms else _FIXED_EFFECTS,
        kind=costs["kind"],
        levels=costs["levels"],
        width=costs["width"],
        rows=costs["rows"],
        columns=costs["cols"],
        coupling=costs["coupling"],
        fill=costs["fill"],
        cross_products=products,
        factor=factor,
        inverse=inverse,
        flops_value=value,
        flops_derivatives=derivatives,
    )


def _format_bytes(size: float) -> str:
    for unit, least in (("GiB", _GIB), ("MiB", _MIB)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size / _KIB:.1f} KiB"


def _format_flops(flops: float) -> str:
    for unit, least in (("Tflop", 1e12), ("Gflop", 1e9), ("Mflop", 1e6)):
        if flops >= least:
            return f"{flops / least:.1f} {unit}"
    return f"{flops / 1e3:.1f} kflop"


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds >= _MILLISECOND else "less than a millisecond"
