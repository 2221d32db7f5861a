# ruff: noqa: RUF001  (mathematical symbols in what the user reads)
"""Configurations of equations, mistakes in them, and what the message about each must say."""

BURGERS = """\
[domain]
kind = "interval"
lower = -1
upper = 1

[physics]
kind = "burgers"
viscosity = "0.1/pi"

[time]
end = 1.0

[[conditions]]
kind = "initial"
value = "-sin(pi*x)"

[[conditions]]
kind = "dirichlet"
piece = "all"

[solve]
tolerance = 0.5
points = 200
width = 6
depth = 1
"""

HOLES = """\
[domain]
kind = "box"
lower = [-1, -1]
upper = [1, 1]

[[domain.holes]]
kind = "circle"
centre = [0.4, 0.4]
radius = 0.2

[patches.inlet]
where = "x <= -1 and y > 0"

[physics]
kind = "poisson"
source = "1 + x*y"

[[conditions]]
kind = "dirichlet"
piece = ["left", "right", "hole 0 rim"]
value = "x"

[[conditions]]
kind = "robin"
piece = ["bottom", "top"]
coefficient = 2
value = 1.0
"""

# which configuration, what is replaced, by what, and what the message must say
FIELD_MISTAKES = {
    "unknown key": (BURGERS, "viscosity =", "viscosty =", ["line 8: physics.viscosty", "'viscosity'"]),
    "unknown table": (BURGERS, "[time]", "[tyme]", ["line 10", "'tyme'", "'time'"]),
    "key of another kind of table": (BURGERS, "upper = 1", "radius = 1", ["line 4: domain.radius", "lower, upper"]),
    "unknown equation": (BURGERS, '"burgers"', '"burger"', ["line 7: physics.kind", "Did you mean 'burgers'"]),
    "unknown domain": (BURGERS, '"interval"', '"line"', ["line 2: domain.kind", "'line'", "interval, box"]),
    "unknown condition": (BURGERS, '"dirichlet"', '"dirichlt"', ["line 18", "conditions[1].kind", "'dirichlet'"]),
    "condition without kind": (BURGERS, 'kind = "dirichlet"\n', "", ["line 17", "'kind' is missing", "neumann"]),
    "missing coefficient": (BURGERS, 'viscosity = "0.1/pi"\n', "", ["line 6: physics.viscosity", "missing", "ν"]),
    "missing piece": (BURGERS, 'piece = "all"', "", ["line 17: conditions[1].piece", "missing"]),
    "negative viscosity": (BURGERS, '"0.1/pi"', "-1", ["line 8: physics.viscosity", "-1 is not at least 0"]),
    "truth as a number": (BURGERS, '"0.1/pi"', "true", ["line 8", "a number or a formula", "True"]),
    "infinite number": (BURGERS, '"0.1/pi"', "inf", ["line 8", "finite"]),
    "unknown name": (BURGERS, "-sin(pi*x)", "-sin(pi*w)", ["line 15: conditions[0].value", "column 9", "'w'", "x"]),
    "unknown function": (BURGERS, "-sin(", "-sine(", ["line 15", "column 2", "'sine'", "Did you mean 'sin'"]),
    "formula that does not end": (BURGERS, "(pi*x)", "(pi*x", ["line 15", "column", "this is no formula"]),
    "python in a formula": (BURGERS, "-sin(pi*x)", "__import__('os').getcwd()", ["line 15", "column 1"]),
    "time in an initial value": (BURGERS, "pi*x)", "pi*x*t)", ["line 15", "column", "'t'"]),
    "formula without value": (BURGERS, "-sin(pi*x)", "log(x)", ["line 15", "no finite value at x = -", "whole"]),
    "y on the line": (BURGERS, "pi*x", "pi*y", ["line 15", "'y'"]),
    "no time": (BURGERS, "[time]\nend = 1.0\n", "", ["line 7: physics.kind", "no table [time]", "end ="]),
    "time upside down": (BURGERS, "end = 1.0", "end = -1.0", ["line 10: time", "start = 0 is not before end = -1"]),
    "no initial value": (
        BURGERS,
        '[[conditions]]\nkind = "initial"\nvalue = "-sin(pi*x)"\n',
        "",
        ["line 14: conditions", "u is not given at the first moment", '"initial"'],
    ),
    "no initial rate": (
        BURGERS,
        'kind = "burgers"\nviscosity = "0.1/pi"',
        'kind = "wave"\nspeed = 2.0',
        ["∂u/∂t is not given", "order = 1"],
    ),
    "no conditions": (BURGERS, BURGERS[BURGERS.index("[[") : BURGERS.index("[solve]")], "", ["conditions", "missing"]),
    "unknown piece": (BURGERS, '"all"', '"lft"', ["line 19: conditions[1].piece", "'lft'", "Did you mean 'left'"]),
    "unknown field": (BURGERS, 'piece = "all"', 'piece = "all"\nfield = "v"', ["line 20", "unknown 'v'", "u"]),
    "period joins what is held": (
        BURGERS,
        'value = "-sin(pi*x)"',
        'value = "-sin(pi*x)"\n[[conditions]]\nkind = "periodic"',
        ["line 19: conditions[2]", "joined", "Remove"],
    ),
    "axis that is not there": (
        BURGERS,
        'kind = "dirichlet"\npiece = "all"',
        'kind = "periodic"\naxis = "y"',
        ["line 19: conditions[1].axis", "no axis 'y'"],
    ),
    "interval upside down": (BURGERS, "lower = -1", "lower = 2", ["line 1: domain", "not below"]),
    "formula as a length": (BURGERS, "lower = -1", 'lower = "x"', ["line 3: domain.lower", "'x'"]),
    "burgers in the plane": (
        BURGERS,
        'kind = "interval"\nlower = -1\nupper = 1',
        'kind = "circle"\nradius = 1',
        ["physics.kind", "for 1 dimension", "has 2"],
    ),
    "few points": (BURGERS, "points = 200", "points = 10", ["line 23: solve.points", "64"]),
    "two values of one piece": (
        BURGERS,
        'piece = "all"',
        'piece = "all"\n[[conditions]]\nkind = "dirichlet"\npiece = "left"',
        ["conditions[2]", "'left'", "two values"],
    ),
    "key of heat in a part": (BURGERS, "points = 200", "first_cells = 2000", ["line 23: solve.first_cells", "points"]),
    "hole that is not inside": (HOLES, "[0.4, 0.4]", "[0.9, 0.4]", ["line 6: domain.holes[0]", "strictly inside"]),
    "hole of another dimension": (
        HOLES,
        'kind = "circle"\ncentre = [0.4, 0.4]',
        'kind = "sphere"',
        ["line 7: domain.holes[0].kind", "3 dimensions"],
    ),
    "hole without radius": (HOLES, "radius = 0.2", "", ["line 6: domain.holes[0].radius", "missing"]),
    "radius of nothing": (HOLES, "radius = 0.2", "radius = 0", ["line 9: domain.holes[0].radius", "greater than 0"]),
    "corners of two sizes": (HOLES, "[-1, -1]", "[-1, -1, -1]", ["line 1: domain", "3 numbers and upper has 2"]),
    "text in a corner": (HOLES, "[-1, -1]", '[-1, "left"]', ["line 3: domain.lower[1]", "'left'"]),
    "piece of a hole that is not there": (HOLES, "hole 0 rim", "hole 1 rim", ["line 20", "'hole 0 rim'"]),
    "time for a steady equation": (HOLES, "[patches", "[time]\nend = 1\n[patches", ["line 11: time", "no time"]),
    "initial value of a steady equation": (
        HOLES,
        '[[conditions]]\nkind = "robin"',
        '[[conditions]]\nkind = "initial"\n[[conditions]]\nkind = "robin"',
        ["line 23: conditions[1]", "no first moment"],
    ),
    "patch without comparison": (HOLES, "x <= -1 and y > 0", "x + y", ["line 12: patches.inlet.where", "Compare"]),
    "patch with a wrong name": (HOLES, "x <= -1", "r < 0.99", ["line 12", "column 1", "'r'"]),
    "patch without points": (HOLES, "x <= -1", "x < -5", ["line 12: patches.inlet.where", "no point"]),
    "patch with a sliver": (HOLES, "x <= -1 and y > 0", "x < -0.99", ["line 12", "small a part", "x <= -1"]),
    "patch named like a piece": (HOLES, "[patches.inlet]", "[patches.left]", ["line 11", "'left' is taken"]),
    "hard value on a patch": (HOLES, '"hole 0 rim"', '"inlet"', ["line 20", "'inlet'", "hard = false"]),
    "polygon that crosses itself": (
        HOLES,
        'kind = "box"\nlower = [-1, -1]\nupper = [1, 1]',
        'kind = "polygon"\nvertices = [[-1, -1], [1, 1], [1, -1], [-1, 1]]',
        ["line 3: domain.vertices", "edge 0 and edge 2"],
    ),
    "period around a hole": (
        HOLES,
        'kind = "robin"\npiece = ["bottom", "top"]\ncoefficient = 2\nvalue = 1.0',
        'kind = "periodic"\naxis = "y"',
        ["conditions[1]", "interval", "box without holes"],
    ),
    "no field of several": (
        HOLES,
        'kind = "poisson"\nsource = "1 + x*y"',
        'kind = "navier_stokes"\nviscosity = 1',
        ["conditions[0]", "u, v, p", 'field = "u"'],
    ),
    "velocity of three components": (
        HOLES,
        'kind = "poisson"\nsource = "1 + x*y"',
        'kind = "advection_diffusion"\nvelocity = [1, 0, 0]\ndiffusivity = 1\ntransient = false',
        ["line 16: physics.velocity", "3 components"],
    ),
    "matrix of one row": (HOLES, 'source = "1 + x*y"', "diffusivity = [[1]]", ["line 16: physics.diffusivity", "row"]),
    "matrix that is not positive": (
        HOLES,
        'source = "1 + x*y"',
        "diffusivity = [[1, 0], [0, -1]]",
        ["line 16: physics.diffusivity", "eigenvalue"],
    ),
    "mesh that is not there": (
        HOLES,
        HOLES[HOLES.index("kind") : HOLES.index("[patches")],
        'kind = "mesh"\nfile = "part.stl"\nunit = "mm"\n',
        ["line 3: domain.file", "'part.stl'"],
    ),
}  # fmt: skip
