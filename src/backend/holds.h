/* holds.h - which weights a backend holds, for whom, and their memory.
 *
 * An executable holds weights: its compilation opens a hold and asks it for what the ops need,
 * which only counts; then memory is taken and the backend fills it. What one hold finds missing is
 * a group with one block of memory. A group stays while a hold refers to it, and after that until
 * its memory is wanted back. Entries are known by keys, of whatever a backend tells its packed
 * weights apart by.
 *
 * Any thread may call, for holds of its own. One hold asks at a time, until it has taken its
 * memory: others wait to begin. Groups are filled side by side. Who asks for an entry that another
 * hold is just filling waits for it; should that one fail, the entry is missing again.
 */
#ifndef XL_BACKEND_HOLDS_H
#define XL_BACKEND_HOLDS_H

#include "backend/backend.h"

struct xl_holds; /* opaque: of a backend */
struct xl_hold;  /* opaque: of an executable */
struct xl_held_group;

/* One packed weight. A backend's own struct begins with it. */
struct xl_held {
    struct xl_held *next;      /* of its group, newest first */
    struct xl_held *same_hash; /* in the table of all */
    struct xl_held_group *group;
    size_t bytes;
    unsigned char *data; /* NULL until the group has memory */
};

/* What one hold found missing. */
struct xl_held_group {
    struct xl_held_group *next;
    struct xl_held *entries; /* newest first */
    int n_entries;
    unsigned char *data;
    size_t bytes;
    int n_holds;
    uint64_t idle_since; /* the clock of all, while n_holds is 0 */
    bool is_filling;     /* by the hold that found it missing */
    bool is_lost;        /* could not be filled: in no table, gone with its last hold */
};

/* How a backend keeps entries. Keys are compared as bytes: padding must be zero. */
struct xl_holds_kind {
    size_t entry_size, key_offset, key_size;
    unsigned char *(*alloc)(void *user, size_t bytes); /* NULL: no memory */
    void (*free)(void *user, unsigned char *data, size_t bytes);
    void (*forget)(void *user, struct xl_held *entry); /* what the entry has of its own; or NULL */
};

/* kind: must outlive it. Errors: XL_ENOMEM */
enum xl_status xl_holds_new(const struct xl_holds_kind *kind, void *user, struct xl_holds **out,
                            struct xl_err *err) XL_CHECKED;
/* All holds must be freed before. NULL is fine. */
void xl_holds_free(struct xl_holds *holds);

/* Bytes held, and those of groups that no hold refers to. */
struct xl_held_bytes {
    size_t held, idle;
};
struct xl_held_bytes xl_holds_bytes(struct xl_holds *holds);
/* Free idle groups, the one that has been idle longest first, until `wanted` bytes are given back
 * or none is left. Returns how many that were. */
size_t xl_holds_release(struct xl_holds *holds, size_t wanted);

/* What a hold is for. To measure: it takes no memory, and what others are filling counts as held.
 */
enum xl_hold_use { XL_HOLD_TO_COMPILE, XL_HOLD_TO_MEASURE };

/* Begin to ask, once nobody else does. Errors: XL_ENOMEM */
enum xl_status xl_hold_new(struct xl_holds *holds, enum xl_hold_use use, struct xl_hold **out,
                           struct xl_err *err) XL_CHECKED;
void xl_hold_free(struct xl_hold *hold); /* NULL is fine */

/* The entry of that key, held from here on: found, or new, zeroed but for its key and missing, for
 * the caller to describe with xl_held_set_bytes. A hold that has taken its memory finds at once
 * what it asked for before, and begins to ask again for anything else. NULL: no memory */
struct xl_held *xl_hold_ask(struct xl_hold *hold, const void *key, bool *is_new);
void xl_held_set_bytes(struct xl_held *entry, size_t bytes);

/* Whether it has not taken memory yet for what it asked for last. */
bool xl_hold_asks(const struct xl_hold *hold);

/* What was asked for, of a hold that asks. */
struct xl_weight_need xl_hold_need(const struct xl_hold *hold);

/* Take memory for what is missing, which ends the asking. Those that were asked for first lie
 * first. *missing: the group to fill; NULL: nothing is missing. Errors: XL_ENOMEM */
enum xl_status xl_hold_take_memory(struct xl_hold *hold, struct xl_held_group **missing,
                                   struct xl_err *err) XL_CHECKED;
/* What was missing is filled. May be called on the thread that filled it, while the hold is asked.
 */
void xl_hold_close(struct xl_hold *hold);

/* Entries of a group in the order of asking, malloc'd; NULL: no memory. */
struct xl_held **xl_held_list(const struct xl_held_group *group);

enum { XL_HELD_ALIGN = 256 };
static inline size_t xl_held_align(size_t bytes) {
    return (bytes + XL_HELD_ALIGN - 1) / XL_HELD_ALIGN * XL_HELD_ALIGN;
}

#endif
