/* path.h - paths as people write them into files and the environment: "~" and variables, which a
 * shell fills in only where it sees them, and paths that mean the same from every folder.
 *
 *   ~, ~/x       HOME, or the home folder that the system knows where HOME is not set
 *   ~NAME/x      the home folder of that user
 *   $NAME        that variable of the environment; so is ${NAME}
 *   $$           a dollar sign; one before anything else but a name stands for itself, too
 *
 * Keeps nothing; any thread.
 */
#ifndef XL_BASE_PATH_H
#define XL_BASE_PATH_H

#include "base/arena.h"

#include <pwd.h>

/* *out: in the arena. Errors: XL_EINVAL a user or a variable that is not there, or an empty one */
enum xl_status xl_path_expand(const char *text, struct xl_arena *arena, const char **out,
                              struct xl_err *err) XL_CHECKED;

/* The line of /etc/passwd of the user of that name, or, name NULL, of whoever runs this; its texts
 * lie in buffer. The system's name service is not asked: it may open a socket. False: there is none
 */
enum { XL_USER_MAX = 4096 };
bool xl_path_user(const char *name, struct passwd *out, char buffer[XL_USER_MAX]);

/* The path from the root, in the arena; links and ".." stay as they are. NULL: out of memory */
const char *xl_path_absolute(const char *path, struct xl_arena *arena);

/* Whether a path from the root says who somebody is: it lies in a home folder (HOME, that of the
 * user, /home, /Users, /root), or a folder on it is called as the user is. */
bool xl_path_is_personal(const char *path);

/* `name` in the folder of what this program can make again, malloc'd: "sdxl-lab" in XDG_CACHE_HOME,
 * by default in ~/.cache. NULL: there is no home folder, or no memory */
char *xl_path_cache(const char *name);

/* A sentence as others get it, malloc'd: of the personal paths in it the last part is left. NULL:
 * out of memory */
char *xl_path_tell(const char *sentence);

#endif
