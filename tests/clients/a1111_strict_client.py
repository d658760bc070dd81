"""a1111_strict_client.py PROGRAM - the server as a client meets it that finds out by itself what it speaks to, and checks
the type of everything that AUTOMATIC1111's web UI answers.

The package is no part of a distribution, so this is run by hand: python3 -m venv VENV; VENV/bin/pip install
sd-backend-client; VENV/bin/python tests/clients/a1111_strict_client.py build/sdxl-lab. docs/SERVER.md says which versions
were tried."""
import importlib.util
import os
import sys
import time

if not importlib.util.find_spec("sd_backend_client"):
    print("skipped: no module sd_backend_client")
    sys.exit(77)
import sd_backend_client

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal

server = Server(os.path.abspath(sys.argv[1]), "--device", "cpu", "--threads", "2")
backend = sd_backend_client.connect_to_backend("http://127.0.0.1:%d" % server.port)
small = sd_backend_client.DiffusionRequestBody(prompt="a red circle", width=128, height=128, steps=4, seed=5)

check("it is taken for that program", isinstance(backend, sd_backend_client.A1111Webservice), type(backend))
able = backend.get_capabilities()
equal("which has what it has", (able.controlnet, able.scheduler, able.interrogate), (False, True, False))
check("models", "Lab Tiny XL" in [option.name for option in backend.list_checkpoints()])
check("samplers", {"euler", "euler_ancestral", "dpmpp_2m"} <= {option.name for option in backend.list_samplers()})
check("schedulers", {"normal", "karras"} <= {option.name for option in backend.list_schedulers()})
check("LoRAs", "turbo" in [option.name for option in backend.list_loras()])
equal("nothing where there is nothing", [backend.list_vaes(), backend.list_hypernetworks(), backend.get_script_info()],
      [[], [], []])
drawn = backend.txt2img(small)
equal("txt2img", (drawn["images"][0].size, drawn["info"].all_seeds), ((128, 128), [5]))
again = backend.img2img(drawn["images"][0], None, small)
equal("img2img", (again["images"][0].size, again["info"].denoising_strength), ((128, 128), 0.75))
queued = backend.submit_txt2img(small.model_copy(update={"seed": 6})).wait()
equal("one that is waited for", queued.seeds, [6])
handle = backend.submit_txt2img(small.model_copy(update={"steps": 1000}))
last = time.monotonic() + 60
while (handle.poll().progress or 0) < 0.02 and time.monotonic() < last:
    time.sleep(0.05)
check("progress", 0 < (handle.poll().progress or 0) < 1, handle.poll())
handle.cancel()
try:
    handle.wait()
    check("it is cancelled", False)
except sd_backend_client.GenerationError as error:
    check("it is cancelled", "cancelled" in str(error), error)
backend.set_config({"sd_model_checkpoint": "Lab Tiny XL Turbo"})
check("a model is selected", backend.get_config()["sd_model_checkpoint"].startswith("Lab Tiny XL Turbo ["))
try:
    backend.txt2img(small.model_copy(update={"sampler": "dpm_adaptive"}))
    check("a sampler that is not here is an error", False)
except sd_backend_client.ServerError as error:
    equal("a sampler that is not here is an error", error.status_code, 404)
server.clean()
end()
