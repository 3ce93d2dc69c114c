"""Tell by an address of the web what a medium is: a picture, a document, a film or a recording."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["image", "document", "video", "audio"]

_ENDINGS: dict[str, Kind] = {
    **dict.fromkeys(("avif", "gif", "jpeg", "jpg", "png", "svg", "webp"), "image"),
    **dict.fromkeys(("m4v", "mov", "mp4", "ogv", "webm"), "video"),
    **dict.fromkeys(("aac", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav"), "audio"),
    **dict.fromkeys(("doc", "docx", "odt", "pdf"), "document"),
}
_HOSTS: dict[str, Kind] = {
    "dailymotion.com": "video",
    "vimeo.com": "video",
    "youtu.be": "video",
    "youtube.com": "video",
    "soundcloud.com": "audio",
}
_ADDRESS = re.compile(r"https?://(?:[^/?#@]*@)?([^/?#:]+)[^/?#]*([^?#]*)", re.I)


def kind_of(url: str) -> Kind | None:
    """Return what is at an address, by its ending or its host; None if they do not say it."""
    found = _ADDRESS.match(url)
    if found is None:
        return None
    host, path = found[1].lower(), found[2].lower()
    ending = path.rpartition("/")[2].rpartition(".")[2]
    by_host = (kind for name, kind in _HOSTS.items() if host == name or host.endswith(f".{name}"))
    return _ENDINGS.get(ending) or next(by_host, None)
