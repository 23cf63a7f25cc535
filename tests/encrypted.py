"""The server behind TLS, and clients that trust one authority."""

import http.client
import socket
import time

from tests.serving import START_TIMEOUT_S, Server


class EncryptedServer(Server):
    """A running server whose main listener speaks TLS."""

    def __init__(self, depot, trust, *options, port=None):
        self.trust = trust
        super().__init__(depot, *options, port=port)

    def _wait_until_healthy(self):
        self.url = self.url.replace("http:", "https:")
        end = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < end:
            try:
                if self.get("/api/healthcheck").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log.read_text()[-4000:]}")

    def get(self, path, headers=None):
        """One request on a connection of its own."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self.trust, timeout=5
        )
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            answer.content = answer.read()
            return answer
        finally:
            connection.close()

    def handshake(self, context=None, name="localhost"):
        """Connect; returns the socket."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        try:
            return (context or self.trust).wrap_socket(plain, server_hostname=name)
        except BaseException:
            plain.close()
            raise

    def certificate(self, context=None):
        """The certificate that is served, as DER."""
        with self.handshake(context) as connection:
            return connection.getpeercert(binary_form=True)
