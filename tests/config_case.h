/* config_case.h - a configuration read from a file, for tests of its reader. */
#ifndef XL_TESTS_CONFIG_CASE_H
#define XL_TESTS_CONFIG_CASE_H

#include "base/json.h"

/* read_config(json, ARGUMENTS..., err) over the file of this path. */
#define CONFIG_READ(read_config, path, err, ...)                                                   \
    ({                                                                                             \
        json_t *config_root_ = NULL;                                                               \
        enum xl_status config_status_ = xl_json_load(path, &config_root_, err);                    \
        if (!config_status_)                                                                       \
            config_status_ = read_config((struct xl_json){config_root_, path}, __VA_ARGS__, err);  \
        json_decref(config_root_);                                                                 \
        config_status_;                                                                            \
    })

#endif
