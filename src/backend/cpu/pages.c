/* pages.c - mmap rather than malloc: the memory is zero without being touched, goes back to the
 * system when freed, and may be backed by huge pages, which spare the address translation of
 * weights that are streamed once a step. */
#include "backend/cpu/pages.h"

#include <stdint.h>
#include <sys/mman.h>

enum { PAGE = 4096, HUGE_PAGE = 2 << 20 };

static size_t mapped_bytes(size_t bytes) {
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

void *xl_pages_alloc(size_t bytes) {
    size_t mapped = mapped_bytes(bytes ? bytes : 1);
    /* Map a huge page more than needed and give back what is before and after the aligned block. */
    size_t slack = mapped >= HUGE_PAGE ? HUGE_PAGE : 0;
    char *at =
        mmap(NULL, mapped + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return NULL;
    if (!slack) return at;
    size_t before = (HUGE_PAGE - (uintptr_t)at % HUGE_PAGE) % HUGE_PAGE;
    if (before) munmap(at, before);
    if (slack - before) munmap(at + before + mapped, slack - before);
    madvise(at + before, mapped, MADV_HUGEPAGE); /* advice: failure changes nothing */
    return at + before;
}

void *xl_pages_reserve(size_t bytes) {
    void *at = mmap(NULL, mapped_bytes(bytes ? bytes : 1), PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void xl_pages_free(void *pages, size_t bytes) {
    if (pages) munmap(pages, mapped_bytes(bytes ? bytes : 1));
}
