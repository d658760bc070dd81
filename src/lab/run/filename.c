/* filename.c - the parts of a name, each made safe and cut to its length. */
#include "lab/run/filename.h"

#include "base/file.h"

#include <stdio.h>
#include <string.h>

enum { PROFILE_MAX = 40, TAG_MAX = 80, WORD_MIN = 8 /* of xl_slug */ };

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* "_profile_prompt", at most room bytes; a part that would be less than a word is left out. */
static void put_words(const struct xl_output_name *parts, int room, char *out, size_t size) {
    char profile[PROFILE_MAX + 1], prompt[XL_SLUG_MAX + 1];
    int max = room / 3;
    out[0] = 0;
    if (max < WORD_MIN) max = WORD_MIN;
    if (room < 1 + WORD_MIN) return;
    xl_slug(parts->profile ? parts->profile : "raw", smaller(PROFILE_MAX, smaller(max, room - 1)),
            profile);
    room -= 2 + (int)strlen(profile);
    bool has_prompt = room >= WORD_MIN;
    if (has_prompt) xl_slug(parts->prompt, smaller(XL_SLUG_MAX, room), prompt);
    snprintf(out, size, "_%s%s%s", profile, has_prompt ? "_" : "", has_prompt ? prompt : "");
}

/* "_tag" in at most half of the room, or nothing. */
static void put_tag(const char *tag, int room, char out[TAG_MAX + 2]) {
    int max = smaller(room / 2 - 1, TAG_MAX);
    out[0] = 0;
    if (!tag || max < WORD_MIN) return;
    int n = (int)strlen(tag);
    if (n > max) n = max;
    while (n && ((unsigned char)tag[n] & 0xC0) == 0x80) n--; /* a character is not cut */
    while (n && strchr("-.", tag[n - 1])) n--;
    if (n) snprintf(out, TAG_MAX + 2, "_%.*s", n, tag);
}

void xl_output_name(const struct xl_output_name *parts, char out[XL_OUTPUT_NAME_MAX]) {
    char end[64], words[PROFILE_MAX + XL_SLUG_MAX + 3], tag[TAG_MAX + 2];
    int max = parts->max && parts->max < XL_OUTPUT_NAME_MAX ? parts->max : XL_OUTPUT_NAME_MAX - 1;
    int n = snprintf(end, sizeof end, "_seed%llu_%02d.png", (unsigned long long)parts->seed,
                     parts->index);
    int room = max - n - (int)strlen(parts->stamp);
    put_tag(parts->tag, room, tag);
    put_words(parts, room - (int)strlen(tag), words, sizeof words);
    snprintf(out, XL_OUTPUT_NAME_MAX, "%s%s%s%s", parts->stamp, words, tag, end);
}

enum xl_status xl_output_name_room(const char *dir, int *max, struct xl_err *err) {
    int room = xl_dir_name_max(dir);
    *max = room - XL_OUTPUT_NAME_ASIDE;
    if (*max >= XL_OUTPUT_NAME_LEAST) return XL_OK;
    return xl_fail(err, XL_EDISK,
                   "%s: a name there may have %d bytes at most, and a picture's needs %d; choose "
                   "another output directory, or one with a shorter path",
                   dir, room, XL_OUTPUT_NAME_LEAST + XL_OUTPUT_NAME_ASIDE);
}
