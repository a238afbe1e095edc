"""Running the mirror tests of a mutant: a forked process imports the mutated module in the place of the real one."""

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from hypothesis import settings

from tests.mutation.operators import Mutant

ROOT = Path(__file__).parent.parent.parent
LONGEST = 60.0
"""Seconds after which the tests of a mutant that hangs are ended: that is noticed too."""

_OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "xdist.plugin", "-o", "addopts=", "--import-mode=importlib"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)
_NO_OTHER_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
"""They take as long to start as the tests."""


class Subject(NamedTuple):
    """A module, and the tests that are to notice its mutants: paths below tests/, the quickest first."""

    module: str
    tests: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The module's source."""
        return ROOT.joinpath(*self.module.split(".")).with_suffix(".py")


class _Mutated(MetaPathFinder, Loader):
    """Imports one module from another source."""

    def __init__(self, module: str, source: str, file: Path) -> None:
        self._module, self._source, self._file = module, source, file

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return how the mutated module is loaded; nothing for any other one."""
        if fullname != self._module:
            return None
        return spec_from_loader(fullname, self, origin=str(self._file))

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutated source."""
        exec(compile(self._source, str(self._file), "exec"), module.__dict__)  # noqa: S102  # that is the point


def _test(subject: Subject, source: str) -> int:
    """Run the tests of ``subject`` with another source of its module; return the first exit code that is not 0.

    The process is of no other use after that.
    """
    sys.meta_path.insert(0, _Mutated(subject.module, source, subject.file))
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)
    os.environ[_NO_OTHER_PLUGINS] = "1"
    settings.register_profile("mutation", database=None, derandomize=True, max_examples=30, deadline=None)
    settings.load_profile("mutation")
    for test in subject.tests:
        pid = os.fork()  # so that one run of pytest leaves nothing behind for the next
        if pid == 0:
            os._exit(int(pytest.main([*_OPTIONS, "--rootdir", str(ROOT), str(ROOT / "tests" / test)])))
        if code := os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            return code
    return 0


class _Worker(NamedTuple):
    pid: int
    ended: int
    began: float
    subject: Subject
    mutant: Mutant


def _start(subject: Subject, mutant: Mutant) -> _Worker:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):  # a mutant may not even be compiled
            os.setpgid(0, 0)
            code = _test(subject, mutant.source)
        os._exit(code)
    os.close(writing)
    return _Worker(pid, reading, time.monotonic(), subject, mutant)


def _survived(worker: _Worker) -> bool:
    """Return whether all tests passed, at the end of a worker; end it, and what it has started, if it hangs."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
    os.close(worker.ended)
    return os.waitpid(worker.pid, 0)[1] == 0


def survivors(jobs: Iterable[tuple[Subject, Mutant]], workers: int) -> Iterator[tuple[Subject, Mutant]]:
    """Test each mutant, ``workers`` at one time; yield those that no test has noticed, as they are found."""
    waiting = list(reversed(list(jobs)))
    running: list[_Worker] = []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(_start(*waiting.pop()))
        ready, _, _ = select.select([worker.ended for worker in running], [], [], 0.5)
        over = time.monotonic() - LONGEST
        for worker in [one for one in running if one.ended in ready or one.began < over]:
            running.remove(worker)
            if _survived(worker):
                yield worker.subject, worker.mutant
