/* environment.h - the environment of a child process: ours, with some variables of its own.
 */
#ifndef XL_JOBS_ENVIRONMENT_H
#define XL_JOBS_ENVIRONMENT_H

/* added: "NAME=VALUE", NULL-terminated; each replaces the variable of its name. What is returned is
 * freed with free; its texts are those of `added` and of this process. NULL: out of memory */
char **xl_environment_with(const char *const *added);

#endif
