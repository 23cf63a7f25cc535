"""deploy/compose.yaml, brought up and down by podman-compose."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from tests.deploy.containers import build_image, environment, podman, why_not
from tests.serving import ROOT, free_port

COMPOSE = ROOT / "deploy" / "compose.yaml"
IMAGE = "localhost/trailbase-server:latest"  # what `image:` of the file means to podman
PROGRAM = Path(sys.executable).with_name("podman-compose")


def compose(project, port, *words):
    """Run podman-compose on the file as it is."""
    command = [PROGRAM, "-p", project, "-f", COMPOSE, *words]
    variables = environment() | {"PORT": str(port), "PUBLIC_URL": "https://boats.example"}
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_service_may_do_nothing_but_write_its_depot():
    file = yaml.safe_load(COMPOSE.read_text())
    service = file["services"]["trail"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ports"] == ["127.0.0.1:${PORT:-4000}:4000"]
    assert service["volumes"] == ["depot:/app/traildepot"]
    assert (COMPOSE.parent / service["build"]["context"] / "pyproject.toml").exists()
    assert (ROOT / service["build"]["dockerfile"]).exists()


@pytest.fixture
def up():
    reason = why_not()
    if reason:
        pytest.skip(reason)
    podman("tag", build_image(), IMAGE)
    project, port = f"trail-test-{os.getpid()}", free_port()
    compose(project, port, "up", "--detach", "--no-build")
    yield project, f"http://127.0.0.1:{port}"
    compose(project, port, "down", "--volumes")
    podman("untag", IMAGE, IMAGE)


@pytest.mark.xdist_group("containers")
@pytest.mark.timeout(420)
def test_it_comes_up_healthy(up):
    project, url = up
    end = time.monotonic() + 20
    while True:
        try:
            assert httpx.get(f"{url}/api/readyz").json()["status"] in ("ready", "degraded")
            break
        except httpx.TransportError:
            assert time.monotonic() < end
            time.sleep(0.1)
    [found] = json.loads(podman("inspect", f"{project}_trail_1").stdout)
    assert podman("healthcheck", "run", found["Id"]).returncode == 0
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["EffectiveCaps"] in (None, [])
    assert "PUBLIC_URL=https://boats.example" in found["Config"]["Env"]
