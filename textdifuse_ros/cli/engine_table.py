"""What `textdifuse bench --engines` measured, as lines for a terminal or as a table for a document."""

from __future__ import annotations

from typing import Any

_HEAD = (
    "engine",
    "steps",
    "model p50 ms",
    "p95 ms",
    "frames/s",
    "of the peak",
    "faster by",
    "memory MB",
    "off p99",
)


def table(report: dict[str, Any]) -> str:
    lines = [f"{name:<10} {value}" for name, value in report.items() if name != "engines"]
    lines.append(
        "engine   dtype steps  built s  model p50  total p50   p95 ms  speed-up  peak  off p99  most"
    )
    for row in report["engines"]:
        head = f"{row['engine']:<8} {row['dtype']:<5}"
        if "refused" in row:
            lines.append(f"{head}  {row['refused']}")
            continue
        times = [row["model_ms"]["p50"], row["total_ms"]["p50"], row["total_ms"]["p95"]]
        cells = "{:>5} {:>8.1f} {:>10.1f} {:>10.1f} {:>8.1f} {:>9.2f} {:>5.0%} {:>8.1f} {:>5.0f}".format(
            row["steps"], row["build_s"], *times, row["speed_up"], row["peak_share"],
            row["off_p99"], row["off_most"],
        )  # fmt: skip
        lines.append(f"{head} {cells}{'' if row['right'] else '  wrong'}")
    return "\n".join(lines)


def markdown(report: dict[str, Any]) -> str:
    """A sentence that says where and how, and the table. Frames a second are of the whole way of an image
    through the engine, with two frames under way where the engine can do that."""
    rows = [row for row in report["engines"] if "refused" not in row]
    macs = {row["steps"]: row["macs"] / 1e9 for row in rows}
    counts = ", ".join(f"{value:.1f} GMAC for {steps}" for steps, value in sorted(macs.items()))
    peaks = {f"{row['peak_gmac_s']:.0f} GMAC/s in {row['dtype']}" for row in rows}
    lines = [
        f"{report['machine']}, {report['threads']} threads, {report['size']}, {report['runs']} images each "
        f"in turn, weights `{report['weights']}`. Steps: {counts}. A large matrix product reaches "
        f"{', '.join(sorted(peaks))} in the same run.",
        "",
        f"| {' | '.join(_HEAD)} |",
        f"|{'---|' * len(_HEAD)}",
        *(_line(row) for row in sorted(rows, key=lambda row: int(row["steps"]))),
    ]
    for row in report["engines"]:
        if "refused" in row:
            lines += ["", f"`{row['engine']}` not here: {row['refused']}"]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    memory = f"{row['memory_mb']:.0f}"
    if row["device"] != "cpu":
        memory += f" + {row['device_memory_mb']:.0f} on the device"
    cells = (
        f"`{row['engine']}` {row['dtype']}",
        str(row["steps"]),
        f"{row['model_ms']['p50']:.1f}",
        f"{row['model_ms']['p95']:.1f}",
        f"{row.get('streamed_fps', row['fps']):.1f}",
        f"{row['peak_share']:.0%}",
        f"{row['speed_up']:.2f}",
        memory,
        f"{row['off_p99']:.0f}{'' if row['right'] else ' (wrong)'}",
    )
    return f"| {' | '.join(cells)} |"
