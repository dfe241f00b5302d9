"""What a file with a .gguf name really is, when it is no GGUF."""

from __future__ import annotations

from desktop.common.errors import ModelFileError

MAGIC = b"GGUF"
_OLD_MAGICS = (b"lmgg", b"fmgg", b"tjgg", b"algg", b"ggml", b"ggmf", b"ggjt", b"ggla")
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"\xfd7zX", b"BZh")
_LFS_POINTER = b"version https://git-lfs"
_HTML_SIGNS = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")


def foreign_file(start: bytes, size_bytes: int, path: str) -> ModelFileError:
    """The error for a file that begins with `start` (its first bytes) and is no GGUF.

    Kinds: truncated_gguf, old_ggml_format, is_safetensors, is_archive, is_web_page,
    is_lfs_pointer, is_blank, not_gguf.
    """
    if MAGIC.startswith(start):
        kind = "truncated_gguf"
    elif start[:4] in _OLD_MAGICS:
        kind = "old_ggml_format"
    elif start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size_bytes:
        kind = "is_safetensors"
    elif start.startswith(_ARCHIVES) or start[:2] in (b"\x80\x02", b"\x80\x04"):
        kind = "is_archive"  # PyTorch's files are zip archives or, older, pickles
    elif start.startswith(_LFS_POINTER):
        kind = "is_lfs_pointer"
    elif start.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_HTML_SIGNS):
        kind = "is_web_page"
    elif not start.strip(b"\0"):
        kind = "is_blank"
    else:
        kind = "not_gguf"
    return ModelFileError(kind, path=path)
