/* draw.c - decisions by chance. Keeps no state. */
#include "prompts/draw.h"

struct draw {
    struct xl_dice *dice;
    uint32_t *decisions;
    int n;
    uint64_t marks;
};

static void decide(struct draw *draw, int decision) {
    if (draw->n < XL_GRAMMAR_MAX_DECISIONS) draw->decisions[draw->n++] = (uint32_t)decision;
}

static int pick(struct xl_dice *dice, const struct xl_grammar_list *list) {
    uint64_t at = xl_dice_below(dice, list->weight);
    int low = 0, high = list->n - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (at < list->entries[middle].upto)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The next of several by weight, among those that are not taken: as if those were not there. */
static int pick_other(struct xl_dice *dice, const struct xl_grammar_list *list, const int *taken,
                      int n) {
    uint64_t weight = list->weight;
    for (int i = 0; i < n; i++) weight -= list->entries[taken[i]].weight;
    uint64_t at = xl_dice_below(dice, weight);
    int next = 0; /* taken is in order */
    for (int e = 0; e < list->n; e++) {
        if (next < n && taken[next] == e)
            next++;
        else if (at < list->entries[e].weight)
            return e;
        else
            at -= list->entries[e].weight;
    }
    return list->n - 1;
}

static void decide_entry(struct draw *draw, const struct xl_grammar_list *list, int e);

static void decide_item(struct draw *draw, const struct xl_grammar_item *item) {
    const struct xl_grammar_list *list = item->list;
    int taken[XL_GRAMMAR_MAX_SEVERAL + 1], n = list->n;
    int least = item->least < n ? item->least : n, most = item->most < n ? item->most : n;
    int count = least;
    if (most > least) count += (int)xl_dice_below(draw->dice, (uint64_t)(most - least) + 1);
    decide(draw, count);
    for (int i = 0; i < count; i++) {
        int e = i ? pick_other(draw->dice, list, taken, i) : pick(draw->dice, list);
        int at = i;
        for (; at && taken[at - 1] > e; at--) taken[at] = taken[at - 1];
        taken[at] = e;
    }
    for (int i = 0; i < count; i++) decide_entry(draw, list, taken[i]);
}

static void decide_entry(struct draw *draw, const struct xl_grammar_list *list, int e) {
    const struct xl_grammar_entry *entry = &list->entries[e];
    decide(draw, e);
    draw->marks |= entry->marks;
    for (int i = 0; i < entry->n_items; i++)
        if (entry->items[i].list) decide_item(draw, &entry->items[i]);
}

uint64_t xl_grammar_decide(const struct xl_grammar *grammar, struct xl_dice *dice,
                           uint32_t *decisions, int *n) {
    struct draw draw = {.dice = dice, .decisions = decisions};
    decide_entry(&draw, grammar->templates, pick(dice, grammar->templates));
    *n = draw.n;
    return draw.marks;
}
