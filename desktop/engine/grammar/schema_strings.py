"""Strings of a JSON schema as GBNF: lengths, patterns, formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desktop.common.errors import RequestError
from desktop.engine.grammar.schema_patterns import ANY_CHARACTER, pattern_rule

_MAX_LENGTH = 1 << 24

_YEAR_DAY = (
    "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|1[0-9]|2[0-8]))"
)
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
_ZONE = "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_BYTE = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
_HEX = "[0-9a-fA-F]"
_WORD = "[A-Za-z0-9_+-]"
_URI = "[A-Za-z0-9._~!$&'()*+,;=:@%/-]"
_FORMATS = {
    "date": _YEAR_DAY,
    "time": _CLOCK + _ZONE,
    "date-time": f"{_YEAR_DAY}T{_CLOCK}{_ZONE}",
    "duration": "P([0-9]{1,4}W|[0-9]{1,4}D|([0-9]{1,4}D)?T[0-9]{1,4}[HMS])",
    "uuid": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "ipv4": rf"{_BYTE}(\.{_BYTE}){{3}}",
    "ipv6": f"({_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}|::({_HEX}{{1,4}}:){{0,5}}{_HEX}{{1,4}}",
    "hostname": rf"{_LABEL}(\.{_LABEL}){{0,4}}",
    "email": rf"{_WORD}{{1,32}}(\.{_WORD}{{1,16}}){{0,2}}@{_LABEL}(\.{_LABEL}){{1,3}}",
    "uri": rf"https?://{_LABEL}(\.{_LABEL}){{0,3}}(/{_URI}{{0,500}})?(\?{_URI}{{0,500}})?",
}
_FORMATS |= {"idn-email": _FORMATS["email"], "idn-hostname": _FORMATS["hostname"]}
_FORMATS |= {"url": _FORMATS["uri"], "iri": _FORMATS["uri"]}
# Anything is allowed where a format is none of these: it is a remark, as the standard has it.


def string_inside(schema: Mapping[str, Any], path: str) -> str:
    """What stands between the quotes. Raises RequestError("bad_schema", reason, path)."""
    least = length_of(schema, "minLength", path) or 0
    most = length_of(schema, "maxLength", path)
    if most is not None and most < least:
        raise RequestError("bad_schema", reason="nothing_allowed", path=path)
    source = schema.get("pattern")
    if source is not None and not isinstance(source, str):
        raise RequestError("bad_schema", reason="pattern", path=path)
    name = schema.get("format")
    known = _FORMATS.get(name) if isinstance(name, str) else None
    if source is not None:
        if known is not None:
            raise RequestError("bad_schema", reason="pattern_with_format", path=path)
        pattern = pattern_rule(source, path)
    elif known is not None:
        pattern = pattern_rule(f"^({known})$", path)
    else:
        return f"{ANY_CHARACTER}{{{least},{'' if most is None else most}}}"
    if pattern.text == f'{ANY_CHARACTER}* "" {ANY_CHARACTER}*':
        return f"{ANY_CHARACTER}{{{least},{'' if most is None else most}}}"
    fits = pattern.least >= least and (
        most is None or (pattern.most is not None and pattern.most <= most)
    )
    if not fits and pattern.unit:
        low = max(least, pattern.least)
        ends = [end for end in (most, pattern.most) if end is not None]
        if ends and min(ends) < low:
            raise RequestError("bad_schema", reason="nothing_allowed", path=path)
        return f"{pattern.unit}{{{low},{min(ends) if ends else ''}}}"
    if not fits:
        # Both at once is more than a grammar of this size can say.
        raise RequestError("bad_schema", reason="pattern_with_length", path=path)
    return pattern.text


def length_of(schema: Mapping[str, Any], key: str, path: str) -> int | None:
    """A count such as maxLength; None where there is none. Raises RequestError("bad_schema")."""
    value = schema.get(key)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RequestError("bad_schema", reason=key, path=path)
    # Longer than any answer: no limit at all, or none that could be met.
    if value > _MAX_LENGTH and key.startswith("min"):
        raise RequestError("bad_schema", reason=key, path=path)
    return None if value > _MAX_LENGTH else value
