# SPDX-License-Identifier: Apache-2.0
"""The report as markdown: the ratio first, for absolute figures are the machine's; a bound that was missed says by how much."""
from .bench import number

HEAD = """# Performance report

Made by `bench/report` of what `bench/run` measured; do not edit. Ratio: above 1 is in Headrace's favour, whatever the unit.
Figures are medians with the least and the most of the runs in brackets; both sides ran in turns on the same machine.
"""


def spread(side):
    if len(side["values"]) < 2:
        return side["text"]
    return "%s (%s–%s)" % (side["text"], number(side["min"]), number(side["max"]))


def missed(reached, bound):
    """By how much, in words: a percentage, or a factor when it is far away."""
    times = max(reached, bound) / max(min(reached, bound), 1e-9)
    return "missed by %s %%" % number((times - 1) * 100) if times < 2 else "missed by a factor of %s" % number(times)


def verdict(row):
    """Whether the bounds of a row were reached: "must reached, aim missed by 12 %"."""
    reached = row["ours"]["median"] if row["of"] == "value" else row.get("ratio")
    upward = row["of"] == "ratio" or row["better"] == "higher"
    words = []
    for name in ("must", "aim"):
        bound = row.get(name)
        if bound is None:
            continue
        if reached is None:
            words.append("%s %s: not measured" % (name, number(bound)))
        elif (reached >= bound) if upward else (reached <= bound):
            words.append("%s %s: reached" % (name, number(bound)))
        else:
            words.append("%s %s: **%s**" % (name, number(bound), missed(reached, bound)))
    return "; ".join(words)


def table(figures):
    lines = ["| what | ratio | bounds | Headrace | peer | |", "|---|---|---|---|---|---|"]
    for row in figures:
        ratio = "%.2f" % row["ratio"] if row.get("ratio") is not None else ""
        theirs = spread(row["theirs"]) if "theirs" in row else ""
        lines.append("| %s, %s | %s | %s | %s | %s | %s |" % (
            row["label"], row["unit"], ratio, verdict(row), spread(row["ours"]), theirs, row["peer"] or ""))
    return "\n".join(lines)


def section(result, plot):
    machine = result["machine"]
    lines = ["## %s. %s" % (result["id"], result["title"]), "", "Must: %s. Aim: %s." % (result["must"], result["aim"]), ""]
    if result["figures"]:
        lines += [table(result["figures"]), ""]
    if plot:
        lines += ["![%s](%s)" % (result["title"], plot), ""]
    lines += ["* " + note for note in result["notes"]]
    versions = ", ".join("%s %s" % pair for pair in result["versions"].items())
    lines.append("* %s; %d × %s, %d GB, Linux %s; load %.1f before, %.1f after; %s" % (
        result["when"][:16].replace("T", " "), machine["processors"], machine["model"], machine["memory_gb"],
        machine["kernel"], result["load_before"], result["load_after"], versions))
    return "\n".join(lines)


def page(results, plots):
    return HEAD + "\n" + "\n\n".join(section(result, plots.get(result["id"])) for result in results) + "\n"
