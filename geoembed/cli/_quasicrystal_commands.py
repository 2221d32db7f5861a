"""`geoembed quasicrystal`: cuts, diffraction, approximants and dislocations, from the command line to files."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ._options import Json, Out, Quiet, Seed

app = typer.Typer(
    name="quasicrystal",
    help="Quasicrystals as slices of lattices: sites, diffraction, periodic approximants, dislocations.",
    no_args_is_help=True,
)

Name = Annotated[
    str,
    typer.Argument(help="fibonacci, ammann_beenker, penrose, dodecagonal or icosahedral.", metavar="MODEL"),
]
Files = Annotated[
    list[Path], typer.Argument(help="The files to write; their endings say what.", metavar="FILE...")
]
Scale = Annotated[
    float, typer.Option(help="Å: the edge of the tiles in the plane, the lattice constant in six dimensions.")
]
Centering = Annotated[str, typer.Option(help="Of the icosahedral lattice: P, F or I.")]
Shift = Annotated[
    str | None,
    typer.Option(help="Phason shift, such as 0.01,0.02; a generic one by default.", metavar="NUMBERS"),
]
Element = Annotated[
    str, typer.Option(help="Element of the sites, or one for each kind: Al,Mn.", metavar="SYMBOLS")
]
Axis = Annotated[
    int, typer.Option(help="In icosahedral pictures: the 2-, 3- or 5-fold axis along which one looks.")
]


@app.command()
def cut(
    model: Name,
    files: Files,
    radius: Annotated[float | None, typer.Option(help="Å: the sites in a ball around the origin.")] = None,
    box: Annotated[float | None, typer.Option(help="Å: the sites in a cube, half its edge.")] = None,
    scale: Scale = 1.0,
    centering: Centering = "P",
    shift: Shift = None,
    element: Element = "X",
    axis: Axis = 5,
    as_json: Json = False,
) -> None:
    """Write the sites of a quasicrystal with their perpendicular coordinates and lattice vectors.

    FILE ends in .csv, .extxyz, .xyz, .vtu or .png.
    """
    from ._quasicrystal_cut import write_cut

    _print(write_cut(model, files, radius, box, scale, centering, shift, element, axis), as_json)


@app.command()
def diffract(
    model: Name,
    files: Files,
    q_max: Annotated[
        float,
        typer.Option(help="Largest wave vector, rad/Å; by default 16/scale in the plane, 33/scale in space."),
    ] = 0.0,
    q_perp_max: Annotated[
        float, typer.Option(help="Largest perpendicular wave vector, in units of 1/lattice constant.")
    ] = 9.0,
    least: Annotated[
        float, typer.Option(help="Smallest intensity that is listed; that of Q = 0 is 1.")
    ] = 1e-4,
    scale: Scale = 1.0,
    centering: Centering = "P",
    axis: Axis = 5,
    as_json: Json = False,
) -> None:
    """Write Bragg reflections, the strongest first, with exact structure factors per site.

    FILE ends in .csv or .png. In the picture the areas of the spots are proportional to the intensity.
    """
    from ._quasicrystal_diffract import write_reflections

    _print(write_reflections(model, files, q_max, q_perp_max, least, scale, centering, axis), as_json)


@app.command()
def approximant(
    model: Name,
    period: Annotated[
        str,
        typer.Argument(
            help="p/q such as 2/1 (icosahedral), or lattice vectors that become periods: 3,2,0,-2;0,2,3,2",
            metavar="PERIODS",
        ),
    ],
    files: Files,
    cell: Annotated[
        float | None, typer.Option(help="Å: the length of the first cell vector, in place of --scale.")
    ] = None,
    scale: Scale = 1.0,
    shift: Shift = None,
    symmetric: Annotated[
        bool, typer.Option("--symmetric", help="Shift the slice to where the symmetry is highest.")
    ] = False,
    open_window: Annotated[
        bool,
        typer.Option(
            "--open", help="Leave out sites on the rim of the window (1/1 needs it to be symmetric)."
        ),
    ] = False,
    space_group: Annotated[
        bool, typer.Option("--space-group", help="Report the space group (extra spglib).")
    ] = False,
    element: Element = "X",
    as_json: Json = False,
) -> None:
    """Write a periodic approximant, one cell of it.

    FILE ends in .cif, .extxyz, .xyz, .csv or .vtu.
    """
    from ._quasicrystal_approximant import write_approximant

    chosen = {"shift": shift, "symmetric": symmetric, "open_window": open_window}
    _print(
        write_approximant(model, period, files, cell, scale, element, with_group=space_group, **chosen),
        as_json,
    )


@app.command()
def dislocation(
    model: Name,
    files: Files,
    burgers: Annotated[
        str, typer.Option(help="Burgers vector in the basis of the lattice: 1,-1,0,0,0,0", metavar="NUMBERS")
    ],
    line: Annotated[
        str | None, typer.Option(help="Direction of the line in space: 0,0,1", metavar="NUMBERS")
    ] = None,
    radius: Annotated[float, typer.Option(help="Å: the sites in a ball around the origin.")] = 6.0,
    core: Annotated[float, typer.Option(help="Å: sites nearer to the line are left out.")] = 0.8,
    branch: Annotated[float, typer.Option(help="Degrees: where the displacement is cut.")] = -180.0,
    phonon: Annotated[
        str | None,
        typer.Option(help="Phonon elastic constants; with them the field is elastic.", metavar="NUMBERS"),
    ] = None,
    phason: Annotated[str | None, typer.Option(help="Phason elastic constants.", metavar="NUMBERS")] = None,
    coupling: Annotated[str | None, typer.Option(help="Coupling constants.", metavar="NUMBERS")] = None,
    scale: Scale = 1.0,
    shift: Shift = None,
    element: Element = "X",
    as_json: Json = False,
) -> None:
    """Write the sites around a straight dislocation, made by displacing the lattice in all dimensions.

    FILE ends in .csv, .extxyz, .xyz, .vtu or .png.
    """
    from ._quasicrystal_dislocation import write_dislocation

    constants = {"phonon": phonon, "phason": phason, "coupling": coupling}
    _print(
        write_dislocation(
            model, files, burgers, line, radius, core, branch, constants, scale, shift, element
        ),
        as_json,
    )


@app.command()
def refine(
    config: Annotated[Path, typer.Argument(help="A TOML configuration file.")],
    out: Out = None,
    seed: Seed = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Refine windows, positions, amplitudes, Debye–Waller factors and phason strain against measured intensities.

    report.json and refined.csv go to the folder CONFIG-result, or to --out. Exit code 1 when the best start has not
    converged.
    """
    from ._quasicrystal_refine import refinement_lines, run_refinement

    folder = out or config.with_name(f"{config.stem}-result")
    report = run_refinement(config, folder, seed=seed, quiet=quiet)
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo("\n".join(refinement_lines(report, folder)))
    if report["status"] != "converged":
        raise typer.Exit(1)


def _print(report: dict[str, Any], as_json: bool) -> None:
    from ._inspect import as_text

    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else as_text(report))
