/* night_learn.c - what favourites teach a night: looked at when it begins, and kept in its folder,
 * for what is marked meanwhile would decide other jobs than those that are drawn.
 */
#include "cli/night.h"

#include "base/file.h"
#include "cli/favorites_open.h"
#include "insight/report/learned.h"
#include "prompts/learned.h"

static enum xl_status look(const struct xl_night_config *config, json_t **out, struct xl_err *err) {
    struct xl_settings all = config->settings; /* as defaults of jobs they are no filters */
    struct xl_favorites favorites = {0};
    if (!xl_dir_exists(all.output_dir)) { /* the first night: nothing is loved yet */
        *out = json_pack("{s:i,s:{}}", "format", 1, "weights");
        return *out ? XL_OK : xl_fail_nomem(err, "favourites", 0);
    }
    all.given = 0;
    all.n_arguments = 0;
    enum xl_status status = xl_favorites_open(&all, &favorites, err);
    if (!status)
        status =
            xl_favourites_learn(&favorites.rows, config->prompts.item, config->prompts.n, out, err);
    xl_favorites_close(&favorites);
    return status;
}

enum xl_status xl_night_learn(struct xl_night_config *config, const char *dir, struct xl_err *err) {
    if (!config->learn_from || !xl_learned_is_favourites(config->learn_from)) return XL_OK;
    return dir ? xl_night_learned_read(dir, &config->learned, err)
               : look(config, &config->learned, err);
}
