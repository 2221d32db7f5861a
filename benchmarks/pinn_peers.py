"""DeepXDE and jNO on two problems of benchmarks/pinn.py for a given wall clock: error against time.

    python benchmarks/pinn_peers.py {deepxde,jno} {burgers,lshape} [--budget 120] [--seed 0] [--resample] [--threads 2]

Needs an environment of its own: `pip install deepxde torch jax-numerical-operators jax==0.10.1 jaxlib==0.10.1 scipy`.
The L-shape needs the folder named by GEOEMBED_DATA (pinn/fem_lshape_ref.npz), Burgers' equation no file.

The clock starts after the imports and includes compilation; measuring the error stops it. Set OPENBLAS_NUM_THREADS=1:
its threads disturb those of XLA. Both run in float64, with the network and the points of their own examples:

- DeepXDE, examples/pinn_forward/{Burgers,Poisson_Lshape}.py: soft conditions, Adam for 0.4 of the budget at most, then
  L-BFGS. `--resample` draws new points every 100 steps of Adam and for each 50 steps of L-BFGS.
- jNO: its self-scaled Broyden optimiser on 2000 fixed Sobol points; Burgers with exact conditions
  u = −sin πx + t (1 − x²) n(x, t), the L-shape with 400 rows on the boundary. `--resample`: by the residual.

The last line printed is one JSON object; `curve` has rows [seconds, steps, relative L2 error].
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pinn_references import burgers, relative

VISCOSITY = 0.01 / np.pi
CORNERS = [[0, 0], [1, 0], [1, -1], [-1, -1], [-1, 1], [0, 1]]  # of the L-shape


def reference(problem: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) and the solution there."""
    if problem == "burgers":
        found = burgers(VISCOSITY, np.linspace(-1, 1, 256), 0.03 * np.arange(34))
        return found.points, found.values
    data = os.environ.get("GEOEMBED_DATA")
    if not data:
        raise SystemExit("GEOEMBED_DATA is not set: it names the folder with pinn/fem_lshape_ref.npz")
    file = np.load(Path(data) / "pinn" / "fem_lshape_ref.npz")
    return file["X"], file["u"]


class Watch:
    """A clock that measures the error about forty times in the budget, and stands still meanwhile."""

    def __init__(self, budget: float, values: np.ndarray):
        self.budget, self.values = budget, values
        self.curve: list[tuple[float, int, float]] = []
        self._start, self._paused = time.perf_counter(), 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self._start - self._paused

    def look(self, steps: int, predict: Callable[[], np.ndarray], *, now: bool = False) -> bool:
        """Measures the error if it is time to, or `now`. Returns whether the budget is spent."""
        seconds = self.seconds()
        spent = seconds > self.budget
        if now or spent or not self.curve or seconds - self.curve[-1][0] > self.budget / 40:
            begin = time.perf_counter()
            self.curve.append((round(seconds, 2), steps, relative(np.ravel(predict()), self.values)))
            self._paused += time.perf_counter() - begin
        return spent


def deepxde(problem: str, options: argparse.Namespace) -> dict[str, Any]:
    """Adam, then L-BFGS, on the points of its example."""
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde as dde
    import torch
    import torch._dynamo  # which the first step would import otherwise, on the clock

    torch.set_num_threads(options.threads)
    dde.config.set_default_float("float64")
    dde.config.set_random_seed(options.seed)
    points, values = reference(problem)
    watch = Watch(options.budget, values)
    data, layers, adam_steps = (_deepxde_burgers if problem == "burgers" else _deepxde_lshape)(dde)
    net = dde.nn.FNN(*layers)
    model = dde.Model(data, net)
    asked = torch.as_tensor(points)

    def predict() -> np.ndarray:
        with torch.no_grad():
            return net(asked).numpy()

    class Look(dde.callbacks.Callback):
        """Stops the training when a share of the budget is spent."""

        def __init__(self, share: float):
            super().__init__()
            self.share = share

        def on_epoch_end(self) -> None:
            spent = watch.look(int(self.model.train_state.iteration), predict)
            if spent or watch.seconds() > self.share * watch.budget:
                self.model.stop_training = True

    def callbacks(share: float, period: int) -> list[Any]:
        draw = [dde.callbacks.PDEPointResampler(period=period)] if options.resample else []
        return [Look(share), *draw]

    model.compile("adam", lr=1e-3)
    model.train(iterations=adam_steps, display_every=10**9, callbacks=callbacks(0.4, 100), verbose=0)
    adam = int(model.train_state.iteration)
    dde.optimizers.set_LBFGS_options(maxcor=100, ftol=0, gtol=1e-14, maxiter=10**6, maxfun=10**6)
    dde.optimizers.config.LBFGS_options |= {"iter_per_step": 50, "fun_per_step": 62}
    model.compile("L-BFGS")
    model.train(display_every=10**9, callbacks=callbacks(1.0, 1), verbose=0)
    watch.look(int(model.train_state.iteration), predict, now=True)
    parameters = sum(weight.numel() for weight in net.parameters())
    return {"version": version("deepxde"), "adam_steps": adam, "parameters": parameters} | result(watch)


def _deepxde_burgers(dde: Any) -> tuple[Any, tuple[Any, ...], int]:
    domain = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))

    def residual(x, u):
        steady = u * dde.grad.jacobian(u, x, i=0, j=0) - VISCOSITY * dde.grad.hessian(u, x, i=0, j=0)
        return dde.grad.jacobian(u, x, i=0, j=1) + steady

    sides = dde.icbc.DirichletBC(domain, lambda x: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(domain, lambda x: -np.sin(np.pi * x[:, :1]), lambda _, on_initial: on_initial)
    counts = {"num_domain": 2540, "num_boundary": 80, "num_initial": 160}
    data = dde.data.TimePDE(domain, residual, [sides, start], **counts)
    return data, ([2, 20, 20, 20, 1], "tanh", "Glorot normal"), 15_000


def _deepxde_lshape(dde: Any) -> tuple[Any, tuple[Any, ...], int]:
    domain = dde.geometry.Polygon(CORNERS)

    def residual(x, u):
        return -dde.grad.hessian(u, x, i=0, j=0) - dde.grad.hessian(u, x, i=1, j=1) - 1

    sides = dde.icbc.DirichletBC(domain, lambda x: 0, lambda _, on_boundary: on_boundary)
    data = dde.data.PDE(domain, residual, sides, num_domain=1200, num_boundary=120, num_test=100)
    return data, ([2, 50, 50, 50, 50, 1], "tanh", "Glorot uniform"), 50_000


def jno(problem: str, options: argparse.Namespace) -> dict[str, Any]:
    """Self-scaled Broyden on Sobol points, in one call that ends with the budget."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    os.environ["JNO_COMPILE_CACHE"] = "0"  # it would keep programs for the next run
    import equinox as eqx
    import foundax
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp
    import jno as library
    from jno.utils.adaptive.callbacks import Callback

    points, values = reference(problem)
    watch = Watch(options.budget, values)
    key = jax.random.PRNGKey(options.seed)
    plain = foundax.mlp(in_features=2, hidden_dims=20, num_layers=3, activation=jax.nn.tanh, key=key)
    plain = jax.tree.map(lambda leaf: leaf.astype(jnp.float64) if eqx.is_array(leaf) else leaf, plain)
    net = library.nn.wrap(plain)
    make = _jno_burgers if problem == "burgers" else _jno_lshape
    losses, solution = make(library, net, options)
    net.optimizer(library.optimizers.ssbroyden())
    core = library.core(losses)
    _, fixed = eqx.partition(plain, eqx.is_inexact_array)

    @eqx.filter_jit
    def evaluate(weights: Any) -> Any:
        return solution(eqx.combine(weights, fixed), jnp.asarray(points))

    class Look(Callback):
        def on_epoch_end(self, *, epoch, trainable, total_loss, **_) -> bool:
            jax.block_until_ready(total_loss)
            (weights,) = trainable.values()
            return watch.look(epoch + 1, lambda: np.asarray(evaluate(weights)))

    core.solve(10**7, callbacks=[Look()])
    parameters = sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(plain, eqx.is_array)))
    return {"version": version("jax-numerical-operators"), "parameters": parameters} | result(watch)


def sobol(count: int, seed: int) -> np.ndarray:
    """The first `count` of a scrambled Sobol sequence in the unit square."""
    from scipy.stats import qmc

    return qmc.Sobol(2, seed=seed).random(1 << (count - 1).bit_length())[:count]


def _jno_burgers(library: Any, net: Any, options: argparse.Namespace) -> tuple[list[Any], Callable[..., Any]]:
    import jax.numpy as jnp

    rad = {"resample_every": 200, "resample_fraction": 0.5, "start_epoch": 1, "k": 1}
    draw = {"resampling_strategy": library.sampler.rad(**rad)} if options.resample else {}
    domain = library.Shape.rect(-1, 0, 1, 1, size=0.1).domain()
    x, t, _ = domain.variable("interior", **draw)
    domain.context["interior"] = (sobol(2000, options.seed) * [2, 1] - [1, 0])[None, None]
    u = -library.np.sin(np.pi * x) + t * (1 - x * x) * net(x, t)
    slope = u.d(x)
    residual = u.d(t) + u * slope - VISCOSITY * slope.d(x)

    def solution(plain: Any, points: Any) -> Any:
        x, t = points.T
        return -jnp.sin(np.pi * x) + t * (1 - x * x) * plain(points)[..., 0]

    return [residual.mse], solution


def _jno_lshape(library: Any, net: Any, options: argparse.Namespace) -> tuple[list[Any], Callable[..., Any]]:
    domain = library.Shape.rect(-1, -1, 1, 1, size=0.1).domain()
    x, y, _ = domain.variable("interior")
    x_rim, y_rim, _ = domain.variable("boundary")
    square = 2 * sobol(4000, options.seed) - 1
    domain.context["interior"] = square[(square < 0).any(axis=1)][:2000][None, None]
    corners = np.array(CORNERS, float)
    edges = np.roll(corners, -1, axis=0) - corners
    ends = np.cumsum(np.abs(edges).sum(axis=1))
    along = (np.arange(400) + 0.5) / 400 * ends[-1]
    edge = np.searchsorted(ends, along)
    back = ((ends[edge] - along) / np.abs(edges).sum(axis=1)[edge])[:, None]
    domain.context["boundary"] = (corners[edge] + (1 - back) * edges[edge])[None, None]
    residual = -net(x, y).laplacian(x, y) - 1.0
    return [residual.mse, (10.0 * net(x_rim, y_rim)).mse], lambda plain, points: plain(points)[..., 0]


def result(watch: Watch) -> dict[str, Any]:
    """The figures of a finished run."""
    seconds, steps, error = watch.curve[-1]
    return {"seconds": seconds, "steps": steps, "error": error, "curve": watch.curve}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=["deepxde", "jno"])
    parser.add_argument("problem", choices=["burgers", "lshape"])
    parser.add_argument("--budget", type=float, default=120.0, help="seconds of wall clock")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resample", action="store_true", help="the peer's own resampling of points")
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    options = parser.parse_args()
    if options.resample and (options.peer, options.problem) == ("jno", "lshape"):
        parser.error("jNO resamples in the square around the L-shape, not in the L-shape")
    run = deepxde if options.peer == "deepxde" else jno
    identity = {name: getattr(options, name) for name in ("peer", "problem", "budget", "seed", "resample")}
    print(json.dumps(identity | run(options.problem, options)))


if __name__ == "__main__":
    main()
