"""Tests that count, and a fixture that does at the end of the session."""

import pytest
from work import count


@pytest.fixture(scope="session", autouse=True)
def session():
    yield
    count(1, at="end")


def test_counting():
    count(1, at="test")
