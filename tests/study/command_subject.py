"""A process that runs, on demand, `tuneshift` commands in processes of their own: test_command_line_runs talks to it.

It reads one JSON object a line, {"words": [...], "folder": ..., "small_disk": ...}, answers with the process id of the
child that runs the command there, its output going to `folder`/stdout and `folder`/stderr, and, for {"wait": id}, with
its exit status. The packages are imported once. With `small_disk` the command works on a disk of so many KiB, mounted
for it alone at `folder`/disk and copied to `folder`/rescued at the end; 77 where no disk can be mounted.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import fake_study  # noqa: F401  (registers its measurement)

from tuneshift.cli import main
from tuneshift.report import write_report  # noqa: F401  (imported once, for all children)

NO_DISK = 77
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000


def mount(folder: Path, kib: int) -> None:
    """Mount a small disk that only this process sees."""
    library = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if library.unshare(_NEW_USER | _NEW_MOUNTS):
        os._exit(NO_DISK)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    folder.mkdir()
    if library.mount(b"none", str(folder).encode(), b"tmpfs", 0, f"size={kib}k".encode()):
        os._exit(NO_DISK)


def run(command: dict[str, Any]) -> int:
    """Run one command as the shell would; returns its exit status."""
    folder = Path(command["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if command.get("small_disk"):
        mount(folder / "disk", command["small_disk"])
    os.chdir(folder)
    for name, number in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["tuneshift", *command["words"]]
    try:
        main()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    if command.get("small_disk"):
        shutil.copytree(folder / "disk", folder / "rescued")
    return status


def serve() -> None:
    """Answer commands until standard input ends."""
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            print(os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1]), flush=True)
            continue
        child = os.fork()
        if child == 0:
            try:
                status = run(command)
            except BaseException as error:
                sys.stderr.write(f"{error!r}\n")
                status = 99
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        print(child, flush=True)


if __name__ == "__main__":
    serve()
