"""Limits hold wherever a value comes in: how exact and large numbers are, and how ids are written.

Guarantees: each limit is written here once. This module imports no other of timeline.
"""

from decimal import Decimal

ID = r"[a-z0-9][a-z0-9_-]{2,63}"
"""The pattern of the id of an event, source, actor or entry: 3 to 64 characters."""
MAX_DIGITS = 38
"""Significant digits of a number, and its places after the decimal point."""
MAX_NUMBER = Decimal("1e38")
"""The largest absolute value of a number."""
