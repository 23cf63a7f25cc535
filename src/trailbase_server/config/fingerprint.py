"""A short mark that changes whenever the configuration does; updates send it back."""

from siphash24 import siphash13

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.ids import encode_b64u

LENGTH_BYTES = 8  # little-endian length before the message
ZERO_KEY = bytes(16)  # it recognises changes; it does not authenticate


def config_hash(config: Config) -> str:
    """
    Compute the mark of a configuration with its secrets.

    Returns:
        12 characters; the same after a restart, since maps are encoded in the order of their keys.

    Spec:
        server/reading-updating-hash-protection
    """
    encoded: bytes = config.SerializeToString(deterministic=True)
    data = len(encoded).to_bytes(LENGTH_BYTES, "little") + encoded
    return encode_b64u(siphash13(data, key=ZERO_KEY).digest())
