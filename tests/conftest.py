"""Settings of every test run: strict promotion, a compilation cache, hypothesis' profile, shared fixtures.

Checks of array types and shapes (jaxtyping with beartype) are switched on in pyproject.toml, because the
import hook must be in place before any test imports geoembed.
"""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

# the type checker that pyproject.toml names: jaxtyping itself imports `tests` only
import tests.type_checks  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent

# A program becomes one piece of machine code, not up to 32 that are compiled side by side: the cores are busy with two
# processes anyway, and each piece has its own cost. XLA reads this when it first compiles; what is already set wins.
os.environ["XLA_FLAGS"] = f"--xla_cpu_parallel_codegen_split_count=1 {os.environ.get('XLA_FLAGS', '')}"

# The library never touches the global configuration; a test run may, and these two settings turn an implicit
# widening (float32 with float64, [n] with [n, 3]) into an error.
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")

# A program notes for each operation the hundred calls that led to it, for profilers: nobody reads them here. Errors
# have their tracebacks all the same.
jax.config.update("jax_traceback_in_locations_limit", 0)

# A second run of the suite finds its programs compiled, and in the first the two processes find each other's: also the
# smallest ones, because writing one takes a tenth of the time of compiling it.
jax.config.update(
    "jax_compilation_cache_dir", os.environ.get("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".jax_cache"))
)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)

# Deterministic: the same examples in every run. No deadline, because the first example pays for compilation.
settings.register_profile(
    "geoembed",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=25,
    suppress_health_check=[
        HealthCheck.too_slow,  # compilation again
        HealthCheck.function_scoped_fixture,  # `precision` holds the same mode for every example
    ],
)
settings.load_profile("geoembed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_configure(config: pytest.Config) -> None:
    """One thread of linear algebra for each of several processes, which inherit this.

    Threads of OpenBLAS that wait for each other beside another process took a test of six seconds to four hundred.
    """
    if config.getoption("numprocesses", default=None):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # last, so that programs are thrown away once, see below; otherwise in their order
    items.sort(key=_compiled_quickly)
    if config.getoption("--slow"):
        return
    skip = pytest.mark.skip(reason="slow: run with --slow")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """What is imported by now stays: the garbage collector need not walk through it again and again.

    Traced programs are many small objects that live on: with the usual thresholds a fifth of the time went into walks
    through them that freed next to nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(params=["float32", "float64"])
def precision(request: pytest.FixtureRequest) -> Iterator[np.dtype]:
    """The dtype of the run, with jax's x64 mode set to match while the test runs."""
    with jax.enable_x64(request.param == "float64"):
        yield jnp.dtype(request.param)


@pytest.fixture(scope="module")
def compiled_quickly() -> Iterator[None]:
    """Programs are compiled in about half the time, and run slower: for tests of formulas on few numbers.

    tests/test_conformance.py measures every encoder as users compile it.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def _compiled_quickly(item: pytest.Item | None) -> bool:
    return item is not None and "compiled_quickly" in getattr(item, "fixturenames", ())


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Programs that were compiled quickly are not left to tests that ask for the ordinary ones."""
    if _compiled_quickly(item) and nextitem is not None and not _compiled_quickly(nextitem):
        jax.clear_caches()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of measured and reference data that is too large for the repository."""
    folder = os.environ.get("GEOEMBED_DATA")
    if not folder:
        pytest.skip("GEOEMBED_DATA is not set: the data folder is not part of the repository")
    path = Path(folder)
    assert path.is_dir(), f"GEOEMBED_DATA={folder} is not a folder"
    return path
