"""The Compose files are well-formed, and the dashboard asks for what the shop really sends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, rows
from tests.examples.compose import COMPOSE, FILES, environment, services
from tests.examples.monitoring import dashboard

SHOWN = ["application", "application-native", "exporter"]


@pytest.mark.parametrize("file", FILES)
def test_compose_accepts_it(file):
    done = subprocess.run(
        [*(sys.executable, "-m", "check_jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE / file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_would_not_accept_a_misspelled_key(tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text((COMPOSE / "compose.yaml").read_text().replace("command:", "comand:"))
    done = subprocess.run(
        [*(sys.executable, "-m", "check_jsonschema"), "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "comand" in done.stdout


@pytest.mark.parametrize("file", FILES)
def test_what_is_mounted_and_extended_is_there(file):
    for service in services(file).values():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).is_file(), source
            else:
                assert source in yaml.safe_load((COMPOSE / file).read_text())["volumes"]
        if "build" in service:
            context = COMPOSE / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()
        if "extends" in service:
            assert service["extends"]["service"] in services(service["extends"]["file"])


@pytest.mark.parametrize("file", FILES)
def test_shop_is_told_to_push_to_the_receiver_of_the_file(file):
    host, port = re.fullmatch(r"http://(\w+):(\d+)/\S+", environment(file, "shop")[f"{PREFIX}ENDPOINT"]).groups()
    assert f"127.0.0.1:{port}:{port}" in services(file)[host]["ports"]
    assert environment(file, "grafana")["DATA_SOURCE"].startswith(f"http://{host}:{port}")


@pytest.mark.parametrize("file", FILES)
def test_every_variable_of_ours_is_one_that_the_exporter_reads(file):
    ours = {name for name in environment(file, "shop") if name.startswith(PREFIX)}
    assert ours <= {PREFIX + row.variable for row in rows().values()}


def test_tenant_is_the_same_for_who_writes_and_who_reads():
    tenant = environment("compose.yaml", "grafana")["TENANT"]
    assert environment("compose.yaml", "shop")[f"{PREFIX}HEADERS"] == f"X-Scope-OrgID={tenant}"
    assert yaml.safe_load((COMPOSE / "cortex.yaml").read_text())["auth_enabled"] is True


def test_shop_and_cortex_speak_2_0_with_native_histograms():
    flags = services("compose.yaml")["cortex"]["command"]
    assert {"-distributor.remote-writev2-enabled=true", "-blocks-storage.tsdb.enable-native-histograms=true"} <= set(
        flags
    )
    shop = environment("compose.yaml", "shop")
    assert shop[f"{PREFIX}PROTOCOL"] == "2.0"
    assert shop[f"{PREFIX}DEFAULT_HISTOGRAM_AGGREGATION"] == "base2_exponential_bucket_histogram"


def test_cortex_listens_where_it_is_looked_for():
    port = yaml.safe_load((COMPOSE / "cortex.yaml").read_text())["server"]["http_listen_port"]
    assert f":{port}/" in environment("compose.yaml", "shop")[f"{PREFIX}ENDPOINT"]


def folders(settings):
    """Return the folders that Cortex's configuration names."""
    if not isinstance(settings, dict):
        return [settings] if str(settings).startswith("/") else []
    return [folder for value in settings.values() for folder in folders(value)]


def test_each_part_of_cortex_keeps_its_files_in_a_folder_of_its_own_on_the_volume():
    """A part that starts removes what it does not know: in a shared folder, other parts' samples."""
    settings = yaml.safe_load((COMPOSE / "cortex.yaml").read_text())
    rules = Path(settings["ruler_storage"]["local"]["directory"])  # which the ruler only reads
    named = [Path(folder) for folder in folders(settings) if Path(folder) != rules]
    assert len(set(named)) == len(named)
    assert all(Path("/data") in folder.parents for folder in named)
    assert not [(one, other) for one in named for other in named if one in other.parents]
    assert settings["alertmanager"]["data_dir"] in map(str, named)
    storages = [settings[part]["backend"] for part in ("blocks_storage", "alertmanager_storage", "ruler_storage")]
    assert storages == ["filesystem", "filesystem", "local"]  # the default is S3, without which no part starts


def test_grafana_finds_its_data_source_and_the_dashboard():
    source = yaml.safe_load((COMPOSE / "grafana" / "data-source.yaml").read_text())["datasources"][0]
    provider = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    given = environment("compose.yaml", "grafana")
    assert {source["url"], source["secureJsonData"]["httpHeaderValue1"]} == {"$DATA_SOURCE", "$TENANT"}
    folder = provider["options"]["path"]
    assert given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{folder}/application-native.json"
    mounted = [volume.split(":") for volume in services("compose.yaml")["grafana"]["volumes"]]
    shown = [[f"../monitoring/{name}.json", f"{folder}/{name}.json", "ro"] for name in SHOWN]
    assert sorted(each for each in mounted if each[1].startswith(f"{folder}/")) == sorted(shown)
    for name in SHOWN:
        chosen = dashboard(name)["templating"]["list"][0]
        assert (chosen["type"], chosen["query"]) == ("datasource", source["type"])


def test_rules_are_where_cortex_and_prometheus_look_for_them():
    tenant = environment("compose.yaml", "grafana")["TENANT"]
    storage = yaml.safe_load((COMPOSE / "cortex.yaml").read_text())["ruler_storage"]
    place = f"../monitoring/rules.yaml:{storage['local']['directory']}/{tenant}/rules.yaml:ro"
    assert place in services("compose.yaml")["cortex"]["volumes"]
    (file,) = yaml.safe_load((COMPOSE / "prometheus.config.yaml").read_text())["rule_files"]
    prometheus = services("prometheus.yaml")["prometheus"]
    assert f"../monitoring/rules.yaml:{file}:ro" in prometheus["volumes"]
    (flag,) = (each for each in prometheus["command"] if each.startswith("--config.file="))
    assert f"./prometheus.config.yaml:{flag.partition('=')[2]}:ro" in prometheus["volumes"]
