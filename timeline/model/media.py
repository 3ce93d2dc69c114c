"""Define the model of a medium: a picture, a document, a film or a recording of an event.

The bytes of an attached file are not in the log: the log has their SHA-256.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StrictStr, StringConstraints, model_validator

from timeline.errors import InvalidValue
from timeline.model.base import Content
from timeline.model.field_types import MEDIA_TYPE_PATTERN, Id, Line, Sha256, Text, Url, whole

_ShortText = Annotated[Text, StringConstraints(max_length=2_000)]
_Pixels = Annotated[int, whole(1, 100_000, "a whole number of pixels, from 1 to 100,000")]


class Medium(Content):
    """A file that shows the event or a document about it, attached or elsewhere."""

    kind: Literal["image", "document", "video", "audio"] = Field(description="What it is.")
    sha256: Sha256 | None = Field(
        default=None, description="The SHA-256 of an attached image or document."
    )
    url: Url | None = Field(
        default=None, description="Where it is, or was when it was attached, http or https."
    )
    media_type: (
        Annotated[StrictStr, StringConstraints(max_length=100, pattern=MEDIA_TYPE_PATTERN)] | None
    ) = Field(default=None, description="IANA media type, such as image/jpeg.")
    width: _Pixels | None = Field(default=None, description="Width in pixels.")
    height: _Pixels | None = Field(default=None, description="Height in pixels.")
    alt: _ShortText | None = Field(
        default=None,
        description="What it shows, for those who cannot see it; required for an attached image.",
    )
    caption: _ShortText | None = Field(default=None, description="The words below it.")
    credit: Line | None = Field(default=None, description="Who made it.")
    licence: Line | None = Field(default=None, description="Its licence, such as CC-BY-4.0.")
    source_id: Id | None = Field(default=None, description="The source that it is from.")

    @model_validator(mode="after")
    def _can_be_shown(self) -> Self:
        if self.sha256 is None and self.url is None:
            raise InvalidValue(self, "needs a sha256 or a url")
        if self.sha256 and self.kind in ("video", "audio"):
            raise InvalidValue(self, f"cannot be attached: give the url of the {self.kind}")
        if (self.width is None) != (self.height is None):
            raise InvalidValue(self, "needs width and height together, or neither")
        if self.kind == "image" and self.sha256 and not self.alt:
            raise InvalidValue(self, "needs an alt: what the image shows, in words")
        return self
