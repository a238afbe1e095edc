"""Runs a program under the restrictions of a systemd unit, as far as that goes without systemd. Needs root.

``python confining.py JSON``, in a mount namespace of its own; JSON has ``command``, ``state`` (the one folder that may
be written), ``show`` (folders that may be read besides those of the system), ``nameserver`` (who is asked for names),
``uid``, ``files`` (how many may be open), ``calls`` (system calls that are allowed) and ``families`` (of sockets).
What is set: a root of its own that is read-only but for the state directory, a /tmp and a /dev of its own, no /home, a
user of its own without groups and capabilities, no new privileges, and the filter of system calls, socket families and
namespaces. What is not: the limits of control groups, IPAddressDeny=, PrivateUsers=, ProtectProc=, LockPersonality=,
RestrictRealtime=, RestrictSUIDSGID=.
"""

import ctypes
import errno
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/proc", "/sys")
DEVICES = ("null", "zero", "full", "random", "urandom")
NAMESPACES = 0x7E020080  # CLONE_NEW*, of <linux/sched.h>
ALLOW, ERRNO = 0x7FFF0000, 0x00050000  # SCMP_ACT_*, of <seccomp.h>
EQUAL, MASKED_EQUAL = 4, 7
NO_NEW_PRIVS, DROP_BOUND, LAST_CAPABILITY = 38, 24, 40  # PR_*, of <linux/prctl.h>


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)  # noqa: S603, S607


def show(root: Path, what: str, *, writable: bool = False) -> None:
    """Let a folder or a device be seen at its place below ``root``."""
    source, target = Path(what), root / what.lstrip("/")
    if source.is_symlink():  # /bin, where all of it is in /usr
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.touch()
    mount("--rbind", source, target)
    if not writable and source.is_dir():
        mount("-o", "remount,bind,ro", target)


def enclose(wanted: dict[str, Any]) -> None:
    """Leave to the process what it may see."""
    root = Path(tempfile.mkdtemp())
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
    (root / "tmp").mkdir()
    mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", root / "tmp")
    for folder in (*SYSTEM, *wanted["show"]):
        show(root, folder)
    (root / "resolv.conf").write_text(f"nameserver {wanted['nameserver']}\n")
    mount("--bind", root / "resolv.conf", root / os.path.realpath("/etc/resolv.conf").lstrip("/"))
    (root / "dev").mkdir()
    for device in DEVICES:
        show(root, f"/dev/{device}")
    show(root, wanted["state"], writable=True)
    mount("-o", "remount,ro", root)
    os.chroot(root)
    os.chdir(wanted["state"])


def give_up(uid: int, files: int) -> None:
    """Be somebody else, who may do nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(DROP_BOUND, capability, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.umask(0o077)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")


def filter_calls(calls: list[str], families: list[int]) -> None:
    """Let the kernel refuse all other system calls, sockets of other families, and new namespaces."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ERRNO | errno.EPERM))

    def rule(action: int, call: str, *comparisons: Comparison) -> None:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # one that this architecture has
            array = (Comparison * len(comparisons))(*comparisons)
            if seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), array):
                raise RuntimeError(call)

    for call in set(calls) - {"socket", "clone", "clone3", "unshare", "setns"}:
        rule(ALLOW, call)
    for family in families:
        rule(ALLOW, "socket", Comparison(0, EQUAL, family, 0))
    rule(ALLOW, "clone", Comparison(0, MASKED_EQUAL, NAMESPACES, 0))
    rule(ERRNO | errno.ENOSYS, "clone3")  # as systemd does: its flags cannot be seen, and clone is taken instead
    if seccomp.seccomp_load(context):
        raise RuntimeError("seccomp_load")


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    enclose(wanted)
    give_up(wanted["uid"], wanted["files"])
    filter_calls(wanted["calls"], wanted["families"])
    os.execv(wanted["command"][0], wanted["command"])  # noqa: S606  # the program of the test
