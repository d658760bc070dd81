/* inventory.h - what lies in the cache: the files of a snapshot with the blobs that they lead to,
 * downloads that were interrupted, and repositories by what they hold. Reads only; any thread.
 */
#ifndef XL_HUB_INVENTORY_H
#define XL_HUB_INVENTORY_H

#include "hub/classify.h"
#include "hub/hub.h"

enum xl_entry_state {
    XL_ENTRY_FINE,
    XL_ENTRY_DANGLING,   /* the link leads to nothing */
    XL_ENTRY_OUTSIDE,    /* the link leads out of the cache */
    XL_ENTRY_UNREADABLE, /* no right to read it, or neither file nor link */
};

/* A file of a snapshot. */
struct xl_hub_entry {
    const char *file;   /* relative to the snapshot: "unet/config.json" */
    const char *path;   /* absolute */
    const char *target; /* where the link leads in the end; NULL: no link, or dangling */
    const char *digest; /* of its blob's name, see xl_hub_digest; NULL: it has none */
    int64_t bytes;      /* 0 where it cannot be read */
    enum xl_entry_state state;
};

struct xl_hub_entries {
    struct xl_hub_entry *entry; /* by the bytes of `file` */
    int n;
    int64_t bytes; /* all together */
};

/* Every file in and below the folder of a snapshot; hidden ones too. For a plain folder (no commit)
 * links may lead anywhere. In the arena. Errors: XL_EFORMAT more than 65536 files; XL_ENOMEM */
enum xl_status xl_hub_entries(const struct xl_snapshot *snapshot, struct xl_arena *arena,
                              struct xl_hub_entries *out, struct xl_err *err) XL_CHECKED;

/* One file, wherever it lies: a list of one. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_hub_entry(const char *path, struct xl_arena *arena, struct xl_hub_entries *out,
                            struct xl_err *err) XL_CHECKED;

/* A download that was begun and not finished. */
struct xl_hub_partial {
    const char *id;   /* "org/name" */
    const char *path; /* blobs/NAME.incomplete */
    int64_t bytes;    /* that take room on the disk */
    double age_s;     /* since something was written to it */
};
struct xl_hub_partials {
    struct xl_hub_partial *partial;
    int n;
    int64_t bytes;
};
/* In all of the cache, by the place in it and by name. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_hub_partials(struct xl_arena *arena, struct xl_hub_partials *out,
                               struct xl_err *err) XL_CHECKED;

/* A repository of the cache. */
struct xl_hub_found {
    const char *id; /* "org/name" */
    struct xl_snapshot snapshot;
    struct xl_hub_folder_class is;
};
struct xl_hub_scan {
    struct xl_hub_found *found;
    int n;
};
/* Every repository that has a snapshot, each once, by the place in the cache and by name. Of those
 * with model_index.json the other files are not looked at. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_hub_scan(struct xl_arena *arena, struct xl_hub_scan *out,
                           struct xl_err *err) XL_CHECKED;

/* Where the cache may lie, see location.h; for people. */
struct xl_hub_place {
    const char *dir;
    bool is_there, is_writable;
    int n_repositories;
    int64_t free_bytes; /* of its disk; -1: not known */
};
struct xl_hub_places {
    struct xl_hub_place *place;
    int n;
};
/* In the order in which they are looked through. In the arena. Errors: XL_ENOMEM */
enum xl_status xl_hub_places(struct xl_arena *arena, struct xl_hub_places *out,
                             struct xl_err *err) XL_CHECKED;

#endif
