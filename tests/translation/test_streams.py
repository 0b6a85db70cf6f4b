from dataclasses import replace
from types import SimpleNamespace

import pytest

from opentelemetry.exporter.prometheus_remote_write.configuration.translation_strategy import TranslationStrategy
from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.model.family import Family, SeriesName
from opentelemetry.exporter.prometheus_remote_write.model.remote_write import Metadata, MetricType
from opentelemetry.exporter.prometheus_remote_write.translation.label_sets import LabelSets
from opentelemetry.exporter.prometheus_remote_write.translation.labels import attribute_labels, sorted_labels
from opentelemetry.exporter.prometheus_remote_write.translation.series_limit import SeriesUsage
from opentelemetry.exporter.prometheus_remote_write.translation.series_registry import SeriesRegistry
from opentelemetry.exporter.prometheus_remote_write.translation.streams import Streams
from tests.collected import NOW, START, point

FAMILY = Family("level", Metadata("level", MetricType.GAUGE, "", ""), (SeriesName("level"),))
ESCAPING = TranslationStrategy.UNDERSCORE_ESCAPING_WITH_SUFFIXES


@pytest.fixture
def registry():
    return SeriesRegistry()


@pytest.fixture
def refused():
    return []


@pytest.fixture
def looked_at():
    """The attributes that were looked at."""
    return []


@pytest.fixture
def streams(registry, refused, looked_at):
    label_sets = LabelSets(lambda attributes: sorted_labels(attribute_labels(attributes, ESCAPING)))

    def labels(attributes):
        looked_at.append(dict(attributes))
        return label_sets(attributes)

    return Streams(FAMILY, registry, labels, refused.append)


def points(*attributes, start=START):
    return [point(1.0, each, start=start) for each in attributes]


def labels_of(found):
    return [dict(stream.labels) for stream in found]


def is_claimed(registry, **labels):
    try:
        registry.register(FAMILY, tuple(labels.items()))
    except Untranslatable:
        return True
    registry.release_all(FAMILY, [tuple(labels.items())])
    return False


def test_the_streams_are_the_same_list_while_nothing_changes(streams, looked_at):
    a, b = {"at": "a"}, {"at": "b"}
    first = points(a, b)
    found, before, _ = streams.find(first)
    assert found == first
    assert labels_of(before) == [a, b]
    for _ in range(3):
        found, again, _ = streams.find(points(a, b))
        assert again is before
        assert len(found) == 2
    assert looked_at == [a, b]  # once each


def test_equal_attributes_in_other_objects_are_the_same_streams(streams, looked_at):
    _, before, _ = streams.find(points({"at": "a"}, {"at": "b"}))
    others = points({"at": "a"}, {"at": "b"})
    assert streams.find(others).streams is before
    del looked_at[:]
    assert streams.find(others).streams is before
    assert looked_at == []


def test_a_new_stream_leaves_the_others_as_they_are(streams, looked_at):
    a, b, c = {"at": "a"}, {"at": "b"}, {"at": "c"}
    _, before, _ = streams.find(points(a, b))
    _, after, _ = streams.find(points(a, c, b))
    assert after is not before
    assert [after[0], after[2]] == before
    assert labels_of(after) == [a, c, b]
    assert looked_at == [a, b, c]


def test_a_stream_that_vanishes_gives_its_series_back(streams, registry):
    a, b = {"at": "a"}, {"at": "b"}
    _, before, _ = streams.find(points(a, b))
    _, after, _ = streams.find(points(b))
    assert after == [before[1]]
    assert not is_claimed(registry, at="a")
    assert is_claimed(registry, at="b")


def test_a_stream_that_comes_back_is_a_new_one(streams):
    a, b = {"at": "a"}, {"at": "b"}
    _, before, _ = streams.find(points(a, b))
    streams.find(points(b))
    _, after, _ = streams.find(points(a, b))
    assert labels_of(after) == [a, b]
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_streams_in_another_order_are_the_same_streams(streams, looked_at):
    a, b, c = {"at": "a"}, {"at": "b"}, {"at": "c"}
    _, before, _ = streams.find(points(a, b, c))
    _, after, _ = streams.find(points(c, a, b))
    assert after == [before[2], before[0], before[1]]
    assert len(looked_at) == 3


def test_attributes_that_are_changed_in_place_are_looked_at_again(streams, registry):
    attributes = {"at": "a"}
    streams.find(points(attributes))
    attributes["at"] = "b"
    _, after, _ = streams.find(points(attributes))
    assert labels_of(after) == [{"at": "b"}]
    assert not is_claimed(registry, at="a")
    assert is_claimed(registry, at="b")


def test_attributes_that_are_exchanged_in_place_are_looked_at_again(streams, refused):
    one, other = {"at": "a"}, {"at": "b"}
    _, before, _ = streams.find(points(one, other))
    one["at"], other["at"] = "b", "a"
    _, after, _ = streams.find(points(one, other))
    assert after == before[::-1]
    assert not refused


def test_values_that_are_equal_in_python_may_be_other_labels(streams, refused):
    _, found, _ = streams.find(points({"at": 1}, {"at": True}, {"at": "1.0"}))
    assert labels_of(found) == [{"at": "1"}, {"at": "true"}, {"at": "1.0"}]
    assert not refused


def test_one_stream_of_those_that_translate_alike_keeps_the_series(streams, refused):
    dotted, underscored = {"a.b": "1"}, {"a_b": "1"}
    for _ in range(3):
        found, theirs, _ = streams.find(points(dotted, underscored, {"c": "1"}))
        assert [each.attributes for each in found] == [dotted, {"c": "1"}]
        assert labels_of(theirs) == [{"a_b": "1"}, {"c": "1"}]
    assert [error.reason for error in refused] == ["duplicate"] * 3


def test_a_refused_stream_gets_the_series_when_its_owner_is_gone(streams, refused):
    dotted, underscored = {"a.b": "1"}, {"a_b": "1"}
    streams.find(points(dotted, underscored))
    found, _, _ = streams.find(points(underscored))
    assert [each.attributes for each in found] == [underscored]
    assert len(refused) == 1


def test_a_series_of_another_family_is_refused_until_it_is_given_back(streams, registry, refused):
    other = Family("other", FAMILY.metadata, FAMILY.names)
    registry.register(other, (("at", "a"),))
    assert streams.find(points({"at": "a"}))[0] == []
    registry.release_all(other, [(("at", "a"),)])
    assert len(streams.find(points({"at": "a"}))[0]) == 1
    assert len(refused) == 1


def test_another_start_time_is_another_stream_of_the_same_series(streams, refused):
    a, b = {"at": "a"}, {"at": "b"}
    _, before, _ = streams.find(points(a, b))
    _, after, _ = streams.find([*points(a, start=START + 5), *points(b)])
    assert [stream.start for stream in after] == [START + 5, START]
    assert labels_of(after) == labels_of(before)
    assert after[0] != before[0]
    assert after[1] == before[1]
    _, again, _ = streams.find([*points(a, start=START + 5), *points(b)])
    assert again is after
    assert not refused


def test_a_stream_that_begins_during_a_collection_starts_with_it(streams):
    """The SDK takes the time before it looks which streams there are, and refuses none."""
    _, found, _ = streams.find([point(1.0, {}, at=START, start=START + 5)])
    assert found[0].start == START


def test_without_a_start_time_it_is_not_known(streams):
    _, found, _ = streams.find([SimpleNamespace(attributes={}, start_time_unix_nano=None)])
    assert found[0].start == 0


def test_without_attributes_there_are_no_labels_of_them(streams, looked_at):
    nothing = SimpleNamespace(attributes=None, start_time_unix_nano=0)
    _, before, _ = streams.find([nothing])
    assert labels_of(before) == [{}]
    assert streams.find([nothing]).streams is before
    assert len(looked_at) == 1


class Uncomparable:
    def __eq__(self, other):
        raise TypeError("no comparison")

    __hash__ = None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(point(1.0, {"at": object()}), "attribute value", id="an attribute of an unexpected type"),
        pytest.param(point(1.0, {"...": 1}), "label name", id="a key of which nothing is left"),
        pytest.param(point(1.0, {1: 1, "a": 1}), "label name", id="keys of several types"),
        pytest.param(point(1.0, ["at"]), "attributes", id="attributes that are not a mapping"),
        pytest.param(point(1.0, {"at": Uncomparable()}), "attribute value", id="an attribute that cannot be compared"),
        pytest.param(
            SimpleNamespace(attributes={}, start_time_unix_nano="now"), "timestamp", id="a start time that is a text"
        ),
        pytest.param(
            SimpleNamespace(attributes={}, start_time_unix_nano=-1), "timestamp", id="a start time before 1970"
        ),
        pytest.param(None, "attributes", id="no data point at all"),
        pytest.param(SimpleNamespace(attributes={}), "attributes", id="no start time"),
    ],
)
def test_a_bad_data_point_does_not_cost_another(streams, refused, registry, bad, reason):
    good = {"at": "a"}, {"at": "b"}
    for _ in range(2):
        found, theirs, _ = streams.find([*points(good[0]), bad, *points(good[1])])
        assert [each.attributes for each in found] == list(good)
        assert labels_of(theirs) == list(good)
    assert [error.reason for error in refused] == [reason] * 2
    assert is_claimed(registry, at="a")


class Incomparable(dict):
    def __eq__(self, other):
        raise TypeError("no comparison")

    __ne__ = __eq__
    __hash__ = None


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(None, id="no data point"),
        pytest.param(point(1.0, Incomparable(at="bad"), start=START), id="attributes that cannot be compared"),
    ],
)
def test_a_bad_data_point_does_not_cost_a_stream_its_series(streams, bad):
    [alike] = points({"at": 1})
    [there] = points({"at": "1"})
    streams.find([bad, there])
    found, _, _ = streams.find([alike, bad, there])
    assert any(each is there for each in found)
    assert not any(each is alike for each in found)


def test_claims_and_streams_agree_though_a_refusal_is_not_taken(registry):
    def refuse(error):
        raise error

    streams = Streams(FAMILY, registry, LabelSets(lambda attributes: tuple(attributes.items())), refuse)
    a, b, c = points({"at": "a"}, {"at": "b"}, {"at": "c"})
    streams.find([a, b])
    with pytest.raises(Untranslatable):
        streams.find([b, c, point(1.0, 7, start=START)])
    streams.release()
    assert not registry._owners
    assert not registry.usage.series


def test_an_object_that_is_changed_between_two_data_points_of_an_export_keeps_no_series(streams, registry):
    attributes = {}

    class Changing:
        start_time_unix_nano = 0

        def __init__(self, place):
            self.place = place

        @property
        def attributes(self):
            attributes["at"] = self.place
            return attributes

    for _ in range(3):
        assert labels_of(streams.find([Changing("a"), Changing("b")]).streams) == [{"at": "a"}, {"at": "b"}]
    assert labels_of(streams.find([Changing("b"), Changing("a")]).streams) == [{"at": "b"}, {"at": "a"}]
    streams.release()
    assert not registry._owners
    assert not registry.usage.series


def test_refusals_are_told_in_the_order_of_the_data_points(streams, refused):
    wrong = [{"at": object()}, {"...": 1}, {"at": "a"}, {"at": "a"}, {1: 1, "a": 1}]
    streams.find(points(*wrong))
    assert [error.reason for error in refused] == ["attribute value", "label name", "duplicate", "label name"]


def test_what_there_was_no_room_for_is_held_no_longer_than_it_is_there(refused):
    streams = Streams(
        FAMILY,
        SeriesRegistry(SeriesUsage(limit=1)),
        LabelSets(lambda attributes: tuple(attributes.items())),
        refused.append,
    )
    a, b, c = points({"at": "a"}, {"at": "b"}, {"at": "c"})
    streams.find([a, b])
    assert streams._without_room
    streams.find([c])
    assert not streams._without_room
    streams.find([c, b])
    assert streams._without_room
    streams.release()
    assert not streams._without_room


def test_a_data_point_whose_attributes_cannot_be_read_again_leaves_claims_and_streams_in_agreement(refused):
    class Late:
        start_time_unix_nano = 0
        reads = 0

        @property
        def attributes(self):
            self.reads += 1
            if self.reads > 2:
                raise RuntimeError
            return {"at": "late"}

    registry = SeriesRegistry(SeriesUsage(limit=1))
    streams = Streams(FAMILY, registry, LabelSets(lambda attributes: tuple(attributes.items())), refused.append)
    a, b = points({"at": "a"}, {"at": "b"})
    streams.find([a])
    with pytest.raises(RuntimeError):
        streams.find([b, Late()])
    streams.release()
    assert not registry._owners
    assert not registry.usage.series


def test_to_keep_only_what_there_is_changes_nothing(streams):
    both = points({"at": "a"}, {"at": "b"})
    _, before, _ = streams.find(both)
    streams.keep_only(both)
    assert streams.find(both).streams is before


def test_only_what_stays_is_kept(streams, registry):
    a, b = points({"at": "a"}, {"at": "b"})
    _, before, _ = streams.find([a, b])
    streams.keep_only([b])
    assert not is_claimed(registry, at="a")
    assert streams.find([b]).streams == before[1:]


def test_what_is_known_of_streams_moves_with_them(streams, looked_at):
    a, b, c, d = (point(1.0, {"at": at}, start=START + number) for number, at in enumerate("abcd"))
    streams.find([a, b, c])
    _, before, _ = streams.find([b, c, d])
    del looked_at[:]
    assert streams.find([b, c, d]).streams is before
    assert looked_at == []
    _, now, _ = streams.find([replace(b, start_time_unix_nano=a.start_time_unix_nano), c, d])
    assert [stream.start for stream in now] == [START, START + 2, START + 3]
    assert now[0] is not before[0]


def test_where_streams_were_before_is_told_if_only_new_ones_came(streams):
    a, b, c, d = points({"at": "a"}, {"at": "b"}, {"at": "c"}, {"at": "d"})
    _, before, _ = streams.find([a, b, c])
    _, now, diff = streams.find([b, c, d])
    assert diff == (before, now, [(slice(0, 2), slice(1, 3)), (slice(2, 3), None)], [0])
    assert diff.before is before
    assert diff.now is now


@pytest.mark.parametrize("attributes", [{"at": "b"}, {"at": object()}], ids=["found by its labels", "refused"])
def test_where_streams_were_before_is_not_told_if_not_all_others_are_new(streams, attributes):
    streams.find(points({"at": "a"}, {"at": "b"}))
    assert streams.find(points({"at": "c"}, attributes)).diff is None


def test_forgetting_gives_back_all_series(streams, registry):
    streams.find(points({"at": "a"}, {"at": "b"}))
    streams.release()
    assert not is_claimed(registry, at="a")
    assert not is_claimed(registry, at="b")
    streams.release()


@pytest.mark.parametrize("before", [[], [point(1.0, {"at": object()})]], ids=["all sound", "one of them refused"])
def test_no_data_points_give_back_all_series(streams, registry, before):
    streams.find([*before, *points({"at": "a"})])
    assert streams.find([])[:2] == ([], [])
    assert not is_claimed(registry, at="a")


def test_an_id_that_is_used_again_is_not_taken_for_the_old_object(streams):
    for number in range(200):
        _, found, _ = streams.find([point(1.0, {"at": number}, at=NOW + number)])
        assert labels_of(found) == [{"at": str(number)}]
