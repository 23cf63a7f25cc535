"""Another key pair: what goes on, what ends, and what a crash leaves."""

import stat

import pytest

from trailbase_server.auth import key_rotation
from trailbase_server.auth.key_rotation import keep_time, rotate_keys
from trailbase_server.auth.keys import load_keys
from trailbase_server.auth.retired_keys import MAX_RETIRED
from trailbase_server.config.proto.config_pb2 import AuthConfig
from trailbase_server.errors import OperatorError

NOW, KEEP = 1_800_000_000, 50_000


def test_the_old_key_verifies_for_a_while_and_the_new_one_signs(tmp_path):
    old = load_keys(tmp_path)
    new = rotate_keys(tmp_path, NOW, KEEP)
    assert new.name != old.name
    assert new.is_signed(b"m", old.sign(b"m"), NOW + KEEP)
    assert not new.is_signed(b"m", old.sign(b"m"), NOW + KEEP + 1)
    again = load_keys(tmp_path)
    assert again.is_signed(b"m", new.sign(b"m"))
    assert again.verifying(NOW) == [new.public_bytes, old.public_bytes]


def test_what_was_derived_stays(tmp_path):
    secret = load_keys(tmp_path).derive(b"recovery code")
    for turn in range(3):
        assert rotate_keys(tmp_path, NOW + turn, KEEP).derive(b"recovery code") == secret
    assert load_keys(tmp_path).derive(b"recovery code") == secret


def test_after_a_leak_nothing_is_kept(tmp_path):
    first = load_keys(tmp_path)
    second = rotate_keys(tmp_path, NOW, KEEP)
    third = rotate_keys(tmp_path, NOW, 0)
    for old in (first, second):
        assert not third.is_signed(b"m", old.sign(b"m"), NOW)
    assert third.verifying(NOW) == [third.public_bytes]
    assert third.derive(b"p") not in (first.derive(b"p"), second.derive(b"p"))
    assert load_keys(tmp_path).derive(b"p") == third.derive(b"p")


def test_old_keys_are_forgotten_and_their_number_is_bounded(tmp_path):
    for turn in range(MAX_RETIRED):
        rotate_keys(tmp_path, NOW + turn, KEEP)
    before = load_keys(tmp_path)
    with pytest.raises(OperatorError, match="retired keys still verify"):
        rotate_keys(tmp_path, NOW + 10, KEEP)
    assert load_keys(tmp_path).name == before.name
    after = rotate_keys(tmp_path, NOW + KEEP + 10, KEEP)
    assert len(after.verifying(NOW + KEEP + 10)) == 2


def test_all_files_are_closed_to_others(tmp_path):
    load_keys(tmp_path)
    rotate_keys(tmp_path, NOW, KEEP)
    assert len(list(tmp_path.iterdir())) == 4
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("keep_s", [KEEP, 0])
@pytest.mark.parametrize("steps", range(4))
def test_a_crash_at_any_step_leaves_usable_keys(tmp_path, monkeypatch, steps, keep_s):
    old = load_keys(tmp_path)
    left = [steps]

    class CrashError(Exception):
        pass

    def crashing(function):
        def step(*arguments):
            if not left[0]:
                raise CrashError
            left[0] -= 1
            return function(*arguments)

        return step

    monkeypatch.setattr(key_rotation, "_replace", crashing(key_rotation._replace))
    monkeypatch.setattr(key_rotation, "publish_public", crashing(key_rotation.publish_public))
    with pytest.raises(CrashError):
        rotate_keys(tmp_path, NOW, keep_s)
    found = load_keys(tmp_path)
    assert (tmp_path / "public_key.pem").read_text() == found.public_pem
    if keep_s:
        assert found.is_signed(b"m", old.sign(b"m"), NOW)
        assert found.derive(b"p") == old.derive(b"p")
    assert (found.name == old.name) is (steps < 3)


def test_a_disk_that_refuses_is_told(tmp_path, monkeypatch):
    load_keys(tmp_path)

    def refuse(*_):
        raise OSError("read-only file system")

    monkeypatch.setattr(key_rotation, "write_beside", refuse)
    with pytest.raises(OperatorError, match="read-only"):
        rotate_keys(tmp_path, NOW, KEEP)


@pytest.mark.parametrize(("ttl_s", "kept_s"), [(None, 12 * 3600 + 60), (90_000, 90_060)])
def test_a_key_is_kept_as_long_as_its_longest_token(ttl_s, kept_s):
    config = AuthConfig() if ttl_s is None else AuthConfig(auth_token_ttl_sec=ttl_s)
    assert keep_time(config) == kept_s
