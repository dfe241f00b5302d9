"""Programming languages by the names that models write behind a fence, and their lexers.

The table is our own: asking Pygments for a name it does not know scans all installed plugins.
"""

from __future__ import annotations

import importlib
import threading
from typing import cast

from pygments.lexer import Lexer

# name shown: (module below pygments.lexers, class, further names)
_KNOWN: dict[str, tuple[str, str, str]] = {
    "Bash": ("shell", "BashLexer", "bash sh shell zsh console shell-session shellscript"),
    "Batch": ("shell", "BatchLexer", "batch bat cmd"),
    "C": ("c_cpp", "CLexer", "c h"),
    "C++": ("c_cpp", "CppLexer", "cpp c++ cc cxx hpp"),
    "C#": ("dotnet", "CSharpLexer", "csharp c# cs"),
    "CMake": ("make", "CMakeLexer", "cmake"),
    "CSS": ("css", "CssLexer", "css"),
    "Dart": ("javascript", "DartLexer", "dart"),
    "Diff": ("diff", "DiffLexer", "diff patch"),
    "Dockerfile": ("configs", "DockerLexer", "dockerfile docker"),
    "Elixir": ("erlang", "ElixirLexer", "elixir ex exs"),
    "Fortran": ("fortran", "FortranLexer", "fortran f90"),
    "Go": ("go", "GoLexer", "go golang"),
    "GraphQL": ("graphql", "GraphQLLexer", "graphql gql"),
    "Haskell": ("haskell", "HaskellLexer", "haskell hs"),
    "HTML": ("html", "HtmlLexer", "html htm xhtml svg vue"),
    "INI": ("configs", "IniLexer", "ini cfg conf properties"),
    "Java": ("jvm", "JavaLexer", "java"),
    "JavaScript": ("javascript", "JavascriptLexer", "javascript js jsx mjs node"),
    "JSON": ("data", "JsonLexer", "json jsonc json5 jsonl"),
    "Julia": ("julia", "JuliaLexer", "julia jl"),
    "Kotlin": ("jvm", "KotlinLexer", "kotlin kt"),
    "LaTeX": ("markup", "TexLexer", "latex tex"),
    "Lua": ("scripting", "LuaLexer", "lua"),
    "Makefile": ("make", "MakefileLexer", "makefile make mk"),
    "Markdown": ("markup", "MarkdownLexer", "markdown md"),
    "MATLAB": ("matlab", "MatlabLexer", "matlab octave"),
    "Nginx": ("configs", "NginxConfLexer", "nginx"),
    "Nix": ("nix", "NixLexer", "nix"),
    "Objective-C": ("objective", "ObjectiveCLexer", "objective-c objc objectivec"),
    "Pascal": ("pascal", "DelphiLexer", "pascal delphi"),
    "Perl": ("perl", "PerlLexer", "perl pl"),
    "PHP": ("php", "PhpLexer", "php"),
    "PowerShell": ("shell", "PowerShellLexer", "powershell ps1 pwsh"),
    "Python": ("python", "PythonLexer", "python py python3 py3"),
    "R": ("r", "SLexer", "r splus"),
    "Ruby": ("ruby", "RubyLexer", "ruby rb"),
    "Rust": ("rust", "RustLexer", "rust rs"),
    "Scala": ("jvm", "ScalaLexer", "scala"),
    "SCSS": ("css", "ScssLexer", "scss sass"),
    "SQL": ("sql", "SqlLexer", "sql sqlite mysql postgresql postgres plsql tsql"),
    "Swift": ("objective", "SwiftLexer", "swift"),
    "TOML": ("configs", "TOMLLexer", "toml"),
    "TypeScript": ("javascript", "TypeScriptLexer", "typescript ts tsx"),
    "Visual Basic": ("basic", "VBScriptLexer", "vb vba vbnet vbscript visual-basic"),
    "XML": ("html", "XmlLexer", "xml xsl xslt xsd plist"),
    "YAML": ("data", "YamlLexer", "yaml yml"),
    "Zig": ("zig", "ZigLexer", "zig"),
}
_NAMES = {alias: name for name, entry in _KNOWN.items() for alias in entry[2].split()}
_COMMON = ("Python", "Bash", "JSON")
_PLAIN = {"", "text", "txt", "plain", "plaintext", "none"}


def display_name(language: str) -> str:
    """How the language is called above its code: "Python" for "py", "" for plain text."""
    lower = language.lower()
    if lower in _PLAIN:
        return ""
    return _NAMES.get(lower, language[:1].upper() + language[1:])


class LexerShelf:
    """Makes lexers in a thread of their own: compiling one's patterns takes up to 30 ms.

    `made` counts those that are ready: when it grows, code that was drawn plain can be coloured.
    """

    def __init__(self) -> None:
        self._lexers: dict[str, Lexer | None] = {}
        self.made = 0

    def get(self, language: str) -> Lexer | None:
        """The lexer of the language; None for unknown ones and while it is being made."""
        name = _NAMES.get(language.lower())
        if name is None:
            return None
        if name not in self._lexers:
            self._start([name])
        return self._lexers[name]

    def prepare(self) -> None:
        """Make the lexers that are needed most, before they are."""
        self._start([name for name in _COMMON if name not in self._lexers])

    def _start(self, names: list[str]) -> None:
        self._lexers.update(dict.fromkeys(names))
        threading.Thread(target=self._make, args=(names,), daemon=True).start()

    def waits_for(self, language: str) -> bool:
        """Whether a lexer for the language is known but not ready yet."""
        name = _NAMES.get(language.lower())
        return name is not None and self._lexers.get(name) is None

    @property
    def busy(self) -> bool:
        """Whether a lexer is being made."""
        return None in self._lexers.values()

    def _make(self, names: list[str]) -> None:
        for name in names:
            lexer = make_lexer(name)
            # One token makes it compile its patterns here and not in the thread that draws.
            for _token in lexer.get_tokens("\n"):
                break
            self._lexers[name] = lexer
            self.made += 1


def make_lexer(name: str) -> Lexer:
    """A new lexer for the language shown as `name`; KeyError when it is unknown."""
    module, class_name, _aliases = _KNOWN[name]
    made = getattr(importlib.import_module(f"pygments.lexers.{module}"), class_name)
    return cast(Lexer, made(stripnl=False, ensurenl=False))


def languages() -> list[str]:
    """The names of all languages that are coloured."""
    return list(_KNOWN)
