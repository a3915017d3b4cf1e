"""A server of files on this machine, for the tests of downloads."""

import functools
import http.server
import threading
from contextlib import contextmanager
from urllib.parse import unquote


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, with or without ranges; may cut a connection short."""

    def do_GET(self):
        file = self.server.folder / unquote(self.path).strip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.server.requests.append(self.headers.get("Range"))
        start = 0
        if self.headers.get("Range") and self.server.ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.cut_after])

    def log_message(self, *args):
        pass


@contextmanager
def serving(folder, *, cut_after=None, ranges=True):
    """Serve a folder; yield the server and its address.

    Parameters
    ----------
    folder
        The folder.
    cut_after
        How many bytes are sent before the connection ends. By default, all.
    ranges
        Whether a client may ask for the rest of a file.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    server.folder, server.cut_after, server.ranges = folder, cut_after, ranges
    server.requests = []  # the range that each request asked for, or None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
