"""``python -m mixedmodels``: the versions that a bug report needs."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import mixedmodels

_PACKAGES = ("numpy", "pandas", "scipy", "formulaic", "narwhals", "polars", "pyarrow", "matplotlib")


def main() -> None:
    """Print the versions of the package, of Python and of the packages it uses."""
    print(f"mixedmodels {mixedmodels.__version__}")
    print(f"python      {platform.python_version()} ({platform.python_implementation()})")
    print(f"platform    {platform.platform()}")
    for name in _PACKAGES:
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "not installed"
        print(f"{name:11s} {found}")


if __name__ == "__main__":
    main()
