"""Define what all models have in common: they are frozen, strict, and leave out what is empty."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator

_EMPTIABLE = (str, list, tuple, dict)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, _EMPTIABLE) and not value)


class Content(BaseModel):
    """The content of an entry, and each part of it, is an object of a subclass of this class.

    A field that is absent, null or empty means the same, and is left out of the bytes.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        defer_build=True,
    )
    outside: ClassVar[set[str]] = set()
    """Names of fields that `content` leaves out, such as the subject's own id: an entry has it
    in its envelope, not in its content."""

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        try:
            if all(data.values()):
                return data
        except (TypeError, ValueError):
            pass  # a value that is neither true nor false is not empty
        return {key: value for key, value in data.items() if not _is_empty(value)}

    def content(self) -> dict[str, Any]:
        """Return the content for a payload: JSON types, in the order of the model's fields.

        Empty and default values are left out.
        """
        fields: dict[str, Any] = self.__pydantic_serializer__.to_python(
            self, mode="json", exclude_defaults=True, exclude=self.outside
        )
        return fields
