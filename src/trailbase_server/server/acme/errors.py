"""Why there is no certificate: ``IssuanceError`` > ``UnreachableError``."""


class IssuanceError(Exception):
    """The authority does not give one; the message says why."""


class UnreachableError(IssuanceError):
    """The authority could not be asked: worth another attempt soon."""
