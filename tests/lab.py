"""A learner at work, by machine: JupyterLab on a copy of the lessons, in a real Chromium."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
TRACKER = "@jupyterlab/notebook-extension/tracker.jupyterlab-settings"

# What a reader sees of an explorable: the addresses of the pictures that are shown in it.
SHOWN = """(handle) => [...handle.closest('.widget-vbox').querySelectorAll('img')]
    .filter((image) => image.offsetParent).map((image) => image.src).join()"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def jupyterlab(folder, settings, whole_page=True):
    """Serve a folder by JupyterLab; yields its address.

    With `whole_page` every cell is in the page; as it comes, JupyterLab holds only those on the screen.
    """
    tracker = settings / TRACKER
    tracker.parent.mkdir(parents=True)
    tracker.write_text(json.dumps({"windowingMode": "none"} if whole_page else {}))
    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--IdentityProvider.token=", "--expose-app-in-browser", str(folder)]
    log = open(settings / "jupyterlab.log", "w")  # noqa: SIM115 (the server writes to it until it ends)
    environment = os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(settings)}
    server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/api", timeout=5).close()
                break
            time.sleep(0.1)  # until the server listens
        yield address
    finally:
        server.terminate()
        server.wait(20)
        log.close()


@contextlib.contextmanager
def chromium():
    """A headless Chromium."""
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def open_and_run(page, address, name):
    """Open a lesson and run all its cells; returns what its code cells put out as errors."""
    page.goto(f"{address}/lab/tree/{name}?reset")
    session = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"{session}?.status === 'idle'", timeout=60_000)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    cells = "window.jupyterapp.shell.currentWidget.content.widgets.map((w) => w.model)"
    code = f"{cells}.filter((m) => m.type === 'code')"
    page.wait_for_function(f"{code}.every((m) => m.executionCount)", timeout=120_000)
    page.wait_for_function(f"{session}.status === 'idle'", timeout=60_000)
    return page.evaluate(
        f"{code}.flatMap((m) => m.outputs.toJSON()).filter((o) => o.output_type === 'error')"
    )


def moved(page, handle, key, seen):
    """Press a key on a slider and wait until another picture than `seen` is shown; returns the new one."""
    handle.press(key)
    page.wait_for_function(
        f"([handle, seen]) => ({SHOWN})(handle) !== seen", arg=[handle, seen], timeout=10_000
    )
    return handle.evaluate(SHOWN)
