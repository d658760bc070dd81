/* report_writer.c - report_writer DIR KIND: writes report.html and report.json of an owner whose
 * taste is known (unit/owner.h; KIND: 0 nothing, 1 parts, 2 one combination, 3 nothing is marked),
 * with names that are hostile. Pictures are DIR/0.png .. 5.png. */
#include "base/file.h"
#include "base/json.h"
#include "insight/report/document.h"
#include "insight/report/html.h"
#include "unit/owner.h"

static char path[4096];
static const char *dir;

static const char *path_of(void *user, int64_t picture) {
    (void)user;
    snprintf(path, sizeof path, "%s/%d.png", dir, (int)(picture % 6));
    return path;
}

static int write_file(const char *name, const char *text, size_t n) {
    struct xl_err err;
    char *where = xl_path_join(dir, name);
    int failed = !where || xl_file_replace(where, text, n, &err);
    free(where);
    return failed;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    dir = argv[1];
    int kind = atoi(argv[2]);
    struct owner *owner =
        owner_new(11, kind == 3 ? LOVES_NOTHING : (enum taste_kind)kind, 20000, 0.02);
    if (kind == 3) memset(owner->loved, 0, owner->rows.row_count);
    owner->names[MODEL][owner->best[0]] = "<img src=x onerror=\"document.title='hit'\"> & \"XL\"";
    owner->names[PROFILE][owner->best[1]] = "</td><script>document.title='hit'</script>";
    owner->words[0] = "=cmd|' /C calc'!A0";
    owner->words[1] = "a\033[31mred\x07";
    struct xl_taste taste;
    struct xl_err err;
    struct xl_report_pictures pictures = {path_of, NULL};
    struct xl_str html = {0};
    if (xl_taste_find(&owner->rows, NULL, &taste, &err)) return 1;
    json_t *document = xl_report_document(&taste, &pictures);
    char *json = document ? xl_json_dump(document, JSON_INDENT(1)) : NULL;
    if (document) xl_report_html(document, &html);
    int failed = !json || html.failed || write_file("report.json", json, strlen(json)) ||
                 write_file("report.html", html.text, html.len);
    xl_str_deinit(&html);
    free(json);
    json_decref(document);
    xl_taste_deinit(&taste);
    owner_free(owner);
    return failed;
}
