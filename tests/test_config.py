"""Where a log is and how it is asked: folders, files, names of catalogs, and variables."""

from pathlib import Path

import pytest

from workbench.config import TrinoSettings, load_settings, read_trino
from workbench.errors import ConfigError
from workbench.query.trino.access import open_server


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, without variables of this machine."""
    for name in ("TRINO_HOST", "TRINO_PORT", "TRINO_USER", "TRINO_CATALOG", "TRINO_HTTP_SCHEME", "TRINO_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYICEBERG_CATALOG__LAKE__URI", "http://127.0.0.1:1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_that_pyiceberg_knows_is_a_catalog(here: Path) -> None:
    settings = load_settings("lake", engine="trino")
    assert (settings.catalog, settings.name, settings.engine) == ("lake", "lake", "trino")
    assert settings.folder == here / "cache" / "eventlog-workbench" / "catalogs" / "lake" / "log"
    assert settings.trino.catalog == "lake"


def test_a_name_that_pyiceberg_does_not_know_is_a_folder() -> None:
    settings = load_settings("pond")
    assert (settings.catalog, settings.folder) == (None, Path("pond"))


@pytest.mark.parametrize("file", ["lake/catalog.db", "lake/workbench.toml", "lake.toml"])
def test_a_log_that_is_here_comes_before_a_catalog_of_its_name(here: Path, file: str) -> None:
    (here / file).parent.mkdir(exist_ok=True)
    (here / file).write_text("", encoding="utf-8")
    assert load_settings("lake").catalog is None


@pytest.mark.parametrize("target", ["./lake", "some/lake", Path("lake")])
def test_a_path_is_never_a_catalog(target: str | Path) -> None:
    assert load_settings(target).catalog is None


def test_an_empty_folder_of_the_name_does_not_hide_the_catalog(here: Path) -> None:
    (here / "lake").mkdir()
    assert load_settings("lake").catalog == "lake"


def test_a_catalog_named_in_a_file_has_its_cache_by_namespace(here: Path) -> None:
    (here / "desk.toml").write_text('catalog = "lake"\n[log]\nnamespace = "desk"\n', encoding="utf-8")
    settings = load_settings("desk.toml")
    assert (settings.catalog, settings.name) == ("lake", "lake")
    assert settings.folder.parts[-2:] == ("lake", "desk")


def test_what_the_file_leaves_out_comes_from_variables() -> None:
    variables = {"TRINO_HOST": "far", "TRINO_PORT": "8443", "TRINO_USER": "eve", "TRINO_VERIFY": "false"}
    assert read_trino({"host": "near"}, variables, catalog="lake") == {
        "host": "near",
        "port": 8443,
        "user": "eve",
        "verify": False,
        "catalog": "lake",
    }


def test_https_has_its_own_port() -> None:
    assert read_trino({"http_scheme": "https"}, {}, catalog=None)["port"] == 443


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TRINO_PORT": "eighty"}, "TRINO_PORT"),
        ({"TRINO_SPOOLED": "maybe"}, "TRINO_SPOOLED"),
        ({"TRINO_HOST": "https://far:8443"}, "TRINO_HOST"),
    ],
)
def test_a_variable_at_fault_is_named(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_trino({}, variables, catalog=None)


@pytest.mark.parametrize("line", ['host = "eve:hush@far"', 'password = "hush"', 'token = "hush"'])
def test_a_setting_at_fault_is_named_and_a_secret_is_not_repeated(here: Path, line: str) -> None:
    (here / "workbench.toml").write_text(f'catalog = "lake"\n[trino]\n{line}\n', encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_settings()
    assert line.partition(" ")[0] in str(raised.value)
    assert "hush" not in str(raised.value)


def test_trino_settings_must_be_a_table(here: Path) -> None:
    (here / "workbench.toml").write_text('trino = "far"\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\[trino\]"):
        load_settings()


SAFE = {"host": "far", "http_scheme": "https", "user": "eve"}


def test_a_secret_is_in_no_repr_of_settings_or_server() -> None:
    settings = TrinoSettings(**SAFE, auth="basic")  # type: ignore[arg-type]  # strings are what they are
    server = open_server(settings, {"TRINO_PASSWORD": "hush"})
    assert "hush" not in f"{settings!r} {server!r} {server.request.http_headers!r} {server.request.statement_url}"
    server.close()


@pytest.mark.parametrize(
    ("auth", "variables", "words"),
    [
        ("basic", {}, "TRINO_PASSWORD"),
        ("jwt", {}, "TRINO_TOKEN"),
        ("certificate", {}, "TRINO_CERTIFICATE"),
    ],
)
def test_an_authentication_without_its_secret_names_what_is_missing(
    auth: str, variables: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        open_server(TrinoSettings(**SAFE, auth=auth), variables)  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize("auth", ["basic", "jwt", "oauth2", "certificate"])
def test_no_secret_travels_in_the_open(auth: str) -> None:
    with pytest.raises(ConfigError, match="http_scheme"):
        open_server(TrinoSettings(host="far", auth=auth), {"TRINO_PASSWORD": "hush"})  # type: ignore[arg-type]  # the same


@pytest.mark.parametrize(
    ("auth", "name"),
    [
        ("none", None),
        ("basic", "BasicAuthentication"),
        ("jwt", "JWTAuthentication"),
        ("oauth2", "OAuth2Authentication"),
        ("certificate", "CertificateAuthentication"),
    ],
)
def test_each_authentication_is_the_clients_own(auth: str, name: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from trino import client

    made: list[object] = []
    real = client.TrinoRequest.__init__

    def keep(self: object, *given: object, **named: object) -> None:
        made.append(named.get("auth"))
        real(self, *given, **named)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(client.TrinoRequest, "__init__", keep)
    settings = TrinoSettings(**SAFE, auth=auth, certificate="a.pem", key="b.pem")  # type: ignore[arg-type]  # the same
    open_server(settings, {"TRINO_PASSWORD": "hush", "TRINO_TOKEN": "hush"}).close()
    assert [None if one is None else type(one).__name__ for one in made] == [name]


@pytest.mark.parametrize(("text", "is_allowed"), [("true", True), ("1", True), ("no", False), ("", False)])
def test_python_steps_are_allowed_by_a_variable_alone(text: str, is_allowed: bool, here: Path) -> None:  # noqa: FBT001 - a case of the test
    del here
    assert load_settings(environment={"WORKBENCH_PYTHON_STEPS": text}).python_steps is is_allowed
    assert not load_settings(environment={}).python_steps
    with pytest.raises(ConfigError, match="WORKBENCH_PYTHON_STEPS='perhaps' is no switch"):
        load_settings(environment={"WORKBENCH_PYTHON_STEPS": "perhaps"})


def test_no_file_may_allow_python_steps(here: Path) -> None:
    (here / "workbench.toml").write_text("python_steps = true", encoding="utf-8")
    with pytest.raises(ConfigError, match="no file may allow code to run"):
        load_settings(environment={})
