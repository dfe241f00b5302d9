"""The user's access token for the Hub: kept by the system's keyring wherever there is one."""

from __future__ import annotations

from typing import Literal

TokenPlace = Literal["environment", "keyring", "file", "none"]
