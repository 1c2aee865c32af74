"""
The file: a zip archive of two members, `model.json` and `numbers.bin`.

`model.json` has the format, the version that wrote it, the type and shape of each array, lists of labels and
the model. `numbers.bin` has the arrays one after the other, little-endian, in C order.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np

from ..errors import MixedModelError, ModelFileError
from .codec import Decoder, Encoder, array_from, array_head

FORMAT = 1
_KIND = "mixedmodels model"
_JSON, _NUMBERS = "model.json", "numbers.bin"
# Members may be this much larger than the file: more than any model is compressed. Zeros are compressed most,
# and text takes many times its size in memory.
_RATIO, _ALWAYS = {_JSON: 40, _NUMBERS: 200}, 1 << 24
_WORTH = 0.8
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The errors that reading nonsense ends in.
DAMAGE = (
    *(
        AttributeError,
        EOFError,
        IndexError,
        KeyError,
        MemoryError,
        MixedModelError,
        NotImplementedError,
        OSError,
    ),
    *(OverflowError, RecursionError, RuntimeError, TypeError, ValueError, zlib.error),
)
# Archives have no time of their own, so that a model has one file.
_TIME = (1980, 1, 1, 0, 0, 0)


def packed(value: Any) -> bytes:
    """The file that holds a value."""
    encoder = Encoder()
    coded = encoder.value(value)
    head = {
        "kind": _KIND,
        "format": FORMAT,
        "version": _version(),
        "arrays": [array_head(array) for array in encoder.arrays],
        "texts": encoder.texts,
        "model": coded,
    }
    numbers = b"".join(
        np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes() for array in encoder.arrays
    )
    text = json.dumps(head, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr(zipfile.ZipInfo(_JSON, _TIME), text.encode("utf-8"), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo(_NUMBERS, _TIME), numbers, _method(numbers))
    return target.getvalue()


def _method(numbers: bytes) -> int:
    """Deflated only where that pays, as it takes time to read."""
    sample = numbers[: 1 << 16]
    return zipfile.ZIP_DEFLATED if len(zlib.compress(sample)) < _WORTH * len(sample) else zipfile.ZIP_STORED


def unpacked(content: bytes, what: str) -> Any:
    """
    The value in a file.

    Raises
    ------
    ModelFileError
        For another kind of file, a damaged one, and one of a later format.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            text, numbers = (_member(archive, name, len(content)) for name in (_JSON, _NUMBERS))
        head = json.loads(text)
        if not isinstance(head, dict) or head.get("kind") != _KIND:
            raise ModelFileError("it is not a model file")
        _check_format(head)
        arrays, start = [], 0
        for part in head["arrays"]:
            array, start = array_from(part, numbers, start)
            arrays.append(array)
        texts = [tuple([str(label) for label in labels]) for labels in head["texts"]]
        return Decoder(arrays, texts).value(head["model"])
    except ModelFileError as error:
        raise ModelFileError(f"{what} cannot be loaded: {error}") from None
    except zipfile.BadZipFile:
        raise ModelFileError(f"{what} cannot be loaded: it is no model file, or it is damaged") from None
    except DAMAGE as error:
        raise ModelFileError(f"{what} cannot be loaded: it is damaged ({type(error).__name__})") from None


def _member(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    if name not in archive.namelist():
        raise ModelFileError("it is not a model file")
    if archive.getinfo(name).compress_type not in _METHODS:
        raise ModelFileError("it is compressed in another way than model files are")
    allowed = _ALWAYS + _RATIO[name] * size
    with archive.open(name) as member:
        found = member.read(allowed + 1)
    if len(found) > allowed:
        raise ModelFileError("it claims to hold far more than its size allows")
    return found


def _check_format(head: dict[str, Any]) -> None:
    found = head.get("format")
    if found != FORMAT:
        raise ModelFileError(
            f"it has format {found!r}, written by mixedmodels {head.get('version')}; mixedmodels "
            f"{_version()} reads format {FORMAT}: install the version that wrote it, or a later one"
        )


def _version() -> str:
    from .._engine import __version__

    return __version__
