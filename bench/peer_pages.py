"""Serve pages that show events with TimelineJS and vis-timeline, both installed by npm.

The server compresses. A page reads the events from the file that its query string names.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PACKAGES = ("@knight-lab/timelinejs@3.9.11", "vis-timeline@8.5.4")
PAGE = """<!doctype html>
<meta charset="utf-8"><title>A made-up story</title>
<link rel="stylesheet" href="node_modules/%(style)s"><script src="node_modules/%(script)s"></script>
<div id="shown" style="height: 600px"></div>
<script>
const chosen = ({type, q}) => event => (!type || event.event_type === type)
  && (!q || ` ${event.headline} ${event.text}`.includes(` ${q}`));
let answer;
fetch(location.search.slice(1)).then(sent => sent.json()).then(all => {%(draw)s});
</script>
"""
"""`answer` shows the events that a question chooses."""
TIMELINEJS = {
    "style": "@knight-lab/timelinejs/dist/css/timeline.css",
    "script": "@knight-lab/timelinejs/dist/js/timeline.js",
    "draw": """
  const slide = ({start, headline, text}) => {
    const [year, month, day] = start.split("-");
    return {start_date: {year, month, day}, text: {headline, text}};
  };
  answer = question => {
    shown.replaceChildren();
    new TL.Timeline("shown", {events: all.filter(chosen(question)).map(slide)});
  };
  answer({});
""",
}
VIS = {
    "style": "vis-timeline/styles/vis-timeline-graph2d.min.css",
    "script": "vis-timeline/standalone/umd/vis-timeline-graph2d.min.js",
    "draw": """
  const item = (event, id) => ({...event, id, content: event.headline, title: event.text});
  let filter = chosen({});
  const view = new vis.DataView(new vis.DataSet(all.map(item)), {filter: each => filter(each)});
  new vis.Timeline(shown, view, %(options)s);
  answer = question => { filter = chosen(question); view.refresh(); };
""",
}
PAGES = {
    "timelinejs.html": PAGE % TIMELINEJS,
    "vis.html": PAGE % VIS % {"options": "{}"},
    "clusters.html": PAGE % VIS % {"options": "{cluster: {}}"},
}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Install the packages into a folder, and serve the folder with a page for each."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("this needs npm: apt-get install npm")
    command = [npm, "install", "--prefix", folder, "--ignore-scripts", "--silent", *PACKAGES]
    subprocess.run(command, check=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page)
    handler = functools.partial(Compressing, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Compressing(SimpleHTTPRequestHandler):
    """It sends files as a server with a warm cache does."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        body = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@functools.cache
def compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes())
