/* driver.c - the main program of a fuzz target where libFuzzer is not at hand.
 *
 *   fuzz_NAME [-runs=N] [-seed=S] [-max_len=BYTES] SEED_FILE_OR_DIRECTORY...
 *
 * Replays every seed, then tries N mutations of them. Mutation i depends on S and i alone: a run
 * can be repeated anywhere. The target runs in a child process; when that dies, the parent saves
 * the input that killed it as crash-NAME in the current directory. To try it again: fuzz_NAME
 * -runs=0 crash-NAME.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct seed {
    uint8_t *data;
    size_t size;
};

struct seeds {
    struct seed *list;
    size_t n;
};

/* The input being tried; shared with the parent, which outlives a crash. */
struct attempt {
    size_t size;
    uint8_t data[];
};

static void *need(void *memory) {
    if (memory) return memory;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

/* splitmix64 of Steele, Lea and Flood (2014). */
static uint64_t random_next(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t random_below(uint64_t *state, size_t n) {
    return n ? (size_t)(random_next(state) % n) : 0;
}

static void read_seed(struct seeds *seeds, const char *path) {
    FILE *file = fopen(path, "rb");
    struct stat st;
    if (!file || fstat(fileno(file), &st)) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(2);
    }
    struct seed seed = {need(malloc((size_t)st.st_size + 1)), 0};
    seed.size = fread(seed.data, 1, (size_t)st.st_size, file);
    fclose(file);
    seeds->list = need(realloc(seeds->list, (seeds->n + 1) * sizeof *seeds->list));
    seeds->list[seeds->n++] = seed;
}

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* In the order of their names: the order of the directory would differ between machines. */
static void read_seeds(struct seeds *seeds, const char *path) {
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        read_seed(seeds, path);
        return;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, is_visible, alphasort);
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        read_seed(seeds, file);
        free(entries[i]);
    }
    if (n >= 0) free(entries);
}

/* Replace input[at, at + n_old) by n_new bytes, which may lie inside the input. */
static void splice(struct attempt *input, size_t max, size_t at, size_t n_old, const uint8_t *bytes,
                   size_t n_new) {
    if (input->size - n_old + n_new > max) return;
    uint8_t *copy = need(malloc(n_new + 1));
    if (n_new) memcpy(copy, bytes, n_new);
    memmove(input->data + at + n_new, input->data + at + n_old, input->size - at - n_old);
    if (n_new) memcpy(input->data + at, copy, n_new);
    input->size += n_new - n_old;
    free(copy);
}

/* Overwrite 1, 2, 4 or 8 bytes by a number on some boundary, in either byte order. */
static void put_number(struct attempt *input, uint64_t *state) {
    size_t n = (size_t)1 << random_below(state, 4);
    if (input->size < n) return;
    size_t at = random_below(state, input->size - n + 1);
    uint64_t value = (uint64_t)1 << random_below(state, 64);
    value += random_below(state, 3) - 1;
    bool big_endian = random_below(state, 2);
    for (size_t i = 0; i < n; i++)
        input->data[at + i] = (uint8_t)(value >> 8 * (big_endian ? n - 1 - i : i));
}

/* Replace a run of decimal digits by another number, written out. */
static void put_decimal(struct attempt *input, size_t max, uint64_t *state) {
    size_t at = random_below(state, input->size), n = 0;
    while (at < input->size && (input->data[at] < '0' || input->data[at] > '9')) at++;
    while (at + n < input->size && input->data[at + n] >= '0' && input->data[at + n] <= '9') n++;
    if (!n) return;
    char text[24];
    uint64_t value = random_next(state) >> random_below(state, 64);
    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    splice(input, max, at, n, (const uint8_t *)text, (size_t)len);
}

static void mutate_once(struct attempt *input, size_t max, const struct seeds *seeds,
                        uint64_t *state) {
    static const uint8_t marks[] = "\"\\{}[]:,.-+eEntf0\n\0\x1f\x7f\x80\xc0\xed\xff";
    size_t at = random_below(state, input->size + 1);
    size_t n = random_below(state, 1 + (input->size - at < 32 ? input->size - at : 32));
    const struct seed *other = &seeds->list[random_below(state, seeds->n)];
    size_t from = random_below(state, other->size + 1);
    uint8_t byte = (uint8_t)random_next(state);
    if (random_below(state, 2)) byte = marks[random_below(state, sizeof marks - 1)];
    switch (random_below(state, 9)) {
    case 0:
        if (at < input->size) input->data[at] ^= (uint8_t)(1u << random_below(state, 8));
        break;
    case 1:
        if (at < input->size) input->data[at] = byte;
        break;
    case 2:
        splice(input, max, at, 0, &byte, 1);
        break;
    case 3:
        splice(input, max, at, n, NULL, 0);
        break;
    case 4: /* a piece of the input again, elsewhere */
        splice(input, max, random_below(state, input->size + 1), 0, input->data + at, n);
        break;
    case 5: /* a piece of another seed */
        splice(input, max, at, n, other->data + from, random_below(state, other->size - from + 1));
        break;
    case 6:
        put_number(input, state);
        break;
    case 7:
        put_decimal(input, max, state);
        break;
    default: /* cut off */
        if (!random_below(state, 4)) input->size = at;
        break;
    }
}

static void mutate(struct attempt *input, size_t max, const struct seeds *seeds, uint64_t state) {
    random_next(&state);
    const struct seed *seed = &seeds->list[random_below(&state, seeds->n)];
    input->size = seed->size < max ? seed->size : max;
    memcpy(input->data, seed->data, input->size);
    for (size_t n = (size_t)1 << random_below(&state, 4); n; n--)
        mutate_once(input, max, seeds, &state);
}

/* A block of its own for each input: the sanitizers then see every byte read beyond its end. */
static void try_input(const struct attempt *input) {
    uint8_t *data = need(malloc(input->size ? input->size : 1));
    memcpy(data, input->data, input->size);
    LLVMFuzzerTestOneInput(data, input->size);
    free(data);
}

static void run_child(struct attempt *input, size_t max, const struct seeds *seeds, uint64_t n_runs,
                      uint64_t seed) {
    for (size_t i = 0; i < seeds->n; i++) {
        input->size = seeds->list[i].size < max ? seeds->list[i].size : max;
        memcpy(input->data, seeds->list[i].data, input->size);
        try_input(input);
    }
    for (uint64_t i = 0; i < n_runs; i++) {
        mutate(input, max, seeds, seed * 0xD1342543DE82EF95u + i);
        try_input(input);
    }
}

static int report(const char *program, int wait_status, const struct attempt *input) {
    const char *name = strrchr(program, '/');
    char path[256];
    snprintf(path, sizeof path, "crash-%s", name ? name + 1 : program);
    FILE *file = fopen(path, "wb");
    bool saved = file && fwrite(input->data, 1, input->size, file) == input->size;
    if (file && fclose(file)) saved = false;
    fprintf(stderr, "%s %d; the input of %zu bytes %s %s\n",
            WIFSIGNALED(wait_status) ? "killed by signal" : "exit status",
            WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status),
            input->size, saved ? "is in" : "could not be saved as", path);
    return 1;
}

int main(int argc, char **argv) {
    unsigned long long n_runs = 20000, seed = 1, max = 1 << 16;
    struct seeds seeds = {0};
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "-runs=%llu", &n_runs) == 1) continue;
        if (sscanf(argv[i], "-seed=%llu", &seed) == 1) continue;
        if (sscanf(argv[i], "-max_len=%llu", &max) == 1) continue;
        read_seeds(&seeds, argv[i]);
    }
    if (!seeds.n) {
        fprintf(stderr,
                "usage: %s [-runs=N] [-seed=S] [-max_len=BYTES] SEEDS...\n"
                "no seed was found\n",
                argv[0]);
        return 2;
    }
    struct attempt *input =
        mmap(NULL, sizeof *input + max, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (input == MAP_FAILED) need(NULL);
    pid_t child = fork();
    if (child == 0) {
        run_child(input, max, &seeds, n_runs, seed);
        exit(0);
    }
    int wait_status;
    if (child < 0 || waitpid(child, &wait_status, 0) != child) {
        perror(argv[0]);
        return 2;
    }
    if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status))
        return report(argv[0], wait_status, input);
    printf("%zu seeds and %llu mutations of them tried\n", seeds.n, n_runs);
    for (size_t i = 0; i < seeds.n; i++) free(seeds.list[i].data);
    free(seeds.list);
    return 0;
}
