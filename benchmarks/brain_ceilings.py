"""Three noise ceilings against a planted one as participants and stimuli grow: a table, and with --svg a figure.

`python -m benchmarks brain_ceilings [--quick]`; `python -m benchmarks.brain_ceilings --svg docs/explain/ceilings.svg`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr

from tuneshift.brain.ceilings import noise_ceiling
from tuneshift.brain.partition import partition
from tuneshift.human import Recording

ESTIMATES = {"leave_one_out": "#0072b2", "split_half": "#d55e00", "extrapolated": "#009e73"}
SHARES = (0.5, 0.2)


def people(share: float, n_participants: int, n_stimuli: int, seed: int, n_regions: int = 5) -> xr.DataArray:
    """Regions of which `share` of the variance is common to all: the best possible r is its root."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((n_stimuli, 1, n_regions))
    own = rng.standard_normal((n_stimuli, n_participants, n_regions))
    values = (np.sqrt(share) * common + np.sqrt(1 - share) * own).reshape(n_stimuli, -1)
    coords = {
        "participant": ("target", [f"p{i}" for i in range(n_participants) for _ in range(n_regions)]),
        "region": ("target", [f"r{i}" for _ in range(n_participants) for i in range(n_regions)]),
    }
    return xr.DataArray(values, dims=("stimulus", "target"), coords=coords)


def estimates(share: float, n_participants: int, n_stimuli: int) -> dict[str, float]:
    data = people(share, n_participants, n_stimuli, seed=n_participants * 10_000 + n_stimuli)
    cut = partition(Recording("planted", data), "contiguous")
    return {name: float(np.nanmean(noise_ceiling(name, data, cut).values)) for name in ESTIMATES}  # type: ignore[arg-type]


def figure(curves: dict[tuple[str, float], tuple[list[int], list[dict[str, float]]]]) -> str:
    """Two panels (participants, stimuli); a line an estimate and share, the planted ceiling dashed."""
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 330" font-family="sans-serif" font-size="12">']
    parts.append('<rect width="760" height="330" fill="white"/>')
    for panel, axis in enumerate(("participants", "stimuli")):
        left = 60 + 370 * panel
        for tick in np.arange(0, 0.81, 0.2):
            y = 270 - 290 * tick
            parts.append(f'<line x1="{left}" x2="{left + 300}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
            parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.1f}</text>')
        for share in SHARES:
            sizes, found = curves[axis, share]
            x = [left + 300 * (np.log(s) - np.log(sizes[0])) / (np.log(sizes[-1]) - np.log(sizes[0])) for s in sizes]
            y = 270 - 290 * np.sqrt(share)
            parts.append(
                f'<line x1="{left}" x2="{left + 300}" y1="{y:.1f}" y2="{y:.1f}" stroke="black" stroke-dasharray="5 4"/>'
            )
            for name, colour in ESTIMATES.items():
                points = " ".join(f"{a:.1f},{270 - 290 * f[name]:.1f}" for a, f in zip(x, found, strict=True))
                parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
            if share == SHARES[0]:
                parts += [
                    f'<text x="{a:.1f}" y="288" text-anchor="middle">{s}</text>' for a, s in zip(x, sizes, strict=True)
                ]
        fixed = "1,000 stimuli" if panel == 0 else "12 participants"
        parts.append(f'<text x="{left + 150}" y="306" text-anchor="middle">{axis} ({fixed})</text>')
    parts.append('<text x="14" y="20">ceiling r</text>')
    for place, (name, colour) in enumerate(ESTIMATES.items()):
        x = 130 + 150 * place
        parts.append(f'<line x1="{x}" x2="{x + 22}" y1="16" y2="16" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{x + 28}" y="20">{name.replace("_", " ")}</text>')
    parts.append('<line x1="580" x2="602" y1="16" y2="16" stroke="black" stroke-dasharray="5 4"/>')
    parts.append('<text x="608" y="20">planted</text></svg>')
    return "\n".join(parts) + "\n"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks brain_ceilings", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--svg", type=Path)
    options = parser.parse_args(argv)
    sizes = {"participants": [3, 4, 6, 8, 12, 16], "stimuli": [50, 100, 200, 500, 1000]}
    if options.quick:
        sizes = {"participants": [3, 6], "stimuli": [50, 100]}
    curves = {}
    for axis, steps in sizes.items():
        for share in SHARES:
            found = [
                estimates(share, s if axis == "participants" else 12, s if axis == "stimuli" else 1000) for s in steps
            ]
            curves[axis, share] = (steps, found)
            print(f"{axis}, planted ceiling {np.sqrt(share):.3f}")
            for step, values in zip(steps, found, strict=True):
                print(f"  {step:5} " + "  ".join(f"{name} {value:.3f}" for name, value in values.items()), flush=True)
    if options.svg:
        options.svg.parent.mkdir(parents=True, exist_ok=True)
        options.svg.write_text(figure(curves), encoding="utf-8")


if __name__ == "__main__":
    main()
