"""compose.yaml has the right form, keeps to loopback, has no secret of its own, and is one stack with the packages'."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docker.packages.layout import BUCKETS, ETC, Ports, open_stack
from docker.packages.parts import CATALOG, TRINO
from docker.packages.services import describe_trino

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker" / "compose.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(TEXT)["services"]
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / "docker" / ".env.example").read_text(encoding="utf-8").splitlines()
    if re.match(r"[A-Z]", line)
)
PORTS = {"TRINO_PORT", "CATALOG_PORT", "MINIO_PORT", "WORKBENCH_PORT"}


def run_compose(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run whichever compose is installed, without a docker/.env of this machine."""
    command = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
    if (
        not shutil.which(command[0])
        or subprocess.run([*command, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(
            "THE FORM OF compose.yaml WAS NOT CHECKED by compose itself: none is installed (apt install docker-compose)"
        )
    file = ["-f", str(ROOT / "docker" / "compose.yaml")]
    return subprocess.run([*command, *file, *arguments], capture_output=True, text=True, check=False)


def test_compose_accepts_the_file_with_the_values_of_the_example() -> None:
    done = run_compose("--env-file", str(ROOT / "docker" / ".env.example"), "config", "-q")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", sorted(EXAMPLE))
def test_compose_refuses_to_start_without_a_secret_and_names_where_to_set_it(missing: str, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(
        "\n".join(f"{name}={value}" for name, value in EXAMPLE.items() if name != missing), encoding="utf-8"
    )
    done = run_compose("--env-file", str(file), "config", "-q")
    assert done.returncode != 0
    assert "set it in docker/.env" in done.stderr


def test_every_variable_is_a_documented_one_and_no_secret_has_a_default() -> None:
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", TEXT))
    optional = set(re.findall(r"\$\{([A-Z0-9_]+):-", TEXT))
    assert required == set(EXAMPLE)
    assert {name for name in optional if not name.endswith("_IMAGE")} == PORTS


def test_the_example_says_that_its_values_are_for_a_demo() -> None:
    text = (ROOT / "docker" / ".env.example").read_text(encoding="utf-8")
    assert "DEMO VALUES" in text.splitlines()[0]
    assert "docker/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_every_port_is_published_on_loopback() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 4
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_service_that_stays_has_a_health_check_and_starts_after_what_it_needs() -> None:
    staying = {name for name, service in SERVICES.items() if "restart" in service}
    assert staying == {"minio", "catalog", "trino", "workbench"}
    assert {name for name in staying if "healthcheck" in SERVICES[name]} == staying
    waited = {name: list(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert waited == {
        "minio": [],
        "buckets": ["minio"],
        "catalog": ["buckets"],
        "trino": ["catalog"],
        "workbench": ["trino"],
    }


def test_both_stacks_give_trino_every_variable_its_configuration_reads(tmp_path: Path) -> None:
    read = {
        name
        for file in ETC.rglob("*.properties")
        for name in re.findall(r"\$\{ENV:([A-Z0-9_]+)\}", file.read_text(encoding="utf-8"))
    }
    packages = describe_trino(open_stack(tmp_path, Ports()))
    assert read <= set(packages.variables)
    assert read == set(SERVICES["trino"]["environment"])


def test_both_stacks_run_the_same_versions_and_make_the_same_buckets() -> None:
    assert SERVICES["trino"]["image"].endswith(f"trino:{TRINO}}}")
    assert SERVICES["catalog"]["image"].endswith(f":{CATALOG}}}")
    script = (ROOT / "docker" / "minio" / "make-buckets.sh").read_text(encoding="utf-8")
    assert f"mc mb --ignore-existing {' '.join(f'store/{bucket}' for bucket in BUCKETS)}" in script


def test_no_secret_stands_in_what_trino_reads() -> None:
    for file in ETC.rglob("*.properties"):
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if re.search(r"secret|password|access-key", name) and not line.startswith("#"):
                assert re.fullmatch(r"\$\{ENV:[A-Z0-9_]+\}", value), line


def test_the_image_installs_each_package_in_its_one_locked_version() -> None:
    recipe = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^RUN (sed .*) > /tmp/constraints.txt$", recipe, re.MULTILINE)
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 — the sh on the PATH
    lines = done.stdout.splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==\S+( ; .+)?", line) for line in lines)
    plain = [line.partition("==")[0] for line in lines if ";" not in line]
    assert {"duckdb", "polars", "pyiceberg", "trino", "s3fs"} <= set(plain)
    assert len(plain) == len(set(plain))
