"""Names of files that come from strangers: which of them every system can hold, and which collide.

A repository, a pack or a server may call a file anything: a path out of the folder, a device, a
stream, a name that only looks like another one.
"""

from __future__ import annotations

import re
import unicodedata

_MAX_PATH_CHARACTERS = 400
_MAX_NAME_BYTES = 200  # file systems take 255, and a temporary name is a little longer
_FORBIDDEN = set('\\:*?"<>|')
_DEVICES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\..*)?", re.IGNORECASE
)


def is_safe_file(path: str) -> bool:
    """Whether every system can hold a file of this name below a folder, and nowhere else."""
    if not 0 < len(path) <= _MAX_PATH_CHARACTERS or path != path.strip():
        return False
    return all(_is_safe_name(name) for name in path.split("/"))


def _is_safe_name(name: str) -> bool:
    return (
        name != ""
        and name[0] not in ". "
        and name[-1] not in ". "
        and name.isprintable()  # no lone surrogates either, so that it can be encoded
        and len(name.encode()) <= _MAX_NAME_BYTES
        and not _FORBIDDEN & set(name)
        and _DEVICES.fullmatch(name) is None
    )


def folded(path: str) -> str:
    """The same for two paths that some system takes for one: letter case, composed letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
