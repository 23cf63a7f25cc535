"""Answers to HTTP-01: what the authority fetches to see that a host is ours (RFC 8555, 8.3)."""

PREFIX = "/.well-known/acme-challenge/"
MAX_WAITING = 200  # names of one certificate at most, and so challenges at a time


class Challenges:
    """What the authority may ask for now. Orders write it in a thread, requests read it."""

    def __init__(self) -> None:
        self._answers: dict[str, str] = {}

    def offer(self, path: str, answer: str) -> None:
        """
        Have an answer ready.

        Args:
            path: Below ``PREFIX``.
            answer: The key authorization.
        """
        while len(self._answers) >= MAX_WAITING:
            self._answers.pop(next(iter(self._answers)))
        self._answers[path] = answer

    def withdraw(self, path: str) -> None:
        """The authority has seen it."""
        self._answers.pop(path, None)

    def answer(self, path: str) -> str | None:
        """The answer to a request; None: nobody waits for that."""
        return self._answers.get(path)
