import os

import pytest

from opentelemetry.exporter.prometheus_remote_write.system.descriptor import Descriptor


@pytest.fixture
def ours(tmp_path):
    return Descriptor(os.open(tmp_path / "ours", os.O_RDWR | os.O_CREAT))


def replaced(descriptor, path):
    """Have the application close it, and open a file of its own under the same number."""
    os.close(descriptor.number)
    number = os.open(path, os.O_RDWR | os.O_CREAT)
    assert number == descriptor.number
    return number


def test_what_we_have_opened_is_ours_until_it_is_closed(ours):
    assert ours.is_ours()
    number = ours.number
    ours.close()
    assert not ours.is_ours()
    with pytest.raises(OSError):
        os.fstat(number)


def test_what_the_application_has_closed_is_not_ours_any_more(ours):
    os.close(ours.number)
    assert not ours.is_ours()
    ours.close()


def test_a_file_of_the_application_under_the_same_number_is_not_closed(ours, tmp_path):
    number = replaced(ours, tmp_path / "of the application")
    assert not ours.is_ours()
    ours.close()
    os.fstat(number)
    os.close(number)


def test_it_is_closed_once(ours, tmp_path):
    number = ours.number
    ours.close()
    reopened = os.open(tmp_path / "ours", os.O_RDWR)
    assert reopened == number
    ours.close()
    os.fstat(reopened)
    os.close(reopened)
