"""Templates of sd-dynamic-prompts, and every text that dynamicprompts makes of them.

wildcards/   folders of wildcards: text files, a YAML and a JSON file
cases.json   templates with their texts in order (the first LIMIT of them), or null where it refuses

Left out is what SDXL Lab does otherwise: bare '%' and '$', wildcards that are not there (which
dynamicprompts repeats without end), templates that are only cyclical, separators of no length, and "~", which is chance.
Needs dynamicprompts (0.31) and PyYAML.
"""
import itertools
import json
import warnings

LIMIT = 200

FILES = {
    "color.txt": "red\ngreen\n# no value\n\nblue\nred\n",
    "mood.txt": "calm\n  {dark|bleak} and cold  \n",
    "deep.txt": "a __color__\nplain\n",
    "named.txt": "${what:nobody} at home\n",
    "sub/animal.txt": "dog\ncat\n",
    "sub/plant.txt": "fern\n",
    "more.yaml": "sea:\n  fish:\n    - cod\n    - 1.5::eel\n    - {text: ray, weight: 1}\n  shore: dune\nland: [hill]\n",
    "sub/extra.json": '{"tree": ["oak", "elm"]}\n',
}

TEMPLATES = [
    "plain words, nothing else", "", "{}", "{a}", "{a|b|c}", "{a|b}{1|2}", "x {a|b} y {1|2|3} z", "{a|a|b}", "{a||b}", "{|a}",
    "{{a|b}|{c|d}}", "{{a|b} {1|2}|c}", "{2$$a|b|c}", "{3$$a|b|c}", "{1-2$$a|b|c}", "{2-$$a|b|c}", "{-2$$a|b|c}", "{0-1$$a|b}",
    "{0$$a|b}", "{7$$a|b}", "{3-1$$a|b|c}", "{2$$ and $$a|b|c}", "{2$$|$$a|b}", "{2$$, $$a|b|}", "{1$$a|b}",
    "{2$$a|a|b}", "{2$${a|b}|c}", "{2$${a|b}|{a|c}}", "{0.5::a|b}", "{3::a|0.1::b|c}", "{ 2::a | b }", "{ a | b }", "{a |b }",
    "{.5::a|b}", "{a::b|c}", "{1.::a|b}", "__color__", "a __color__ __sub/animal__", "__color____sub/animal__", "__sub/*__",
    "__sub/**__", "__**/animal__", "__s*__", "__[cm]o*__", "__*__", "__mood__", "__deep__", "__deep__ {x|y}", "__sea/fish__",
    "__sea/*__", "__land__", "__sub/tree__", "__animal__", "__tree__", "{2$$__color__}", "{3$$__color__}", "{9$$__sub/animal__}",
    "{1-2$$__sub/animal__}", "{2$$__color__|__sub/animal__}", "{__color__|x}", "{2$$; $$__color__}", "__{color|land}__",
    "__${w:color}__", "${w=land}__${w}__", "__named__", "__named(what=Ann)__", "__named(what={Ann|Bob})__", "__named( what = Ann )__",
    "${c=red}a ${c} b ${c}", "${c={red|blue}}a ${c} b ${c}", "${c=!{red|blue}}a ${c} b ${c}", "${c=!__color__}${c} ${c}",
    "${c:green} x", "${c:{g|h}} x", "${c=__color__}${c}", "${x=1}${x=2}${x}", "${x}${x=1}", "${x?=9}${x}", "${x=1}${x?=9}${x}",
    "${a=1}${b={${a}|2}}${b}", "${ a = 1 }${ a }", "${a={1|2}} {${a}|3}", "${a-b_c=1}${a-b_c}", "${what=Ann}__named__",
    "%{in the style of ... $$ {x|y}}", "%{X ... Y$$z}", "%{X$$z}", "%{{a|b} ... c$$ {1|2}}", "%{a ... b ... c$$z}", "a %{(...:1.2)$$b}",
    "a # comment\nb", "# all\nb", "a // c\nb", "// c\nb", "http://x y", "a /* c */ b", "/* c */ b", "{a|b} // c\nd", "{a|b}# c\nd",
    "{a # x\n|b}", "{a // x\n|b}", "{a|b} /* c */ d", "a #b", "a#b\n#c\nd", "__color__ # c\n, x", "{// c\n a|b}", "  sp  {a|b}  ",
    "(word:1.2), {a|b}", "{(a:1.1)|[b]}", "[a|b]", "a|b", "a}b", "{a:1|b}", "<lora:x:0.8> {a|b}", "((({a|b})))", "a_b {c_d|e}",
    "a, b,, {c|d},", "é {ü|ß}", "日本 {語|人}", "a\nb {x|y}", "\\{a|b\\}", "{a|b", "{a$$b|c}", "{2$$\n$$a|b}", "{#|b}", "${}", "${1a}",
    "${a", "__color", "a __ b", "____", "__color__(x=1)__", "__color(k=1)__", "__color()__", "{a|{b}", "%{a}", "%{a$$b", "{,a|b}",
    "{ 2 $$ a|b }", "{2$$ a | b | c }", "{a|b} {@1|2}", "{a|b|c} {@1|2}", "{@1|2} {a|b|c}", "{a|b} {@1|2} {@x|y|z}", "{!a|b}",
    "{!2$$a|b}", "{a|b} __@color__", "{a|b|c|d} __@color__", "__!color__", "{a{b{c{d|e}|f}|g}|h}", "a b c {1|2} ${x=3}{${x}|4} %{[...]$$5}",
]


def texts_of(template, manager):
    from dynamicprompts.generators import CombinatorialPromptGenerator
    from dynamicprompts.sampling_context import SamplingContext  # noqa: F401 (the version that is meant has it)
    generator = CombinatorialPromptGenerator(manager)
    try:
        return list(itertools.islice(generator.generate(template, LIMIT), LIMIT))
    except Exception:  # a parser's own, KeyError of a variable that is not set, RecursionError
        return None


def make(out):
    from dynamicprompts.wildcards.wildcard_manager import WildcardManager
    warnings.simplefilter("ignore")
    root = out / "wildcards"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    manager = WildcardManager(root)
    cases = [{"template": t, "texts": texts_of(t, manager)} for t in TEMPLATES]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (out / "cases.json").write_text('{"limit": %d, "cases": [\n%s\n]}\n' % (LIMIT, lines))
