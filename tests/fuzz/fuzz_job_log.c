/* fuzz_job_log.c - job logs: whatever a log holds, lines are read or counted as damaged, and what
 * was appended behind it is read whole. */
#include "fuzz.h"

#include "base/json.h"
#include "lab/log/job_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect(bool promise) {
    if (!promise) abort();
}

struct seen {
    int64_t n, line;
    bool is_last_ours;
};

static enum xl_status look(void *user, const json_t *object, int64_t line, struct xl_err *err) {
    (void)err;
    struct seen *seen = user;
    const char *key;
    json_t *value;
    uint64_t seed = 7;
    json_object_foreach((json_t *)object, key, value) {
        if (!xl_json_read_seed(value, &seed)) expect(seed == 7);
        seed = 7;
    }
    expect(line > seen->line);
    seen->line = line;
    seen->n++;
    seen->is_last_ours = json_is_true(json_object_get(object, "appended"));
    return XL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char appended[] = "\n{\"appended\":true}\n";
    char path[64];
    int fd = memfd_create("jobs.log", 0);
    expect(fd >= 0 && write(fd, data, size) == (ssize_t)size &&
           write(fd, appended, sizeof appended - 1) == (ssize_t)(sizeof appended - 1));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct seen seen = {0};
    struct xl_job_counts counts = {-1, -1, -1};
    struct xl_err err = {0};
    expect(!xl_job_log_read(path, look, &seen, &counts, &err));
    close(fd);
    int64_t n_lines = 2;
    for (size_t i = 0; i < size; i++) n_lines += data[i] == '\n';
    expect(seen.is_last_ours && seen.line == n_lines);
    expect(counts.n_entries == seen.n && counts.n_entries + counts.n_damaged <= n_lines);
    expect((counts.n_damaged > 0) == (counts.first_damaged > 0) && counts.first_damaged < n_lines);
    return 0;
}
