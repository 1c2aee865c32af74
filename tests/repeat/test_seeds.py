"""Random streams by replicate."""

import numpy as np
import pytest

from mixedmodels import ArgumentError
from mixedmodels.repeat.seeds import Streams


def test_a_stream_depends_on_the_seed_and_its_number_alone():
    a, b = Streams.of(1), Streams.of(1)
    assert a == b
    assert a.generator(5).random() == b.generator(5).random()
    drawn = {a.generator(i).random() for i in range(100)} | {
        Streams.of(2).generator(i).random() for i in range(100)
    }
    assert len(drawn) == 200


def test_a_generator_advances():
    generator = np.random.default_rng(1)
    assert Streams.of(generator) != Streams.of(generator)
    assert Streams.of(np.random.default_rng(1)) == Streams.of(np.random.default_rng(1))


def test_without_a_seed_streams_differ():
    assert Streams.of(None) != Streams.of(None)


@pytest.mark.parametrize("rng", ["1", -1, 1.5])
def test_no_seed(rng):
    with pytest.raises(ArgumentError, match="rng must be a whole number"):
        Streams.of(rng)
