"""Compile a regular expression when it is first used: a command uses few of those that it loads.

Guarantees: whatever a compiled pattern can do, this one can.
"""

from __future__ import annotations

import re
from typing import Any, cast


def lazy_pattern(text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Return what `re.compile` returns, but quickly; a text that is no pattern raises when used."""
    return cast("re.Pattern[str]", _Pattern(text, flags))


class _Pattern:
    def __init__(self, text: str, flags: re.RegexFlag) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        """Return a method of the compiled pattern, and keep it: it is asked for only once."""
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found
