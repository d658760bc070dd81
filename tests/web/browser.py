"""What the tests of pages share: a headless Chromium, pictures, and leaving with a clear word."""
import os
import shutil
import struct
import sys
import time
import zlib

SKIPPED = 77


def skip(why):
    print(f"skip browser: {why}")
    sys.exit(SKIPPED)


def start(width=1280, height=900, dark=False):
    """A Chromium of the distribution; exits as skipped when there is none."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        skip("python3-selenium is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not chromium or not driver:
        skip("chromium and chromium-driver are not installed")
    options = Options()
    options.binary_location = chromium
    flags = ["--headless=new", f"--window-size={width},{height}", "--hide-scrollbars",
             "--force-device-scale-factor=1", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    if dark:
        flags.append("--force-dark-mode")
    for flag in flags:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver))


def png(width, height, colour):
    """A PNG file of a soft gradient around one colour."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            light = 1 - ((x / width - 0.35) ** 2 + (y / height - 0.4) ** 2) * 1.3
            rows += bytes(max(0, min(255, int(c * light))) for c in colour)
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows)))
            + chunk(b"IEND", b""))


def until(fn, seconds=60):
    """What fn gives once it is true; None after that time."""
    late = time.monotonic() + seconds
    while time.monotonic() < late:
        try:
            found = fn()
        except Exception:  # an element that was just replaced
            found = None
        if found:
            return found
        time.sleep(0.05)
    return None


def finders(driver):
    """find(css): the elements that are there now. one(css): the first of them, waited for."""
    def find(css):
        return driver.find_elements("css selector", css)

    def one(css):
        return until(lambda: find(css))[0]
    return find, one


def camera(driver, folder):
    """shot(name) for who looks at a test. folder: what is left of its arguments; without any nothing is taken."""
    def shot(name):
        if folder:
            time.sleep(0.5)  # what is still coming
            driver.save_screenshot(os.path.join(folder[0], name + ".png"))
    return shot
