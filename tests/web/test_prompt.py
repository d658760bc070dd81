"""The prompt box in a real browser: tokens, what is cut and where it is marked, what it may go on with (keys and taps),
weights, brackets, earlier prompts, a phone. usage: test_prompt.py PROGRAM SOURCE_DIR [FOLDER for screenshots]"""
import os
import sys
import tempfile

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program = sys.argv[1]
driver = browser.start(1280, 900)
from selenium.webdriver.common.keys import Keys  # noqa: E402  (start() leaves where there is none)
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[3:])
config = tempfile.mkdtemp(prefix="sdxl-lab-prompt-")
os.makedirs(os.path.join(config, "sdxl-lab", "wildcards"))
with open(os.path.join(config, "sdxl-lab", "wildcards", "colour.txt"), "w") as file:
    file.write("red\nblue\n")
server = Server(program, "--device", "cpu", "--threads", "1", environment={"XDG_CONFIG_HOME": config})
AREA = "[data-key=prompt] textarea"
LIST = ".suggestions:not([hidden]) li"
SLOW_S = 60


def text():
    return one(AREA).get_attribute("value")


def told():
    return one("[data-key=prompt] .prompt-told").text


def expect(name, fn):
    check(name, until(fn, SLOW_S), told())


def press(*keys):
    """Keys on what has focus, the last one with those before it held."""
    from selenium.webdriver.common.action_chains import ActionChains
    chain = ActionChains(driver)
    for key in keys[:-1]:
        chain.key_down(key)
    chain.send_keys(keys[-1])
    for key in reversed(keys[:-1]):
        chain.key_up(key)
    chain.perform()


def retype(value):
    press(Keys.CONTROL, "a")
    press(value)


def open_page():
    driver.get("http://127.0.0.1:%d/" % server.port)
    return until(lambda: find(AREA), SLOW_S)


def marked():
    """What is marked as cut, and how far the mark's end lies from where the text's is."""
    return driver.execute_script("return [...document.querySelectorAll('[data-key=prompt] .cut')].map(m => m.textContent).join('')")


def try_counting():
    one(AREA).click()
    press("a red fox")
    expect("tokens are counted", lambda: told().startswith("3/75 tokens"))
    equal("nothing is marked", marked(), "")
    long = "a red fox, " + "stone " * 120
    retype(long)
    count = server.ask("POST", "/api/v1/tokens", {"settings": {"prompt": long}}).json()["prompt"]
    expect("what is too long is told", lambda: "%d tokens are cut off" % count["cut"] in told())
    equal("and marked from there on", marked().strip(), long[count["cut_at"]:].strip())
    check("to who listens, politely", until(lambda: "cut off" in driver.execute_script(
        "return document.querySelector('[data-key=prompt] [role=status]').textContent"), SLOW_S))
    same = driver.execute_script("""
        const area = document.querySelector(arguments[0]), back = area.parentElement.querySelector('.prompt-back');
        const [a, b] = [area, back].map(e => getComputedStyle(e));
        return [back.scrollHeight - area.scrollHeight, back.scrollTop - area.scrollTop, a.font === b.font,
          a.lineHeight === b.lineHeight, back.clientWidth - area.clientWidth]""", AREA)
    equal("the marks lie behind their words", same, [0, 0, True, True, 0])
    press(Keys.CONTROL, Keys.HOME)
    press("old ")
    equal("an edit before the mark moves it", marked().strip()[:5], "stone")
    shot("prompt-cut")
    retype("fox")
    expect("what fits again is not marked", lambda: told().startswith("1/75") or marked() == "")
    driver.execute_script("document.querySelector('[data-key=profile] select').value = 'Cinematic';"
                          "document.querySelector('[data-key=profile] select').dispatchEvent(new Event('change', {bubbles: true}))")
    expect("a profile's words count", lambda: int(told().split("/")[0]) > 10)


def try_completing():
    one(AREA).click()
    retype("a cat __co")
    expect("wildcards are offered", lambda: find(LIST))
    area = one(AREA)
    equal("as a combobox", [area.get_attribute(name) for name in ("role", "aria-expanded", "aria-autocomplete")],
          ["combobox", "true", "list"])
    equal("whose listbox is named", one("#" + area.get_attribute("aria-controls")).get_attribute("role"), "listbox")
    equal("and whose option is said", one("#" + area.get_attribute("aria-activedescendant")).get_attribute("aria-selected"), "true")
    press(Keys.ENTER)
    equal("Enter takes it", text(), "a cat __colour__")
    check("and closes the list", not find(LIST))
    equal("focus stays in the text", driver.switch_to.active_element.id, area.id)
    press(Keys.CONTROL, "z")
    equal("the browser's undo takes it back", text(), "a cat __co")
    retype("<lo")
    expect("LoRAs are offered", lambda: len(find(LIST)) >= 2)
    shot("prompt-list")
    press(Keys.ESCAPE)
    check("Escape closes", until(lambda: not find(LIST), SLOW_S))
    retype("a house, waterc")
    expect("profiles are offered", lambda: any("Watercolor" in item.text for item in find(LIST)))
    press(Keys.ENTER)
    check("Enter alone takes no word that was not chosen", text() == "a house, waterc\n", text())
    retype("a house, waterc")
    expect("they come again", lambda: find(LIST))
    press(Keys.ARROW_DOWN)
    press(Keys.ENTER)
    equal("a profile is set and not written", (text(), one("[data-key=profile] select").get_attribute("value")),
          ("a house, ", "Watercolor"))
    retype("a __co")
    expect("and by a tap", lambda: find(LIST))
    find(LIST)[0].click()
    equal("a tap takes it", text(), "a __colour__")


def try_weights():
    one(AREA).click()
    retype("an old oak")
    press(Keys.ESCAPE)
    press(Keys.CONTROL, Keys.ARROW_UP)
    equal("the word at the caret weighs more", text(), "an old (oak:1.05)")
    press(Keys.CONTROL, Keys.ARROW_UP)
    equal("and more", text(), "an old (oak:1.1)")
    for _ in range(3):
        press(Keys.CONTROL, Keys.ARROW_DOWN)
    equal("and less", text(), "an old (oak:0.95)")
    press(Keys.CONTROL, Keys.ARROW_UP)
    equal("at 1 the brackets go", text(), "an old oak")
    press(Keys.CONTROL, "z")
    equal("with the browser's undo", text(), "an old (oak:0.95)")
    retype("an old oak")
    press(Keys.SHIFT, Keys.HOME)
    press(Keys.CONTROL, Keys.ARROW_UP)
    equal("what is selected weighs more", text(), "(an old oak:1.05)")
    expect("weights are offered to be read", lambda: "Read weights" in told())
    [b for b in find(".prompt-told button") if b.text == "Read weights"][0].click()
    expect("then tokens are in chunks", lambda: "in 1 chunk" in told())
    one(AREA).click()
    retype("<lora:turbo:1>")
    press(Keys.ESCAPE)
    press(Keys.CONTROL, Keys.ARROW_DOWN)
    equal("a LoRA's weight changes likewise", text(), "<lora:turbo:0.95>")
    retype("a (cat [with hats)")
    expect("brackets without a partner are told", lambda: "have no partner" in told() or "has no partner" in told())
    check("and marked", find("[data-key=prompt] mark.bracket"))
    retype("a ( b [ c ( d")
    for keys in ((Keys.HOME,), ("x",), (Keys.ARROW_RIGHT,), (Keys.ARROW_RIGHT,), ("y",), (Keys.DELETE,), (Keys.END,), (Keys.BACKSPACE,)):
        press(*keys)
    behind = driver.execute_script("""return [...document.querySelector('[data-key=prompt] .prompt-back').childNodes]
        .map(node => (node.className || 'text') + ':' + node.textContent)""")
    equal("after each key the marks are where they belong", behind, ["text:xa y b ", "bracket:[", "text: c ", "bracket:(", "text: ", "text:\u200b"])
    retype("two (foxes")
    retype(r"a \(cat [with hats]")
    check("not where a backslash makes them signs", until(lambda: not find("[data-key=prompt] mark.bracket"), SLOW_S))


def try_earlier():
    for prompt in ("first prompt", "second prompt"):
        server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": prompt, "steps": 1, "size": "64x64"}})
    until(lambda: all(job["state"] == "done" for job in server.get("/api/v1/jobs").json()["jobs"]), SLOW_S)
    one(AREA).click()
    retype("mine")
    press(Keys.ESCAPE)
    press(Keys.ALT, Keys.ARROW_UP)
    equal("Alt+Up has the prompt before", text(), "second prompt")
    press(Keys.ALT, Keys.ARROW_UP)
    equal("and the one before that", text(), "first prompt")
    press(Keys.ALT, Keys.ARROW_DOWN)
    press(Keys.ALT, Keys.ARROW_DOWN)
    equal("and back to what was typed", text(), "mine")


def try_phone():
    driver.set_window_size(360, 740)
    open_page()
    driver.execute_script("document.querySelector(arguments[0]).scrollIntoView()", AREA)
    one(AREA).click()
    retype("stone " * 120)
    expect("a phone says what it comes to", lambda: "chunks of 75" in told())
    retype("<lora:")
    expect("a phone has the list", lambda: find(LIST))
    wide = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
    check("nothing is wider than a phone", wide <= 0, wide)
    shot("prompt-phone")


def try_offline():
    server.clean()
    retype("nobody counts")
    expect("without a server tokens are a dash", lambda: told().startswith("\u2013"))


open_page()
try_counting()
try_completing()
try_weights()
try_earlier()
try_phone()
bad = [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE" and "422" not in entry["message"]]
equal("nothing went wrong unseen", bad, [])
try_offline()
driver.quit()
end()
