"""A JupyterLab for tests: on a free port of loopback, with its own settings, stopped at the end."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Longest wait for the server to answer or to stop [s].
PATIENCE = 60

#: No prompts at the start; every cell of a notebook is rendered.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


def chromium() -> str | None:
    """Return the path of the installed Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@dataclass(frozen=True)
class LabServer:
    """A running server; its token is valid until it stops."""

    url: str
    token: str

    def address(self, path: str) -> str:
        """Return the address of a page, with the token."""
        return f"{self.url}{path}?token={self.token}"

    def open(self, path: str, method: str = "GET"):
        """Request a page or a resource of the REST API."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"token {self.token}"}, method=method
        )
        return urllib.request.urlopen(request, timeout=PATIENCE)


@contextmanager
def lab_server(root: Path, home: Path, python: str = sys.executable) -> Iterator[LabServer]:
    """Run JupyterLab for a folder; its kernels stop with it.

    Parameters
    ----------
    root : Path
        The folder that the server shows.
    home : Path
        An empty folder for settings, logs and the home of kernels.
    python : str
        The interpreter whose JupyterLab and kernel are used.
    """
    for name, settings in SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    token = secrets.token_hex(16)
    surroundings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "LRN_", "MPLBACKEND"))
    }
    surroundings |= {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_TOKEN": token,
    }
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                python,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port=0",
                f"--ServerApp.root_dir={root}",
            ],
            cwd=root,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = psutil.Process(process.pid)
    family = [server]
    try:
        yield LabServer(_url(process, home / "runtime", log), token)
    finally:
        if server.is_running():
            family += server.children(recursive=True)
        process.terminate()
        _, left = psutil.wait_procs(family, timeout=PATIENCE)
        for one in left:
            one.kill()
        process.wait()
    assert not left, f"had to be killed: {[one.pid for one in left]}"


def _url(process: subprocess.Popen, runtime: Path, log: Path) -> str:
    """Wait until the server has written its address to a file."""
    file = runtime / f"jpserver-{process.pid}.json"
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if file.exists() and (text := file.read_text()).endswith("}"):
            return json.loads(text)["url"].replace("localhost", "127.0.0.1")
        time.sleep(0.05)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-3000:]}")
