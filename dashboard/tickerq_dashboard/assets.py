"""The style sheets, scripts and icons of this package, read once, each with the hash of its content."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
VERSION_LENGTH = 12
# Not the system's table of types: a machine may have none, or a wrong one.
TYPES = {".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml"}
OTHER_TYPE = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: its bytes, its media type, and the beginning of its content's hash."""

    content: bytes
    mimetype: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """All files that can be asked for, by their paths below the folder; nothing else is ever read."""

    files: Mapping[str, Asset]

    def version(self, name: str) -> str:
        """Return what changes when the file does.

        Raises:
            KeyError: There is no such file.
        """
        return self.files[name].version


def read_assets(folder: Path = FOLDER) -> Assets:
    """Return every file below a folder."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return Assets(files={path.relative_to(folder).as_posix(): _asset(path) for path in paths})


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    return Asset(
        content=content,
        mimetype=TYPES.get(path.suffix, OTHER_TYPE),
        version=sha256(content).hexdigest()[:VERSION_LENGTH],
    )
