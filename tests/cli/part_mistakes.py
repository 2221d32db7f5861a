"""Configurations of elastic parts and of unknown numbers, mistakes in them, and what the message must say."""

ELASTIC = """\
[part]
mesh = "box.stl"
unit = "mm"

[patches.wall]
facing = [-1, 0, 0]

[patches.top]
facing = [0, 0, 1]

[physics]
kind = "steady_elasticity"
young = 210e9
poisson = 0.3

[[conditions]]
patch = "wall"
displacement = [0, 0, 0]

[[conditions]]
patch = "top"
traction = [0, 0, -1e6]

[solve]
cells = 1000
"""

INVERSE = """\
[part]
mesh = "box.stl"
unit = "mm"

[patches.left]
facing = [-1, 0, 0]

[patches.right]
facing = [1, 0, 0]

[physics]
kind = "steady_heat"
conductivity = 5.0

[[conditions]]
patch = "left"
flux = 4000.0

[[conditions]]
patch = "right"
convection = { h = 10.0, ambient = 300.0 }

[sensors]
file = "sensors.csv"
sigma = 0.5

[[unknown]]
name = "conductivity"
bounds = [1.0, 1.5]

[[unknown]]
name = "right.h"

[solve]
cells = 1000
"""

# what is replaced, by what, and what the message must say
ELASTIC_MISTAKES = {
    "misspelt material": ("young =", "yung =", ["line 13: physics.yung", "Did you mean 'young'"]),
    "no Poisson's ratio": ("poisson = 0.3\n", "", ["line 11: physics.poisson", "missing", "Poisson's ratio"]),
    "incompressible": ("poisson = 0.3", "poisson = 0.5", ["line 14: physics.poisson", "0.49"]),
    "negative modulus": ("210e9", "-1", ["line 13: physics.young", "greater than 0"]),
    "kind of the solid misspelt": ('"steady_elasticity"', '"elastisity"', ["line 12", "elasticity"]),
    "kind of the solid missing": ('kind = "steady_elasticity"\n', "", ["line 11: physics.kind", "missing"]),
    "key of heat": ("traction = [0, 0, -1e6]", "flux = 1.0", ["line 22: conditions[1].flux", "traction"]),
    "two components": ("[0, 0, -1e6]", "[0, 0]", ["line 22: conditions[1].traction", "at least 3"]),
    "displacement of two": ("[0, 0, 0]", "[0, 0]", ["line 18: conditions[0].displacement", "three components"]),
    "displacement in words": ("[0, 0, 0]", '[0, 0, "loose"]', ["line 18", 'number in m or "free"']),
    "displacement without end": ("[0, 0, 0]", "[0, 0, inf]", ["line 18", 'number in m or "free"']),
    "nothing held": ("[0, 0, 0]", '["free", "free", "free"]', ["line 16", "holds no component"]),
    "condition without load": ("traction = [0, 0, -1e6]", "", ["line 20", "displacement, traction, pressure"]),
    "held on springs": ("[0, 0, 0]", "[0, 0, 0]\nfoundation = [1, 1, 1]", ["line 16", "held and stand"]),
    "spring that pushes": ("traction = [0, 0, -1e6]", "foundation = [0, 0, -1]", ["line 22", "foundation[2]"]),
    "part that floats": ("displacement = [0, 0, 0]", "pressure = 1.0", ["rigid motion", "displacement or foundation"]),
    "part that slides": ("[0, 0, 0]", '[0, "free", "free"]', ["rigid motion", "displacement or foundation"]),
    "unknown patch": ('"top"', '"tip"', ["line 21: conditions[1].patch", "'tip'", "'top'"]),
    "plane beside the part": ("[solve]", "[output.slices]\nz = 11\n[solve]", ["line 25", "z = 11 misses", "to 10 mm"]),
    "plane of another axis": ("[solve]", "[output.slices]\nw = 1\n[solve]", ["line 25", "'w'", "x, y, z"]),
    "sensors in a solid": ("[solve]", "[sensors]\nfile = 'a'\n[solve]", ["line 24", "'sensors'"]),
    "unknown table": ("[solve]", "[time]\n[solve]", ["line 24", "'time'"]),
    "too many cells": ("1000", "1e9", ["line 25: solve.cells"]),
}  # fmt: skip

INVERSE_MISTAKES = {
    "unknown number": ('"right.h"', '"rigt.h"', ["line 32: unknown[1].name", "Did you mean 'right.h'"]),
    "number of an insulated patch": ('"right.h"', '"left.h"', ["line 32", "no such number", "left.flux"]),
    "number twice": ('"right.h"', '"conductivity"', ["line 32: unknown[1].name", "twice"]),
    "key of the start": ("bounds =", "start =", ["line 29: unknown[0].start", "no key 'start'", "prior, bounds"]),
    "bounds upside down": ("[1.0, 1.5]", "[1.5, 1.0]", ["line 27: unknown[0]", "not below"]),
    "one bound": ("[1.0, 1.5]", "[1.0]", ["line 29: unknown[0].bounds", "at least 2"]),
    "prior without sigma": ("bounds = [1.0, 1.5]", "prior = { value = 1 }", ["line 29", "'sigma' is missing"]),
    "prior below zero": (
        "bounds = [1.0, 1.5]",
        "prior = { value = -1, sigma = 1 }",
        ["line 29: unknown[0].prior", "standard deviation"],
    ),
    "noise of zero": ("sigma = 0.5", "sigma = 0", ["line 25: sensors.sigma", "greater than 0"]),
    "file that is not there": ('"sensors.csv"', '"sensor.csv"', ["line 24", "Did you mean 'sensors.csv'"]),
    "file with an endless name": ('"sensors.csv"', f'"{"s" * 5000}.csv"', ["line 24: sensors.file", "no file"]),
    "file that is the folder": ('"sensors.csv"', '"."', ["."]),
    "sensors for nothing": (INVERSE[INVERSE.index("[[unknown") : INVERSE.index("[solve")], "", ["[[unknown]]"]),
    "nothing to find from": ('[sensors]\nfile = "sensors.csv"\nsigma = 0.5\n', "", ["add [sensors]"]),
    "first guess of zero": ("h = 10.0", "h = 0.0", ["no patch fixes the level"]),
}  # fmt: skip

GOOD = "x,y,z,temperature\n5,10,5,500\n25,10,5,450\n"

# the file of the sensors, and what the message must say
SENSOR_MISTAKES = {
    "empty": ("", ["sensors.csv", "empty"]),
    "only names": ("x,y,z,temperature\n", ["no sensor"]),
    "missing column": (GOOD.replace(",temperature", ",T"), ["line 1", "no column 'temperature'"]),
    "unknown column": (GOOD.replace("temperature", "temperature,w"), ["line 1", "'w' is unknown"]),
    "text": (GOOD.replace("450", "warm"), ["line 3", "'warm'", "finite number"]),
    "nan": (GOOD.replace("450", "nan"), ["line 3", "'nan'"]),
    "below absolute zero": (GOOD.replace("450", "-4"), ["sensor 2", "temperature in K"]),
    "decimal commas": (GOOD.replace("450", "450,5"), ["line 3", "5 values for 4 columns"]),
    "outside": (GOOD.replace("25,10", "25,100"), ["sensors 2", "outside the part", "(mm)"]),
    "in metres": ("x,y,z,temperature\n0.5,1,90,500\n", ["sensors 1", "outside the part"]),
    "noise twice": ("x,y,z,temperature,sigma\n5,10,5,500,1\n", ["line 25: sensors.sigma", "column sigma"]),
    "noise of zero": ("x,y,z,temperature,sigma\n5,10,5,500,0\n", ["sensor 1", "sigma"]),
    "not text": ("PK\x03\x04...", ["ZIP"]),
}
