"""Name the choices of those fields of an event by which events are also filtered."""

from typing import Literal

Modality = Literal["actual", "ongoing", "planned", "hypothetical", "negated"]
Verification = Literal["reported", "corroborated", "disputed", "refuted"]
