"""What is loved in a real browser: the numbers of `sdxl-lab favorites --json`, bundles into the form, the next sweep into
the queue, too little data, a phone. usage: test_insights.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import json
import os
import subprocess
import sys
import tempfile

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program, source = sys.argv[1], sys.argv[2]
home = tempfile.mkdtemp(prefix="sdxl-lab-insights-")
output = os.path.join(home, "pictures")
subprocess.run([sys.executable, "-B", os.path.join(source, "tests", "e2e", "make_favourites.py"), output, "4000"], check=True,
               capture_output=True)
config = os.path.join(home, "config")
os.makedirs(os.path.join(config, "sdxl-lab"))
with open(os.path.join(config, "sdxl-lab", "models.yaml"), "w") as file:  # what is loved can be drawn here
    json.dump({"CyberRealistic XL v5.8": {"folder": os.path.join(source, "models", "lab-tiny-xl")}}, file)
with open(os.path.join(config, "sdxl-lab", "profiles.yaml"), "w") as file:
    json.dump({"Dark Fantasy / Grimdark": {"prompt": "grim"}}, file)
driver = browser.start(1280, 900)
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
server = Server(program, "--device", "cpu", "--threads", "1", output=output, environment={"XDG_CONFIG_HOME": config})
server.ask("POST", "/api/v1/queue", {"paused": True})
here = "http://127.0.0.1:%d/" % server.port


def lab(*arguments):
    done = subprocess.run([program, *arguments, "--output-dir", output], capture_output=True, text=True, env=server.environment)
    return json.loads(done.stdout) if "--json" in arguments else None


def open_insights():
    driver.get(here + "insights")
    return until(lambda: find(".insights"))


def percent(rate):
    return "%.1f %%" % (100 * rate)


def try_nothing():
    open_insights()
    text = one(".insights").text
    check("without favourites it says so", "no favourite yet" in text and "Not enough data" in text, text[:300])


def rows_of(column):
    """made, loved and rate of each row that is shown, as numbers and words."""
    rows = find("[data-column=%s] tbody tr" % column)
    return [[row.find_element("css selector", "th").text] + [cell.text for cell in row.find_elements("css selector", "td")[:3]] for row in rows]


def try_numbers():
    lab("favorite", "import", os.path.join(output, "links"))
    report = lab("favorites", "--json")
    open_insights()
    until(lambda: find(".bundle"))
    equal("the base rate is the command's", one(".base-rate").text, percent(report["rate"]))
    equal("bundles are, the best first", [h.text for h in find(".bundle h3")], [bundle["name"] for bundle in report["bundles"]])
    equal("with its words", find(".bundle p")[0].text, report["bundles"][0]["text"])
    for column in ("model", "profile", "resolution", "scheduler"):
        wanted = [[row["value"], "{:,}".format(row["made"]), "{:,}".format(row["loved"]), percent(row["rate"])]
                  for row in report["tables"][column]]
        equal("the table of %s is" % column, rows_of(column), wanted)
    words = {"more": "loved more", "less": "loved less", "usual": "as usual", "unknown": "not enough data"}
    verdicts = [cell.text.split(";")[0] for cell in find("[data-column=profile] .verdict")]
    equal("verdicts are", verdicts, [words[row["verdict"]] for row in report["tables"]["profile"]])
    said = find("[data-column=model] svg")[0].get_attribute("aria-label")
    low, high = report["tables"]["model"][0]["interval"]
    check("drawings say what they draw", percent(low) + " to " + percent(high) in said, said)
    check("and draw it from low to high", float(find("[data-column=model] rect")[0].get_attribute("width")) > 1)
    check("bundles have pictures", until(lambda: driver.execute_script(
        "const i = document.querySelector('.bundle img'); return i.complete && i.naturalWidth > 0")))
    shot("insights")
    return report


def try_weights():
    until(lambda: len(find("#theme option")) > 5)
    driver.execute_script("const s = document.querySelector('#theme'); s.value = 'fantasy-city'; s.dispatchEvent(new Event('change'))")
    check("a theme says what was learned for it", until(lambda: find(".learned li")), one(".learned").text)


def try_sweep(report):
    check("without a prompt nothing is queued", not one(".next .main").is_enabled())
    one("#next-prompt").send_keys("a castle")
    check("count and time are shown first", until(lambda: "%d pictures" % report["next"]["pictures"] in one(".next .told").text
                                                  and one(".next .main").is_enabled()), one(".next .told").text)
    one(".next .main").click()
    check("a button queues it", until(lambda: "queued" in one(".next .told").text), one(".next .told").text)
    job = server.get("/api/v1/jobs").json()["jobs"][0]
    equal("as it is suggested", (job["n_cells"], job["settings"]["prompt"], job["settings"]["model"]),
          (report["next"]["pictures"], "a castle", "CyberRealistic XL v5.8"))


def try_bundle(report):
    driver.execute_script("document.querySelector('.bundle button').scrollIntoView({block: 'center'})")
    find(".bundle button")[0].click()
    check("a bundle fills the form", until(lambda: find("[data-key=model] select")))
    settings = report["bundles"][0]["settings"]
    equal("with its settings", [one("[data-key=%s] select" % key).get_attribute("value") for key in ("model", "profile")],
          [settings["model"], settings["profile"]])
    equal("and its steps", one("[data-key=steps] input[type=number]").get_attribute("value"), settings["steps"])


def try_form():
    """Bundles can be chosen where one draws, too."""
    driver.execute_script("localStorage.clear()")
    driver.get(here)
    until(lambda: find(".bundle-choice summary"))
    one(".bundle-choice summary").click()
    check("the form has the bundles", until(lambda: find(".bundle-rows button")))
    equal("the same ones", [button.text for button in find(".bundle-rows button")], [bundle["name"] for bundle in report["bundles"]])
    find(".bundle-rows button")[0].click()
    equal("one fills the form", one("[data-key=profile] select").get_attribute("value"), report["bundles"][0]["settings"]["profile"])


def try_phone():
    driver.set_window_size(360, 740)
    open_insights()
    until(lambda: find(".bundle"))
    equal("nothing is wider than a phone", driver.execute_script("return Math.max(0, document.documentElement.scrollWidth - innerWidth)"), 0)
    shot("insights-phone")


try_nothing()
report = try_numbers()
try_weights()
try_sweep(report)
try_bundle(report)
try_form()
try_phone()
bad = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "422" not in entry["message"]]
equal("nothing went wrong unseen", bad, [])
driver.quit()
server.clean()
subprocess.run(["rm", "-rf", home], check=True)
end()
