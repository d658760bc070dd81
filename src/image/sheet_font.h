/* sheet_font.h - text on a cairo surface in whatever fonts have its characters; for sheet_text.c.
 * Fonts are found once a surface and kept with its cairo_t.
 */
#ifndef XL_IMAGE_SHEET_FONT_H
#define XL_IMAGE_SHEET_FONT_H

#include "base/status.h"

struct _cairo; /* cairo_t, without its header's folder */

/* The font for what follows: a sans serif of so many pixels, and behind it every font that is
 * installed, asked character by character. Where there are none, cairo's own. */
void xl_font_select(struct _cairo *cairo, bool is_bold, double size);

/* How far a text (valid UTF-8) goes, and drawing it from the current point on. A character that no
 * font has is an empty box. */
double xl_font_width(struct _cairo *cairo, const char *text);
void xl_font_show(struct _cairo *cairo, const char *text);

#endif
