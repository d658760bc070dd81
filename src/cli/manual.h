/* manual.h - the parts of the manual that no table of the program holds (manual_text.c). Texts as
 * page.h takes them.
 */
#ifndef XL_CLI_MANUAL_H
#define XL_CLI_MANUAL_H

struct xl_manual_entry {
    const char *term, *text;
};

extern const char *const xl_manual_description;
extern const char *const xl_manual_sweeps;
extern const char *const xl_manual_environment;
extern const char *const xl_manual_paths;

/* Each ends with an entry without a term. */
extern const struct xl_manual_entry xl_manual_axes[];      /* forms of --sweep */
extern const struct xl_manual_entry xl_manual_variables[]; /* that are no setting's */
extern const struct xl_manual_entry xl_manual_files[];
extern const struct xl_manual_entry xl_manual_examples[]; /* term: what it does, text: lines */

#endif
