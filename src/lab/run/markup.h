/* markup.h - forms that other tools give a meaning in a prompt, and that are drawn as words here.
 */
#ifndef XL_LAB_MARKUP_H
#define XL_LAB_MARKUP_H

#include "lab/run/sweep.h"

enum { XL_MARKUP_MAX = 48 }; /* bytes of an example */

/* The first form in a text that cannot be meant as prose: "(word:1.2)", "((word))", "[a|b]",
 * "[a:b:0.5]", "{a|b}", "<lora:x:1>", "BREAK", "__wild__", "embedding:x", "(word)1.2". Parentheses
 * and brackets around words alone are prose. kind: 0 for the first kind of form, ... XL_N_MARKUPS
 * - 1. example: what was found, perhaps cut. False: none of that kind. */
enum { XL_N_MARKUPS = 9 };
bool xl_markup_find(const char *text, int kind, char example[XL_MARKUP_MAX]);

/* One notice of the sweep about all forms in the texts of its cells, as they are drawn, that the
 * syntax of the cell does not read. */
void xl_markup_note(struct xl_sweep *sweep);

#endif
