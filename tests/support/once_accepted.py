"""Writing what an older version took: logs on people's disks have it, and it must be shown well."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from timeline.model import invisible
from timeline.writing import entries


@contextlib.contextmanager
def as_once_accepted() -> Iterator[None]:
    """Record names in any form, and lines with characters that change what is seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(invisible, "has_one_form", lambda name: True)
        patch.setattr(entries, "deceiving", lambda text: None)
        yield
