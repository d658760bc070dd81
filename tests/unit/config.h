/* config.h - a scratch folder that is the user's home: no file of the machine's user is read. */
#ifndef XL_TESTS_UNIT_CONFIG_H
#define XL_TESTS_UNIT_CONFIG_H

#include "unit/scratch.h"

static inline void config_open(void) {
    scratch_open();
    setenv("HOME", scratch_dir, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HF_HOME");
    unsetenv("HF_HUB_CACHE");
    unsetenv("HUGGINGFACE_HUB_CACHE");
    setenv("SDXL_LAB_SHARE", scratch("share"), 1);
}

/* A file of ~/.config/sdxl-lab. */
static inline const char *config_file(const char *name) {
    return scratch(".config/sdxl-lab/%s", name);
}

#endif
