"""The image of deploy/Dockerfile: built here, run without any right, asked from outside."""

import json
import os
import re

import httpx
import pytest

from tests.deploy.containers import Container, build_image, podman, why_not

ARBITRARY_UID = 1_000_650_000  # as platforms choose them: in no passwd file, in root's group
WAITING = ("trail", "run", "--wait-for-lock", "60")
LOGIN = {"email": "ada@example.org", "password": "window-seat"}
pytestmark = [pytest.mark.xdist_group("containers"), pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def image():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    return build_image()


@pytest.fixture
def name(image):
    name = f"trail-test-{os.getpid()}"
    yield name
    podman("rm", "--force", "--time", "0", name, check=False)
    podman("volume", "rm", "--force", f"{name}-depot", check=False)


def test_the_image_says_how_it_wants_to_be_run(image):
    [found] = json.loads(podman("image", "inspect", image).stdout)
    about = found["Config"]
    assert about["User"] == "1000:0"
    assert about["StopSignal"] == "SIGTERM"
    assert list(about["ExposedPorts"]) == ["4000/tcp"]
    assert found["Healthcheck"]["Test"] == ["CMD", "trail", "health"]
    assert about["Cmd"] == ["trail", "run"]
    assert about["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert "Volumes" not in about


def test_the_image_has_the_server_and_neither_pip_nor_our_checkout(image):
    look = (
        "import importlib.util as u, pathlib as p, shutil as s;"
        "print([bool(u.find_spec(m)) for m in ('trailbase_server', 'acme', 'obstore', 'pip')],"
        "      sorted(f.name for f in p.Path('/app').iterdir()),"
        "      p.Path('/source').exists(), s.which('litestream'))"
    )
    options = ("--rm", "--health-interval", "disable")
    said = podman("run", *options, image, "python3", "-c", look)
    assert said.stdout.strip() == (
        "[True, True, True, False] ['trail', 'traildepot'] False /opt/trail/bin/litestream"
    )


def test_any_user_without_rights_serves_a_depot_that_outlives_the_container(name):
    user = ("--user", f"{ARBITRARY_UID}:0")
    with Container(name, *user) as container:
        assert container.until_healthy() == b"Ok"
        assert json.loads(container.get("/api/readyz"))["checks"]["main"] == "ok"
        assert podman("healthcheck", "run", name).returncode == 0
        assert container.run("trail", "health", "--ready").strip() in ("ready", "degraded")
        container.run("trail", "user", "add", *LOGIN.values())
        states = container.run("sh", "-c", "cat /proc/[0-9]*/stat | cut -d' ' -f3")
        assert "Z" not in states
        assert container.run("id", "-u").strip() == str(ARBITRARY_UID)
        status, took_s = container.stop()
        assert (status, took_s < 5) == (0, True)
        assert "Shut down gracefully" in container.log()
        assert podman("healthcheck", "run", name, check=False).returncode != 0
    with Container(name, *user) as container:
        container.until_healthy()
        assert "Created new admin" not in container.log()
        assert httpx.post(f"{container.url}/api/auth/v1/login", json=LOGIN).status_code == 200


def test_commands_written_for_the_reference_image_work(name):
    command = ["/app/trail", "--data-dir", "/app/traildepot", "run", "--address", "0.0.0.0:4000"]
    with Container(name, command=command) as container:
        assert container.until_healthy() == b"Ok"
        assert re.search("admin@localhost", container.run("/app/trail", "admin", "list"))


def test_it_can_be_stopped_before_it_serves(name):
    with Container(name) as first, Container(f"{name}-2", depot_of=name, command=WAITING) as second:
        first.until_healthy()
        second.until("Initializing")
        status, took_s = second.stop(10)
        assert (status, took_s < 5) == (143, True)
        assert first.get("/api/healthcheck") == b"Ok"
