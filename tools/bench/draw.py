"""Draws the growth curves as a picture, in plain SVG."""

from __future__ import annotations

COLOURS = ("#3d6b99", "#b3582e", "#4a7d46", "#7a5195")


def draw_growth(path: str, curves: dict[str, list[tuple[int, float]]]) -> None:
    """Draw microseconds per scene over the size of the library."""
    most = max(value for points in curves.values() for _, value in points) * 1.1
    sizes = [size for size, _ in next(iter(curves.values()))]
    left, top, width, height = 70, 30, 560, 260

    def x(size: int) -> float:
        return left + width * (size - sizes[0]) / (sizes[-1] - sizes[0])

    def y(value: float) -> float:
        return top + height * (1 - value / most)

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 340" font-size="13">',
        "<style>text { font-family: system-ui, sans-serif }</style>",
        "<title>Cost per scene as the library grows</title>",
        '<rect width="780" height="340" fill="#fbfaf7"/>',
        f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="#3d4a5c"/>',
        f'<text x="{left}" y="18" fill="#1f2733">microseconds per scene</text>',
    ]
    for number in range(5):
        value = most * number / 4
        parts.append(
            f'<text x="{left - 8}" y="{y(value) + 4:.0f}" text-anchor="end">{value:.0f}</text>'
        )
    parts += [
        f'<text x="{x(size):.0f}" y="{top + height + 20}" text-anchor="middle">{size:,}</text>'
        for size in sizes
    ]
    parts.append(
        f'<text x="{left + width / 2}" y="{top + height + 40}" text-anchor="middle">scenes</text>'
    )
    label = float("inf")
    for colour, (name, points) in zip(
        COLOURS, sorted(curves.items(), key=lambda curve: curve[1][-1][1]), strict=False
    ):
        line = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        end = label = min(y(points[-1][1]), label - 16)
        parts += [
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
            f'<text x="{left + width + 8}" y="{end + 4:.0f}" fill="{colour}">{name}</text>',
        ]
    parts.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")
