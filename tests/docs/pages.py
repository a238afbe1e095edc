"""The pages of the documentation, taken apart: their blocks, and what is said of each for the tests.

A comment right before a block, or before the paragraph that announces it, says what a test does with it; no reader sees
it. Several may follow each other::

    .. walk: in NAME           It runs in a terminal of that name; what does not end goes on there.
    .. walk: NAME shows        It is what that terminal shows, sooner or later.
    .. walk: type in NAME      It is typed into what goes on in that terminal.
    .. walk: file PATH         It is put into that file.
    .. walk: Ctrl-C in NAME    What runs there is ended first; also Ctrl-D.
    .. walk: with COMMAND      COMMAND, which goes on, is started first; both are for what the page takes for granted.
    .. walk: after COMMAND     COMMAND is run first.
    .. walk: not run, REASON   It cannot be run here.
    .. walk: run by PATH       That test runs it, or holds it against the code.
"""

import re
from pathlib import Path

import msgspec

ROOT = Path(__file__).parent.parent.parent

_DIRECTIVE = re.compile(r"^( *)\.\. (code-block|literalinclude):: *(\S*)$")
_MARK = re.compile(r"^ *\.\. walk: (.*)$")


class Block(msgspec.Struct, frozen=True):
    """A literal block: where it stands, its language (``""``: none is said), its text, and its marks, in order.

    ``language`` is ``file`` for a file that is included; its path, beside the page, is the ``text`` then.
    """

    page: str
    line: int
    language: str
    text: str
    marks: tuple[str, ...]

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.page}:{self.line}"

    def mark(self, begins: str) -> str | None:
        """Return what follows ``begins`` in a mark, if one begins so."""
        return next((mark.removeprefix(begins).strip() for mark in self.marks if mark.startswith(begins)), None)


def pages() -> list[Path]:
    """Return all pages, and what stands beside them in the project's folder."""
    return [*sorted(ROOT.glob("*.rst")), *sorted((ROOT / "docs").rglob("*.rst"))]


def blocks(page: Path) -> list[Block]:
    """Return the literal blocks of a page, in order."""
    lines = page.read_text().splitlines()
    found: list[Block] = []
    marks: list[str] = []
    number, in_paragraph = 0, False
    while number < len(lines):
        line = lines[number]
        if mark := _MARK.match(line):
            marks.append(mark[1])
            number += 1
            continue
        language = _language(line)
        if language is None:
            if in_paragraph and not line.strip():
                marks.clear()  # they were for that paragraph, and it announced no block
            in_paragraph = bool(line.strip())
            number += 1
            continue
        included = line.strip().partition("literalinclude:: ")[2]
        end, text = _body(lines, number)
        found.append(
            Block(
                str(page.relative_to(ROOT)),
                number + 1,
                "file" if included else language,
                included or text,
                tuple(marks),
            )
        )
        marks.clear()
        number, in_paragraph = end, False
    return found


def _language(line: str) -> str | None:
    """Return the language of the block that begins in this line, ``""`` where none is said; ``None``: none begins."""
    if directive := _DIRECTIVE.match(line):
        return directive[3]
    return "" if line.endswith("::") and not line.lstrip().startswith("..") else None


def _body(lines: list[str], number: int) -> tuple[int, str]:
    """Return where the block that is announced in this line ends, and its text without its indentation."""
    announced = len(lines[number]) - len(lines[number].lstrip())
    if lines[number].lstrip().startswith(("* ", "- ")):
        announced += 2
    end = number + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > announced):
        end += 1
    body = [line for line in lines[number + 1 : end] if not re.match(r"^ *:[a-z-]+:", line)]
    indent = min((len(line) - len(line.lstrip()) for line in body if line.strip()), default=0)
    return end, "\n".join(line[indent:] for line in body).strip("\n")
