"""schemathesis_client.py PROGRAM - the OpenAPI file before two judges that are not ours: openapi-spec-validator says whether it
is one, schemathesis asks the server what it describes and much that it does not, and looks for answers that it does not
describe. What waits until something is drawn, or never ends, is left to tests/http/test_properties.py.

Run by hand: python3 -m venv VENV; VENV/bin/pip install schemathesis openapi-spec-validator;
VENV/bin/python tests/clients/schemathesis_client.py build/sdxl-lab. docs/SERVER.md says which versions were tried."""
import importlib.metadata
import importlib.util
import os
import subprocess
import sys

for module in ("schemathesis", "openapi_spec_validator"):
    if not importlib.util.find_spec(module):
        print("skipped: no module " + module)
        sys.exit(77)
import openapi_spec_validator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "http"))
from serving import Server, check, end

# That a body suits its schema says little: settings that each are one may not go together, and pictures are not there.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance")
WAITING = "^/v1/images/|^/sdapi/v1/(txt2img|img2img)|^/api/v1/events|^/api/v1/queue"

server = Server(os.path.abspath(sys.argv[1]), "--device", "cpu", "--threads", "1", environment={"HF_HUB_OFFLINE": "1"})
description = server.get("/api/v1/openapi.json").json()
try:
    openapi_spec_validator.validate(description)
    check("the description is OpenAPI", True)
except Exception as error:
    check("the description is OpenAPI", False, error)
server.ask("POST", "/api/v1/queue", {"paused": True})
url = "http://127.0.0.1:%d/api/v1/openapi.json" % server.port
ran = subprocess.run([os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", url, "--no-color",
                      "--checks", CHECKS, "--exclude-path-regex", WAITING, "--continue-on-failure", *sys.argv[2:]],
                     capture_output=True, text=True, cwd=server.home)
summary = ran.stdout[ran.stdout.rfind("Test cases:"):]
print(summary.strip())
check("schemathesis finds nothing", ran.returncode == 0)
if ran.returncode:
    print(ran.stdout)
check("the server is there", server.process.poll() is None and server.get("/healthz").code == 200)
server.clean()
print(", ".join(name + " " + importlib.metadata.version(name) for name in ("schemathesis", "openapi-spec-validator")))
end()
