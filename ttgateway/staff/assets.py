"""What the staff page is made of: the files in ``static/``, under a name that changes with any of them."""

import hashlib
from pathlib import Path
from string import Template

import msgspec

_FOLDER = Path(__file__).parent / "static"
_PAGE = "index.html"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Asset(msgspec.Struct, frozen=True):
    """A file as it is served: its media type and its bytes."""

    kind: str
    body: bytes


class Assets:
    """All files, read once. ``edition`` is a hash of them all; ``page`` the template of the page itself."""

    def __init__(self, folder: Path = _FOLDER) -> None:
        self.files = {
            path.name: Asset(_KINDS[path.suffix], path.read_bytes())
            for path in sorted(folder.iterdir())
            if path.suffix in _KINDS
        }
        self.page = Template((folder / _PAGE).read_text("utf-8"))
        whole = hashlib.sha256()
        for name, asset in self.files.items():
            whole.update(f"{name} {len(asset.body)}\n".encode() + asset.body)
        self.edition = whole.hexdigest()[:16]
