"""Read a command's arguments; whatever is wrong becomes a sentence in the user's language."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from desktop.common.errors import UsageError
from desktop.common.messages import Messages


class Arguments:
    """argparse with our words: errors are UsageError, help comes from the message catalogue."""

    def __init__(self, command: str, messages: Messages) -> None:
        self.command = command
        self._messages = messages
        self._parser = _Parser(
            prog=f"hausgeist {command}", add_help=False, allow_abbrev=False, exit_on_error=False
        )
        self._positionals: list[str] = []
        self._needed: list[str] = []
        self._texts: set[str] = set()
        self._help: list[tuple[str, str]] = []

    def positional(
        self, name: str, *, many: bool = False, optional: bool = False, help_key: str = ""
    ) -> None:
        """What must be given, in this order: MODEL, or PATH... with `many`.

        `optional` ones come last; not given they are None, or an empty list with `many`.
        """
        nargs = {(False, False): None, (False, True): "?", (True, False): "+", (True, True): "*"}
        self._parser.add_argument(name.lower(), nargs=nargs[many, optional])
        text = self._messages.text(help_key or f"cli.argument.{name.lower()}")
        shown = f"{name}..." if many else name
        self._positionals.append(f"[{shown}]" if optional else shown)
        if not optional:
            self._needed.append(name)
        self._help.append((shown, text))

    def option(
        self,
        *flags: str,
        value: str,
        kind: Callable[[str, str], Any],
        default: Any = None,
        help_key: str = "",
        repeated: bool = False,
    ) -> None:
        """`kind` turns (flag, text) into the value or raises UsageError.

        `repeated`: the option may be given several times; its value is a list then.
        """
        flag = flags[-1]
        if kind is text:
            self._texts.update(flags)
        self._parser.add_argument(
            *flags,
            type=lambda text: kind(flag, text),
            default=default,
            metavar=value,
            action="append" if repeated else "store",
        )
        key = help_key or f"cli.option.{flag.lstrip('-')}"
        self._help.append((f"{', '.join(flags)} {value}", self._messages.text(key)))

    def switch(self, *flags: str) -> None:
        self._parser.add_argument(*flags, action="store_true")
        text = self._messages.text(f"cli.option.{flags[-1].lstrip('-')}")
        self._help.append((", ".join(flags), text))

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Raises UsageError: missing_argument, missing_value, takes_no_value, unknown_option..."""
        try:
            found, rest = self._parser.parse_known_args(self._with_dashed_texts(argv))
        except argparse.ArgumentError as error:
            raise self._translated(error) from error
        except _ParserError as error:
            raise self._missing() from error
        if rest:
            raise self._unexpected(rest[0])
        return found

    def help(self) -> str:
        """Usage, what the command does, and every option on a line of its own."""
        text = self._messages.text
        usage = " ".join(["hausgeist", self.command, *self._positionals, "[...]"])
        lines = [
            f"{text('cli.help.usage')} {usage}",
            "",
            text(f"cli.command.{self.command}"),
            "",
            *columns(self._help),
        ]
        examples = f"cli.examples.{self.command}"
        if examples in self._messages:
            lines += ["", text("cli.help.examples"), text(examples)]
        return "\n".join(lines)

    def _with_dashed_texts(self, argv: Sequence[str]) -> list[str]:
        """`-p -5` as `-p=-5`: argparse takes a text with a dash in front for an option."""
        words: list[str] = []
        flags = self._parser.flags()
        for word in argv:
            dashed = word.startswith("-") and word not in ("-", "--")
            if dashed and words and words[-1] in self._texts and word.split("=")[0] not in flags:
                flag = words.pop()
                word = f"{flag}={word}" if flag.startswith("--") else f"{flag}{word}"
            words.append(word)
        return words

    def _missing(self) -> UsageError:
        return UsageError("missing_argument", command=self.command, argument=" ".join(self._needed))

    def _translated(self, error: argparse.ArgumentError) -> UsageError:
        name = error.argument_name
        if not name or not name.startswith("-"):
            return self._missing()
        flag = name.split("/")[-1]
        option = self._parser.find(flag)
        kind = "takes_no_value" if option is not None and option.nargs == 0 else "missing_value"
        return UsageError(kind, option=flag)

    def _unexpected(self, found: str) -> UsageError:
        name = found.split("=")[0]
        if not found.startswith("-") or name in self._parser.flags():  # the latter: behind "--"
            return UsageError("unexpected_argument", argument=found, command=self.command)
        close = difflib.get_close_matches(name, self._parser.flags(), n=1)
        if close:
            return UsageError("unknown_option_close", option=name, close=close[0])
        return UsageError("unknown_option", option=name, command=self.command)


class _ParserError(Exception):
    """argparse wanted to print and exit."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _ParserError(message)

    def find(self, flag: str) -> argparse.Action | None:
        return self._option_string_actions.get(flag)

    def flags(self) -> list[str]:
        return list(self._option_string_actions)


def columns(rows: Sequence[tuple[str, str]], *, indent: int = 2, gap: int = 2) -> list[str]:
    """Two columns; further lines of a right cell stand below its first."""
    width = max((len(left) for left, _ in rows), default=0)
    lines: list[str] = []
    for left, right in rows:
        first, *more = right.split("\n")
        lines.append(f"{' ' * indent}{left.ljust(width)}{' ' * gap}{first}".rstrip())
        lines.extend(f"{' ' * (indent + width + gap)}{line}" for line in more)
    return lines


def text(_flag: str, value: str) -> str:
    return value


def whole(low: int, high: int) -> Callable[[str, str], int]:
    """A whole number from `low` to `high`; "8k" is 8,192."""

    def read(flag: str, value: str) -> int:
        digits, factor = (value[:-1], 1024) if value[-1:] in ("k", "K") else (value, 1)
        try:
            number = int(digits) * factor
        except ValueError:
            raise UsageError("not_a_number", option=flag, value=value) from None
        if not low <= number <= high:
            raise UsageError("out_of_range", option=flag, value=value, low=low, high=high)
        return number

    return read


def real(low: float, high: float) -> Callable[[str, str], float]:
    """A number from `low` to `high`; the decimal mark may be a comma."""

    def read(flag: str, value: str) -> float:
        try:
            number = float(value.replace(",", "."))
        except ValueError:
            raise UsageError("not_a_number", option=flag, value=value) from None
        if not math.isfinite(number) or not low <= number <= high:
            raise UsageError("out_of_range", option=flag, value=value, low=low, high=high)
        return number

    return read


def one_of(*choices: str) -> Callable[[str, str], str]:
    def read(flag: str, value: str) -> str:
        if value not in choices:
            listed = ", ".join(choices)
            raise UsageError("not_a_choice", option=flag, value=value, choices=listed)
        return value

    return read
