import llvmlite.binding
import numpy as np
import pytest

from tasks.lowlevel import int16_matmul
from tasks.lowlevel.int16_matmul import multiply, pack


def made(rows, columns, size=0.1):
    random = np.random.Generator(np.random.Philox(rows * 1000 + columns))
    return random.standard_normal((rows, columns)) * size, random.standard_normal(columns)


def spans(count, rows, key=0):
    return np.random.Generator(np.random.Philox(key)).integers(0, 256, (count, rows), dtype=np.uint8)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 16), (61, 5), (632, 32), (632, 257)])
@pytest.mark.parametrize("count", [0, 1, 5, 6, 47, 48, 49, 131])
def test_products_are_those_of_float64(rows, columns, count):
    weights, bias = made(rows, columns)
    X = spans(count, rows)
    found = multiply(X, pack(weights, bias))
    expected = X.astype(np.float64) @ weights + bias
    assert (found.shape, found.dtype) == ((count, columns), np.float32)
    # A weight is off by half a step at most, and bytes go to 255.
    allowed = 0.5 * X.astype(np.float64).sum(axis=1)[:, None] * pack(weights, bias).step[:columns] + 1e-5
    assert (np.abs(found - expected) <= allowed + 1e-5 * np.abs(expected)).all()
    if count and rows > 2:
        assert np.abs(found - expected).max() <= 2e-4 * np.abs(expected).max()


def test_sums_are_exact_to_the_last_unit():
    """Whole numbers that fit stand for themselves: the result is the product of integers."""
    random = np.random.Generator(np.random.Philox(4))
    whole = random.integers(-32767, 32768, (64, 20))
    whole[0] = 32767  # so that one step is 1
    X = spans(100, 64, key=5)
    found = multiply(X, pack(whole, np.zeros(20)))
    assert np.array_equal(found, (X.astype(np.int64) @ whole).astype(np.float32))


@pytest.mark.parametrize("sign", [1, -1])
def test_no_sum_leaves_32_bits(sign):
    """The worst there is: all bytes 255, all weights of one sign and size."""
    weights = np.full((632, 3), sign * 7.5)
    X = np.full((7, 632), 255, np.uint8)
    assert multiply(X, pack(weights, np.zeros(3))) == pytest.approx(np.full((7, 3), sign * 7.5 * 255 * 632), rel=1e-3)


def test_a_unit_without_weights_gives_its_bias():
    weights, bias = made(40, 3)
    weights[:, 1] = 0
    assert multiply(spans(9, 40), pack(weights, bias))[:, 1].tolist() == [np.float32(bias[1])] * 9


@pytest.mark.slow
def test_processors_without_such_a_step_give_the_same(monkeypatch):
    weights, bias = made(62, 20)
    X, packed = spans(50, 62), pack(weights, bias)
    expected = multiply(X, packed)
    asked = []
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: asked.append(1) or {})
    compiled = int16_matmul.numba.njit(nogil=True)(int16_matmul._multiply.py_func)  # anew, not from the cache
    out = np.empty(expected.shape[:1] + packed.step.shape, np.float32)
    compiled(X, packed.panels, packed.step, packed.bias, out)
    assert asked
    assert np.array_equal(out[:, :20], expected)
