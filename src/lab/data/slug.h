/* slug.h - text of any kind as a word that is safe in names of files and as a key. */
#ifndef XL_LAB_SLUG_H
#define XL_LAB_SLUG_H

enum { XL_SLUG_MAX = 80 }; /* in names of files */

/* The letters and digits of text in lower-case ASCII (accents fall off: "É" is "e"), whatever else
 * lies between them one '-', at most max characters, "untitled" when nothing is left. So a prompt
 * in another script than Latin is "untitled": names stay safe on every file system, in every shell
 * and in every log, and the prompt itself is in the picture. text: any bytes. out: [max + 1], max
 * at least 8 */
void xl_slug(const char *text, int max, char *out);

#endif
