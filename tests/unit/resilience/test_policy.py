"""The policy table says how failure of each dependency is met."""

import pytest

from evenkeel.errors import DataRejected, ModelUnusable, Permanent, Transient
from evenkeel.resilience.policy import Dependency, policy_table
from evenkeel.settings.platform import Policies, PolicyNumbers


def test_every_dependency_has_a_policy():
    assert set(policy_table(Policies())) == set(Dependency)


def test_delays_double_and_are_bounded():
    numbers = Policies(source=PolicyNumbers(attempts=6, first_delay=1, max_delay=5))

    policy = policy_table(numbers)[Dependency.SOURCE]

    assert policy.delays == (1, 2, 4, 5, 5)
    assert len(policy.delays) == policy.attempts - 1


@pytest.mark.parametrize("error", [Permanent("x"), DataRejected("x"), ModelUnusable("x"), KeyError("x")])
def test_only_what_was_named_transient_is_retried(error):
    policy = policy_table(Policies())[Dependency.LAKE]

    assert policy.retries_on(Transient("x"))
    assert not policy.retries_on(error)


def test_a_run_goes_on_without_the_registry_but_not_without_the_lake():
    table = policy_table(Policies())

    assert table[Dependency.REGISTRY].goes_without(Transient("away"))
    assert table[Dependency.REGISTRY].goes_without(ModelUnusable("altered"))
    assert not table[Dependency.REGISTRY].goes_without(KeyError("a bug is not an outage"))
    assert not table[Dependency.LAKE].goes_without(Transient("away"))


def test_what_only_watches_never_stops_a_batch():
    assert policy_table(Policies())[Dependency.MONITORING].goes_without(KeyError("a bug in a chart"))
