"""Each module here has the screens of one subject, and their routes."""

from __future__ import annotations
