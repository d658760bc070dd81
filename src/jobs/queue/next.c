/* next.c - what a place draws next, told to its worker while it draws: the first group of another
 * job, whose model the worker gets ready as it does the next model of a run.
 */
#include "jobs/queue/parts.h"

#include "base/clock.h"
#include "lab/run/work.h"

#include <string.h>

static const double LOOK_S = 0.5; /* between two looks at the queue */

void xl_next_offer(struct xl_job_run *drawing, const struct xl_asked *asked) {
    const struct xl_sweep *sweep = &asked->sweep;
    struct xl_queue *queue = drawing->queue;
    if (!sweep->n_cells) return;
    const struct xl_cell *cell = &sweep->cells[sweep->order[0]];
    int n = xl_share_size(sweep, sweep->order, sweep->n_cells, asked->settings.group);
    pthread_mutex_lock(&queue->mutex);
    drawing->first = (struct xl_group){.sweep = sweep,
                                       .cells = sweep->order,
                                       .n = n,
                                       .rung = {cell->vae_tile, n, cell->width, cell->height},
                                       .dir = queue->output_dir,
                                       .stamp = ""};
    pthread_mutex_unlock(&queue->mutex);
}

void xl_next_withdraw(struct xl_job_run *drawing) {
    struct xl_queue *queue = drawing->queue;
    pthread_mutex_lock(&queue->mutex);
    drawing->first.n = 0;
    while (drawing->n_readers) pthread_cond_wait(&queue->changed, &queue->mutex);
    pthread_mutex_unlock(&queue->mutex);
}

/* The job whose model a place has not been told of and is to get ready. With the mutex held; NULL:
 * none, for now */
static struct xl_job_run *find(struct xl_queue *queue, struct xl_slot *slot) {
    double now_s = xl_now_s();
    if (now_s - slot->next.at_s < LOOK_S) return NULL;
    slot->next.at_s = now_s;
    if (slot->next.change == queue->change) return NULL;
    struct xl_job *job = xl_dispatch_foresee(queue, slot);
    bool is_news = job && job != slot->job && strcmp(slot->next.job, job->id) != 0;
    bool is_at_hand = is_news && slot->digest[0] && !strcmp(slot->digest, job->digest);
    struct xl_job_run *drawing = is_news && !is_at_hand ? job->drawing : NULL;
    bool is_planned = drawing && drawing->first.n;
    if (is_news && !is_at_hand && !is_planned) return NULL; /* it will be looked for again */
    slot->next.change = queue->change;
    if (is_news) memcpy(slot->next.job, job->id, sizeof slot->next.job);
    return drawing;
}

void xl_next_tell(struct xl_queue *queue, struct xl_slot *slot) {
    pthread_mutex_lock(&queue->mutex);
    struct xl_job_run *drawing = find(queue, slot);
    struct xl_group first;
    if (drawing) {
        drawing->n_readers++;
        first = drawing->first;
    }
    pthread_mutex_unlock(&queue->mutex);
    if (!drawing) return;
    slot->painter->expect(slot->painter, &first);
    pthread_mutex_lock(&queue->mutex);
    drawing->n_readers--;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}
