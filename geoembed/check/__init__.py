"""Measured properties: each check returns a figure, a tolerance, the worst input and a verdict.

Inputs are one item or a list of items of one shape; a tuple is the arguments of one call.
"""

from ._card import Card as Card
from ._card import Row as Row
from ._check import Check as Check
from ._derivatives import assert_finite_at as assert_finite_at
from ._derivatives import assert_gradient_matches as assert_gradient_matches
from ._derivatives import finite_at as finite_at
from ._derivatives import gradient_matches as gradient_matches
from ._groups import E2 as E2
from ._groups import E3 as E3
from ._groups import GROUPS as GROUPS
from ._groups import O2 as O2
from ._groups import O3 as O3
from ._groups import SE2 as SE2
from ._groups import SE3 as SE3
from ._groups import SO2 as SO2
from ._groups import SO3 as SO3
from ._groups import Group as Group
from ._groups import cyclic_shifts as cyclic_shifts
from ._groups import lattice as lattice
from ._groups import mirrors as mirrors
from ._groups import permutations as permutations
from ._groups import translations as translations
from ._measure import card as card
from ._metric import assert_eikonal as assert_eikonal
from ._metric import assert_lipschitz as assert_lipschitz
from ._metric import assert_smooth as assert_smooth
from ._metric import eikonal as eikonal
from ._metric import lipschitz as lipschitz
from ._metric import smooth as smooth
from ._program import assert_dtype_kept as assert_dtype_kept
from ._program import assert_exports as assert_exports
from ._program import assert_jit_matches_eager as assert_jit_matches_eager
from ._program import assert_one_trace as assert_one_trace
from ._program import assert_vmap_matches_loop as assert_vmap_matches_loop
from ._program import dtype_kept as dtype_kept
from ._program import exports as exports
from ._program import jit_matches_eager as jit_matches_eager
from ._program import one_trace as one_trace
from ._program import vmap_matches_loop as vmap_matches_loop
from ._representations import permutation as permutation
from ._representations import pseudoscalar as pseudoscalar
from ._representations import pseudovector as pseudovector
from ._representations import scalar as scalar
from ._representations import tensor as tensor
from ._representations import vector as vector
from ._symmetry import assert_equivariant as assert_equivariant
from ._symmetry import assert_invariant as assert_invariant
from ._symmetry import assert_periodic as assert_periodic
from ._symmetry import assert_sensitive as assert_sensitive
from ._symmetry import equivariant as equivariant
from ._symmetry import invariant as invariant
from ._symmetry import periodic as periodic
from ._symmetry import sensitive as sensitive
