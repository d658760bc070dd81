/* card.h - a GPU that is ours alone: locked by its UUID, from before it is used until it is given
 * back.
 *
 * The lock is a file in a folder that all who share the host's GPUs see, containers too if they
 * mount it; it is gone when the last process that holds it ends, however that ends (base/lock.h). A
 * GPU is locked when one sample shows it idle; the other samples are taken under the lock, so that
 * whoever has it has seen it idle since nobody else could come in between.
 */
#ifndef XL_GPU_CARD_H
#define XL_GPU_CARD_H

#include "base/lock.h"
#include "base/str.h"
#include "gpu/idle.h"

struct xl_card {
    struct xl_gpu gpu; /* as it was when it was taken */
    struct xl_lock *lock;
};

/* What is wanted. */
struct xl_card_wish {
    struct xl_idle_rule rule;
    const char *lock_dir;     /* NULL: the default */
    const char *const *uuids; /* [n_uuids], or beginnings of them: only these; n_uuids 0: any */
    int n_uuids;
    int most; /* so many at once */
};

/* Where GPUs are locked: `said`, or the folder that every user of the host can write to. */
const char *xl_card_lock_dir(const char *said);
/* Whether GPUs can be locked there (said: as above); the folder is made. Errors: XL_EDISK */
enum xl_status xl_card_check_lock_dir(const char *said, struct xl_err *err) XL_CHECKED;

/* Lock up to wish->most idle GPUs. cards: [most]; *n: how many there are now, 0 too. why: gets a
 * line for each GPU that was wanted and is not among them ("1: 2 processes, 30.1 GiB in use").
 * Errors: XL_EDEVICE no driver, no GPU, or none of a UUID that is wanted; XL_EDISK the folder of
 * locks cannot be written; XL_ENOMEM, XL_ECANCELLED. Nothing is locked then. */
enum xl_status xl_cards_take(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                             struct xl_card *cards, int *n, struct xl_str *why,
                             struct xl_err *err) XL_CHECKED;

/* The same, again and again every poll_s seconds until there is at least one, for at most wait_s
 * seconds (0: once; below 0: without end). waits: called once when none is idle, with why; may be
 * NULL. Errors: as above; XL_EDEVICE none became idle, and why */
struct xl_card_wait {
    double wait_s, poll_s;
    void (*waits)(void *user, const char *why);
    void *user;
};
enum xl_status xl_cards_wait(struct xl_gpus *gpus, const struct xl_card_wish *wish,
                             const struct xl_card_wait *wait, struct xl_card *cards, int *n,
                             struct xl_err *err) XL_CHECKED;

/* The sentence "no GPU is idle: ..." from the lines of xl_cards_take. Returns XL_EDEVICE. */
enum xl_status xl_cards_fail_busy(const struct xl_str *why, struct xl_err *err);

/* The sentence about a UUID that no GPU here has. Returns XL_EDEVICE. */
enum xl_status xl_cards_fail_unknown(const char *uuid, struct xl_err *err);

/* What became of a card of ours. n_own: the processes that we have on it. */
enum xl_card_state { XL_CARD_OURS, XL_CARD_SHARED, XL_CARD_LOST };
/* text: why, half a sentence. Keeps the file of the lock young, too: folders for temporary files
 * are cleared of old ones. Errors: those of xl_gpus_read */
enum xl_status xl_card_check(struct xl_gpus *gpus, const struct xl_card *card, int n_own,
                             enum xl_card_state *out, char text[XL_BUSY_MAX],
                             struct xl_err *err) XL_CHECKED;

/* Give it back. A card without a lock is fine. */
void xl_card_release(struct xl_card *card);

/* Who has locked a GPU, as its holder wrote it down ("process 7 on host a"), or "": nobody.
 * Errors: XL_EDISK */
enum xl_status xl_card_look(const char *lock_dir, const char *uuid, char owner[XL_LOCK_OWNER],
                            struct xl_err *err) XL_CHECKED;

#endif
