"""Configurations with regions, own equations, networks and moved patches; mistakes in them."""

WALL = """\
[domain]
kind = "interval"
lower = 0.0
upper = 0.24

[physics]
kind = "heat"
conductivity = 1.5

[[regions]]
name = "brick"
shape = { kind = "interval", lower = 0.0, upper = 0.12 }
physics = { kind = "heat", conductivity = 0.8 }

[[regions]]
name = "wool"

[regions.shape]
kind = "interval"
lower = 0.12
upper = 0.22

[regions.physics]
kind = "heat"
conductivity = 0.04

[[conditions]]
kind = "dirichlet"
piece = "left"
value = { brick = 20.0, wool = 0.0, rest = "1 + x" }

[[conditions]]
kind = "dirichlet"
piece = "right"
value = -5.0

[[conditions]]
kind = "interface"
between = ["brick", "wool"]
resistance = 0.5
"""

OWN = """\
[domain]
kind = "box"
lower = [0, 0]
upper = [1, 1]

[physics]
kind = "own"
flux = ["(1 + u**2)*u_x", "(1 + u**2)*u_y"]
balance = "-10"

[[conditions]]
kind = "dirichlet"
piece = "all"

[solve]
form = "weak"
"""

TRAINED = """\
[domain]
kind = "interval"
lower = 0
upper = 1

[physics]
kind = "own"
residual = "u_t - 0.1*u_xx - u*(1 - u)"
transient = true

[time]
end = 0.5

[[conditions]]
kind = "initial"
value = "cos(pi*x)"

[solve]
tolerance = 0.5

[training]
kind = "first_order"
optimiser = "adam"
steps = 40
points = 64
report = 10
windows = 2

[network]
kind = "pirate_net"
width = 4
blocks = 1
"""

ROD = """\
[part]
mesh = "box.stl"
unit = "mm"

[patches.left]
facing = [-1, 0, 0]

[patches.right]
facing = [1, 0, 0]

[physics]
kind = "steady_heat"
conductivity = 2.0

[[conditions]]
patch = "left"
temperature = 400.0

[[conditions]]
patch = "right"
convection = { h = 50.0, ambient = 300.0 }

[shape]
functional = "mean"
over = "right"
cells = 300

[[shape.moves]]
patch = "right"

[[shape.moves]]
name = "left end"
patch = "left"
direction = [2, 1, 0]

[solve]
cells = 1000
"""

# which configuration, what is replaced, by what, and what the message must say
REGION_MISTAKES = {
    "equation of a region": (WALL, '"heat", conductivity', '"heet", conductivity', ["regions[0].physics.kind", "heat"]),
    "coefficient of a region": (WALL, "conductivity = 0.04", "conductivity = -1", ["line 25: regions[1].physics.cond"]),
    "shape of a region": (WALL, "lower = 0.12\n", "lower = 1\n", ["line 18: regions[1].shape", "not below"]),
    "region in the plane": (
        WALL,
        'kind = "interval"\nlower = 0.12\nupper = 0.22',
        'kind = "circle"\nradius = 1',
        ["line 18: regions[1].shape", "dimension"],
    ),
    "region named like the rest": (WALL, 'name = "wool"', 'name = "rest"', ["line 16: regions[1].name", "taken"]),
    "region with time": (WALL, "= 0.04", "= 0.04\ncapacity = 1", ["regions[1].physics", "time"]),
    "region with other unknowns": (
        WALL,
        '"heat", conductivity = 0.8',
        '"poisson"',
        ["line 13: regions[0].physics", "unknowns u"],
    ),
    "value without a region": (WALL, "wool = 0.0, ", "", ["line 30: conditions[0].value", "no value for 'wool'"]),
    "value of no region": (WALL, "wool = 0.0", "wol = 0.0", ["line 30", "'wol'", "Did you mean 'wool'"]),
    "formula of a region": (WALL, '"1 + x"', '"1 + y"', ["line 30: conditions[0].value.rest", "column 5", "'y'"]),
    "contact of no region": (WALL, '"brick", "wool"]', '"brick", "wol"]', ["line 39: conditions[2].between", "'wool'"]),
    "contact of one region": (WALL, '"brick", "wool"]', '"brick", "brick"]', ["line 39", "the same"]),
    "regions that do not meet": (WALL, '"brick", "wool"]', '"brick", "rest"]', ["line 37: conditions[2]", "not meet"]),
    "contact without regions": (
        WALL,
        WALL[WALL.index("[[regions]]") : WALL.index("[[conditions]]")],
        "",
        ["conditions[0].value", "no regions"],
    ),
    "weak form of regions": (WALL, "= 0.5\n", '= 0.5\n[solve]\nform = "weak"\n', ["solve.form", "Materials is not"]),
    "neither residual nor balance": (OWN, 'balance = "-10"\n', "", ["line 6: physics", "residual and balance"]),
    "balance without flux": (OWN, OWN[OWN.index("flux") : OWN.index("balance")], "", ["line 6: physics", "give flux"]),
    "flux of one component": (OWN, ', "(1 + u**2)*u_y"', "", ["line 8: physics.flux", "1 components"]),
    "second derivative in a flux": (OWN, "*u_y", "*u_yy", ["line 8: physics.flux", "order 2"]),
    "derivative along no axis": (OWN, "*u_y", "*u_z", ["physics.flux", "there is no 'u_z'"]),
    "two balances": (OWN, '"-10"', '["-10", "u"]', ["line 9: physics.balance", "2 formulas for 1 unknowns"]),
    "unknown named like a coordinate": (OWN, "balance =", 'unknowns = "x"\nbalance =', ["physics.unknowns", "taken"]),
    "weak form of a residual": (
        OWN,
        OWN[OWN.index("flux") : OWN.index("\n\n[[")],
        'residual = "u_xx + u_yy"',
        ["solve.form", "no weak form", "flux and balance"],
    ),
    "form that is none": (OWN, '"weak"', '"week"', ["line 16: solve.form", "'weak'"]),
    "weak form of a coefficient that varies": (
        OWN,
        OWN[OWN.index('kind = "own"') : OWN.index("\n\n[[")],
        'kind = "allen_cahn"\ndiffusivity = "1 + x"\n[time]\nend = 1\n[[conditions]]\nkind = "initial"',
        ["solve.form", "constant diffusivity"],
    ),
    "no derivative in time": (TRAINED, "value =", "order = 1\nvalue =", ["u is not given at the first moment"]),
    "fifth derivative": (TRAINED, "u_xx", "u_xxxxx", ["line 8: physics.residual", "order 5", "up to 4"]),
    "training that is none": (TRAINED, '"first_order"', '"second_order"', ["training.kind", "first_order"]),
    "optimiser that is none": (TRAINED, '"adam"', '"adm"', ["line 23: training.optimiser", "Did you mean 'adam'"]),
    "rate of a line search": (TRAINED, '"adam"', '"lbfgs"\nrate = 1e-3', ["line 21: training", "line search"]),
    "fewer steps than windows": (TRAINED, "steps = 40", "steps = 1", ["line 21: training", "2 windows"]),
    "points said twice": (TRAINED, "= 0.5\n\n[tr", "= 0.5\npoints = 99\n\n[tr", ["line 20: solve.points", "[training"]),
    "width said twice": (TRAINED, "= 0.5\n\n[tr", "= 0.5\nwidth = 9\n\n[tr", ["line 20: solve.width", "[network]"]),
    "weak form by gradients": (TRAINED, "= 0.5\n\n[tr", '= 0.5\nform = "weak"\n\n[tr', ["solve.form", "strong form"]),
    "odd width": (TRAINED, "width = 4", "width = 5", ["line 29: network", "odd"]),
}  # fmt: skip

SHAPE_MISTAKES = {
    "patch that is not there": ('over = "right"', 'over = "rigt"', ["line 25: shape.over", "Did you mean 'right'"]),
    "motion of no patch": ('patch = "left"\nd', 'patch = "lft"\nd', ["line 33: shape.moves[1].patch", "'left'"]),
    "no direction": ("[2, 1, 0]", "[0, 0, 0]", ["line 34: shape.moves[1].direction", "no direction"]),
    "two motions of one name": ('"left end"', '"right"', ["line 31: shape.moves[1]", "two motions"]),
    "nothing moves": (ROD[ROD.index("[[shape") : ROD.index("[solve]")], "moves = []\n", ["line 23: shape", "nothing"]),
    "width of a mean": ("cells = 300", "width = 1.0", ["line 23: shape", "no width"]),
    "radiation": ("300.0 }", "300.0 }\nradiation = { emissivity = 1, ambient = 300 }", ["line 24: shape", "radiation"]),
}  # fmt: skip
