"""test_a1111.py PROGRAM SOURCES - /sdapi/v1 as clients of AUTOMATIC1111's web UI use it: every route, what is wrong with
requests, pictures that are those of this program's own API, and calls that are interrupted, left or made side by side.
Pictures are the embedded model's."""
import base64
import glob
import hashlib
import http.client
import json
import os
import struct
import sys
import threading
import time
import zlib

from serving import Server, check, end, equal

program, sources = sys.argv[1:]
SMALL = {"prompt": "a red circle", "width": 128, "height": 128, "steps": 4, "seed": 5}
LONG = dict(SMALL, steps=1000)
PATIENCE = 180  # seconds: a sanitizer is slow, and the machine has other work


def post(path, body=None, **more):
    return server.ask("POST", "/sdapi/v1/" + path, body, timeout=PATIENCE, **more)


def get(path):
    return server.get("/sdapi/v1/" + path, timeout=PATIENCE)


def until(condition, seconds=PATIENCE):
    """What the condition gives when it is true; None: it did not become so."""
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    return None


def jobs():
    return server.get("/api/v1/jobs").json()["jobs"]


def chunks(data):
    at = 8
    while at < len(data):
        n = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 8], data[at + 8:at + 8 + n]
        at += 12 + n


def pixels(data):
    return hashlib.sha256(b"".join(body for kind, body in chunks(data) if kind == b"IDAT")).hexdigest()


def texts(data):
    return [body.split(b"\0")[0].decode() for kind, body in chunks(data) if kind in (b"tEXt", b"iTXt")]


def png(width, height, rows=None, before=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = rows if rows is not None else (b"\0" + b"\x80" * 3 * width) * height
    texts = chunk(b"tEXt", b"parameters\0" + before) if before else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + texts + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


def text(data):
    return base64.b64encode(data).decode()


def ours(settings):
    """The picture that this program's own API draws."""
    id = server.ask("POST", "/api/v1/jobs", {"settings": settings}).json()["id"]
    done = until(lambda: (lambda job: job if job["state"] not in ("queued", "running") else None)(
        server.get("/api/v1/jobs/" + id).json()))
    with open(done["pictures"][0][1], "rb") as file:
        return file.read()


OWN = {"prompt": "a red circle", "prompt_syntax": "a1111", "size": "128x128", "steps": 4, "seed": 5, "guidance": 7}


def try_token():
    """That program's --api-auth is the password of basic authentication; what it takes is described."""
    guarded = Server(program, "--device", "cpu", environment={"SDXL_LAB_TOKEN": "0123456789abcdef"})
    def ask(token):
        headers = {"Authorization": "Basic " + text(b"anybody:" + token)} if token else None
        return guarded.get("/sdapi/v1/samplers", headers=headers)
    equal("a token is the password", [ask(token).code for token in (b"", b"0123456789abcdeX", b"0123456789abcdef")],
          [401, 401, 200])
    check("which is said in that program's way", is_problem(ask(b"")), ask(b"").body)
    guarded.clean()
    paths = server.get("/api/v1/openapi.json").json()["paths"]
    schema = paths["/sdapi/v1/img2img"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    equal("the fields are described", schema["properties"]["denoising_strength"], {"type": "number", "default": 0.75})


def try_lists():
    """What clients ask when they connect."""
    models = get("sd-models").json()
    title = models[0]["title"]
    check("a model has a title with its hash", title == "Lab Tiny XL [%s]" % models[0]["hash"] and
          models[0]["sha256"].startswith(models[0]["hash"]) and len(models[0]["hash"]) == 10, models[0])
    samplers = {row["name"]: row for row in get("samplers").json()}
    check("samplers have that program's names", {"Euler a", "Euler", "DPM++ 2M", "DDIM", "UniPC", "LCM"} <= set(samplers))
    equal("with aliases, and the schedule that is automatic",
          (samplers["DPM++ 2M"]["aliases"], samplers["DPM++ 2M"]["options"]), (["k_dpmpp_2m"], {"scheduler": "karras"}))
    schedules = get("schedulers").json()
    equal("schedules", [row["name"] for row in schedules], ["automatic", "uniform", "normal", "karras", "exponential",
                                                       "beta"])
    profiles = server.get("/api/v1/profiles").json()["profiles"]
    equal("styles are the profiles", [row["name"] for row in get("prompt-styles").json()],
          [row["name"] for row in profiles])
    loras = get("loras").json()
    check("LoRAs", {"turbo", "stained-glass"} <= {row["name"] for row in loras}, loras)
    equal("embeddings", set(get("embeddings").json()), {"loaded", "skipped"})
    memory = get("memory").json()
    check("memory", 0 < memory["ram"]["free"] <= memory["ram"]["total"] and "cuda" in memory, memory)
    equal("flags", get("cmd-flags").json()["api"], True)
    equal("scripts", get("scripts").json(), {"txt2img": [], "img2img": []})
    for name in ("script-info", "extensions", "upscalers", "latent-upscale-modes", "hypernetworks", "face-restorers",
                 "realesrgan-models", "sd-vae"):
        equal("no " + name, (get(name).code, get(name).json()), (200, []))
    for name in ("refresh-checkpoints", "refresh-loras", "refresh-embeddings", "refresh-vae"):
        equal(name, (post(name).code, post(name).json()), (200, None))
    for name in ("unload-checkpoint", "reload-checkpoint"):
        equal(name, (post(name).code, post(name).json()), (200, {}))
    told = "".join(get(name).body.decode() for name in ("sd-models", "loras", "embeddings", "sd-vae", "cmd-flags", "options"))
    check("no path of the machine is told", sources not in told and server.home not in told, told)
    idle = get("progress").json()
    equal("nothing is drawn", (idle["progress"], idle["eta_relative"], idle["state"]["job_count"], idle["current_image"]),
          (0, 0, 0, None))
    equal("nothing to interrupt", [(post(name).code, post(name).json()) for name in ("interrupt", "skip")],
          [(200, {}), (200, None)])


def try_drawing():
    answer = post("txt2img", SMALL)
    equal("a picture", answer.code, 200)
    told = answer.json()
    data = base64.b64decode(told["images"][0])
    equal("its file has that program's text and our record", texts(data)[:2], ["parameters", "sdxl-lab"])
    info = json.loads(told["info"])
    equal("info", (info["prompt"], info["all_seeds"], info["width"], info["height"], info["sampler_name"], info["steps"],
                   info["cfg_scale"], info["sd_model_name"], len(info["infotexts"])),
          ("a red circle", [5], 128, 128, "Euler", 4, 7, "Lab Tiny XL", 1))
    kinds = {"prompt": str, "seed": int, "subseed": int, "restore_faces": bool, "sd_model_hash": str, "styles": list,
             "extra_generation_params": dict, "clip_skip": int, "job_timestamp": str, "version": str, "batch_size": int,
             "is_using_inpainting_conditioning": bool, "seed_resize_from_w": int, "subseed_strength": (int, float)}
    equal("in the types that strict clients want", [key for key, kind in kinds.items() if type(info[key]) is not kind and
                                                    not isinstance(info[key], kind)], [])
    equal("the request comes back whole", [told["parameters"][key] for key in (
        "prompt", "negative_prompt", "sampler_index", "sampler_name", "n_iter", "override_settings", "hr_scale", "enable_hr")],
        ["a red circle", "", "Euler", None, 1, {}, 2.0, False])
    own = ours(dict(OWN, scheduler="euler"))
    equal("it is the picture of our own API", pixels(data), pixels(own))
    known = [job for job in jobs() if job["origin"] == "a1111"]
    check("it was a job like any other", len(known) == 1 and known[0]["state"] == "done", known)
    read = post("png-info", {"image": "data:image/png;base64," + told["images"][0]}).json()
    equal("its text is read back", (read["info"], read["parameters"]["Seed"], read["parameters"]["Size-1"]),
          (info["infotexts"][0], "5", "128"))
    check("and our record beside it", "sdxl-lab" in read["items"] and "parameters" not in read["items"], list(read["items"]))
    check("which names the model, and no folder", "Model: lab-tiny-xl," in info["infotexts"][0], info["infotexts"][0])
    again = post("txt2img", {"infotext": info["infotexts"][0]})
    equal("a text alone draws it again", again.code == 200 and pixels(base64.b64decode(again.json()["images"][0])),
          pixels(data))
    other = json.loads(post("txt2img", {"infotext": info["infotexts"][0], "seed": 6}).json()["info"])
    equal("what is said beside it comes first", (other["seed"], other["steps"]), (6, 4))


def try_batches():
    told = post("txt2img", dict(SMALL, batch_size=2, n_iter=2, negative_prompt="blurry", styles=["Watercolor"])).json()
    info = json.loads(told["info"])
    equal("batch_size times n_iter", (len(told["images"]), info["all_seeds"]), (4, [5, 6, 7, 8]))
    check("a style is around the prompt", info["prompt"].startswith("a red circle, watercolor") and
          info["negative_prompt"].startswith("blurry, "), info)
    found = [pixels(base64.b64decode(image)) for image in told["images"]]
    equal("each is another picture", len(set(found)), 4)
    alone = post("txt2img", dict(SMALL, seed=7, negative_prompt="blurry", styles=["Watercolor"])).json()
    equal("and the one of its seed", pixels(base64.b64decode(alone["images"][0])), found[2])
    seeds = {json.loads(post("txt2img", dict(SMALL, seed=-1, steps=1)).json()["info"])["seed"] for _ in range(3)}
    check("-1 is a seed at random", len(seeds) == 3 and all(0 <= seed < 2 ** 32 for seed in seeds), seeds)
    silent = post("txt2img", dict(SMALL, steps=1, send_images=False)).json()
    equal("without images", (silent["images"], len(json.loads(silent["info"])["all_seeds"])), ([], 1))


def try_samplers():
    for sampler, schedule, name in (("DPM++ 2M", None, "dpmpp-2m-karras"), ("DPM++ 2M", "uniform", "dpmpp-2m"),
                                    ("DPM++ 2M Karras", None, "dpmpp-2m-karras"), ("k_euler_a", "Automatic", "euler-a"),
                                    ("DPM++ 2M SDE", "", "dpmpp-2m-sde-exponential"), ("Heun", "Karras", "heun-karras")):
        answer = post("txt2img", dict(SMALL, sampler_name=sampler, scheduler=schedule, send_images=False))
        job = server.get("/api/v1/jobs").json()["jobs"][0]
        equal("%s with %s is %s" % (sampler, schedule, name), (answer.code, job["settings"]["scheduler"]), (200, name))
    plain = post("txt2img", dict(SMALL, sampler_name="DPM++ 2M", scheduler="uniform")).json()
    again = post("txt2img", {"infotext": json.loads(plain["info"])["infotexts"][0]}).json()
    equal("plain steps are told from automatic ones", pixels(base64.b64decode(again["images"][0])),
          pixels(base64.b64decode(plain["images"][0])))
    rows = get("samplers").json()
    for name in [name for row in rows for name in (row["name"], *row["aliases"])]:
        answer = post("txt2img", dict(SMALL, sampler_name=name, width=64, height=64, send_images=False))
        check("%s draws" % name, answer.code == 200 and
              json.loads(answer.json()["info"])["sampler_name"] in [row["name"] for row in rows], answer.body)
    known = {row["name"] for row in server.get("/api/v1/schedulers").json()["schedulers"]} - {"default"}
    plain = [name for name in known if not name.endswith(("-karras", "-exponential", "-beta", "-lu"))]
    equal("each sampler of ours is among them", len(rows), len(plain))
    told = post("txt2img", dict(SMALL, prompt="a (red:1.3) circle <lora:stained-glass:0.5>")).json()
    check("attention and LoRAs of prompts", "<lora:stained-glass:0.5>" in json.loads(told["info"])["infotexts"][0])


def try_img2img():
    begin = png(96, 128)
    told = post("img2img", dict(SMALL, init_images=[text(begin)], denoising_strength=0.5)).json()
    sent = server.ask("POST", "/api/v1/uploads", *form(begin)).json()
    own = ours(dict(OWN, scheduler="euler", init_image=sent["init_image"], strength=0.5))
    equal("img2img is that of our own API", pixels(base64.b64decode(told["images"][0])), pixels(own))
    equal("what was sent does not come back", (told["parameters"]["init_images"], told["parameters"]["denoising_strength"]),
          (None, 0.5))
    address = "data:image/png;base64," + "\n".join(text(begin)[i:i + 76] for i in range(0, len(text(begin)), 76))
    again = post("img2img", dict(SMALL, init_images=[address], denoising_strength=0.5, include_init_images=True)).json()
    equal("as an address of data, broken into lines", pixels(base64.b64decode(again["images"][0])), pixels(own))
    equal("it comes back where that is wanted", again["parameters"]["init_images"], [address])
    equal("only pictures are kept", [name for name in os.listdir(os.path.join(server.output, ".uploads"))
                                     if not name.endswith(".png")], [])


def form(data):
    edge = "edge-of-a-part"
    body = ('--%s\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n' % edge).encode() + data
    return body + ("\r\n--%s--\r\n" % edge).encode(), {"Content-Type": "multipart/form-data; boundary=" + edge}


def try_options():
    first = get("options").json()
    equal("a model is selected before anybody does", first["sd_model_checkpoint"], get("sd-models").json()[0]["title"])
    equal("all options can be sent back", (post("options", first).code, post("options", first).json()), (200, None))
    equal("another model, by its name", post("options", {"sd_model_checkpoint": "Lab Tiny XL Turbo"}).code, 200)
    check("is the one now", get("options").json()["sd_model_checkpoint"].startswith("Lab Tiny XL Turbo ["))
    fast = dict(SMALL, sampler_name="LCM", cfg_scale=1)
    equal("and draws", json.loads(post("txt2img", fast).json()["info"])["sd_model_name"], "Lab Tiny XL Turbo")
    there = dict(fast, override_settings={"sd_model_checkpoint": first["sd_model_checkpoint"]})
    equal("one request may have another", json.loads(post("txt2img", there).json()["info"])["sd_model_name"], "Lab Tiny XL")
    check("and does not change it", get("options").json()["sd_model_checkpoint"].startswith("Lab Tiny XL Turbo ["))
    post("txt2img", dict(there, override_settings_restore_afterwards=False))
    equal("unless it says so", get("options").json()["sd_model_checkpoint"], first["sd_model_checkpoint"])
    noise = json.loads(post("txt2img", dict(SMALL, override_settings={"randn_source": "NV"})).json()["info"])
    check("another source of noise", "RNG: CPU" not in noise["infotexts"][0], noise["infotexts"])
    for name, body, code in (("a model that is not here", {"sd_model_checkpoint": "nothing.safetensors [0123456789]"}, 404),
                             ("a path as a model", {"sd_model_checkpoint": "/etc/passwd"}, 404),
                             ("an option that is none", {"sd_modell": "x"}, 422), ("a VAE that is not here", {"sd_vae": "../x"}, 422),
                             ("another format of files", {"samples_format": "webp"}, 422),
                             ("another type", {"sd_model_checkpoint": [1]}, 422), ("no source", {"randn_source": "dice"}, 422)):
        for path, ask in (("options", body), ("txt2img", dict(SMALL, override_settings=body))):
            answer = post(path, ask)
            check("%s refuses %s" % (path, name), answer.code == code and is_problem(answer), (answer.code, answer.body))
    equal("nothing of it was kept", get("options").json()["sd_model_checkpoint"], first["sd_model_checkpoint"])


def is_problem(answer, field=None):
    """Whether the body is an error as that program writes it, about a field."""
    try:
        told = answer.json()
    except ValueError:
        return False
    detail = told.get("detail")
    if isinstance(detail, list):
        row = detail[0]
        return set(row) == {"loc", "msg", "type"} and len(row["msg"]) > 10 and field in (None, row["loc"][1])
    return field is None and isinstance(detail, str) and len(detail) > 10 and set(told) <= {"error", "detail", "body", "errors"}


def try_refusals():
    before = len(jobs())
    bomb = text(png(65535, 65535, b""))
    for field, value in (("steps", "many"), ("steps", 0), ("steps", 100000), ("steps", 2.5), ("steps", [20]), ("width", 100),
                         ("width", 0), ("width", -512), ("width", 1 << 20), ("height", "tall"), ("cfg_scale", "x"),
                         ("cfg_scale", -1), ("cfg_scale", {}), ("seed", -2), ("seed", "x"), ("prompt", True), ("prompt", ["x"]), ("prompt", "a\0b"),
                         ("negative_prompt", {}), ("styles", "Watercolor"), ("styles", ["no such style"]), ("styles", [1]),
                         ("batch_size", 0), ("batch_size", 65), ("n_iter", -1), ("n_iter", 1000), ("enable_hr", True),
                         ("restore_faces", True), ("tiling", True), ("restore_faces", "perhaps"), ("subseed_strength", 0.5),
                         ("s_churn", 1), ("s_noise", 0.9), ("refiner_checkpoint", "x"), ("disable_extra_networks", True),
                         ("override_settings", []), ("alwayson_scripts", []), ("eta", "x"), ("send_images", "perhaps"),
                         ("seed_resize_from_w", 64), ("firstphase_width", 64)):
        answer = post("txt2img", {**SMALL, field: value})
        check("refused: %s is %r" % (field, value), answer.code == 422 and is_problem(answer, field), (answer.code, answer.body))
    for name, more, code in (("a sampler that is not here", {"sampler_name": "DPM adaptive"}, 404),
                             ("a path as a sampler", {"sampler_name": "../../etc/passwd"}, 404),
                             ("a schedule that is not here", {"scheduler": "turbo"}, 422),
                             ("a schedule that it has not", {"sampler_name": "DDIM", "scheduler": "karras"}, 422),
                             ("another eta", {"sampler_name": "DDIM", "eta": 1.0}, 422),
                             ("a script", {"script_name": "x/y plot"}, 422),
                             ("a script that is always on", {"alwayson_scripts": {"ControlNet": {"args": []}}}, 422),
                             ("a LoRA that is not here", {"prompt": "x <lora:../../etc/passwd:1>"}, 422),
                             ("more pixels than may be", {"width": 16384, "height": 16384}, 422),
                             ("too many pictures", {"batch_size": 9, "n_iter": 9}, 422)):
        answer = post("txt2img", {**SMALL, **more})
        check("refused: " + name, answer.code == code and is_problem(answer), (answer.code, answer.body))
    for name, more, code in (("no picture", {}, 404), ("an empty list", {"init_images": []}, 404),
                             ("a text for a list", {"init_images": "x"}, 422), ("a number for a picture", {"init_images": [1]}, 422),
                             ("two", {"init_images": [text(png(8, 8))] * 2}, 422), ("no base64", {"init_images": ["%%%"]}, 422),
                             ("nothing", {"init_images": [""]}, 422), ("a path", {"init_images": ["/etc/passwd"]}, 422),
                             ("an address", {"init_images": ["http://127.0.0.1:1/x.png"]}, 422),
                             ("SVG", {"init_images": [text(b"<svg onload='alert(1)'/>")]}, 422),
                             ("a bomb", {"init_images": [bomb]}, 422),
                             ("half of one", {"init_images": [text(png(64, 64)[:60])]}, 422),
                             ("a mask", {"init_images": [text(png(8, 8))], "mask": text(png(8, 8))}, 422),
                             ("a way of resizing", {"init_images": [text(png(8, 8))], "resize_mode": 1}, 422),
                             ("a strength", {"init_images": [text(png(8, 8))], "denoising_strength": 2}, 422)):
        answer = post("img2img", {**SMALL, **more})
        check("img2img refuses " + name, answer.code == code and is_problem(answer), (answer.code, answer.body))
    for name, image in (("nothing", None), ("no base64", "%"), ("HTML", text(b"<html>")), ("an address", "https://x/y.png"),
                        ("a number", 7)):
        answer = post("png-info", {"image": image})
        check("png-info refuses " + name, answer.code == 422 and is_problem(answer, "image"), (answer.code, answer.body))
    equal("a picture without a text has an empty one", post("png-info", {"image": text(png(4, 4))}).json(),
          {"info": "", "items": {}, "parameters": {"Prompt": "", "Negative prompt": ""}})
    odd = b"a <script>\nNegative prompt: \x1b[31m\nSteps: 3, Sampler: Euler a, Size: 8x8, Note: \"a, b: c\""
    read = post("png-info", {"image": text(png(4, 4, before=odd))}).json()["parameters"]
    equal("another program's text", (read["Prompt"], read["Size-1"], read["Note"], read["Clip skip"]),
          ("a <script>", "8", "a, b: c", "1"))
    for name, answer, code in (
            ("no JSON", server.ask("POST", "/sdapi/v1/txt2img", "{", {"Content-Type": "application/json"}), 400),
            ("a list", server.ask("POST", "/sdapi/v1/txt2img", "[1]", {"Content-Type": "application/json"}), 400),
            ("an address that is none", post("img3img", {}), 404), ("another method", get("txt2img"), 405),
            ("what is not here", post("interrogate", {"image": ""}), 404), ("a parameter", get("progress?skip_current_image=x"), 422),
            ("another site's page", post("txt2img", SMALL, headers={"Origin": "http://elsewhere.example"}), 403)):
        check("refused: " + name, answer.code == code and is_problem(answer), (answer.code, answer.body))
    early = server.raw(b"POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000000\r\n\r\n")
    check("a large body is refused before it comes", b" 413 " in early[:40] and b'"detail"' in early, early[:300])
    equal("nothing of it was queued", len(jobs()), before)
    lax = post("txt2img", {**SMALL, "steps": "2", "width": 64.0, "height": "64", "no_such_field": 1, "seed": None,
                           "hr_upscaler": "Latent", "subseed": 7, "save_images": True, "prompt": 1234})
    equal("what FastAPI takes is taken", (lax.code, [lax.json().get("parameters", {}).get(key) for key in (
        "steps", "width", "height", "prompt")]), (200, [2, 64, 64, "1234"]))


class Call(threading.Thread):
    """A call that somebody else waits for."""

    def __init__(self, body, path="txt2img"):
        super().__init__(daemon=True)
        self.body, self.path, self.answer = body, path, None
        self.start()

    def run(self):
        self.answer = post(self.path, self.body)


def try_progress():
    for name in ("interrupt", "skip"):
        call = Call(LONG)
        far = until(lambda: (lambda told: told if told["state"]["sampling_step"] > 2 else None)(get("progress").json()))
        check("its progress is told", far and 0.01 < far["progress"] < 1 and far["eta_relative"] > 0, far)
        state = (far or {}).get("state", {})
        equal("as that program does", [state.get(key) for key in ("job", "job_count", "job_no", "sampling_steps")],
              ["scripts_txt2img", 1, 0, 1000])
        picture = until(lambda: get("progress").json()["current_image"])
        check("with a small picture", picture and base64.b64decode(picture)[:2] == b"\xff\xd8")
        equal("but not where none is wanted", get("progress?skip_current_image=true").json()["current_image"], None)
        equal(name, post(name).code, 200)
        call.join(PATIENCE)
        equal("the call that waited has what was done: nothing", (call.answer.code, call.answer.json()["images"]), (200, []))
        info = json.loads(call.answer.json()["info"])
        equal("and what it was", [info[key] for key in ("seed", "sampler_name", "restore_faces", "all_seeds")],
              [5, "Euler", False, []])
        check("with texts where there are texts", all(isinstance(info[key], str) for key in (
            "prompt", "negative_prompt", "sd_model_name", "sd_model_hash", "job_timestamp")), info)
        equal("nothing is drawn then", get("progress").json()["state"]["job_count"], 0)
    call = Call(dict(SMALL, steps=500, n_iter=3))
    for no in (0, 2):
        until(lambda no=no: (lambda state: state["job_no"] == no and state["sampling_step"] > 0)(get("progress").json()["state"]))
        post("skip")
    call.join(PATIENCE)
    skipped = json.loads(call.answer.json()["info"])
    equal("a skip leaves one out and goes on", (len(call.answer.json()["images"]), skipped["all_seeds"], skipped["seed"]),
          (1, [6], 5))
    call = Call(dict(SMALL, steps=40, batch_size=1, n_iter=60))
    until(lambda: get("progress").json()["state"]["job_no"] >= 2)
    post("interrupt")
    call.join(PATIENCE)
    info = json.loads(call.answer.json()["info"])
    n = len(call.answer.json()["images"])
    check("an interrupted call has what was done", 2 <= n < 60 and info["all_seeds"] == list(range(5, 5 + n)), (n, info))


def try_others():
    mine, page = Call(dict(SMALL, seed=20)), server.ask("POST", "/api/v1/jobs", {"settings": dict(OWN, seed=21)}).json()["id"]
    other = Call(dict(SMALL, seed=22, batch_size=2))
    for call in (mine, other):
        call.join(PATIENCE)
    equal("calls side by side have their own", [json.loads(call.answer.json()["info"])["all_seeds"] for call in (mine, other)],
          [[20], [22, 23]])
    equal("and a job of the page is drawn beside them", bool(until(
        lambda: server.get("/api/v1/jobs/" + page).json()["state"] == "done")), True)
    long = server.ask("POST", "/api/v1/jobs", {"settings": dict(OWN, steps=1000)}).json()["id"]
    until(lambda: server.get("/api/v1/jobs/" + long).json()["state"] == "running")
    waiting = Call(SMALL)
    until(lambda: get("progress").json()["state"]["job_count"] == 1)
    post("interrupt")
    waiting.join(PATIENCE)
    equal("one that waits is given up", (waiting.answer.code, waiting.answer.json()["images"]), (200, []))
    equal("and the page's goes on", server.get("/api/v1/jobs/" + long).json()["state"], "running")
    cancelled = Call(SMALL)
    id = until(lambda: next((job["id"] for job in jobs() if job["origin"] == "a1111" and job["state"] == "queued"), None))
    server.ask("DELETE", "/api/v1/jobs/" + id)
    cancelled.join(PATIENCE)
    equal("the page may cancel a call", (cancelled.answer.code, cancelled.answer.json()["images"]), (200, []))
    server.ask("DELETE", "/api/v1/jobs/" + long)


def try_leaving():
    known = {job["id"] for job in jobs()}
    gone = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    gone.request("POST", "/sdapi/v1/txt2img", json.dumps(dict(SMALL, seed=99, steps=30)), {"Content-Type": "application/json"})
    id = until(lambda: next((job["id"] for job in jobs() if job["id"] not in known), None))
    gone.close()
    done = until(lambda: (lambda job: job if job["state"] == "done" else None)(server.get("/api/v1/jobs/" + id).json()))
    check("a picture is kept whose client has gone", done and os.path.exists(done["pictures"][0][1]), done)
    equal("and the server goes on", post("txt2img", dict(SMALL, steps=1)).code, 200)
    last = Call(LONG)
    until(lambda: get("progress").json()["state"]["sampling_step"] > 0)
    code, _ = server.stop()
    last.join(PATIENCE)
    check("who waits when it stops is told so", code == 143 and (last.answer is None or last.answer.code == 503),
          (code, last.answer and last.answer.code))


server = Server(program, "--device", "cpu", "--threads", "2")
try_token()
try_lists()
try_drawing()
try_batches()
try_samplers()
try_img2img()
try_options()
try_refusals()
try_progress()
try_others()
try_leaving()
server.clean()
end()
