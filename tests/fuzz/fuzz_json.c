/* fuzz_json.c - configuration files: any bytes parse or are refused with a sentence, and a getter
 * that reports success has kept its promise about the value. The scanner agrees with jansson. */
#include "fuzz.h"

#include "base/json.h"
#include "base/json_scan.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static void get_all(struct xl_json json, const char *key) {
    struct xl_err err = {0};
    int number = 7, values[4], n = -1;
    if (xl_json_int(json, key, -8, 8, &number, &err)) expect(number == 7 && err.text[0]);
    expect(number >= -8 && number <= 8);

    double real = 0.5;
    if (xl_json_double(json, key, -1, 1, &real, &err)) expect(real == 0.5 && err.text[0]);
    expect(real >= -1 && real <= 1);

    bool flag = true;
    if (xl_json_bool(json, key, &flag, &err)) expect(flag && err.text[0]);

    const char *text = "as before";
    if (xl_json_string(json, key, &text, &err)) expect(!strcmp(text, "as before"));
    expect(text && strlen(text) < SIZE_MAX);

    if (!xl_json_int_array(json, key, 0, 9, values, 4, &n, &err)) {
        expect(n >= 0 && n <= 4);
        for (int i = 0; i < n; i++) expect(values[i] >= 0 && values[i] <= 9);
    }
}

/* The scanner steps over what jansson takes for JSON, unless it is too deep for it; and any bytes
 * are cut into tokens that lie one behind the other. */
static void scan_all(const char *text, size_t size) {
    struct xl_err err = {0};
    struct xl_span span;
    struct xl_scan scan = xl_scan_text("config.json", text, size);
    enum xl_status status = xl_scan_value(&scan, &span, &err);
    if (!status) status = xl_scan_end(&scan, &err);
    xl_scan_deinit(&scan);
    if (status) {
        json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        /* jansson drops a NUL byte behind a number. */
        expect(!value || memchr(text, 0, size) || strstr(err.text, "nested deeper"));
        json_decref(value);
    }
    scan = xl_scan_text("config.json", text, size);
    const char *end = text;
    while ((span = xl_scan_token(&scan)).n) {
        expect(span.at >= end && span.at + span.n == scan.at && scan.at <= scan.end);
        end = scan.at;
    }
    expect(scan.at == scan.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_err err = {0};
    json_t *root = NULL;
    scan_all((const char *)data, size);
    if (xl_json_parse("config.json", (const char *)data, size, &root, &err)) {
        expect(!root && err.text[0]);
        return 0;
    }
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        get_all((struct xl_json){root, "config.json"}, key);
        if (json_is_object(value)) get_all((struct xl_json){value, "config.json"}, key);
    }
    get_all((struct xl_json){root, "config.json"}, "absent");
    json_decref(root);
    return 0;
}
