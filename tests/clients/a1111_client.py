"""a1111_client.py PROGRAM - the server as a published client of AUTOMATIC1111's web UI meets it: pictures, progress,
interrupt, styles, options and texts of PNG files.

The package is no part of a distribution, so this is run by hand: python3 -m venv VENV; VENV/bin/pip install webuiapi;
VENV/bin/python tests/clients/a1111_client.py build/sdxl-lab. docs/SERVER.md says which versions were tried."""
import importlib.util
import os
import sys
import threading
import time

if not importlib.util.find_spec("webuiapi"):
    print("skipped: no module webuiapi")
    sys.exit(77)
import webuiapi

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal

PATIENCE = 60
SMALL = {"prompt": "a red circle", "width": 128, "height": 128, "steps": 4, "seed": 5}
server = Server(os.path.abspath(sys.argv[1]), "--device", "cpu", "--threads", "2")
api = webuiapi.WebUIApi(host="127.0.0.1", port=server.port, sampler="Euler a", steps=20)


def until(condition):
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    return None


def refused(name, call, code):
    try:
        call()
        check(name, False, "it was taken")
    except RuntimeError as error:
        check(name, error.args[0] == code and "detail" in error.args[1], error.args)


def try_lists():
    check("models", any(name.startswith("Lab Tiny XL [") for name in api.util_get_model_names()))
    check("samplers", {"Euler a", "DPM++ 2M"} <= set(api.util_get_sampler_names()))
    check("schedulers", {"automatic", "karras"} <= set(api.util_get_scheduler_names()))
    check("styles", "Watercolor" in [style["name"] for style in api.get_prompt_styles()])
    check("LoRAs", "turbo" in [lora["name"] for lora in api.get_loras()])
    equal("nothing where there is nothing", [api.get_upscalers(), api.get_hypernetworks(), api.get_face_restorers(),
                                             api.get_realesrgan_models(), api.get_latent_upscale_modes(), api.get_sd_vae()],
          [[]] * 6)
    equal("scripts", api.get_scripts(), {"txt2img": [], "img2img": []})
    check("flags and memory", api.get_cmd_flags()["api"] and api.get_memory()["ram"]["total"] > 0)
    equal("embeddings", set(api.get_embeddings()), {"loaded", "skipped"})
    equal("refreshing", api.refresh_checkpoints(), None)


def try_drawing():
    drawn = api.txt2img(styles=["Watercolor"], negative_prompt="blurry", cfg_scale=6, **SMALL)
    equal("txt2img", (drawn.image.size, drawn.info["seed"], drawn.parameters["cfg_scale"]), ((128, 128), 5, 6))
    check("with its text inside", "Sampler: Euler a" in drawn.image.info["parameters"], drawn.image.info)
    told = api.png_info(drawn.image)
    equal("png-info has it", told.info, drawn.info["infotexts"][0])
    equal("read", told.parameters["Seed"], "5")
    many = api.txt2img(batch_size=2, n_iter=2, sampler_name="DPM++ 2M", scheduler="karras", **SMALL)
    equal("batches", (len(many.images), many.info["all_seeds"]), (4, [5, 6, 7, 8]))
    again = api.img2img(images=[drawn.image], denoising_strength=0.5, **SMALL)
    equal("img2img", (again.image.size, again.parameters["init_images"]), ((128, 128), None))
    check("which says how far it went", "Denoising strength: 0.5" in again.info["infotexts"][0], again.info)
    refused("a mask is refused", lambda: api.img2img(images=[drawn.image], mask_image=drawn.image, **SMALL), 422)
    refused("and a second pass", lambda: api.txt2img(enable_hr=True, **SMALL), 422)
    refused("a script", lambda: api.txt2img(script_name="X/Y/Z plot", **SMALL), 422)
    refused("another one's sampler", lambda: api.txt2img(sampler_name="DPM adaptive", **SMALL), 404)
    refused("upscaling", lambda: api.extra_single_image(image=drawn.image), 404)


def try_interrupting():
    got = []
    thread = threading.Thread(target=lambda: got.append(api.txt2img(**dict(SMALL, steps=1000))), daemon=True)
    thread.start()
    far = until(lambda: (lambda told: told if told["state"]["sampling_step"] > 2 else None)(api.get_progress()))
    check("progress", far and 0 < far["progress"] < 1 and far["state"]["sampling_steps"] == 1000, far)
    check("with a preview", until(lambda: api.get_progress()["current_image"]))
    equal("interrupt", api.interrupt(), {})
    thread.join(PATIENCE)
    equal("the call ends", len(got) and got[0].images, [])
    equal("skip, where nothing is drawn", api.skip(), None)


def try_options():
    options = api.get_options()
    options["sd_model_checkpoint"] = "Lab Tiny XL Turbo"
    equal("options are set", api.set_options(options), None)
    check("and kept", api.get_options()["sd_model_checkpoint"].startswith("Lab Tiny XL Turbo ["))
    api.util_set_model("lab tiny xl")
    check("the nearest name is taken", api.get_options()["sd_model_checkpoint"].startswith("Lab Tiny XL"))


try_lists()
try_drawing()
try_interrupting()
try_options()
server.clean()
end()
