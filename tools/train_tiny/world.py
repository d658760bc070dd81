"""What the model knows: subjects, colours, settings, times of day and weather, with their words."""
import subjects_animals as an
import subjects_people as pe
import subjects_things as th
import subjects_vehicles as ve

COLOURS = {
    "red": (0.88, 0.12, 0.12), "orange": (0.98, 0.52, 0.08), "yellow": (0.98, 0.86, 0.15),
    "green": (0.18, 0.65, 0.22), "teal": (0.08, 0.65, 0.66), "blue": (0.12, 0.30, 0.88),
    "purple": (0.52, 0.18, 0.72), "pink": (0.98, 0.50, 0.72), "white": (0.95, 0.95, 0.95),
    "black": (0.11, 0.11, 0.13), "brown": (0.45, 0.26, 0.12), "gray": (0.46, 0.47, 0.50),
}
COLOUR_NAMES = list(COLOURS)
COLOUR_WORDS = {
    "red": ["red", "crimson", "scarlet"], "orange": ["orange"], "yellow": ["yellow", "golden"],
    "green": ["green", "emerald"], "teal": ["teal", "turquoise", "cyan"], "blue": ["blue", "royal blue"],
    "purple": ["purple", "violet"], "pink": ["pink", "rose"], "white": ["white", "snow white"],
    "black": ["black", "jet black"], "brown": ["brown", "chocolate brown"], "gray": ["gray", "grey", "silver"],
}

# name: (draw, how it stands: ground, air, sea or any; usual colours; other words; height in units of size)
SUBJECTS = {
    "cat": (an.cat, "ground", ["orange", "gray", "black"], ["kitten", "kitty"], 0.9),
    "dog": (an.dog, "ground", ["brown", "white", "orange"], ["puppy", "hound"], 0.9),
    "fox": (an.fox, "ground", ["orange", "red"], [], 0.85),
    "rabbit": (an.rabbit, "ground", ["white", "gray", "brown"], ["bunny", "hare"], 0.85),
    "bear": (an.bear, "ground", ["brown", "black"], ["grizzly bear", "teddy bear"], 1.0),
    "horse": (an.horse, "ground", ["brown", "white", "black"], ["pony", "stallion"], 1.0),
    "unicorn": (an.unicorn, "ground", ["white", "pink"], [], 1.05),
    "elephant": (an.elephant, "ground", ["gray"], [], 1.1),
    "owl": (an.owl, "ground", ["brown", "gray"], [], 0.85),
    "bird": (an.bird, "air", ["blue", "red", "yellow"], ["songbird", "sparrow"], 0.7),
    "penguin": (an.penguin, "ground", ["black", "blue"], [], 0.9),
    "fish": (an.fish, "sea", ["orange", "yellow", "blue"], ["goldfish"], 0.75),
    "whale": (an.whale, "sea", ["blue", "gray"], [], 1.1),
    "turtle": (an.turtle, "ground", ["green", "brown"], ["tortoise"], 0.8),
    "butterfly": (an.butterfly, "air", ["orange", "blue", "yellow"], [], 0.75),
    "frog": (an.frog, "ground", ["green", "teal"], ["toad"], 0.8),
    "snail": (an.snail, "ground", ["brown", "pink"], [], 0.75),
    "dragon": (an.dragon, "ground", ["green", "red", "purple"], [], 1.1),
    "woman": (pe.woman, "ground", ["red", "blue", "white"], ["girl", "lady", "princess"], 1.1),
    "man": (pe.man, "ground", ["blue", "green", "gray"], ["boy", "guy"], 1.1),
    "knight": (pe.knight, "ground", ["red", "blue"], ["warrior", "soldier"], 1.1),
    "wizard": (pe.wizard, "ground", ["blue", "purple"], ["mage", "sorcerer"], 1.15),
    "astronaut": (pe.astronaut, "any", ["white", "orange"], ["spaceman", "cosmonaut"], 1.1),
    "robot": (pe.robot, "ground", ["gray", "blue", "yellow"], ["android", "droid"], 1.05),
    "ghost": (pe.ghost, "air", ["white"], ["spirit", "phantom"], 0.95),
    "alien": (pe.alien, "ground", ["green", "gray"], ["extraterrestrial"], 1.0),
    "snowman": (pe.snowman, "ground", ["red", "blue"], [], 1.0),
    "skull": (pe.skull, "ground", ["white", "gray"], [], 0.8),
    "car": (ve.car, "ground", ["red", "blue", "yellow"], ["automobile", "sports car"], 0.95),
    "bus": (ve.bus, "ground", ["red", "yellow"], ["coach"], 1.05),
    "boat": (ve.boat, "sea", ["red", "blue", "white"], ["sailboat", "ship", "sailing boat"], 1.05),
    "submarine": (ve.submarine, "sea", ["yellow", "gray"], [], 1.0),
    "train": (ve.train, "ground", ["black", "red", "green"], ["locomotive", "steam train"], 1.05),
    "airplane": (ve.airplane, "air", ["red", "blue"], ["plane", "aeroplane", "aircraft"], 1.0),
    "rocket": (ve.rocket, "air", ["red", "blue"], ["spaceship", "spacecraft"], 1.1),
    "bicycle": (ve.bicycle, "ground", ["red", "green", "blue"], ["bike"], 0.95),
    "balloon": (ve.balloon, "air", ["red", "yellow", "purple"], ["hot air balloon"], 1.1),
    "ufo": (ve.ufo, "air", ["gray", "green"], ["flying saucer"], 1.0),
    "house": (th.house, "ground", ["white", "red", "yellow"], ["cottage", "cabin", "home"], 1.15),
    "castle": (th.castle, "ground", ["gray", "brown"], ["fortress", "palace"], 1.25),
    "lighthouse": (th.lighthouse, "ground", ["red", "blue"], [], 1.2),
    "windmill": (th.windmill, "ground", ["white", "brown"], ["mill"], 1.2),
    "skyscraper": (th.skyscraper, "ground", ["blue", "gray"], ["office tower", "high-rise"], 1.25),
    "tree": (th.tree, "ground", ["green", "orange"], ["oak tree", "oak"], 1.15),
    "pine": (th.pine, "ground", ["green", "teal"], ["pine tree", "fir tree", "christmas tree"], 1.15),
    "cactus": (th.cactus, "ground", ["green"], [], 1.0),
    "flower": (th.flower, "ground", ["red", "pink", "yellow"], ["daisy", "blossom"], 0.95),
    "mushroom": (th.mushroom, "ground", ["red", "brown"], ["toadstool"], 0.85),
    "pumpkin": (th.pumpkin, "ground", ["orange"], ["jack-o-lantern"], 0.8),
    "ball": (th.ball, "ground", ["red", "blue", "yellow"], ["sphere"], 0.75),
    "cube": (th.cube, "ground", ["blue", "red", "gray"], ["box", "block"], 0.75),
    "teapot": (th.teapot, "ground", ["blue", "white", "red"], ["tea pot"], 0.8),
    "cup": (th.cup, "ground", ["white", "blue", "red"], ["mug", "cup of coffee"], 0.8),
    "lantern": (th.lantern, "ground", ["red", "black"], ["lamp"], 0.85),
    "guitar": (th.guitar, "ground", ["brown", "red"], [], 1.0),
    "clock": (th.clock, "ground", ["brown", "red"], ["alarm clock"], 0.8),
    "book": (th.book, "ground", ["red", "brown", "blue"], ["open book"], 0.8),
    "umbrella": (th.umbrella, "any", ["red", "yellow", "blue"], ["parasol"], 0.95),
    "chair": (th.chair, "ground", ["brown", "red"], ["seat"], 0.9),
    "crown": (th.crown, "ground", ["yellow"], ["tiara"], 0.75),
    "sword": (th.sword, "any", ["blue", "red", "brown"], ["blade"], 1.05),
    "potion": (th.potion, "ground", ["purple", "green", "blue"], ["potion bottle", "magic potion"], 0.85),
    "vase": (th.vase, "ground", ["blue", "white"], ["vase of flowers"], 0.9),
    "apple": (th.apple, "ground", ["red", "green"], [], 0.75),
    "cake": (th.cake, "ground", ["pink", "brown", "white"], ["birthday cake"], 0.85),
    "gift": (th.gift, "ground", ["red", "blue", "green"], ["present", "gift box"], 0.8),
    "hat": (th.hat, "ground", ["black", "brown"], ["top hat"], 0.8),
    "candle": (th.candle, "ground", ["white", "red"], [], 0.85),
    "planet": (th.planet, "air", ["orange", "blue", "purple"], ["ringed planet"], 0.95),
    "crystal": (th.crystal, "ground", ["purple", "teal", "blue"], ["gem", "gemstone"], 0.9),
    "heart": (th.heart, "any", ["red", "pink"], ["love heart"], 0.8),
    "star": (th.star, "air", ["yellow"], [], 0.8),
    "chest": (th.chest, "ground", ["brown"], ["treasure chest"], 0.85),
}
SUBJECT_NAMES = list(SUBJECTS)
PLURALS = {"fox": "foxes", "fish": "fish", "butterfly": "butterflies", "woman": "women", "man": "men",
           "bus": "buses", "cactus": "cacti", "knight": "knights", "mouse": "mice", "box": "boxes",
           "bunny": "bunnies", "lady": "ladies", "spaceman": "spacemen", "puppy": "puppies", "pony": "ponies",
           "kitty": "kitties", "cup of coffee": "cups of coffee", "vase of flowers": "vases of flowers",
           "princess": "princesses", "spacecraft": "spacecraft", "aircraft": "aircraft", "goldfish": "goldfish",
           "daisy": "daisies", "torch": "torches", "fortress": "fortresses", "compass": "compasses"}

SETTINGS = {
    "sea": ["at sea", "on the ocean", "in the sea", "on the sea"],
    "beach": ["on the beach", "at the beach", "on a tropical beach"],
    "desert": ["in the desert", "in a sandy desert", "among the dunes"],
    "forest": ["in the forest", "in a forest", "in the woods"],
    "city": ["in the city", "on a city street", "in front of a city skyline"],
    "space": ["in space", "in outer space", "among the stars"],
    "mountains": ["in the mountains", "in front of mountains", "in an alpine landscape"],
    "meadow": ["in a meadow", "in a field of flowers", "on a green hill"],
    "snow": ["in the snow", "in a snowy landscape", "in a winter landscape"],
    "room": ["in a room", "in a cozy room", "indoors"],
    "cave": ["in a cave", "in a dark cave", "inside a cavern"],
    "underwater": ["underwater", "under the sea", "in a coral reef"],
    "lake": ["at a lake", "by the lake", "beside a lake"],
    "volcano": ["in front of a volcano", "near a volcano", "in a volcanic landscape"],
    "clouds": ["above the clouds", "in the sky", "among the clouds"],
    "alien planet": ["on an alien planet", "on mars", "on a strange planet"],
    "garden": ["in a garden", "in a park"],
    "studio": ["in a studio", "on a plain background", "on a simple background"],
}
SETTING_NAMES = list(SETTINGS)
OUTDOOR = {"sea", "beach", "desert", "forest", "city", "mountains", "meadow", "snow", "lake", "volcano", "garden",
           "clouds", "alien planet"}
TIMES = {"day": ["during the day", "in daylight", "on a sunny day", "at noon"],
         "sunset": ["at sunset", "at dusk", "in the golden hour"],
         "sunrise": ["at sunrise", "at dawn", "in the early morning"],
         "night": ["at night", "by moonlight", "under the moon", "under a starry sky"]}
TIME_NAMES = list(TIMES)
WEATHERS = {"clear": ["under a clear sky"], "cloudy": ["on a cloudy day", "under a cloudy sky", "overcast"],
            "rain": ["in the rain", "on a rainy day", "rainy"], "snowfall": ["in falling snow", "while it snows", "snowing"],
            "fog": ["in the fog", "in thick fog", "misty"], "storm": ["in a thunderstorm", "in a storm", "with lightning"]}
WEATHER_NAMES = list(WEATHERS)
COUNT_WORDS = {1: ["a", "one", "a single"], 2: ["two", "2", "a pair of"], 3: ["three", "3"], 4: ["four", "4"], 5: ["five", "5"]}


def plural(word):
    """The plural of a subject's words: the last word changes."""
    if word in PLURALS:
        return PLURALS[word]
    head, _, last = word.rpartition(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("x", "sh", "ch", "ss")):
        last += "es"
    else:
        last += "s"
    return (head + " " + last).strip()


def held_out(subject, colour, setting):
    """Combinations that training never sees and evaluation asks for: about one in ten."""
    key = (SUBJECT_NAMES.index(subject) * 7 + COLOUR_NAMES.index(colour) * 3 + SETTING_NAMES.index(setting)) % 10
    return key == 0
