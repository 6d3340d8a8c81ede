"""The instance metadata service, version 2, on the loopback.

imds.py FOLDER [ADDRESS PORT] writes its port to FOLDER/port.

FOLDER/notice is the spot interruption it announces; FOLDER/requests has the requests. A token is
good for 21600 s as on AWS, unless FOLDER/expire is there: then it forgets every token once.
"""

import http.server
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
tokens = set()


class Metadata(http.server.BaseHTTPRequestHandler):
    def answer(self, code, text=""):
        with (folder / "requests").open("a") as requests:
            requests.write(f"{self.command} {self.path} {code}\n")
        self.send_response(code)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def do_PUT(self):
        ttl = self.headers["X-aws-ec2-metadata-token-ttl-seconds"]
        if self.path != "/latest/api/token" or not ttl:
            return self.answer(400)
        tokens.add(f"token{len(tokens)}")
        self.answer(200, f"token{len(tokens) - 1}")

    def do_GET(self):
        if (folder / "expire").exists():
            (folder / "expire").unlink()
            tokens.clear()
        if self.headers["X-aws-ec2-metadata-token"] not in tokens:
            return self.answer(401)
        notice = folder / "notice"
        if self.path == "/latest/meta-data/spot/instance-action" and notice.exists():
            return self.answer(200, notice.read_text())
        self.answer(404)

    def log_message(self, *arguments):
        pass


address, port = sys.argv[2:] or ("127.0.0.1", "0")
server = http.server.ThreadingHTTPServer((address, int(port)), Metadata)
(folder / "port").write_text(str(server.server_port))
server.serve_forever()
