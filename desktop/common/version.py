"""Which version of Hausgeist this is; a test holds it against pyproject.toml.

Written down here because asking the installed package's metadata takes 20 to 70 ms.
"""

VERSION = "0.1.0"
