"""The system view in a real browser: GPUs that a library makes up, disk, models, a download that is begun, stopped and gone
on with, the log. usage: test_system.py PROGRAM SOURCE_DIR FAKES [FOLDER for screenshots]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import browser
from browser import until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal  # noqa: E402

program, sources, fakes = sys.argv[1:4]
driver = browser.start(1280, 900)
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402  (start() leaves where there is none)
find, one = browser.finders(driver)
shot = browser.camera(driver, sys.argv[4:])
hub = tempfile.mkdtemp(prefix="sdxl-lab-hub-")
shutil.copytree(os.path.join(sources, "models", "lab-tiny-xl"), os.path.join(hub, "repos/org/tiny"))
hub_server = subprocess.Popen([sys.executable, os.path.join(sources, "tests/hub_server/server.py"), hub], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
endpoint = hub_server.stdout.readline().strip()
if "without libcurl" in subprocess.run([program, "models", "download", "org/absent"], capture_output=True, text=True,
                                       env={**os.environ, "HF_ENDPOINT": endpoint}).stderr:
    driver.quit()
    hub_server.kill()
    browser.skip("the program was built without libcurl")
script = os.path.join(hub, "nvml")
with open(script, "w") as file:
    file.write("gpu GPU-aaaaaaaa-0000-0000-0000-000000000001 name=NVIDIA_H200 total=143771 used=30000 util=97 procs=1 temp=64 power=612000\n"
               "gpu GPU-bbbbbbbb-0000-0000-0000-000000000002 name=NVIDIA_H200 total=143771\n")
server = Server(program, "--device", "cpu", "--threads", "1", "--gpu-lock-dir", os.path.join(hub, "locks"), environment={
    "HF_ENDPOINT": endpoint, "HF_TOKEN": "", "LD_LIBRARY_PATH": os.path.join(fakes, "new"),
    "FAKE_NVML": script})


def fault(**faults):
    with open(hub + "/faults.tmp", "w") as file:
        json.dump(faults, file)
    os.rename(hub + "/faults.tmp", hub + "/faults.json")


def part(name):
    return "section[aria-label='%s']" % name


def text(css):
    return one(css).text


def try_machine():
    driver.get("http://127.0.0.1:%d/system" % server.port)
    check("a card for each GPU", until(lambda: len(find(".gpu")) == 2), text("main"))
    busy = until(lambda: text(part("GPU 0")))
    check("with memory, use, temperature and what keeps it busy", all(word in busy for word in ("NVIDIA H200", "97 %", "64 °C", "612 W",
                                                                                            "of 151 GB", "1 process")), busy)
    check("and one that is idle", "idle" in text(part("GPU 1")), text(part("GPU 1")))
    check("the disk", until(lambda: "free of" in text(part("Disk")) and server.output in text(part("Disk"))), text(part("Disk")))
    ready = until(lambda: text("tr[data-model='Lab Tiny XL']"))
    check("models with their state", "ready" in ready and not find("tr[data-model='Lab Tiny XL'] button"), ready)
    absent = text("tr[data-model='SDXL Base 1.0']")
    check("and what is not here can be had", "not cached" in absent and find("tr[data-model='SDXL Base 1.0'] button"), absent)
    with open(script, "a") as file:
        file.write("gpu GPU-cccccccc-0000-0000-0000-000000000003 name=NVIDIA_H200 total=143771\n")
    check("readings are taken anew", until(lambda: len(find(".gpu")) == 3))


def state():
    return text(".download .state")


def try_downloads():
    fault(bytes_per_s=100000)
    name = one("#download-name")
    name.send_keys("nobody\n")
    check("what is no model is refused, and said", until(lambda: "no repository" in text(part("Models") + " [role=alert]")),
          text(part("Models")))
    name.clear()
    name.send_keys("org/tiny\n")
    check("a download is begun by the keyboard", until(lambda: state() == "running"), text(part("Models")))
    check("and how far it is is shown", until(lambda: " of " in text(".download .meter") and
                                              float(one(".download progress").get_attribute("value")) > 0), text(".download"))
    shot("downloading")
    driver.refresh()
    check("a page that is loaded again knows it", until(lambda: state() == "running"), text("main"))
    driver.execute_script("document.querySelector('.download button').focus(); window.stop = document.activeElement")
    before = text(".download .meter")
    check("and what a key has in hand stays while it goes on",
          until(lambda: text(".download .meter") != before) and driver.execute_script("return stop.isConnected && document.activeElement === stop"))
    ActionChains(driver).send_keys(" ").perform()
    check("it is stopped", until(lambda: state() == "cancelled"), text(".download"))
    fault()
    until(lambda: one(".download button").text == "Go on")
    one(".download button").click()
    check("and gone on with", until(lambda: state() == "done"), text(".download"))
    check("then the model is among those that are here", until(lambda: "ready" in text("tr[data-model='org/tiny']")), text(part("Models")))
    check("what is there again and again is shown once", len(find(".download")) == 1, len(find(".download")))


def try_log():
    server.ask("POST", "/api/v1/jobs", {"settings": {"prompt": "a red circle of this test", "size": "64x64", "steps": 1}})
    check("what is drawn comes into the log while one looks", until(lambda: "a red circle of this test" in text(part("Drawn last"))),
          text(part("Drawn last")))


def try_narrow():
    for width in (360, 1280):
        driver.set_window_size(width, 900)
        wide = until(lambda: driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"), 10)
        check("nothing is wider than %d pixels" % width, wide, driver.execute_script("return document.documentElement.scrollWidth"))
        last = driver.execute_script("return [...document.querySelectorAll('.top nav a')].pop().getBoundingClientRect().right")
        check("every view can be reached at %d pixels" % width, last <= width, last)
        shot("system-%d" % width)
    for scheme in ("dark", "light"):
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        shot("system-" + scheme)


try:
    try_machine()
    try_downloads()
    try_log()
    try_narrow()
    equal("the console is silent", [entry["message"] for entry in driver.get_log("browser") if "422" not in entry["message"]], [])
finally:
    driver.quit()
    server.clean()
    hub_server.kill()
    hub_server.wait()
    hub_server.stdout.close()
    shutil.rmtree(hub, ignore_errors=True)
end()
