import pytest

from opentelemetry.exporter.prometheus_remote_write.errors import Untranslatable
from opentelemetry.exporter.prometheus_remote_write.translation.label_sets import LabelSets


@pytest.fixture
def made():
    """The attributes of which labels were made."""
    return []


@pytest.fixture
def label_sets(made):
    def make(attributes):
        made.append(dict(attributes))
        return tuple((key, repr(value)) for key, value in attributes.items())

    return LabelSets(make)


def test_equal_attributes_become_the_same_set(label_sets, made):
    first, second = label_sets({"at": "a", "code": 1}), label_sets({"at": "a", "code": 1})
    assert first is second
    assert first.labels == (("at", "'a'"), ("code", "1"))
    assert first.attributes == {"at": "a", "code": 1}
    assert len(made) == 1


@pytest.mark.parametrize("attributes", [{"at": "\N{EURO SIGN}"}, {"at": ("\N{EURO SIGN}",)}])
def test_a_set_knows_how_many_bytes_its_labels_take(attributes):
    label_sets = LabelSets(lambda _: (("at", "\N{EURO SIGN}"), ("job", "shop")))
    assert label_sets(attributes).label_bytes == len("at") + 3 + len("jobshop")


def test_attributes_that_are_changed_later_change_no_set(label_sets):
    attributes = {"at": "a"}
    before = label_sets(attributes)
    attributes["at"] = "b"
    assert before.attributes == {"at": "a"}
    assert label_sets(attributes).labels == (("at", "'b'"),)


def test_a_value_that_is_changed_in_place_changes_no_set(label_sets):
    attributes = {"at": ["a"]}
    before = label_sets(attributes)
    attributes["at"].append("b")
    assert before.attributes == {"at": ["a"]}
    assert label_sets(attributes).labels == (("at", "['a', 'b']"),)


def test_values_that_are_equal_in_python_are_told_apart(label_sets):
    texts = [label_sets({"at": value}).labels[0][1] for value in (1, True, 1.0, "1", 0.0, -0.0)]
    assert texts == ["1", "True", "1.0", "'1'", "0.0", "-0.0"]


def test_only_so_many_sets_are_remembered(label_sets, made):
    for number in range(5000):
        label_sets({"number": number})
    assert len(label_sets._kept) <= 1000
    label_sets({"number": 4999})
    assert len(made) == 5000


def test_attributes_of_which_no_labels_can_be_made_are_made_no_copy_of():
    def make(_):
        raise Untranslatable("attribute value", "none that an attribute can have")

    class Uncopied:
        def __deepcopy__(self, memo):
            raise AssertionError("copied")

    with pytest.raises(Untranslatable):
        LabelSets(make)({"at": Uncopied()})
