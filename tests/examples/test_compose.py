"""The Compose files are well-formed, and the dashboard asks for what the shop really sends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from opentelemetry.exporter.prometheus_remote_write.configuration.settings import PREFIX, rows
from opentelemetry.exporter.prometheus_remote_write.receiver import Receiver
from tests.examples.compose import COMPOSE, FILES, dashboard, dashboard_queries, environment, services, visit_shop

FUNCTIONS = {"sum", "by", "rate", "histogram_count", "histogram_quantile", "histogram_fraction"}


def names(promql):
    """The metrics of a query: what is neither a label, a function nor a number."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", promql)
    return set(re.findall(r"[a-zA-Z_]\w*", bare)) - FUNCTIONS


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
    named = [Path(folder) for folder in folders(settings)]
    assert len(set(named)) == len(named) == 8
    assert all(Path("/data") in folder.parents for folder in named)
    assert not [(one, other) for one in named for other in named if one in other.parents]
    assert settings["alertmanager"]["data_dir"] in map(str, named)
    storages = [settings[part]["backend"] for part in ("blocks_storage", "ruler_storage", "alertmanager_storage")]
    assert storages == ["filesystem"] * 3  # the default is S3, without which no part starts


def test_grafana_finds_its_data_source_and_the_dashboard():
    source = yaml.safe_load((COMPOSE / "grafana" / "data-source.yaml").read_text())["datasources"][0]
    provider = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    given = environment("compose.yaml", "grafana")
    assert {source["url"], source["secureJsonData"]["httpHeaderValue1"]} == {"$DATA_SOURCE", "$TENANT"}
    assert given["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] == f"{provider['options']['path']}/application.json"
    assert all(panel["datasource"]["uid"] == source["uid"] for panel in dashboard()["panels"])


def test_every_metric_of_the_dashboard_is_one_that_the_shop_sends(tmp_path):
    with Receiver() as receiver:
        visit_shop(receiver.url, tmp_path / "log", lambda: receiver.wait_for(len(receiver.received) + 2))
        assert receiver.rejected == []
        asked = {name for promql in dashboard_queries() for name in names(promql)}
        assert len(asked) == 6
        assert {name for name in asked if not receiver.series(name)} == set()
        variable = dashboard()["templating"]["list"][0]["definition"]
        assert re.fullmatch(r"label_values\((\w+), job\)", variable)[1] == "target_info"
        assert receiver.series("target_info", job="shop")
        assert receiver.received[-1].headers["X-Scope-OrgID"] == "demo"


def test_prometheus_answers_every_query_of_the_dashboard(start_prometheus, tmp_path):
    flags = services("prometheus.yaml")["prometheus"]["command"]
    (features,) = (flag.partition("=")[2] for flag in flags if flag.startswith("--enable-feature="))
    prometheus = start_prometheus(features=features.split(","))
    assert "--web.enable-remote-write-receiver" in flags  # as every server of the tests
    counted = "count_over_time(target_info[1m])"

    def pushed_twice_more():
        found = prometheus.query(counted)
        before = found[0].value if found else 0
        prometheus.wait_for(f"{counted} > {before + 1}")

    visit_shop(prometheus.write_url, tmp_path / "log", pushed_twice_more)
    assert {promql: len(prometheus.query(promql)) > 0 for promql in dashboard_queries()} == dict.fromkeys(
        dashboard_queries(), True
    )
