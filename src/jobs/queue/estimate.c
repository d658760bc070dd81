/* estimate.c - how long work takes at the places that there are for it, which may be of several
 * kinds: each is as fast as its kind was before, and together they draw as many pictures at a time
 * as they are.
 */
#include "jobs/queue/parts.h"

/* What is to be drawn. */
struct work {
    const struct xl_sweep *sweep; /* NULL: a job */
    const struct xl_job *job;
};

/* Seconds of all of it, one picture after the other, at a place; -1: not known. */
static double alone(const struct xl_queue *queue, const struct xl_slot *slot,
                    const struct work *work) {
    if (work->sweep) return xl_pace_tell_sweep(&queue->pace, slot->name, work->sweep);
    const struct xl_pace_key key = {slot->name, work->job->digest, -1, 0};
    return xl_pace_tell(&queue->pace, &key, work->job->cost);
}

static bool is_drawn_at(const struct xl_slot *slot, const struct work *work) {
    return work->job && slot->job == work->job;
}

/* Seconds of n pictures' worth of the work that has n_all, at places that draw it, or at all. What
 * is not known of a kind of device is taken to be as what is known of the others. */
static double together(const struct xl_queue *queue, const struct work *work, int n, int n_all) {
    int n_at_it = 0, n_places = 0, n_known = 0;
    double speeds = 0; /* of all the work, in a second */
    for (int i = 0; i < queue->n_slots; i++) n_at_it += is_drawn_at(&queue->slots[i], work);
    for (int i = 0; i < queue->n_slots; i++) {
        const struct xl_slot *slot = &queue->slots[i];
        if (n_at_it && !is_drawn_at(slot, work)) continue;
        n_places++;
        double all_s = alone(queue, slot, work);
        if (all_s > 0) speeds += 1 / all_s, n_known++;
    }
    if (!n_known) return -1;
    int n_at_once = n < n_places ? n : n_places;
    return (double)n / n_all / (speeds / n_known * n_at_once);
}

double xl_estimate_sweep(const struct xl_queue *queue, const struct xl_sweep *sweep) {
    const struct work work = {.sweep = sweep};
    return sweep->n_cells ? together(queue, &work, sweep->n_cells, sweep->n_cells) : 0;
}

double xl_estimate_left(const struct xl_queue *queue, const struct xl_job *job) {
    const struct work work = {.job = job};
    int n_left = job->n_cells - job->n_done - job->n_failed;
    return job->n_cells && n_left > 0 ? together(queue, &work, n_left, job->n_cells) : 0;
}
