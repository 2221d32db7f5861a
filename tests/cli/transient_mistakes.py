"""A configuration of heat in a part in time, mistakes in it, and what the message must say."""

TRANSIENT = """\
[part]
mesh = "box.stl"
unit = "mm"

[patches.base]
facing = [0, 0, -1]

[physics]
kind = "transient_heat"
conductivity = 200.0
capacity = 2.4e6

[time]
end = 60

[initial]
temperature = 300.0

[[conditions]]
patch = "base"
flux = [[0, 0], [20, 4000], [60, 4000]]

[[conditions]]
patch = "rest"
convection = { h = 50.0, ambient = "300 + 5*sin(pi*t/60)" }

[solve]
cells = 1000
"""

FLUX = "flux = [[0, 0], [20, 4000], [60, 4000]]"

# what is replaced, by what, and what the message must say
TRANSIENT_MISTAKES = {
    "misspelt capacity": ("capacity =", "capcity =", ["line 11: physics.capcity", "Did you mean 'capacity'"]),
    "no capacity": ("capacity = 2.4e6\n", "", ["line 8: physics.capacity", "missing", "specific heat"]),
    "capacity of zero": ("2.4e6", "0", ["line 11: physics.capacity", "greater than 0"]),
    "capacity below zero": ("2.4e6", '"2e6 - 1e6*x"', ["line 11: physics.capacity", "not a positive number"]),
    "k of the temperature": (
        "conductivity = 200.0",
        "conductivity_table = [[300, 1], [400, 2]]",
        ["line 8: physics", "depend on the temperature", "give conductivity"],
    ),
    "kind missing": ('kind = "transient_heat"\n', "", ["line 8: physics.kind", "'kind' is missing"]),
    "kind of a domain": ('"transient_heat"', '"transient"', ["line 9", "Did you mean 'transient_heat'"]),
    "no time": ("[time]\nend = 60\n", "", ["time", "'time' is missing", "span of time"]),
    "no end": ("end = 60", "start = 0", ["line 13: time.end", "missing", "last moment"]),
    "time backwards": ("end = 60", "end = -1", ["line 13: time", "start = 0 is not before end = -1"]),
    "no first temperature": ("[initial]\ntemperature = 300.0\n", "", ["'initial' is missing"]),
    "first temperature misspelt": ("temperature = 300.0", "value = 300.0", ["line 17", "temperature"]),
    "first temperature below zero": (
        "temperature = 300.0",
        'temperature = "x - 20"',
        ["line 17: initial.temperature", "is no temperature", "at ("],
    ),
    "first temperature in time": ("temperature = 300.0", 'temperature = "300 + t"', ["line 17", "there is no 't'"]),
    "ambient of the place": ("sin(pi*t/60)", "sin(pi*x)", ["line 25: conditions[1]", "no 'x' here", "t"]),
    "ambient that is no number": ("sin(pi*t/60)", "log(-1 - t)", ["line 23: conditions[1]", "nan", "finite", "at 0 s"]),
    "flux in words": ("[[0, 0], [20, 4000], [60, 4000]]", '"strong"', ["line 21: conditions[0].flux", "'strong'"]),
    "flux of one pair": ("[[0, 0], [20, 4000], [60, 4000]]", "[[0, 1]]", ["line 21", "at least two pairs"]),
    "flux of triples": ("[[0, 0], [20", "[[0, 0, 0], [20", ["line 21", "pairs of s and value"]),
    "moments that go back": ("[20, 4000]", "[0, 4000]", ["line 21", "must increase"]),
    "formula in a pair": ("[20, 4000]", '[20, "t"]', ["line 21", "are numbers"]),
    "held below zero": (FLUX, "temperature = [[0, 1], [1, -1]]", ["line 21", "at least 0"]),
    "held and heated": ("flux =", "temperature = 300.0\nflux =", ["line 19", "cannot carry"]),
    "condition without content": (FLUX, "", ["line 19", "flux, convection"]),
    "h in time": ("h = 50.0", 'h = "50 + t"', ["line 25", "convection.h", "the same at all times"]),
    "radiation": ("convection = {", "radiation = {", ["line 23: conditions[1]", "does not radiate yet", "convection"]),
    "unknown patch": ('"base"', '"bas"', ["line 20: conditions[0].patch", "'bas'", "Did you mean 'base'"]),
    "picture after the end": (
        "[solve]", "[output]\ntimes = [10, 61]\n[solve]", ["line 28: output.times", "61 s", "to 60 s"],
    ),
    "seven pictures": (
        "[solve]", "[output]\ntimes = [1, 2, 3, 4, 5, 6, 7]\n[solve]", ["line 28: output.times", "at most 6"],
    ),
    "plane beside the part": ("[solve]", "[output.slices]\nz = 11\n[solve]", ["line 28", "z = 11 misses"]),
    "sensors in time": ("[solve]", "[sensors]\nfile = 'a'\n[solve]", ["line 27", "'sensors'", "conditions"]),
}  # fmt: skip
