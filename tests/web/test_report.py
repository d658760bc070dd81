#!/usr/bin/env python3
"""test_report.py REPORT_WRITER - the report of favourites in a real browser, from disk: its numbers are those of
the JSON, it fits a desktop and a phone, light and dark, and no name in it is ever executed.
XL_SCREENSHOTS=DIR keeps pictures of what was seen."""
import json
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import browser  # noqa: E402

WRITER = sys.argv[1]
COLOURS = [(190, 90, 60), (70, 120, 160), (90, 140, 90), (150, 110, 170), (200, 170, 80), (80, 80, 100)]
VERDICTS = {"more": "loved more", "less": "loved less", "usual": "as usual", "unknown": "not enough data"}


def write(folder, kind):
    for i, colour in enumerate(COLOURS):
        (Path(folder) / f"{i}.png").write_bytes(browser.png(96, 96, colour))
    subprocess.run([WRITER, str(folder), str(kind)], check=True)
    return json.loads((Path(folder) / "report.json").read_text())


def percent(rate):
    if rate is None:
        return "-"
    return f"{rate * 100:.2f} %" if 0 < rate < 0.001 else f"{rate * 100:.1f} %"


def times(ratio):
    return "-" if ratio is None else f"{ratio:.1f}\u00d7"


def check_rows(driver, rows, heading, name, limit):
    """Every cell of a table against its row of the document."""
    table = driver.execute_script(
        """const s = [...document.querySelectorAll("section")].find(
             s => s.querySelector("h2").textContent === arguments[0]);
           return [...s.querySelectorAll("tbody tr")].map(r => [...r.cells].map(c => c.textContent));""", heading)
    assert len(table) == min(len(rows), limit), f"{heading}: {len(table)} rows of {len(rows)}"
    for cells, row in zip(table, rows):
        assert cells[0] == name(row), f"{heading}: {cells[0]!r} instead of {name(row)!r}"
        shown = cells[1:4] + [cells[5]]
        meant = [str(row["made"]), str(row["loved"]), percent(row["rate"]), times(row["lift"])]
        assert shown == meant, f"{heading}, {cells[0]}: {shown} instead of {meant}"
        assert cells[-1].startswith(VERDICTS[row["verdict"]]), f"{heading}, {cells[0]}: {cells[-1]}"


def tame(text):
    return "".join("\ufffd" if ord(c) < 32 or ord(c) == 127 else c for c in text)


def check_numbers(driver, document):
    lead = driver.find_element("css selector", ".lead").text
    assert f"{document['loved']} of {document['made']} pictures" in lead and percent(document["rate"]) in lead, lead
    cards = driver.find_elements("css selector", "article")
    assert len(cards) == len(document["bundles"])
    for card, bundle in zip(cards, document["bundles"]):
        assert bundle["text"] in card.text and bundle["name"] in card.text, card.text
        assert f"{bundle['loved']} of {bundle['made']} loved" in card.text
        images = card.find_elements("css selector", "img")
        assert len(images) == len(bundle["pictures"]), f"{len(images)} pictures"
        for image in images:
            assert driver.execute_script("return arguments[0].naturalWidth", image) == 96
    for column, rows in document["tables"].items():
        check_rows(driver, rows, column.capitalize(), lambda row: row["value"], 10 if column == "seed" else 40)
    check_rows(driver, document["words"], "Words of prompts", lambda row: tame(row["value"]), 1000)
    check_rows(driver, document["pairs"], "Pairs", lambda row: row["name"], 25)
    if document["next"]:
        assert driver.find_element("css selector", "pre").text == document["next"]["command"]


def check_calm(driver):
    assert driver.title == "What you love", "a name was executed"
    loud = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    assert not loud, loud
    wide = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} pixels too wide"


def look(driver, folder, name):
    driver.get(f"file://{folder}/report.html")
    if os.environ.get("XL_SCREENSHOTS"):
        height = driver.execute_script("return document.documentElement.scrollHeight")
        width = driver.get_window_size()["width"]
        driver.set_window_size(width, min(height + 140, 6000))
        driver.save_screenshot(f"{os.environ['XL_SCREENSHOTS']}/report-{name}.png")
        driver.set_window_size(width, 900)
    check_calm(driver)


def main():
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        for size, dark in ((1280, False), (500, True)):
            driver = browser.start(size, 900, dark)
            try:
                for kind, name in enumerate(("no-taste", "parts", "one", "no-marks")):
                    document = write(folder, kind)
                    look(driver, folder, f"{name}-{size}")
                    if size == 1280:
                        check_numbers(driver, document)
                    claims = [row for rows in document["tables"].values() for row in rows if row["verdict"] == "more"]
                    n_bundles = len(document["bundles"])
                    assert bool(n_bundles) == (kind in (1, 2)), f"{name}: {n_bundles} bundles"
                    assert kind != 1 or claims, "nothing is claimed of an owner who loves parts"
                    print(f"ok {name}, {size} pixels")
                    passed += 1
            except Exception:
                traceback.print_exc()
                failed += 1
            finally:
                driver.quit()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
