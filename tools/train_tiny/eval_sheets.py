"""Contact sheets: NAME.png, and NAME.txt with a line for each picture, row by row."""
import os

import trainlib
from world import COLOUR_NAMES, SETTING_NAMES, SUBJECT_NAMES


def found_lines(texts, found):
    """Prompts with what the judge sees in their pictures."""
    return [f"{t}  ->  {SUBJECT_NAMES[f[0]]}, {COLOUR_NAMES[f[1]]}, {f[2] + 1}, {SETTING_NAMES[f[3]]}" for t, f in zip(texts, found.tolist())]


def sheet(out, name, pictures, lines, columns=8):
    trainlib.picture_grid(pictures, columns, os.path.join(out, name + ".png"))
    with open(os.path.join(out, name + ".txt"), "w", encoding="utf-8") as file:
        file.writelines(f"{i // columns + 1}.{i % columns + 1}  {line}\n" for i, line in enumerate(lines))
