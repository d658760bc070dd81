/* environment.c - environments as lists of texts that belong to others. Any thread, as long as none
 * changes this process's environment. */
#include "jobs/environment.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_replaced(const char *variable, const char *const *added) {
    size_t n = strcspn(variable, "=");
    for (; *added; added++)
        if (!strncmp(variable, *added, n) && (*added)[n] == '=') return true;
    return false;
}

char **xl_environment_with(const char *const *added) {
    size_t n = 0, n_added = 0, k = 0;
    while (environ[n]) n++;
    while (added[n_added]) n_added++;
    char **list = calloc(n + n_added + 1, sizeof *list);
    if (!list) return NULL;
    for (size_t i = 0; i < n_added; i++) list[k++] = (char *)added[i];
    for (size_t i = 0; i < n; i++)
        if (!is_replaced(environ[i], added)) list[k++] = environ[i];
    return list;
}
