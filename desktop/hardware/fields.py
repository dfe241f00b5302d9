"""Strict reading of JSON that a person or another program wrote about a machine."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from desktop.common.errors import MachineError

MAX_BYTES = 1 << 50  # 1 PiB: no machine that runs this has more of anything
_MAX_TEXT = 512
_MAX_ITEMS = 512
_MAX_FOUND = 40

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object, at its place in the document, read field by field.

    Every reader raises MachineError("bad_machine") with `field` (the path in the document),
    `problem` (a slug for programs), `found` and `expected` (both in JSON's own notation, so that
    one sentence serves every language).
    """

    values: Mapping[str, object]
    place: str = ""

    @classmethod
    def root(cls, obj: object, *, max_depth: int) -> Fields:
        """The whole document; refuses what is nested deeper than any description needs."""
        if not isinstance(obj, dict):
            raise _bad("$", "not_an_object", obj, "{…}")
        _check_depth(obj, max_depth)
        return cls(cast("Mapping[str, object]", obj))

    def _path(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def group(self, name: str) -> Fields | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _bad(self._path(name), "not_an_object", value, "{…}")
        return Fields(value, self._path(name))

    def required_group(self, name: str) -> Fields:
        found = self.group(name)
        return Fields({}, self._path(name)) if found is None else found

    def _list(self, name: str) -> list[object]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _bad(self._path(name), "not_a_list", value, "[…]")
        if len(value) > _MAX_ITEMS:
            raise _bad(self._path(name), "too_many", f"[{len(value)}]", f"[0 … {_MAX_ITEMS}]")
        return value

    def groups(self, name: str) -> tuple[Fields, ...]:
        found: list[Fields] = []
        for index, item in enumerate(self._list(name)):
            place = f"{self._path(name)}[{index}]"
            if not isinstance(item, dict):
                raise _bad(place, "not_an_object", item, "{…}")
            found.append(Fields(item, place))
        return tuple(found)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(
            _text(f"{self._path(name)}[{index}]", item)
            for index, item in enumerate(self._list(name))
        )

    def text(self, name: str) -> str:
        """A text without control characters (names are printed on terminals); missing: ""."""
        value = self.values.get(name)
        return "" if value is None else _text(self._path(name), value)

    def choice(self, name: str, allowed: tuple[Choice, ...], *, default: Choice) -> Choice:
        value = self.values.get(name)
        if value is None:
            return default
        for one in allowed:
            if one == value:
                return one
        expected = ", ".join(json.dumps(one) for one in allowed)
        raise _bad(self._path(name), "not_a_choice", value, expected)

    def flag(self, name: str) -> bool:
        return self.optional_flag(name) or False

    def optional_flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise _bad(self._path(name), "not_a_flag", value, "true, false")

    def count(self, name: str, *, most: int) -> int:
        """A number of things; 0 where it is missing."""
        return self.size(name, default=0, most=most)

    def size(self, name: str, *, default: int, most: int = MAX_BYTES) -> int:
        found = self.optional_size(name, most=most)
        return default if found is None else found

    def optional_size(self, name: str, *, least: int = 0, most: int = MAX_BYTES) -> int | None:
        value = self.values.get(name)
        return None if value is None else _whole(self._path(name), value, least, most)

    def required_size(self, name: str) -> int:
        value = self.values.get(name)
        if value is None:
            raise _bad(self._path(name), "missing", None, f"1 … {MAX_BYTES}")
        return _whole(self._path(name), value, 1, MAX_BYTES)

    def number(self, name: str, *, default: float, most: float) -> float:
        """A finite number from 0 to `most`."""
        found = self.optional_number(name, least=0.0, most=most)
        return default if found is None else found

    def optional_number(self, name: str, *, least: float, most: float) -> float | None:
        value = self.values.get(name)
        return None if value is None else _finite(self._path(name), value, least, most)

    def required_number(self, name: str, *, least: float, most: float) -> float:
        value = self.values.get(name)
        if value is None:
            raise _bad(self._path(name), "missing", None, f"{least:g} … {most:g}")
        return _finite(self._path(name), value, least, most)

    def scalars(self) -> tuple[tuple[str, str | int | float], ...]:
        """All of the object's own texts and finite numbers, in their order."""
        found: list[tuple[str, str | int | float]] = []
        for name, value in list(self.values.items())[:_MAX_ITEMS]:
            if isinstance(value, str):
                found.append((name, _text(self._path(name), value)))
            elif not isinstance(value, (int, float)) or isinstance(value, bool):
                raise _bad(self._path(name), "not_a_scalar", value, '"…", 0')
            elif not math.isfinite(value) or abs(value) > MAX_BYTES:
                raise _bad(self._path(name), "out_of_range", value, f"-{MAX_BYTES} … {MAX_BYTES}")
            else:
                found.append((name, value))
        return tuple(found)


def _text(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise _bad(place, "not_a_text", value, '"…"')
    if len(value) > _MAX_TEXT:
        raise _bad(place, "too_long", f"{len(value)}", f"0 … {_MAX_TEXT}")
    if not value.isprintable():
        raise _bad(place, "not_printable", value, '"…"')
    return value


def _whole(place: str, value: object, least: int, most: int) -> int:
    """A whole number within bounds; 16e9 counts as one, true and "16" do not."""
    expected = f"{least} … {most}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _bad(place, "not_a_number", value, expected)
    if isinstance(value, float) and not value.is_integer():  # is_integer is false for NaN and inf
        raise _bad(place, "not_whole", value, expected)
    if value < least:
        raise _bad(place, "too_small", value, expected)
    if value > most:
        raise _bad(place, "too_large", value, expected)
    return int(value)


def _finite(place: str, value: object, least: float, most: float) -> float:
    """A number within bounds, whole or not; NaN lies within none."""
    expected = f"{least:g} … {most:g}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _bad(place, "not_a_number", value, expected)
    if value < least:
        raise _bad(place, "too_small", value, expected)
    if not value <= most:
        raise _bad(place, "too_large", value, expected)
    return float(value)


def _check_depth(obj: object, max_depth: int) -> None:
    """Level by level, without recursion: the document may be built to exhaust the stack."""
    level: list[object] = [obj]
    for _ in range(max_depth):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise _bad("$", "too_deep", f"> {max_depth}", f"0 … {max_depth}")


def _children(item: object) -> list[object]:
    if isinstance(item, dict):
        return [child for child in item.values() if isinstance(child, (dict, list))]
    if isinstance(item, list):
        return [child for child in item if isinstance(child, (dict, list))]
    return []


def _bad(place: str, problem: str, found: object, expected: str) -> MachineError:
    return MachineError(
        "bad_machine",
        field=place[:_MAX_TEXT],
        problem=problem,
        found=_shown(found),
        expected=expected,
    )


def _shown(found: object) -> str:
    """A short, printable form of a value: JSON for scalars, the kind for the rest."""
    if isinstance(found, dict):
        return "{…}"
    if isinstance(found, list):
        return "[…]"
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) > MAX_BYTES:
        return "> 1e15" if found > 0 else "< -1e15"  # str() of a huge int is slow and limited
    if found is None or isinstance(found, (bool, int, float, str)):
        text = found if isinstance(found, str) else json.dumps(found)
        text = "".join(c if c.isprintable() else "�" for c in text[:_MAX_FOUND])
        return f'"{text}"' if isinstance(found, str) else text
    return type(found).__name__
