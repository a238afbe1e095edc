from pathlib import Path

from ttgateway.commands.checks.holders import holder, keeper, ports_of

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = "   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 0 0 {inode} 1 0\n"


def row(port: int, inode: int, state: str = "0A", address: str = "0100007F") -> str:
    return ROW.format(address=address, port=port, state=state, inode=inode)


def machine(proc: Path, tcp: str, tcp6: str = "") -> Path:
    """Return a made-up /proc: process 812 has socket 77, process 813 socket 78."""
    (proc / "net").mkdir()
    (proc / "net" / "tcp").write_text(HEAD + tcp)
    (proc / "net" / "tcp6").write_text(HEAD + tcp6)
    for pid, name, inode in ((812, "apache2", 77), (813, "nginx", 78)):
        (proc / str(pid) / "fd").mkdir(parents=True)
        (proc / str(pid) / "comm").write_text(f"{name}\n")
        (proc / str(pid) / "fd" / "3").symlink_to(f"socket:[{inode}]")
    return proc


def test_who_listens_is_named(tmp_path: Path) -> None:
    proc = machine(tmp_path, row(8000, 77), row(8001, 78, address="0" * 32))
    assert holder(8000, proc) == "apache2 (pid 812)"
    assert holder(8001, proc) == "nginx (pid 813)"


def test_who_is_only_connected_there_or_listens_elsewhere_is_not(tmp_path: Path) -> None:
    proc = machine(tmp_path, row(8000, 77, state="01") + row(9000, 78))
    assert holder(8000, proc) == ""


def test_whom_this_user_may_not_see_is_not_known(tmp_path: Path) -> None:
    proc = machine(tmp_path, row(8000, 99))
    (proc / "814").mkdir()
    assert holder(8000, proc) == ""


def test_where_the_kernel_tells_nothing_nobody_is_known(tmp_path: Path) -> None:
    assert holder(8000, tmp_path) == ""


def test_who_has_a_file_open_is_known_by_its_pid_and_so_are_its_ports(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "proc").mkdir()
    proc = machine(tmp_path / "proc", row(8000, 78) + row(8001, 78, state="01") + row(8002, 77), row(8000, 78))
    (proc / "812" / "fd" / "3").unlink()
    (proc / "813" / "fd" / "4").symlink_to(tmp_path / "lock")
    assert ports_of(813, proc) == [8000]
    (proc / "813" / "fd" / "3").unlink()  # a made-up socket cannot be looked at
    assert keeper(tmp_path / "lock", proc) == 813


def test_of_a_file_that_is_missing_and_a_process_that_has_ended_nothing_is_known(tmp_path: Path) -> None:
    assert (keeper(tmp_path / "lock", tmp_path), ports_of(812, tmp_path)) == (None, [])
