#!/usr/bin/env python3
"""test_run_page.py PAGE_WRITER - the page of a run in a real browser, from disk: it fills in as cells
finish, shows failures, filters and enlarges, and nothing that a prompt says is ever executed.
XL_SCREENSHOTS=DIR keeps pictures of what was seen."""
import colorsys
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import browser  # noqa: E402

WRITER = sys.argv[1]
HOSTILE = [
    "<img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>",
    "\"></button><svg onload=window.hit=1>",
    "</script><script>window.hit=1</script>",
    "javascript:window.hit=1",
    "');window.hit=1;('",
    "`${window.hit=1}` \u2028 window.hit=1 // \u2029",
    "{{style}} {{script}} &lt;b&gt; \x00 \x1b[31m",
    "__proto__",
]


class Run:
    """A run directory that is played: a grid of models and profiles."""

    def __init__(self, folder, models, profiles, size=(96, 96)):
        self.dir = Path(folder)
        self.cells, self.size = [], size
        for m, model in enumerate(models):
            for p, profile in enumerate(profiles):
                self.cells.append({
                    "id": f"{m:02x}{p:02x}", "model_key": model, "profile": profile, "state": "waiting",
                    "prompt": f"a lighthouse on a cliff at dusk, waves breaking below, {profile.lower()}",
                    "negative": "blurry, low quality", "seed": str(2**64 - 1 - p), "steps": 30,
                    "guidance": 7.0, "scheduler": "euler", "width": size[0] * 8, "height": size[1] * 8})

    def call(self, what, data):
        subprocess.run([WRITER, what, str(self.dir)], input=json.dumps(data), text=True, check=True)

    def begin(self, **more):
        run = {"title": "all_models_20261124-031500", "prompt": "a lighthouse on a cliff at dusk",
               "started": "2026-11-24T03:15:00Z", "version": "0.1.0", **more}
        self.call("begin", {"run": run, "cells": self.cells})

    def draw(self, i, **more):
        """What the runner says of a finished cell; the picture is really there."""
        name = f"pictures #1/{i:04d} 100%.png"
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        hue = colorsys.hsv_to_rgb(i * 0.137 % 1, 0.55, 0.95)
        path.write_bytes(browser.png(*self.size, [int(255 * c) for c in hue]))
        return {"id": self.cells[i]["id"], "state": "done", "path": name, "seconds": 12.3, **more}

    def fail(self, i, error):
        return {"id": self.cells[i]["id"], "state": "failed", "error": error}


class Page:
    def __init__(self, driver, run):
        self.driver = driver
        driver.get((run.dir / "index.html").as_uri())

    def js(self, code, *args):
        return self.driver.execute_script("return " + code, *args)

    def text(self, selector):
        return self.js("(document.querySelector(arguments[0])||{}).textContent", selector)

    def count(self, selector):
        return self.js("document.querySelectorAll(arguments[0]).length", selector)

    def click(self, selector):
        self.js("document.querySelector(arguments[0]).click()", selector)

    def key(self, name):
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys
        ActionChains(self.driver).send_keys(getattr(Keys, name)).perform()

    def wait(self, what, seconds=20):
        """Until a condition holds; the message shows its last value."""
        end = time.monotonic() + seconds
        while True:
            seen = what()
            if seen:
                return seen
            assert time.monotonic() < end, f"waited {seconds} s in vain"
            time.sleep(0.1)

    def see(self, name):
        if os.environ.get("XL_SCREENSHOTS"):
            time.sleep(0.8)
            self.driver.save_screenshot(os.path.join(os.environ["XL_SCREENSHOTS"], name + ".png"))

    def loaded_images(self):
        return self.js("[...document.images].filter(i => i.complete && i.naturalWidth > 0).length")

    def expect_no_errors(self):
        seen = [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]
        assert not seen, seen


def test_fills_in(driver, folder):
    run = Run(folder, ["SDXL Base 1.0", "SDXL Turbo", "Juggernaut XL"],
              ["None (raw)", "Photoreal", "Watercolor", "35mm Film", "H.R. Giger", "Dark Fantasy / Grimdark"])
    run.begin()
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell") == 18)
    assert page.count(".matrix tbody tr") == 3 and page.count(".matrix thead th") == 7
    assert page.text("#state") == "running" and page.count("#viewer[open]") == 0
    assert page.text("#counts") == "0 of 18 pictures", page.text("#counts")
    assert page.count(".cell.waiting") == 18

    run.call("update", [run.draw(i) for i in range(5)])
    run.call("update", [run.fail(5, "out of memory: 3.2 GiB are needed for the UNet and 2.1 GiB are free")])
    page.wait(lambda: page.count(".cell.done") == 5)
    page.wait(lambda: page.loaded_images() == 5)
    assert page.text("#counts") == "5 of 18 pictures, 1 failed", page.text("#counts")
    assert page.text(".cell.failed .why").startswith("out of memory: 3.2 GiB")
    assert "left" in page.text("#time"), page.text("#time")
    # The bar grows by a transition, so it has no width in the frame that draws the counts.
    page.wait(lambda: page.js("getComputedStyle(document.querySelector('#bar-done')).width") != "0px")
    alt = page.js("document.querySelector('.cell.done img').alt")
    assert "SDXL Base 1.0, None (raw), 768×768, seed 18446744073709551615" in alt and ": a lighthouse" in alt, alt
    first = page.js("document.querySelector('.cell.done img')")
    page.see("running")

    run.call("update", [run.draw(i) for i in range(6, 18)])
    page.wait(lambda: page.count(".cell.done") == 17)
    assert page.js("arguments[0].isConnected", first), "a picture that is there is not drawn anew"
    run.call("end", {"state": "failed", "finished": "2026-11-24T04:20:00Z",
                     "message": "1 of 18 pictures failed", "sheets": ["pictures #1/0000 100%.png"]})
    page.wait(lambda: page.text("#state") == "failed")
    assert page.text("#time") == "took 1 h 5 min", page.text("#time")
    assert page.text("#message") == "1 of 18 pictures failed"
    assert page.js("document.querySelector('#sheets a').getAttribute('href')") == "pictures%20%231/0000%20100%25.png"
    page.see("finished")
    page.expect_no_errors()


def test_viewer(driver, folder):
    run = Run(folder, ["A"], ["one", "two", "three"])
    run.begin()
    run.call("update", [run.draw(0), run.draw(1, fallback="576x576 instead of 768x768"), run.fail(2, "not a number")])
    run.call("end", {"state": "done", "finished": "2026-11-24T03:16:00Z"})
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell") == 3)
    assert page.count(".gallery") == 1, "profiles and seeds that change together make no table"
    page.click(".cell")
    assert page.count("#viewer[open]") == 1 and page.text("#position") == "1 / 3"
    page.wait(lambda: page.js("document.querySelector('#stage img').naturalWidth") == 96)
    facts = page.text("#caption")
    for word in ["a lighthouse on a cliff", "blurry, low quality", "18446744073709551615", "30", "euler", "768×768", "12 s"]:
        assert word in facts, (word, facts)
    assert page.js("document.querySelector('#previous').disabled") is True
    page.see("viewer")
    page.key("ARROW_RIGHT")
    assert page.text("#position") == "2 / 3" and "576x576 instead of 768x768" in page.text("#caption")
    page.key("ARROW_RIGHT")
    assert page.text("#stage") == "not a number", page.text("#position")
    assert page.count("#stage img") == 0
    page.key("ARROW_RIGHT")
    assert page.text("#position") == "3 / 3"
    page.key("ARROW_LEFT")
    assert page.text("#position") == "2 / 3"
    page.js("document.querySelector('#caption a').focus()") # and the focus goes with the caption
    page.key("ARROW_LEFT")
    assert page.text("#position") == "1 / 3"
    page.key("ARROW_RIGHT")
    assert page.text("#position") == "2 / 3"
    page.key("ESCAPE")
    page.wait(lambda: page.count("#viewer[open]") == 0)
    page.expect_no_errors()


def test_filters(driver, folder):
    run = Run(folder, ["A", "B"], ["Photoreal", "Watercolor"])
    run.begin()
    run.call("update", [run.draw(0), run.draw(3), run.fail(1, "broke")])
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell.done") == 2)
    choose = "((e, v, t) => { e.value = v; e.dispatchEvent(new Event(t)); })(document.querySelector(arguments[0]), arguments[1], arguments[2])"
    page.js(choose, "#search", "water 18446744073709551614", "input")
    assert page.count(".cell") == 2
    page.js(choose, "#by-model_key", "B", "change")
    assert page.count(".cell") == 1 and page.count(".cell.done") == 1
    page.js(choose, "#search", "nothing like it", "input")
    assert page.count(".cell") == 0 and page.text("#nothing") == "No picture matches."
    page.js(choose, "#search", "", "input")
    page.js(choose, "#by-model_key", "", "change")
    page.js("[...document.querySelectorAll('#states button')].find(b => b.textContent.startsWith('Failed')).click()")
    assert page.count(".cell") == 1 and page.text(".cell .why") == "broke"
    page.js("[...document.querySelectorAll('#states button')][0].click()")
    page.click("#view")
    assert page.count(".gallery .cell") == 4 and page.count(".matrix") == 0
    assert page.text(".cell b") == "Photoreal", page.text(".cell b")


def test_other_axes(driver, folder):
    run = Run(folder, ["A"], ["x"] * 6)
    for i, cell in enumerate(run.cells):
        cell.update(steps=[10, 20, 30][i % 3], guidance=[5.0, 7.5][i // 3], seed="7")
    run.begin()
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell") == 6)
    assert page.text(".matrix thead") == "Steps / Guidance57.5", page.text(".matrix thead")
    assert page.count(".matrix tbody tr") == 3


def test_prompts_and_seeds(driver, folder):
    """An axis of prompts: rows with the prompt as heading, a filter for each axis, all by keyboard."""
    prompts = ["a cat asleep in the sun, " + "a very long sentence that goes on and on, " * 6 + "in oil", "日本語の狐", "a dog"]
    run = Run(folder, ["A"], ["None (raw)"] * 12)
    for i, cell in enumerate(run.cells):
        cell.update(prompt=prompts[i // 4], styled_prompt=prompts[i // 4], seed=str(i % 4 + 1))
    run.begin(axes=["seed", "prompt"], rows="prompt", columns="seed", prompt=None)
    run.call("update", [run.draw(i) for i in range(12)])
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell.done") == 12)
    page.see("prompts")
    assert page.count(".matrix tbody tr") == 3 and page.count(".matrix thead th") == 5
    assert page.text(".matrix tbody tr:nth-child(2) th") == "日本語の狐"
    assert page.js("document.querySelector('.matrix tbody th span').title") == prompts[0]
    assert page.text(".matrix tbody tr:nth-child(3) .cell .label") == "a dog"
    # As wide as its pictures, not as its captions; scrolled with the page, not within it.
    widths = page.js("[...document.querySelectorAll('.matrix tbody tr:first-child td')].map(td => td.offsetWidth)")
    assert max(widths) <= 236, widths
    inner = page.js("[...document.querySelectorAll('#cells, #cells *')].filter(e => e.scrollHeight > e.clientHeight + 1 && "
                    "['auto', 'scroll'].includes(getComputedStyle(e).overflowY)).length")
    assert inner == 0, inner
    assert page.js("[...document.querySelector('#by-prompt').options].map(o => o.textContent.length)")[1] <= 60
    page.js("document.querySelector('#by-prompt').focus()")
    page.key("ARROW_DOWN")
    page.key("ARROW_DOWN")
    page.wait(lambda: page.count(".cell") == 4)
    assert page.text(".matrix tbody th") == "日本語の狐"
    page.js("((e) => { e.value = '3'; e.dispatchEvent(new Event('change')); })(document.querySelector('#by-seed'))")
    assert page.count(".cell") == 1
    page.click("#view")
    assert page.text(".gallery .cell b") == "日本語の狐", page.text(".gallery .cell b")
    assert "seed 3" in page.text(".gallery .label span")


def test_left_out_and_going_on(driver, folder):
    run = Run(folder, ["A"], ["x", "y", "z"])
    run.begin(skipped=[{"model": "SDXL Base 1.0", "reason": "not in the cache"}, {"model": "SDXL Turbo", "reason": "not in the cache"},
                       {"model": "Pixel Art XL", "reason": "a LoRA"}], resume="sdxl-lab resume 'out put/sweep_1'")
    run.call("update", [run.draw(0), run.fail(1, "memory ran out")])
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell.done") == 1)
    assert page.text("#skipped summary") == "3 models left out: SDXL Base 1.0, SDXL Turbo, Pixel Art XL"
    assert page.text("#skipped dl") == "SDXL Base 1.0, SDXL Turbonot in the cachePixel Art XLa LoRA", page.text("#skipped dl")
    assert page.text("#failures summary") == "1 picture failed: why"
    assert "memory ran out" in page.text("#failures dl") and page.text(".cell.failed .why") == "memory ran out"
    assert page.js("document.querySelector('#go-on').hidden"), "it is running"
    run.call("end", {"state": "interrupted", "finished": "2026-11-24T03:20:00Z"})
    page.wait(lambda: page.text("#state") == "interrupted")
    assert page.text("#resume") == "sdxl-lab resume 'out put/sweep_1'" and not page.js("document.querySelector('#go-on').hidden")
    page.see("interrupted")
    run.begin(resume="sdxl-lab resume x")
    run.call("end", {"state": "failed", "resume": None, "finished": "2026-11-24T03:20:00Z"})
    page = Page(driver, run)
    page.wait(lambda: page.text("#state") == "failed")
    assert page.js("document.querySelector('#go-on').hidden"), "resume would not help"
    assert page.js("document.querySelector('#skipped').hidden && document.querySelector('#failures').hidden")


def test_hostile(driver, folder):
    run = Run(folder, ["A", "B"], ["x"] * len(HOSTILE))
    for i, cell in enumerate(run.cells):
        text = HOSTILE[i % len(HOSTILE)]
        cell.update(model_key=cell["model_key"] + text, profile=text + str(i), prompt=text, negative=text, scheduler=text,
                    seed=text, steps=text, guidance=text, width=text, height=text, note=text, id=text + str(i))
    run.begin(title=HOSTILE[0], prompt=HOSTILE[1], version=HOSTILE[2])
    for i, cell in enumerate(run.cells):
        paths = ["javascript:window.hit=1", "../../etc/passwd", "/etc/passwd", "//host/x.png", "a/../../x", "x\" onerror=\"window.hit=1"]
        done = {"id": cell["id"], "state": "done", "path": paths[i % len(paths)], "error": HOSTILE[i % 8]}
        run.call("update", [done if i % 2 else {**done, "state": "failed"}])
    run.call("end", {"state": HOSTILE[0], "message": HOSTILE[0], "finished": HOSTILE[0],
                     "sheets": ["javascript:window.hit=1", "../x", HOSTILE[0]], "resume": HOSTILE[0],
                     "skipped": [{"model": HOSTILE[0], "reason": HOSTILE[1]}]})
    page = Page(driver, run)
    page.wait(lambda: page.text("#state") == HOSTILE[0])
    assert page.count(".cell") == 16 and page.text("#title") == HOSTILE[0]
    for i in range(16):
        page.js("document.querySelectorAll('.cell')[arguments[0]].click()", i)
        assert page.count("#viewer[open]") == 1
        page.click("#close")
    page.click("#view")
    time.sleep(1)
    assert page.js("window.hit === undefined && ({}).hit === undefined")
    assert page.count("script") == 1 and page.count("svg") == 0
    for link in page.js("[...document.querySelectorAll('a')].map(a => a.href)") + \
            page.js("[...document.images].map(i => i.src)"):
        assert link.startswith(run.dir.as_uri() + "/"), link
    page.see("hostile")


def test_damage(driver, folder):
    """A line that a crash tore off is dropped by the next update; a run that only began shows its plan."""
    run = Run(folder, ["A"], ["x", "y"])
    run.begin()
    with open(run.dir / "cells.js", "a", encoding="ascii") as file:
        file.write('cell({"id":"0000","state":"do')
    run.call("update", [run.draw(1)])
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell.done") == 1)
    assert page.count(".cell.waiting") == 1
    run.begin(title="again")
    page.wait(lambda: page.text("#title") == "again")
    assert page.count(".cell.waiting") == 2


def test_looks(driver, folder):
    """Dark, and on a phone: nothing sticks out sideways."""
    run = Run(folder, ["SDXL Base 1.0", "SDXL Turbo"], ["Photoreal", "Watercolor", "H.R. Giger"], (83, 121))
    run.begin()
    run.call("update", [run.draw(i) for i in range(4)] + [run.fail(4, "out of memory")])
    light = None
    for name, width, height, scheme in [("light", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 390, 800, "dark")]:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        page = Page(driver, run)
        page.wait(lambda: page.loaded_images() >= 1)
        page.see("looks-" + name)
        assert page.js("document.documentElement.scrollWidth <= innerWidth"), name
        colour = page.js("getComputedStyle(document.body).backgroundColor")
        light = light or colour
        assert (colour == light) == (scheme == "light"), colour
        page.click(".cell")
        page.see("viewer-" + name)
        assert page.js("document.querySelector('#stage img').getBoundingClientRect().right <= innerWidth"), name
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_large(driver, folder):
    """10,000 cells are shown, and updating one costs no more bytes than its line."""
    run = Run(folder, ["A"], ["x"] * 10000)
    run.begin()
    before = (run.dir / "cells.js").stat().st_size
    run.call("update", [run.draw(9999)])
    assert (run.dir / "cells.js").stat().st_size - before < 200
    page = Page(driver, run)
    page.wait(lambda: page.count(".cell.done") == 1)
    assert page.count(".cell") == 10000


def main():
    driver = browser.start()
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    only = sys.argv[2:]
    failed = n = 0
    for name, test in tests:
        if only and name not in only:
            continue
        n += 1
        with tempfile.TemporaryDirectory(prefix="sdxl-lab-test-") as folder:
            try:
                test(driver, folder)
            except Exception:  # one failing test does not hide the others
                failed += 1
                print(f"FAIL {name}")
                traceback.print_exc()
    driver.quit()
    print(f"{n - failed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
