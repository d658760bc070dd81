/* openapi.c - rows as a document. Keeps no state. */
#include "http/openapi.h"

#include "base/json.h"
#include "base/str.h"
#include "http/server.h"
#include "lab/settings/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void put_text(json_t *object, const char *key, const char *text, bool *ok) {
    if (text) xl_json_put(object, key, json_string(text), ok);
}

static json_t *object_of(const char *key, json_t *value, bool *ok) {
    json_t *object = json_object();
    xl_json_put(object, key, value, ok);
    return object;
}

/* --- Settings --------------------------------------------------------------------------------- */

static json_t *choices_of(const char *const *choices, bool *ok) {
    json_t *list = json_array();
    for (int i = 0; choices[i]; i++)
        *ok = !json_array_append_new(list, json_string(choices[i])) && *ok;
    return list;
}

static void put_range(json_t *schema, double min, double max, bool is_int, bool *ok) {
    xl_json_put(schema, "minimum", is_int ? json_integer((json_int_t)min) : json_real(min), ok);
    xl_json_put(schema, "maximum", is_int ? json_integer((json_int_t)max) : json_real(max), ok);
}

static json_t *option_schema(const struct xl_option *option, bool *ok) {
    json_t *schema = json_object(), *types;
    put_text(schema, "description", option->help, ok);
    switch (option->type) {
    case XL_OPTION_INT:
    case XL_OPTION_REAL:
        put_text(schema, "type", option->type == XL_OPTION_INT ? "integer" : "number", ok);
        put_range(schema, option->min, option->max, option->type == XL_OPTION_INT, ok);
        break;
    case XL_OPTION_SEED: /* more digits than numbers of JavaScript have */
        types = json_pack("[ss]", "integer", "string");
        xl_json_put(schema, "type", types, ok);
        break;
    case XL_OPTION_CHOICE:
        put_text(schema, "type", "string", ok);
        xl_json_put(schema, "enum", choices_of(option->choices, ok), ok);
        break;
    case XL_OPTION_SWITCH:
        put_text(schema, "type", "boolean", ok);
        break;
    case XL_OPTION_LIST: /* texts, or for sweep an object of axes */
        types = json_pack("[sss]", "array", "string", "object");
        xl_json_put(schema, "type", types, ok);
        break;
    case XL_OPTION_STRING:
        put_text(schema, "type", "string", ok);
        break;
    }
    return schema;
}

json_t *xl_settings_schema(void) {
    const struct xl_option *option;
    json_t *schema = json_object(), *properties = json_object();
    bool ok = schema && properties;
    for (int i = 0; (option = xl_option_at(i)); i++) {
        char key[64];
        if (!(option->commands & XL_FOR_API)) continue;
        snprintf(key, sizeof key, "%s", option->name);
        for (char *c = key; *c; c++)
            if (*c == '-') *c = '_';
        xl_json_put(properties, key, option_schema(option, &ok), &ok);
    }
    put_text(schema, "type", "object", &ok);
    xl_json_put(schema, "additionalProperties", json_false(), &ok);
    xl_json_put(schema, "properties", properties, &ok);
    return xl_json_finish(schema, ok);
}

/* --- Routes ----------------------------------------------------------------------------------- */

static json_t *param_schema(const struct xl_param *param, bool *ok) {
    static const char *const types[] = {[XL_PARAM_TEXT] = "string",
                                        [XL_PARAM_INT] = "integer",
                                        [XL_PARAM_REAL] = "number",
                                        [XL_PARAM_SWITCH] = "boolean",
                                        [XL_PARAM_CHOICE] = "string"};
    json_t *schema = json_object();
    put_text(schema, "type", types[param->type], ok);
    bool is_number = param->type == XL_PARAM_INT || param->type == XL_PARAM_REAL;
    if (is_number && param->min < param->max)
        put_range(schema, param->min, param->max, param->type == XL_PARAM_INT, ok);
    if (param->choices) xl_json_put(schema, "enum", choices_of(param->choices, ok), ok);
    if (param->type == XL_PARAM_TEXT && param->max > 0)
        xl_json_put(schema, "maxLength", json_integer((json_int_t)param->max), ok);
    return schema;
}

static bool is_in_path(const struct xl_route *route, const struct xl_param *param) {
    char part[80];
    snprintf(part, sizeof part, "{%s", param->name);
    const char *at = strstr(route->pattern, part);
    return at && strchr("}.", at[strlen(part)]);
}

static json_t *params_of(const struct xl_route *route, bool *ok) {
    json_t *list = json_array();
    for (const struct xl_param *param = route->params; param && param->name; param++) {
        json_t *object = json_object();
        bool in_path = is_in_path(route, param);
        put_text(object, "name", param->name, ok);
        put_text(object, "in", in_path ? "path" : "query", ok);
        put_text(object, "description", param->help, ok);
        xl_json_put(object, "required", json_boolean(in_path || param->is_required), ok);
        xl_json_put(object, "schema", param_schema(param, ok), ok);
        *ok = !json_array_append_new(list, object) && *ok;
    }
    return list;
}

static json_t *body_of(const struct xl_route *route, bool *ok) {
    json_t *content = json_object(), *body = json_object();
    if (route->flags & XL_ROUTE_JSON) {
        json_t *schema = route->body_schema ? route->body_schema()
                                            : json_pack("{s:s}", "type", "object");
        xl_json_put(content, "application/json", object_of("schema", schema, ok), ok);
    }
    if (route->flags & XL_ROUTE_FORM) {
        json_t *schema = route->body_schema
                             ? route->body_schema()
                             : json_pack("{s:s, s:{s:{s:s, s:s}}, s:[s]}", "type", "object",
                                         "properties", "file", "type", "string", "format", "binary",
                                         "required", "file");
        xl_json_put(content, "multipart/form-data", object_of("schema", schema, ok), ok);
    }
    xl_json_put(body, "content", content, ok);
    return body;
}

/* What a value is like: an object has these members, each a text or nothing. */
static json_t *schema_like(const json_t *value, bool *ok) {
    const char *key;
    json_t *member;
    if (json_is_array(value)) return json_pack("{s:s}", "type", "array");
    if (!json_is_object(value)) return json_pack("{s:[ss]}", "type", "string", "null");
    json_t *schema = json_object(), *properties = json_object(), *required = json_array();
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        xl_json_put(properties, key, schema_like(member, ok), ok);
        *ok = !json_array_append_new(required, json_string(key)) && *ok;
    }
    put_text(schema, "type", "object", ok);
    xl_json_put(schema, "properties", properties, ok);
    xl_json_put(schema, "required", required, ok);
    return schema;
}

static json_t *problem_like(const struct xl_route_table *table, const struct xl_problem *problem,
                            bool *ok) {
    json_t *like = table->problem(problem), *schema = schema_like(like, ok);
    json_decref(like);
    return schema;
}

/* How the errors of a table look: of another program's as its function writes one that is about a
 * field, and one that is not. */
static json_t *problem_of(const struct xl_route_table *table, bool *ok) {
    const struct xl_problem whole = {500, "", "", NULL}, of_field = {422, "", "", ""};
    if (!table->problem) return json_pack("{s:s}", "$ref", "#/components/responses/Error");
    json_t *one = problem_like(table, &whole, ok), *other = problem_like(table, &of_field, ok);
    json_t *media = json_object(), *answer = json_object();
    bool is_one = json_equal(one, other);
    json_t *schema = is_one ? json_incref(one) : json_pack("{s:[O,O]}", "anyOf", one, other);
    json_decref(one);
    json_decref(other);
    xl_json_put(media, "application/json", object_of("schema", schema, ok), ok);
    put_text(answer, "description", "what is wrong", ok);
    xl_json_put(answer, "content", media, ok);
    return answer;
}

static json_t *answers_of(const struct xl_route_table *table, const struct xl_route *route,
                          bool *ok) {
    static const char json[] = "application/json";
    json_t *answers = json_object(), *fine = json_object(), *media = json_object();
    const char *types = route->answer_type ? route->answer_type : json;
    for (size_t n; *types; types += n + (types[n] == ' ')) {
        char type[64];
        n = strcspn(types, " ");
        snprintf(type, sizeof type, "%.*s", (int)n, types);
        json_t *schema = strcmp(type, json) ? json_pack("{s:s}", "type", "string") : json_object();
        xl_json_put(media, type, object_of("schema", schema, ok), ok);
    }
    put_text(fine, "description", route->answer ? route->answer : "the answer", ok);
    xl_json_put(fine, "content", media, ok);
    xl_json_put(answers, "2XX", fine, ok);
    if (route->flags & XL_ROUTE_EMPTY)
        xl_json_put(answers, "204", json_pack("{s:s}", "description", "nothing"), ok);
    xl_json_put(answers, "default", problem_of(table, ok), ok);
    return answers;
}

/* "get /api/v1/pictures/{id}" becomes "get_pictures_id". */
static void name_of(const struct xl_route *route, char *out, size_t size) {
    const char *path = route->pattern;
    size_t n = 0;
    if (!strncmp(path, "/api/v1/", 8)) path += 7;
    for (const char *c = route->method; *c && n + 1 < size; c++) out[n++] = (char)tolower(*c);
    for (; *path && n + 1 < size; path++) {
        bool is_letter = isalnum((unsigned char)*path);
        if (is_letter || (out[n - 1] != '_' && *path == '/')) out[n++] = is_letter ? *path : '_';
    }
    out[n] = 0;
}

static void put_route(json_t *paths, const struct xl_route_table *table,
                      const struct xl_route *route, bool *ok) {
    char path[200], method[16], name[200];
    json_t *operation = json_object();
    const char *rest = strstr(route->pattern, "...");
    snprintf(path, sizeof path, "%.*s%s", rest ? (int)(rest - route->pattern) : 150, route->pattern,
             rest ? rest + 3 : "");
    snprintf(method, sizeof method, "%s", route->method);
    for (char *c = method; *c; c++) *c = (char)tolower(*c);
    name_of(route, name, sizeof name);
    put_text(operation, "operationId", name, ok);
    put_text(operation, "summary", route->summary, ok);
    xl_json_put(operation, "parameters", params_of(route, ok), ok);
    if (route->flags & (XL_ROUTE_JSON | XL_ROUTE_FORM))
        xl_json_put(operation, "requestBody", body_of(route, ok), ok);
    xl_json_put(operation, "responses", answers_of(table, route, ok), ok);
    if (route->flags & XL_ROUTE_OPEN) xl_json_put(operation, "security", json_array(), ok);
    json_t *item = json_object_get(paths, path);
    if (!item) {
        item = json_object();
        xl_json_put(paths, path, item, ok);
    }
    xl_json_put(item, method, operation, ok);
}

/* --- The document ----------------------------------------------------------------------------- */

static json_t *components(bool *ok) {
    json_t *problem = json_pack("{s:s, s:{s:{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}}, s:[ss]}}, s:[s]}",
                                "type", "object", "properties", "error", "type", "object",
                                "properties", "status", "type", "string", "message", "type",
                                "string", "field", "type", "string", "required", "status",
                                "message", "required", "error");
    json_t *schemas = object_of("Error", problem, ok);
    xl_json_put(schemas, "Settings", xl_settings_schema(), ok);
    json_t *response = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description", "what is wrong",
                                 "content", "application/json", "schema", "$ref",
                                 "#/components/schemas/Error");
    json_t *security = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "bearer", "type", "http", "scheme",
                                 "bearer", "basic", "type", "http", "scheme", "basic");
    json_t *object = object_of("schemas", schemas, ok);
    xl_json_put(object, "responses", object_of("Error", response, ok), ok);
    xl_json_put(object, "securitySchemes", security, ok);
    return object;
}

enum xl_status xl_get_openapi(struct xl_call *call, struct xl_reply *reply, struct xl_err *err) {
    const struct xl_route_table *tables;
    int n = xl_server_tables(call->server, &tables);
    xl_json_watch();
    json_t *document = json_object(), *paths = json_object();
    bool ok = document && paths;
    for (int t = 0; t < n; t++)
        for (int i = 0; i < tables[t].n; i++)
            if (!(tables[t].rows[i].flags & XL_ROUTE_HIDDEN))
                put_route(paths, &tables[t], &tables[t].rows[i], &ok);
    put_text(document, "openapi", "3.1.0", &ok);
    xl_json_put(document, "info",
                json_pack("{s:s, s:s}", "title", "SDXL Lab", "version", XL_VERSION), &ok);
    xl_json_put(document, "servers",
                json_pack("[{s:s}]", "url", call->prefix[0] ? call->prefix : "/"), &ok);
    xl_json_put(document, "paths", paths, &ok);
    xl_json_put(document, "components", components(&ok), &ok);
    xl_json_put(document, "security", json_pack("[{s:[]}, {s:[]}, {}]", "bearer", "basic"), &ok);
    return xl_reply_json(reply, 200, xl_json_finish(document, ok), err);
}
