/* instance.c - names of instances; keeps no state. */
#include "lab/log/instance.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_safe(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

void xl_instance_sanitize(const char *text, char out[XL_INSTANCE_MAX + 1]) {
    int n = 0;
    bool is_begin = true; /* only dots so far */
    size_t left = text ? strlen(text) : 0;
    while (left && n < XL_INSTANCE_MAX) {
        int length = xl_utf8_len(text, left);
        is_begin = is_begin && *text == '.';
        out[n++] = is_safe(*text) && !is_begin ? *text : '-';
        text += length ? length : 1;
        left -= length ? (size_t)length : 1;
    }
    out[n] = 0;
}

void xl_instance_name(const char *id, char out[XL_INSTANCE_MAX + 1]) {
    static const char *const variables[] = {"INSTANCE_ID", "CONTAINER_NAME", "HOSTNAME"};
    for (int i = 0; (!id || !*id) && i < 3; i++) id = getenv(variables[i]);
    char host[256] = "";
    if (!id || !*id) {
        if (gethostname(host, sizeof host - 1)) host[0] = 0;
        id = host;
    }
    xl_instance_sanitize(id, out);
}
