/* folders_of_paths.h - where the folder is now that a path of a log names. Logs of this program and
 * of the earlier one have paths as they were said, often relative to the folder that the program
 * ran in, and output folders are moved, mounted elsewhere or copied.
 */
#ifndef XL_INSIGHT_FOLDERS_OF_PATHS_H
#define XL_INSIGHT_FOLDERS_OF_PATHS_H

#include "base/arena.h"

/* The folder in the arena, from the root and without links where it is there. named: what stands
 * before the last slash ("" for none); output_dir: where the log lies, from the root. Tried in this
 * order, the first that is there counts: the path itself where it is one from the root; what
 * follows the output folder's name in it, in the output folder; the path in the folder above, in
 * the output folder, and here. NULL: out of memory */
const char *xl_folder_of_path(const char *named, const char *output_dir, struct xl_arena *arena);

#endif
