"""RFC 6962 hashing: pure functions, bytes in, bytes out. Knows no entry and no database."""

import hashlib


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || entry), 32 bytes (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + entry).digest()
