"""Fetch a sheet by the link that people share: of Google Sheets, Drive, Dropbox or GitHub.

Guarantees: only these links are changed, into the address of the file itself; the host stays the
same. A web page in the place of a sheet is an error that says how to share the sheet.
"""

from __future__ import annotations

import re
import socket
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from timeline.errors import NotFetched
from timeline.model import text_files
from timeline.network.fetch import Connect, Resolve, fetch

_GOOGLE = "docs.google.com"
_OF_A_GOOGLE_SHEET = re.compile(
    r"(?:/a/[^/]+)?/spreadsheets(?:/u/[0-9]+)?/d/(e/)?([^/]+)(?:/(.*))?"
)
"""Finds "e/" of a published sheet, the id, and what the link shows of the sheet."""
_OF_A_GOOGLE_FILE = re.compile(r"/file(?:/u/[0-9]+)?/d/([^/]+)")
_PUBLISHED = ("pub", "pubhtml")
_FILES = ("export", "gviz/tq")
"""The ends of addresses that give a file already, in the form that the address names."""
_NOT_SHARED = (
    "is not shared, and Google asks to sign in: share it with anyone with the link, or use"
    " File > Share > Publish to the web, as CSV"
)


def sheet_address(url: str) -> str:
    """Return the address of the file that a shared link shows; any other address is unchanged.

    A Google sheet becomes CSV, of the tab that the link names by its gid.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    said = dict(parse_qsl(parts.query))
    host, path = (parts.hostname or "").removeprefix("www."), parts.path
    if host == _GOOGLE:
        return _google_sheet(parts, said) or url
    if host == "drive.google.com" and (found := _OF_A_GOOGLE_FILE.match(path)):
        query = {"export": "download", "id": found[1], **_only(said, "resourcekey")}
        return _address(parts, "/uc", query)
    if host == "dropbox.com" and path.startswith(("/s/", "/scl/fi/")):
        return _address(parts, path, {**said, "dl": "1"})
    if host == "github.com" and re.match(r"/[^/]+/[^/]+/blob/", path):
        return _address(parts, path.replace("/blob/", "/raw/", 1), said)
    return url


def _google_sheet(parts: SplitResult, said: dict[str, str]) -> str | None:
    """Return the address of the CSV of a Google sheet; None if it is another page or a file."""
    found = _OF_A_GOOGLE_SHEET.fullmatch(parts.path)
    if not found or found[3] in _FILES:
        return None
    wanted = {**said, **dict(parse_qsl(parts.fragment))}
    kept = _only(wanted, "gid", "resourcekey")
    if found[3] == "pub" and said.get("output", "html") != "html":
        return None
    if found[1] or found[3] in _PUBLISHED:
        one = {"single": "true"} if "gid" in kept else {}
        path = f"/spreadsheets/d/{found[1] or ''}{found[2]}/pub"
        return _address(parts, path, {"output": "csv", **one, **kept})
    return _address(parts, f"/spreadsheets/d/{found[2]}/export", {"format": "csv", **kept})


def _only(query: dict[str, str], *names: str) -> dict[str, str]:
    return {name: query[name] for name in names if name in query}


def _address(parts: SplitResult, path: str, query: dict[str, str]) -> str:
    return parts._replace(path=path, query=urlencode(query), fragment="").geturl()


def fetch_sheet(
    url: str,
    *,
    longest: int = text_files.LONGEST_FILE,
    resolve: Resolve = socket.getaddrinfo,
    connect: Connect = socket.create_connection,
) -> bytes:
    """Return the whole file of a sheet, at its own address or at a link that people share.

    Raises NotFetched, also for a web page in its place: a sheet that is not shared answers so.
    """
    address = sheet_address(url)
    try:
        content = fetch(address, longest=longest, resolve=resolve, connect=connect)
    except NotFetched as error:
        is_closed = _is_of_google(url) and error.status in (401, 403)
        raise NotFetched(url, _NOT_SHARED if is_closed else error.problem, error.status) from None
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        page = "is a web page, not a sheet: publish the sheet as CSV"
        raise NotFetched(url, _NOT_SHARED if _is_of_google(url) else page)
    return content


def _is_of_google(url: str) -> bool:
    return urlsplit(url).hostname in (_GOOGLE, "drive.google.com")
