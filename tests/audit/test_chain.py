from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.audit.chain import FIRST, next_digest

VALUES = st.lists(
    st.none() | st.integers(0, 9) | st.text(max_size=3) | st.binary(max_size=3), max_size=3
)


def test_a_digest_covers_the_one_before_and_every_value():
    one = next_digest(FIRST, (1, 1.5, "user", None, b"\x01"))
    assert len(one) == 32
    assert next_digest(one, (1, 1.5, "user", None, b"\x01")) != one
    assert next_digest(FIRST, (1, 1.5, "user", None, b"\x02")) != one


@given(VALUES, VALUES)
def test_other_values_have_another_digest(left, right):
    plain = [[v.hex() if isinstance(v, bytes) else v for v in one] for one in (left, right)]
    same = next_digest(FIRST, left) == next_digest(FIRST, right)
    assert same == (plain[0] == plain[1])
