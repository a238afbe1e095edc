"""The settings' file: can it be read, is it right, and is it what the running gateway has read?"""

from pathlib import Path
from shlex import quote
from typing import Any

import msgspec

from ttgateway.commands.checks.finding import Finding, Findings, fault, ok, warning
from ttgateway.notifier.attempts.dialling import trust
from ttgateway.settings import Settings, SettingsError, load

PART = "settings"


def look(config: Path | None, view: dict[str, Any] | None) -> tuple[Findings, Settings | None]:
    """Return what is found of the settings, and the settings themselves if they can be used. Blocks.

    ``config`` is the file of a gateway that does not run, ``view`` what one that runs says of itself.
    """
    path = config or (Path(view["config"]) if view is not None and view["config"] else None)
    if path is None:
        what = "no file was named (--config): the defaults" if view is None else "no file: the defaults hold"
        return [ok(PART, what)], Settings()
    try:
        settings = load(path)
    except SettingsError as error:
        return [fault(PART, str(error), _mend(path))], None
    return [_ca_file(settings) or _present(path, settings, view)], settings


def _mend(path: Path) -> str:
    try:
        path.open("rb").close()
    except FileNotFoundError:
        return f"Put the file there, or start the gateway without --config {path}"
    except PermissionError:
        return f"Let the gateway's user read it: chmod 644 {quote(str(path))}; it holds no secret"
    except OSError:
        return f"Look at {path}: it must be a file that can be read"
    return "Correct that line: etc/ttgateway.toml explains every key. With it as it is, no gateway starts"


def _ca_file(settings: Settings) -> Finding | None:
    file = settings.callbacks.ca_file
    try:
        trust(file)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return fault(PART, f"callbacks.ca_file: {file}: {why}", "Name a PEM file with certificates that can be read")
    return None


def _present(path: Path, settings: Settings, view: dict[str, Any] | None) -> Finding:
    if view is not None and msgspec.convert(view["settings"], Settings) != settings:
        what = f"{path} is not what the gateway has read at its start"
        return warning(PART, what, "Restart the gateway: systemctl restart ttgateway")
    return ok(PART, f"{path} is right")
