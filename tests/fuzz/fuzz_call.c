/* fuzz_call.c - addresses of arbitrary bytes: what comes out of them is text that a handler may
 * have, and never a way up. */
#include "http/call.h"

#include "base/str.h"

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const char *const choices[] = {"a", "b", NULL};
    static const struct xl_param params[] = {
        {.name = "id", .help = ""},
        {.name = "n", .type = XL_PARAM_INT, .min = 0, .max = 9, .help = ""},
        {.name = "x", .type = XL_PARAM_REAL, .help = ""},
        {.name = "c", .type = XL_PARAM_CHOICE, .choices = choices, .help = ""},
        {.name = "s", .type = XL_PARAM_SWITCH, .help = ""},
        {.name = "rest", .help = ""},
        {.name = NULL}};
    static const struct xl_route routes[] = {{.pattern = "/api/{id}", .params = params},
                                             {.pattern = "/api/{id}/{rest...}", .params = params}};
    char *text = malloc(n + 2);
    memcpy(text + 1, bytes, n);
    text[0] = '/';
    text[n + 1] = 0;
    char *query = strchr(text, '?');
    if (query) *query++ = 0;
    for (int i = 0; i < 2; i++) {
        struct xl_call call = {.route = &routes[i]};
        const char *field = NULL;
        bool fine = xl_call_split(&call, text, query, NULL) == XL_OK;
        for (int k = 0; k < call.n_segments && fine; k++) {
            const char *segment = call.segments[k];
            if (!xl_utf8_valid(segment, strlen(segment)) ||
                (strchr(segment, '/') && !call.hides_slash) || strchr(segment, '\\') ||
                !strcmp(segment, ".") || !strcmp(segment, ".."))
                abort();
        }
        if (fine && xl_route_matches(&routes[i], &call) && !xl_call_check(&call, &field, NULL)) {
            int64_t number = xl_call_int(&call, "n", 0);
            if (number < 0 || number > 9 || !xl_call_text(&call, "id")) abort();
            if (xl_call_choice(&call, "c", 0) < 0) abort();
            xl_call_switch(&call, "s", true);
            xl_call_real(&call, "x", 0);
        }
        xl_arena_deinit(&call.arena);
    }
    free(text);
    return 0;
}
