"""What the log tells people during a test."""

from types import TracebackType

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer


@implementer(ILogObserver)
class Told:
    """Collects the lines of the given levels while it is entered."""

    def __init__(self, *levels: object) -> None:
        self.lines: list[str] = []
        self._levels = levels or (LogLevel.info, LogLevel.warn)

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_level") in self._levels:
            self.lines.append(formatEvent(event))

    def __enter__(self) -> list[str]:
        globalLogPublisher.addObserver(self)
        return self.lines

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        globalLogPublisher.removeObserver(self)
