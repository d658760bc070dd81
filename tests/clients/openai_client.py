"""openai_client.py PROGRAM - the server as OpenAI's own Python package meets it: pictures, edits, streams, errors.

The package is no part of a distribution, so this is run by hand: python3 -m venv VENV; VENV/bin/pip install openai;
VENV/bin/python tests/clients/openai_client.py build/sdxl-lab. docs/SERVER.md says which versions were tried."""
import base64
import importlib.util
import os
import sys
import urllib.request

if not importlib.util.find_spec("openai"):
    print("skipped: no module openai")
    sys.exit(77)
import openai

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end, equal

PNG = b"\x89PNG\r\n\x1a\n"
OWN = {"steps": 4, "seed": 5}
server = Server(os.path.abspath(sys.argv[1]), "--device", "cpu", "--threads", "2")
client = openai.OpenAI(base_url="http://127.0.0.1:%d/v1" % server.port, api_key="not asked for", max_retries=0)


def picture(one):
    return base64.b64decode(one.b64_json)


def draw(**fields):
    return client.images.generate(**{"prompt": "a red circle", "size": "128x128", "extra_body": OWN, **fields})


def refused(name, kind, call):
    """Which error of the package a call raises."""
    try:
        call()
        check(name, False, "it was taken")
    except openai.APIStatusError as error:
        check(name, type(error) is kind and isinstance(error.body, dict) and error.body["message"], (type(error), error.body))


def try_models():
    ids = [model.id for model in client.models.list()]
    check("models", "Lab Tiny XL" in ids, ids)
    equal("a model", client.models.retrieve("Lab Tiny XL").id, "Lab Tiny XL")
    refused("no such model", openai.NotFoundError, lambda: client.models.retrieve("nobody"))


def try_pictures():
    told = draw()
    first = picture(told.data[0])
    equal("a picture", (len(told.data), first[:8], told.output_format), (1, PNG, "png"))
    equal("several", len(draw(n=3, quality="high", moderation="low", user="me", background="auto").data), 3)
    equal("as WebP", picture(draw(output_format="webp", output_compression=70).data[0])[:4], b"RIFF")
    equal("a model of theirs", draw(model="gpt-image-1").data[0].b64_json, told.data[0].b64_json)
    url = draw(model="dall-e-3").data[0].url
    equal("an address", urllib.request.urlopen(url).read()[:8], PNG)
    refused("n of 11", openai.BadRequestError, lambda: draw(n=11))
    refused("a setting out of its range", openai.BadRequestError, lambda: draw(extra_body={"steps": 0}))
    refused("no such model to draw with", openai.NotFoundError, lambda: draw(model="nobody"))
    return first


def try_edits(first):
    for image in (first, ("a.png", first, "image/png"), [("a.png", first, "image/png")]):
        told = client.images.edit(image=image, prompt="a green circle", n=2, extra_body={"strength": 0.8, **OWN})
        equal("an edit", [picture(one)[:8] for one in told.data], [PNG] * 2)
    refused("a mask", openai.BadRequestError, lambda: client.images.edit(image=first, mask=first, prompt="x"))
    refused("no picture", openai.BadRequestError, lambda: client.images.edit(image=b"nothing", prompt="x"))


def check_stream(name, kind, events):
    events = list(events)
    types = [event.type for event in events]
    partial = [event for event in events if event.type == kind + ".partial_image"]
    equal(name + ": ends with the picture", (types[-1], picture(events[-1])[:8]), (kind + ".completed", PNG))
    check(name + ": pictures on their way", partial and [event.partial_image_index for event in partial] ==
          list(range(len(partial))) and len(partial) == len(events) - 1, types)
    equal(name + ": what clients read", (events[-1].usage.total_tokens, events[-1].background), (0, "opaque"))


def try_streams(first):
    long = {"steps": 300}
    check_stream("a stream", "image_generation", draw(stream=True, partial_images=3, extra_body=long))
    check_stream("an edit's stream", "image_edit", client.images.edit(
        image=first, prompt="a green circle", stream=True, partial_images=2, extra_body={"strength": 1, **long}))
    with draw(stream=True, extra_body={"steps": 1000}) as stream:
        id = next(job["id"] for job in server.get("/api/v1/jobs").json()["jobs"] if job["state"] in ("queued", "running"))
        server.ask("DELETE", "/api/v1/jobs/" + id)
        try:
            list(stream)
            check("a cancelled job is an error of the stream", False)
        except openai.APIError as error:
            check("a cancelled job is an error of the stream", "cancelled" in error.message, error.message)


try_models()
first = try_pictures()
try_edits(first)
try_streams(first)
server.clean()
print("openai " + openai.__version__)
end()
