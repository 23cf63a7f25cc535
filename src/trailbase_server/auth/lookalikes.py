"""
Names that are made to be mistaken for others: refused when an account gets its name.

Three tricks are seen through, as browsers do with names of hosts: letters that are only another
form of common ones (full width, mathematical …), alphabets that look alike mixed in one name, and
names written wholly in such letters of another alphabet that Latin ones look like. Names that
accounts have already go on.
"""

import unicodedata

from trailbase_server.errors import BadRequestError

_ALIKE = frozenset({"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC"})
# Letters of these alphabets that pass for Latin ones in common fonts.
_PASS_FOR_LATIN = frozenset(
    "асеорхуіјѕһԁӏԛԝүАВЕЅІЈКМНОРСТУХЅҮԚԜ"  # Cyrillic
    "ανικορυϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϺ"  # Greek
    "օոսցհքզԼՕՍ"  # Armenian
)


def check_distinct(name: str) -> None:
    """
    Check that a new name shows what it is.

    Args:
        name: A valid username.

    Raises:
        BadRequestError: It could be mistaken for another one.

    Spec:
        auth/username
    """
    if unicodedata.normalize("NFKC", name) != name:
        raise BadRequestError("username contains letters in unusual forms")
    letters = [character for character in name if character.isalpha()]
    if len({_alphabet(letter) for letter in letters} & _ALIKE) > 1:
        raise BadRequestError("username mixes alphabets")
    if all(letter in _PASS_FOR_LATIN for letter in letters):
        raise BadRequestError("username looks like one in another alphabet")


def _alphabet(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
