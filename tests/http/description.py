"""description.py - the OpenAPI file of a server: whether it is one, as far as that can be told without packages, and what
is in it."""
import re

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
KEYWORDS = {"type", "description", "enum", "minimum", "maximum", "maxLength", "minLength", "format", "properties",
            "required", "additionalProperties", "items", "oneOf", "anyOf", "$ref", "default", "minItems", "maxItems",
            "pattern", "const", "title"}


def resolve(document, value):
    """What a reference means; anything else is itself."""
    while isinstance(value, dict) and "$ref" in value:
        at = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        value = at
    return value


def wrong_schema(document, schema, where):
    """Sentences about what is wrong with a schema."""
    if not isinstance(schema, dict):
        return [] if isinstance(schema, bool) else [where + ": no schema"]
    found = ["%s: no keyword: %s" % (where, key) for key in schema if key not in KEYWORDS]
    if "$ref" in schema:
        try:
            resolve(document, schema)
        except KeyError:
            found.append("%s: %s leads nowhere" % (where, schema["$ref"]))
        return found
    types = schema.get("type", [])
    for one in types if isinstance(types, list) else [types]:
        if one not in TYPES:
            found.append("%s: no type: %s" % (where, one))
    if schema.get("minimum", 0) > schema.get("maximum", float("inf")):
        found.append(where + ": the least is above the greatest")
    if "enum" in schema and (not schema["enum"] or len(set(map(str, schema["enum"]))) < len(schema["enum"])):
        found.append(where + ": choices are missing or twice")
    properties = schema.get("properties", {})
    for key in schema.get("required", []):
        if key not in properties:
            found.append("%s: needs %s, which is not described" % (where, key))
    for key, part in properties.items():
        found += wrong_schema(document, part, where + "." + key)
    for part in [schema.get("items")] + schema.get("oneOf", []) + schema.get("anyOf", []):
        if part is not None:
            whole = dict(part, properties={**properties, **part.get("properties", {})}) if "required" in part else part
            found += wrong_schema(document, whole, where)
    return found


def wrong_operation(document, path, method, operation):
    where = method + " " + path
    found = []
    if not operation.get("operationId") or not operation.get("summary"):
        found.append(where + ": no name or no summary")
    named = re.findall(r"\{([^}]*)\}", path)
    params = [resolve(document, one) for one in operation.get("parameters", [])]
    keys = [(one["in"], one["name"]) for one in params]
    if len(set(keys)) < len(keys):
        found.append(where + ": a parameter twice")
    if sorted(name for place, name in keys if place == "path") != sorted(named):
        found.append(where + ": parameters of the path are %s" % keys)
    for one in params:
        if one["in"] not in ("path", "query", "header", "cookie") or (one["in"] == "path" and not one.get("required")):
            found.append("%s: %s" % (where, one))
        found += wrong_schema(document, one.get("schema"), where + " " + one["name"])
    body = operation.get("requestBody", {"content": {}})
    answers = operation.get("responses", {})
    if not answers:
        found.append(where + ": no answer")
    for code, answer in answers.items():
        answer = resolve(document, answer)
        if not re.fullmatch(r"[1-5](\d\d|XX)|default", code) or not isinstance(answer.get("description"), str):
            found.append("%s: the answer %s" % (where, code))
        for kind, media in answer.get("content", {}).items():
            found += wrong_schema(document, media.get("schema", {}), "%s answer %s" % (where, kind))
    for kind, media in body["content"].items():
        found += wrong_schema(document, media.get("schema", {}), "%s body %s" % (where, kind))
    return found


def operations(document):
    """(method, path, operation) of each."""
    return [(method, path, item[method]) for path, item in document["paths"].items() for method in METHODS
            if method in item]


def wrong(document):
    """Sentences about what makes it no OpenAPI 3.1."""
    found = []
    if not re.fullmatch(r"3\.1\.\d+", document.get("openapi", "")) or not {"title", "version"} <= set(document["info"]):
        found.append("the head: %s" % document.get("info"))
    for path in document["paths"]:
        if not path.startswith("/") or "..." in path:
            found.append("no path: " + path)
    names = [operation.get("operationId") for _, _, operation in operations(document)]
    found += ["two operations are called " + name for name in set(names) if names.count(name) > 1]
    for method, path, operation in operations(document):
        found += wrong_operation(document, path, method, operation)
    for name, schema in document["components"].get("schemas", {}).items():
        found += wrong_schema(document, schema, name)
    return found


def problem_lacks(document, operation, body):
    """Members that an error has to have and this one has not: "error.message"."""
    answer = resolve(document, operation["responses"]["default"])
    def lacks(schema, value, where):
        schema = resolve(document, schema)
        if "anyOf" in schema:
            return min((lacks(one, value, where) for one in schema["anyOf"]), key=len)
        if not isinstance(value, dict):
            return [where or "an object"] if schema.get("type") == "object" else []
        missing = [where + key for key in schema.get("required", []) if key not in value]
        return missing + [one for key, part in schema.get("properties", {}).items() if key in value
                          for one in lacks(part, value[key], where + key + ".")]
    return lacks(answer["content"]["application/json"]["schema"], body, "")
