"""Build models without a search for plugins of pydantic, of which a command has none.

pydantic has a module that finds plugins, and loads it when it builds the first model. With it comes
`importlib.metadata`, which takes a tenth of the time of `timeline append`, whether or not
PYDANTIC_DISABLE_PLUGINS says that there is nothing to find.
"""

import contextlib
import importlib
import os
import sys
from types import ModuleType
from typing import Any

_METADATA = "importlib.metadata"


def find_no_plugins() -> None:
    """Load the module that finds plugins, but `importlib.metadata` only if it is used.

    Does nothing if a version of pydantic has no such module, or one that needs more.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if _METADATA in sys.modules:
        return
    stand_in = ModuleType(_METADATA)
    vars(stand_in)["entry_points"] = _entry_points
    sys.modules[_METADATA] = stand_in
    try:
        with contextlib.suppress(ImportError):
            importlib.import_module("pydantic.plugin._loader")
    finally:
        del sys.modules[_METADATA]


def _entry_points(**wanted: Any) -> Any:
    from importlib.metadata import entry_points

    return entry_points(**wanted)
