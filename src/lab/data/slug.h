/* slug.h - text of any kind as a word that is safe in names of files and as a key. */
#ifndef XL_LAB_SLUG_H
#define XL_LAB_SLUG_H

enum { XL_SLUG_MAX = 80 }; /* in names of files */

/* The letters and digits of text in lower case, whatever else lies between them one '-': Latin ones
 * as ASCII (accents fall off: "É" is "e"), those of other scripts as UTF-8. Where there are none,
 * the numbers of its symbols ("u1f98a" of an emoji), and "untitled" when nothing is left. At most
 * max bytes, cut between characters. Nothing of it means anything to a shell, a log or a file
 * system: no blanks, slashes, dots, quotes, control characters or marks of direction. text: any
 * bytes. out: [max + 1], max at least 8 */
void xl_slug(const char *text, int max, char *out);

#endif
