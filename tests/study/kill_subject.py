"""A process that starts, on demand, processes that run one study: test_kill kills them with SIGKILL.

It reads "run FOLDER" lines and answers each with the process id of the child that runs the study there, then, when the
child has ended, with its exit status. The packages are imported once, so that ten kills take seconds, not minutes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fake_study import fake_revision, load_fake

from tuneshift.study import run


def run_study(folder: Path) -> None:
    """Run 4 models x 6 measurements into `folder`/out; every start and end is written to `folder`/log.txt."""
    log = str(folder / "log.txt")
    measurements = [{"kind": "counted", "number": k, "seconds": 0.02, "log": log} for k in range(6)]
    models = [{"model": f"m{i}", **({"base": "m0"} if i else {})} for i in range(4)]
    study = {"name": "killed", "models": models, "measurements": measurements}
    run(study, out=folder / "out", load_model=load_fake, revision_of=fake_revision)


def serve() -> None:
    """Answer commands until standard input ends."""
    for line in sys.stdin:
        folder = Path(line.strip().removeprefix("run "))
        child = os.fork()
        if child == 0:
            try:
                run_study(folder)
            except BaseException as error:
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
