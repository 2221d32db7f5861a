"""The command line."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..core import GeoembedError
from . import _atoms_commands as atoms
from . import _quasicrystal_commands as quasicrystal
from ._options import Json, Out, Quiet, Resume, Seed

app = typer.Typer(
    name="geoembed",
    help="Physics and geometry embeddings: heat and elasticity in parts, equations, atoms, quasicrystals.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(atoms.train)
app.command()(atoms.finetune)
app.command()(atoms.evaluate)
app.command()(atoms.describe)
app.command()(atoms.select)
app.add_typer(quasicrystal.app)


def main() -> None:
    """Runs the command line; a mistake in the input ends with one message and exit code 2."""
    try:
        app()
    except GeoembedError as error:
        typer.echo(f"geoembed: {error}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        typer.echo("geoembed: interrupted", err=True)
        raise SystemExit(130) from None


@app.command()
def demo(
    out: Out = None, seed: Seed = 0, resume: Resume = False, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Solve heat conduction in the bundled heat sink and compare with finite elements."""
    from ._demo import run_demo

    folder = out or Path("geoembed-demo")
    _finish(lambda: run_demo(folder, seed=seed, resume=resume, quiet=quiet), folder, as_json)


@app.command()
def solve(
    config: Annotated[Path, typer.Argument(help="A TOML configuration file.")],
    out: Out = None,
    resume: Resume = False,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, help="Decides all random choices; 0 by default.")
    ] = None,
    certify: Annotated[
        bool, typer.Option("--certify", help="Judge the answer by finite elements (extra fem).")
    ] = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Solve what a configuration file describes: heat in a part, also in time or with numbers to be found from sensors;
    an elastic part; an equation in a domain. Results go to the folder CONFIG-result, or to --out.
    """
    from ._run import run

    folder = out or config.with_name(f"{config.stem}-result")
    _finish(
        lambda: run(config, folder, seed=seed, resume=resume, with_fem=certify, quiet=quiet), folder, as_json
    )


@app.command()
def inspect(
    file: Annotated[
        Path, typer.Argument(help="A mesh (STL, OBJ, PLY, OFF, GLB), frames (extxyz, npz), or a potential.")
    ],
    unit: Annotated[
        str | None, typer.Option(help="Unit of a mesh's coordinates: m, cm, mm, um, in, ft.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is in a file, what is wrong with it, and what loading it will do about that."""
    from ._inspect import as_text, inspect_file

    report = inspect_file(file, unit)
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else as_text(report))


@app.command()
def repair(
    file: Annotated[Path, typer.Argument(help="A mesh (STL, OBJ, PLY, OFF, GLB).")],
    out: Annotated[Path, typer.Argument(help="The STL file to write.")],
    merge: Annotated[
        float | None,
        typer.Option(min=0, help="Vertices nearer than this become one (in the file's numbers)."),
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Drop faces without area and repeated faces.")] = False,
    fix_winding: Annotated[
        bool, typer.Option("--fix-winding", help="Neighbours agree, closed parts face outwards.")
    ] = False,
    fill_holes: Annotated[int, typer.Option(min=0, help="Fill holes of up to so many edges.")] = 0,
    largest_hole: Annotated[
        float, typer.Option(min=0, help="Fill no hole whose box has a longer diagonal.")
    ] = math.inf,
    as_json: Json = False,
) -> None:
    """Do the repairs that are named, and say what changed. Exit code 1 when the result is not closed."""
    from ._inspect import as_text
    from ._repair import repair_file

    report = repair_file(
        file,
        out,
        merge=merge,
        drop=drop,
        fix_winding=fix_winding,
        fill_holes=fill_holes,
        largest_hole=largest_hole,
    )
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else as_text(report))
    if not report["written"]["sign_reliable"]:
        raise typer.Exit(1)


@app.command()
def card(
    path: Annotated[Path, typer.Argument(help="A folder that geoembed.save wrote, or a mesh file.")],
    unit: Annotated[
        str | None, typer.Option(help="Unit of a mesh's coordinates: m, cm, mm, um, in, ft.")
    ] = None,
    items: Annotated[
        Path | None, typer.Option(help="A .npy file, one item a row; by default the encoder's own examples.")
    ] = None,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Measure what an encoder promises and what every encoder owes. Exit code 1 when something fails."""
    from ._card import card_of_file, progress

    measured = card_of_file(path, unit, items, seed, progress())
    about = {"file": str(path), "seed": seed}
    text = json.dumps(about | measured.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
    typer.echo(text if as_json else measured.to_text())
    if not measured.passed:
        raise typer.Exit(1)


@app.command()
def convert(
    source: Annotated[
        Path, typer.Argument(help="A model of mace-torch, or the folder of a potential with --to mace-torch.")
    ],
    out: Annotated[Path, typer.Argument(help="The folder, or the .model file, to write.")],
    to: Annotated[str, typer.Option("--to", help="geoembed or mace-torch.")] = "geoembed",
    as_json: Json = False,
) -> None:
    """Turn a model of mace-torch into a potential, or a potential into a model of mace-torch (extra mace).

    Reading a model of mace-torch unpickles it: convert only files that you trust.
    """
    from ._convert import convert_file
    from ._inspect import as_text

    report = convert_file(source, out, to, lambda line: typer.echo(f"geoembed: {line}", err=True))
    typer.echo(json.dumps(report, indent=2, ensure_ascii=False) if as_json else as_text(report))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def _finish(work: Any, folder: Path, as_json: bool) -> None:
    """Runs, prints the result on stdout, turns an interruption or a failed certificate into an exit code."""
    from ._run import Interrupted
    from ._summary import summary

    try:
        report = work()
    except Interrupted as stopped:
        typer.echo(f"geoembed: {stopped}", err=True)
        raise typer.Exit(130) from None
    if as_json:
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    else:
        typer.echo(summary(report, folder))
    verdict = (report["fem"] or {}).get("status")
    found = report.get("identified", {}).get("status")
    if "diverged" in (report["status"], found) or verdict == "failed":
        raise typer.Exit(1)
