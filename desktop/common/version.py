"""Which version of Hausgeist this is."""

from __future__ import annotations

import functools

CHECKOUT_VERSION = "0.1.0"


@functools.cache
def app_version() -> str:
    """The installed version; a checkout that is not installed has a fixed one."""
    from importlib.metadata import PackageNotFoundError, version  # 20 ms that few need

    try:
        return version("hausgeist")
    except PackageNotFoundError:
        return CHECKOUT_VERSION
