"""
The manifests of deploy/kubernetes: checked against the schemas of Kubernetes, and the pod run.

The pod is run by podman, which is told what the manifest says; its own reading of manifests knows
too few fields. The probes are asked from outside, as the kubelet does.
"""

import json
import os

import httpx
import kubernetes_validate
import pytest
import yaml

from tests.deploy.containers import Container, build_image, podman, why_not
from tests.serving import ROOT, free_port

MANIFESTS = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.37")  # an old one that is still around, and the newest known here
BY_KIND = {
    (one["kind"], one["metadata"]["name"]): one
    for path in sorted(MANIFESTS.glob("*.yaml"))
    for one in yaml.safe_load_all(path.read_text())
    if one["kind"] != "Kustomization"
}
POD = BY_KIND["Deployment", "trailbase"]["spec"]["template"]
SPEC = POD["spec"]
[TRAIL] = SPEC["containers"]
PORTS = {port["name"]: port["containerPort"] for port in TRAIL["ports"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", BY_KIND, ids="-".join)
def test_a_manifest_is_as_kubernetes_wants_it(name, version):
    kubernetes_validate.validate(BY_KIND[name], version, strict=True)


def test_everything_is_applied():
    listed = yaml.safe_load((MANIFESTS / "kustomization.yaml").read_text())["resources"]
    there = {path.name for path in MANIFESTS.glob("*.yaml")} - {"kustomization.yaml"}
    assert sorted(listed) == sorted(there)


def test_the_parts_fit_together():
    labels = POD["metadata"]["labels"]
    deployment = BY_KIND["Deployment", "trailbase"]["spec"]
    assert deployment["selector"]["matchLabels"] == labels
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    for (kind, _), one in BY_KIND.items():
        if kind == "Service":
            assert one["spec"]["selector"] == labels
            assert {port["targetPort"] for port in one["spec"]["ports"]} <= set(PORTS)
    policy = BY_KIND["NetworkPolicy", "trailbase"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert [p["port"] for rule in policy["ingress"] for p in rule["ports"]] == [*PORTS]
    assert {mount["name"] for mount in TRAIL["volumeMounts"]} == {
        v["name"] for v in SPEC["volumes"]
    }
    [rule] = BY_KIND["Ingress", "trailbase"]["spec"]["rules"]
    service = rule["http"]["paths"][0]["backend"]["service"]
    [port] = BY_KIND["Service", service["name"]]["spec"]["ports"]
    assert service["port"]["name"] == port["name"] == port["targetPort"] == "http"
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert TRAIL[probe]["httpGet"]["port"] in PORTS


def test_the_pod_is_as_restricted_as_the_namespace_demands():
    namespace = BY_KIND["Namespace", "trailbase"]["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"
    assert SPEC["securityContext"]["runAsNonRoot"] is True
    assert SPEC["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert TRAIL["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert SPEC["automountServiceAccountToken"] is False


@pytest.fixture
def pod(tmp_path):
    """The manifest's container: its user, its variables, its files, its ports."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    build_image()
    name = f"trail-test-pod-{os.getpid()}"
    user = SPEC["securityContext"]
    words = ["--user", f"{user['runAsUser']}:{user['runAsGroup']}"]
    for variable in TRAIL["env"]:
        words += ["--env", f"{variable['name']}={variable['value']}"]
    config = tmp_path / "config.textproto"
    config.write_text(BY_KIND["ConfigMap", "trailbase-config"]["data"]["config.textproto"])
    config.chmod(0o666)  # it is the mount that protects it
    [place] = [m["mountPath"] for m in TRAIL["volumeMounts"] if m["name"] == "config"]
    words += ["--volume", f"{config}:{place}:ro"]
    outside = {port["name"]: free_port() for port in TRAIL["ports"] if port["name"] != "http"}
    for port in TRAIL["ports"]:
        if port["name"] in outside:
            published = f"127.0.0.1:{outside[port['name']]}:{port['containerPort']}"
            words += ["--publish", published]
    with Container(name, *words) as container:
        yield container, {name: f"http://127.0.0.1:{port}" for name, port in outside.items()}
    podman("volume", "rm", "--force", f"{name}-depot", check=False)


@pytest.mark.xdist_group("containers")
@pytest.mark.timeout(420)
def test_the_pod_serves_and_its_probes_are_answered(pod):
    container, beside = pod
    container.until_healthy()
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        path = TRAIL[probe]["httpGet"]["path"]
        assert httpx.get(container.url + path, timeout=5).status_code == 200
    config = "/api/_admin/config"
    assert httpx.get(container.url + config).status_code == 404
    assert httpx.get(beside["admin"] + config).status_code == 401
    note = POD["metadata"]["annotations"]
    assert note["prometheus.io/port"] == str(PORTS["metrics"])
    metrics = httpx.get(beside["metrics"] + note["prometheus.io/path"]).text
    assert "trail_http_requests_total" in metrics
    assert "Read-only" in container.run("sh", "-c", "(: >> traildepot/config.textproto) 2>&1; true")
    lines = [line for line in container.log().splitlines() if line.startswith("{")]
    assert json.loads(lines[0])["level"] == "INFO"
    status, took_s = container.stop(SPEC["terminationGracePeriodSeconds"])
    assert status == 0
    assert 4 < took_s < 15  # the delay of the manifest, and then no more than needed
