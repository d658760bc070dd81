/* fuzz_marks.c - files of marks: any bytes are marks or damaged lines, what is read keeps within
 * what the index and statistics count on, and a mark that was appended behind them counts. */
#include "fuzz.h"
#include "one_file.h"

#include "insight/marks/marks.h"

#include <string.h>

static void expect(bool promise) {
    if (!promise) abort();
}

static const char appended[] =
    "\n{\"kind\":\"favorite\",\"path\":\"/a.png\",\"sha256\":\"appended\","
    "\"loved\":true,\"rating\":3,\"marked_at\":\"\xC3\xBF\",\"format\":1}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct xl_mark_list *list = NULL;
    size_t n_appended = sizeof appended - 1;
    uint8_t *all = malloc(size + n_appended);
    expect(all != NULL);
    if (size) memcpy(all, data, size);
    memcpy(all + size, appended, n_appended);
    one_file("marks_fuzz.jsonl", all, size + n_appended);
    free(all);
    expect(!xl_marks_read(one_file_dir, &list, NULL));
    const struct xl_mark_view view = xl_marks_view(list);
    bool has_ours = false;
    for (int i = 0; i < view.n_marks; i++) {
        const struct xl_mark *mark = &view.marks[i];
        expect(mark->picture.path && mark->picture.sha256);
        expect(mark->rating >= 0 && mark->rating <= XL_RATING_MAX);
        has_ours |= !strcmp(mark->picture.sha256, "appended");
    }
    for (int i = 0; i < view.n_duels; i++) {
        const struct xl_mark_duel *duel = &view.duels[i];
        expect(duel->winner >= 0 && duel->winner < view.n_marks);
        expect(duel->loser >= 0 && duel->loser < view.n_marks && duel->loser != duel->winner);
    }
    for (int i = 0; i < view.n_folders; i++) expect(view.folders[i] != NULL);
    expect(has_ours && view.n_files == 1);
    xl_marks_free(list);
    return 0;
}
