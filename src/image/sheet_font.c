/* sheet_font.c - runs of characters that one font has. What fontconfig finds is kept with the
 * cairo_t and freed with it; nothing else is. */
#include "image/sheet_font.h"

#include <stdlib.h>
#include <string.h>

#include <cairo-ft.h>
#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <utf8proc.h>

/* The fonts of a weight, the best first. */
struct weight {
    FcPattern *wanted;
    FcFontSet *set;
    cairo_font_face_t **faces; /* [set->nfont]; NULL: not made yet */
    bool is_asked;
};

struct fonts {
    struct weight weights[2]; /* regular, bold */
    struct weight *now;
};

static const cairo_user_data_key_t fonts_key;

/* --- Finding ---------------------------------------------------------------------------------- */

static void free_fonts(void *user) {
    struct fonts *fonts = user;
    for (int w = 0; w < 2; w++) {
        struct weight *weight = &fonts->weights[w];
        for (int i = 0; weight->faces && i < weight->set->nfont; i++)
            if (weight->faces[i]) cairo_font_face_destroy(weight->faces[i]);
        free(weight->faces);
        if (weight->set) FcFontSetDestroy(weight->set);
        if (weight->wanted) FcPatternDestroy(weight->wanted);
    }
    free(fonts);
}

/* NULL: out of memory */
static struct fonts *fonts_of(cairo_t *cairo) {
    struct fonts *fonts = cairo_get_user_data(cairo, &fonts_key);
    if (fonts) return fonts;
    fonts = calloc(1, sizeof *fonts);
    if (fonts && cairo_set_user_data(cairo, &fonts_key, fonts, free_fonts)) {
        free(fonts);
        return NULL;
    }
    return fonts;
}

static void find(struct weight *weight, bool is_bold) {
    FcResult result;
    weight->is_asked = true;
    weight->wanted = FcPatternCreate();
    if (!weight->wanted) return;
    FcPatternAddString(weight->wanted, FC_FAMILY, (const FcChar8 *)"sans-serif");
    FcPatternAddInteger(weight->wanted, FC_WEIGHT, is_bold ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
    FcConfigSubstitute(NULL, weight->wanted, FcMatchPattern);
    FcDefaultSubstitute(weight->wanted);
    weight->set = FcFontSort(NULL, weight->wanted, FcTrue, NULL, &result);
    if (weight->set && weight->set->nfont)
        weight->faces = calloc((size_t)weight->set->nfont, sizeof *weight->faces);
}

static bool has(const struct weight *weight, int font, utf8proc_int32_t c) {
    FcCharSet *set;
    return !FcPatternGetCharSet(weight->set->fonts[font], FC_CHARSET, 0, &set) &&
           FcCharSetHasChar(set, (FcChar32)c);
}

/* The font of a run that c belongs to: the best, else the one at hand, else the next that has it;
 * the one at hand if none has it. */
static int font_for(const struct weight *weight, int at_hand, utf8proc_int32_t c) {
    if (has(weight, 0, c)) return 0;
    if (at_hand >= 0 && has(weight, at_hand, c)) return at_hand;
    for (int i = 0; i < weight->set->nfont; i++)
        if (has(weight, i, c)) return i;
    return at_hand < 0 ? 0 : at_hand;
}

static void use(cairo_t *cairo, struct weight *weight, int font) {
    if (!weight->faces[font]) {
        FcPattern *prepared = FcFontRenderPrepare(NULL, weight->wanted, weight->set->fonts[font]);
        if (!prepared) return;
        weight->faces[font] = cairo_ft_font_face_create_for_pattern(prepared);
        FcPatternDestroy(prepared);
    }
    cairo_set_font_face(cairo, weight->faces[font]);
}

/* --- Using ------------------------------------------------------------------------------------ */

void xl_font_select(cairo_t *cairo, bool is_bold, double size) {
    struct fonts *fonts = fonts_of(cairo);
    struct weight *weight = fonts ? &fonts->weights[is_bold] : NULL;
    if (weight && !weight->is_asked) find(weight, is_bold);
    if (fonts) fonts->now = weight->faces ? weight : NULL;
    if (!weight || !weight->faces)
        cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                               is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, size);
}

static double measure_run(cairo_t *cairo, const char *text) {
    cairo_text_extents_t extents;
    cairo_text_extents(cairo, text, &extents);
    return extents.x_advance;
}

static double show_run(cairo_t *cairo, const char *text) {
    cairo_show_text(cairo, text);
    return 0;
}

/* Do something with each run of a text in its font; what that adds up to. */
static double for_each_run(cairo_t *cairo, const char *text,
                           double (*take)(cairo_t *cairo, const char *text)) {
    struct fonts *fonts = cairo_get_user_data(cairo, &fonts_key);
    struct weight *weight = fonts ? fonts->now : NULL;
    char *copy = weight ? strdup(text) : NULL;
    if (!copy) return take(cairo, text);
    double sum = 0;
    char *run = copy, *at = copy;
    int font = -1;
    for (utf8proc_int32_t c; *at;) {
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)at, -1, &c);
        if (n <= 0) break;
        int next = font_for(weight, font, c);
        if (font >= 0 && next != font) {
            char kept = *at;
            *at = 0;
            use(cairo, weight, font);
            sum += take(cairo, run);
            *at = kept;
            run = at;
        }
        font = next;
        at += n;
    }
    if (font >= 0) use(cairo, weight, font);
    if (*run) sum += take(cairo, run);
    free(copy);
    return sum;
}

double xl_font_width(cairo_t *cairo, const char *text) {
    return for_each_run(cairo, text, measure_run);
}

void xl_font_show(cairo_t *cairo, const char *text) {
    for_each_run(cairo, text, show_run);
}
