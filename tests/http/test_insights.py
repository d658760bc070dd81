"""What is loved and choices between two pictures over HTTP: the same numbers and the same marks as the commands.
usage: test_insights.py PROGRAM SOURCE_DIR"""
import glob
import json
import os
import subprocess
import sys
import tempfile

from serving import Server, check, end, equal

program, source = sys.argv[1], sys.argv[2]
home = tempfile.mkdtemp(prefix="sdxl-lab-insights-")
output = os.path.join(home, "pictures")
subprocess.run([sys.executable, "-B", os.path.join(source, "tests", "e2e", "make_favourites.py"), output, "4000"], check=True,
               capture_output=True)
server = Server(program, "--device", "cpu", "--threads", "1", output=output)


def lab(*arguments):
    done = subprocess.run([program, *arguments, "--output-dir", output], capture_output=True, text=True, env=server.environment)
    return json.loads(done.stdout) if "--json" in arguments else done.stdout


def insights(**query):
    return server.get("/api/v1/insights" + "".join("?%s=%s" % item for item in query.items()))


def try_insights():
    nothing = insights().json()
    equal("nothing is claimed of nothing", (nothing["loved"], nothing["bundles"], nothing["next"]), (0, [], None))
    lab("favorite", "import", os.path.join(output, "links"))
    told = insights().json()
    check("bundles are found", len(told["bundles"]) > 0)
    for bundle in told["bundles"]:
        equal("with as many ids as paths: " + bundle["name"], len(bundle["picture_ids"]), len(bundle["pictures"]))
        job = bundle["job"]
        equal("and settings that a job has", (job["model"], job["size"]), (bundle["settings"]["model"], bundle["settings"]["resolution"]))
    paths = [server.get("/api/v1/pictures/%d" % id).json()["path"] for id in told["bundles"][0]["picture_ids"]]
    equal("the ids are those pictures", paths, told["bundles"][0]["pictures"])
    for bundle in told["bundles"]:
        del bundle["picture_ids"], bundle["job"]
    equal("all else is what the command says", told, lab("favorites", "--json"))
    equal("the sweep keeps to a budget", insights(budget=24).json()["next"]["pictures"] <= 24, True)
    equal("of at least one picture", insights(budget=0).error()[1], "budget")


def try_weights():
    theme = {"templates": ["{subject} at dusk"], "lists": {"subject": ["a castle", "a harbour", "a lake"]}}
    own = os.path.join(server.home, ".config", "sdxl-lab", "themes")
    os.makedirs(own, exist_ok=True)
    with open(os.path.join(own, "places.yaml"), "w") as file:
        json.dump(theme, file)
    answer = server.get("/api/v1/insights/weights?theme=places")
    weights = answer.json()["weights"] if answer.code == 200 else answer.body
    check("what prompts had is weighed", answer.code == 200 and 0.25 <= weights["subject"]["a castle"] <= 4, weights)
    check("and nothing else", answer.code == 200 and "a lake" not in weights["subject"], weights)
    for name in ("nonesuch", "/etc/passwd", "../places.yaml"):
        equal("refused: " + name, server.get("/api/v1/insights/weights?theme=" + name).error()[1], "theme")


def choose(path, winner, loser):
    return server.ask("POST", "/api/v1/duel" + path, {"winner": winner, "loser": loser})


def try_duel():
    first = server.get("/api/v1/duel?limit=3&seed=7").json()
    equal("pairs are those asked for", [len(first["pairs"]), len(first["pairs"][0])], [3, 2])
    equal("the same seed gives the same", server.get("/api/v1/duel?limit=3&seed=7").json()["pairs"], first["pairs"])
    check("another one gives others", server.get("/api/v1/duel?limit=3&seed=8").json()["pairs"] != first["pairs"])
    met = [picture["id"] for pair in server.get("/api/v1/duel?limit=250").json()["pairs"] for picture in pair]
    equal("nobody meets twice", len(set(met)), len(met))
    one, two = first["pairs"][0]
    three = first["pairs"][1][0]
    equal("a choice is taken", choose("", one["id"], two["id"]).code, 204)
    equal("and another one", choose("", three["id"], two["id"]).code, 204)
    equal("they are counted", server.get("/api/v1/duel").json()["choices"], 2)
    lines = [json.loads(line) for name in glob.glob(os.path.join(output, "marks*.jsonl")) for line in open(name)]
    duels = [(line["winner"]["path"], line["loser"]["path"]) for line in lines if line["kind"] == "duel"]
    equal("as marks of the command", duels, [(one["path"], two["path"]), (three["path"], two["path"])])
    equal("one is taken back", choose("/undo", one["id"], two["id"]).code, 204)
    equal("and does not count", server.get("/api/v1/duel").json()["choices"], 1)
    equal("taking back what is not there changes nothing", choose("/undo", two["id"], one["id"]).code, 204)
    equal("really", server.get("/api/v1/duel").json()["choices"], 1)
    server.ask("PUT", "/api/v1/pictures/%d/mark" % three["id"], {"rejected": True})
    met = [picture["id"] for pair in server.get("/api/v1/duel?limit=250").json()["pairs"] for picture in pair]
    check("who was rejected is not asked about", three["id"] not in met)
    for name, body, code, field in (("no such picture", {"winner": one["id"], "loser": 99999999}, 404, "loser"),
                                    ("itself", {"winner": one["id"], "loser": one["id"]}, 422, "loser"),
                                    ("one alone", {"winner": one["id"]}, 422, "loser"),
                                    ("a list", {"winner": [1], "loser": two["id"]}, 422, "winner"),
                                    ("more than two", {"winner": one["id"], "loser": two["id"], "third": 3}, 422, None)):
        answer = server.ask("POST", "/api/v1/duel", body)
        equal("refused: " + name, (answer.code, answer.error()[1]), (code, field))
    equal("nothing of that counts", server.get("/api/v1/duel").json()["choices"], 1)


try_insights()
try_weights()
try_duel()
server.clean()
subprocess.run(["rm", "-rf", home], check=True)
end()
