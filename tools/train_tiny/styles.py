"""The 28 styles: their words come from the lab's own data/profiles.yaml, so that what is trained is what the
lab composes; here stands what each asks of the scene before it is painted."""
import os

import yaml

_HERE = os.path.dirname(os.path.abspath(__file__))


def _load():
    with open(os.path.join(_HERE, "..", "..", "data", "profiles.yaml"), encoding="utf-8") as file:
        return {name: (" ".join(entry["prompt"].split()), " ".join(entry["negative"].split()), entry.get("aliases", []))
                for name, entry in yaml.safe_load(file).items() if entry}


PROFILES = _load()
NAMES = list(PROFILES)
MONOCHROME = {"Pencil Sketch", "Black & White", "ISOTOPIA Sci-Fi Blueprint", "Ink & Screentone Manga", "H.R. Giger"}
# Styles in which a named colour is hard to tell in the picture itself; colours are not scored there.
TINTED = MONOCHROME | {"Vaporwave / Synthwave", "Analog Horror / VHS", "Tim Burton", "R-Rated", "Dark Fantasy / Grimdark",
                       "Frank Frazetta"}
_SCENE = {"Tim Burton": {"stretch": (0.78, 1.3)}, "Frank Frazetta": {"stretch": (1.1, 1.04)},
          "Ralph Bakshi": {"stretch": (1.12, 0.95)}, "Pixar-ish Soft CG": {"stretch": (1.06, 0.98)}}
SHORT = {"Photoreal": "photo", "Cinematic": "cinematic", "Anime / Vibrant": "anime", "Soft Illustration": "soft illustration",
         "R-Rated": "gritty drama", "Pencil Sketch": "pencil sketch", "Black & White": "black and white photo",
         "35mm Film": "35mm film", "Rotoscoping": "rotoscoped", "Watercolor": "watercolor", "Hyper-Realistic Portrait": "portrait",
         "ISOTOPIA Sci-Fi Blueprint": "blueprint", "Dark Fantasy / Grimdark": "grimdark", "Pixar-ish Soft CG": "3d animation",
         "Pixel Art / Isometric Game": "pixel art", "Low-Poly 3D / PS1": "low poly", "Product Render / Industrial": "product render",
         "Isometric Tech Diagram": "technical diagram", "Retro Comic / Halftone": "halftone comic", "Vaporwave / Synthwave": "synthwave",
         "Children’s Book Illustration": "children's book illustration", "Ink & Screentone Manga": "manga",
         "Analog Horror / VHS": "vhs", "Architectural Visualization": "architectural visualization", "Tim Burton": "gothic fairytale",
         "Frank Frazetta": "heroic fantasy", "Ralph Bakshi": "hand-drawn animation", "H.R. Giger": "biomechanical"}


def scene_of(name):
    return _SCENE.get(name, {})
