/* test_sheet.c - contact sheets: pictures and words where they belong, pages that end, labels that
 * cannot do harm. */
#include "base/file.h"
#include "image/image.h"
#include "image/sheet.h"
#include "unit/scratch.h"

#include <criterion/criterion.h>

#define ok(call) cr_assert_eq((call), XL_OK, "%s", err.text)

TestSuite(sheet, .init = scratch_open, .fini = scratch_close);

/* The layout that sheet.c promises: margins 40, a header of 60 without a subtitle, cards of 320 for
 * pictures of that size and more. */
enum { LEFT = 40, TOP = 100, STEP = 340, CARD = 320, LABELS = 72 };

static struct xl_image solid(int width, int height, uint8_t r, uint8_t g, uint8_t b) {
    struct xl_err err = {0};
    struct xl_image image;
    ok(xl_image_new(width, height, &image, &err));
    for (int i = 0; i < width * height; i++) {
        image.pixels[3 * i] = r;
        image.pixels[3 * i + 1] = g;
        image.pixels[3 * i + 2] = b;
    }
    return image;
}

static struct xl_sheet *new_sheet(int n_cells, int columns) {
    struct xl_err err = {0};
    struct xl_sheet *sheet = NULL;
    struct xl_sheet_params params = {.dir = scratch_dir,
                                     .stem = "sheet",
                                     .title = "Title",
                                     .n_labels = 3,
                                     .n_cells = n_cells,
                                     .columns = columns,
                                     .width = 512,
                                     .height = 512};
    ok(xl_sheet_new(&params, &sheet, &err));
    return sheet;
}

static void add(struct xl_sheet *sheet, const struct xl_image *image, const char *label) {
    struct xl_err err = {0};
    struct xl_sheet_cell cell = {image, {label, label, label}, label};
    ok(xl_sheet_add(sheet, &cell, &err));
}

static int finish(struct xl_sheet *sheet) {
    struct xl_err err = {0};
    int n_pages = -1;
    ok(xl_sheet_finish(sheet, &n_pages, &err));
    return n_pages;
}

static struct xl_image page(int number) {
    struct xl_err err = {0};
    struct xl_image image;
    char name[XL_SHEET_NAME_MAX];
    xl_sheet_page_name("sheet", number, name);
    ok(xl_image_load(scratch("%s", name), &image, &err));
    return image;
}

static unsigned at(const struct xl_image *image, int x, int y) {
    cr_assert(x >= 0 && y >= 0 && x < image->width && y < image->height);
    const uint8_t *pixel = image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    return (unsigned)pixel[0] << 16 | (unsigned)pixel[1] << 8 | pixel[2];
}

/* How many pixels of a rectangle are darker than mid-grey: ink, on white. */
static int ink(const struct xl_image *image, int x, int y, int width, int height) {
    int n = 0;
    for (int j = y; j < y + height; j++)
        for (int i = x; i < x + width; i++) n += (at(image, i, j) >> 8 & 255) < 128;
    return n;
}

Test(sheet, pictures_stand_in_reading_order) {
    static const unsigned colours[] = {0xC80000, 0x00B400, 0x0000DC, 0xF0C800, 0xA000A0};
    struct xl_sheet *sheet = new_sheet(5, 3);
    for (int i = 0; i < 5; i++) {
        struct xl_image image = solid(64, 64, (uint8_t)(colours[i] >> 16),
                                      (uint8_t)(colours[i] >> 8), (uint8_t)colours[i]);
        add(sheet, &image, "x");
        xl_image_free(&image);
    }
    cr_expect_eq(finish(sheet), 1);
    struct xl_image result = page(1);
    for (int i = 0; i < 5; i++) {
        int x = LEFT + i % 3 * STEP, y = TOP + i / 3 * (CARD + LABELS + 20);
        cr_expect_eq(at(&result, x + CARD / 2, y + CARD / 2), colours[i]);
        cr_expect_eq(at(&result, x + 1, y + CARD - 2), colours[i], "the frame is filled");
        cr_expect_neq(at(&result, x - 3, y + CARD / 2), colours[i]);
        cr_expect_gt(ink(&result, x, y + CARD + 2, CARD, LABELS - 4), 10, "labels");
    }
    cr_expect_gt(ink(&result, LEFT, 40, 200, 40), 50, "title");
    xl_image_free(&result);
}

Test(sheet, another_shape_is_shown_whole) {
    struct xl_sheet *sheet = new_sheet(1, 1);
    struct xl_image image = solid(100, 50, 200, 0, 0);
    add(sheet, &image, NULL);
    xl_image_free(&image);
    finish(sheet);
    struct xl_image result = page(1);
    cr_expect_eq(at(&result, LEFT + 2, TOP + CARD / 2), 0xC80000);
    cr_expect_neq(at(&result, LEFT + CARD / 2, TOP + 70), 0xC80000);
    cr_expect_eq(at(&result, LEFT + CARD / 2, TOP + 90), 0xC80000);
    cr_expect_eq(ink(&result, LEFT, TOP + CARD + 2, CARD, LABELS - 4), 0, "no labels were given");
    xl_image_free(&result);
}

Test(sheet, a_missing_picture_is_an_empty_frame_with_the_reason) {
    struct xl_sheet *sheet = new_sheet(2, 2);
    struct xl_sheet_cell cell = {.reason = "out of memory: 3.2 GiB for the UNet, 2.1 GiB are free"};
    struct xl_err err = {0};
    ok(xl_sheet_add(sheet, &cell, &err));
    finish(sheet);
    struct xl_image result = page(1);
    cr_expect_gt(ink(&result, LEFT + 20, TOP + 100, CARD - 40, 120), 50);
    cr_expect_eq(ink(&result, LEFT + 20, TOP + 5, CARD - 40, 60), 0);
    cr_expect_eq(result.width, 2 * LEFT + 2 * STEP - 20);
    xl_image_free(&result);
}

Test(sheet, a_page_holds_64_cells_and_pages_are_alike) {
    struct xl_sheet *sheet = new_sheet(130, 0);
    struct xl_image image = solid(8, 8, 9, 9, 9);
    for (int i = 0; i < 130; i++) add(sheet, &image, "x");
    xl_image_free(&image);
    cr_expect_eq(finish(sheet), 3);
    struct xl_image first = page(1), last = page(3);
    cr_expect_eq(first.width, last.width);
    cr_expect_leq((int64_t)first.width * first.height, 20000000);
    cr_expect(last.height <= first.height && last.height > first.height / 2);
    cr_expect_not(xl_file_exists(scratch("sheet_04.png")));
    xl_image_free(&first);
    xl_image_free(&last);
}

Test(sheet, fewer_cells_than_planned_are_fine_more_are_refused) {
    struct xl_sheet *sheet = new_sheet(4, 2);
    add(sheet, NULL, "x");
    cr_expect_eq(finish(sheet), 1);
    cr_expect_eq(finish(new_sheet(4, 2)), 0);
    struct xl_err err = {0};
    sheet = new_sheet(2, 2);
    add(sheet, NULL, "x");
    add(sheet, NULL, "x");
    cr_expect_eq(xl_sheet_add(sheet, &(struct xl_sheet_cell){.image = NULL}, &err), XL_EINVAL);
    xl_sheet_abandon(sheet);
    sheet = new_sheet(2, 2);
    add(sheet, NULL, "x");
    xl_sheet_abandon(sheet);
    xl_sheet_abandon(NULL);
}

/* Whatever a label holds, it stays in its card and the sheet is drawn. */
static void expect_labels_stay_inside(void) {
    char *longest = malloc(100001);
    memset(longest, 'W', 100000);
    longest[100000] = 0;
    const char *labels[] = {
        longest,
        "two\nlines\x1b[31m\r",
        "\xFF\xFE\xC0\x80",
        "\xF0\x9F\x90\xB1\xF0\x9F\x90\xB1 \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
        "\xE2\x80\xAEgnp.exe",
        "a\xCC\x81\xCC\x81\xCC\x81\xCC\x81 e\xCC\x82",
        "<b>&amp;</b> %s %n",
        "W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W W"};
    enum { N = sizeof labels / sizeof *labels };
    struct xl_sheet *sheet = new_sheet(2 * N, 4);
    struct xl_image image = solid(64, 64, 250, 250, 250);
    for (int i = 0; i < N; i++) add(sheet, &image, labels[i]);
    for (int i = 0; i < N; i++) add(sheet, NULL, labels[i]);
    xl_image_free(&image);
    finish(sheet);
    struct xl_image result = page(1);
    for (int row = 0; row < 4; row++) {
        int y = TOP + row * (CARD + LABELS + 20);
        for (int column = 0; column < 5; column++)
            cr_expect_eq(ink(&result, LEFT - 18 + column * STEP, y, 16, CARD + LABELS), 0,
                         "ink left of column %d", column);
    }
    cr_expect_gt(ink(&result, LEFT, TOP + CARD, CARD, LABELS), 100);
    xl_image_free(&result);
    free(longest);
}

Test(sheet, hostile_labels_stay_inside) {
    expect_labels_stay_inside();
}

Test(sheet, it_works_without_a_font) {
    scratch_puts(scratch("fonts.conf"), "<?xml version=\"1.0\"?><fontconfig></fontconfig>");
    setenv("FONTCONFIG_FILE", scratch("fonts.conf"), 1);
    expect_labels_stay_inside();
}

static uint64_t bytes_digest(const char *path) {
    struct xl_err err = {0};
    char *text = NULL;
    size_t n = 0;
    ok(xl_file_read(path, (struct xl_read_rule){1 << 26, XL_EINPUT, XL_EINPUT}, &text, &n, &err));
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < n; i++) hash = (hash ^ (uint8_t)text[i]) * 1099511628211u;
    free(text);
    return hash;
}

Test(sheet, the_same_cells_give_the_same_page_and_replace_it) {
    uint64_t digests[2];
    for (int i = 0; i < 2; i++) {
        struct xl_sheet *sheet = new_sheet(3, 0);
        add(sheet, NULL, "a");
        finish(sheet);
        digests[i] = bytes_digest(scratch("sheet_01.png"));
    }
    cr_expect_eq(digests[0], digests[1]);
    struct xl_sheet *sheet = new_sheet(3, 0);
    add(sheet, NULL, "b");
    finish(sheet);
    cr_expect_neq(bytes_digest(scratch("sheet_01.png")), digests[0]);
}

Test(sheet, marks_that_nobody_sees_draw_nothing) {
    static const char *const labels[] = {"seed 7", "\xE2\x80\xAEseed\xE2\x80\x8B  7\n\xEF\xBB\xBF"};
    uint64_t digests[2];
    for (int i = 0; i < 2; i++) {
        struct xl_sheet *sheet = new_sheet(1, 0);
        add(sheet, NULL, labels[i]);
        finish(sheet);
        digests[i] = bytes_digest(scratch("sheet_01.png"));
    }
    cr_expect_eq(digests[0], digests[1]);
}

Test(sheet, failures_are_statuses) {
    struct xl_err err = {0};
    struct xl_sheet *sheet = NULL;
    struct xl_sheet_params params = {
        .dir = scratch("none"), .stem = "s", .title = NULL, .n_cells = 1, .width = 8, .height = 8};
    ok(xl_sheet_new(&params, &sheet, &err));
    cr_expect_eq(xl_sheet_add(sheet, &(struct xl_sheet_cell){0}, &err), XL_EDISK);
    cr_expect(strstr(err.text, "none/s_01.png"), "%s", err.text);
    xl_sheet_abandon(sheet);
    params.n_cells = 0;
    cr_expect_eq(xl_sheet_new(&params, &sheet, &err), XL_EINVAL);
    params.n_cells = 1, params.columns = 17;
    cr_expect_eq(xl_sheet_new(&params, &sheet, &err), XL_EINVAL);
    params.columns = 0, params.width = 0;
    cr_expect_eq(xl_sheet_new(&params, &sheet, &err), XL_EINVAL);
}

/* Small pictures keep their size, down to what labels need. */
Test(sheet, small_pictures_make_small_sheets) {
    static const struct {
        int side, card;
    } cases[] = {{64, 160}, {160, 160}, {200, 200}, {320, 320}, {1024, 320}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xl_sheet_params params = {.dir = scratch("."),
                                         .stem = "small",
                                         .n_cells = 1,
                                         .width = cases[i].side,
                                         .height = cases[i].side};
        struct xl_sheet *sheet;
        struct xl_sheet_cell cell = {.reason = "none"};
        struct xl_image page;
        cr_assert_eq(xl_sheet_new(&params, &sheet, NULL), XL_OK);
        cr_assert_eq(xl_sheet_add(sheet, &cell, NULL), XL_OK);
        cr_assert_eq(xl_sheet_finish(sheet, NULL, NULL), XL_OK);
        cr_assert_eq(xl_image_load(scratch("small_01.png"), &page, NULL), XL_OK);
        cr_expect_eq(page.width, 2 * LEFT + cases[i].card, "%d", cases[i].side);
        xl_image_free(&page);
    }
}

/* ---- Rows and columns ---- */

/* Where the first pixel of a colour stands, in reading order. */
struct spot {
    int x, y;
};
static struct spot spot_of(const struct xl_image *image, unsigned colour) {
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            if (at(image, x, y) == colour) return (struct spot){x, y};
    cr_assert_fail("colour %06x is not there", colour);
    return (struct spot){0, 0};
}

static unsigned colour_of(int i) {
    return 0x400000u + (unsigned)i * 0x203u;
}

static void add_colours(struct xl_sheet *sheet, int n, int hole) {
    struct xl_err err = {0};
    for (int i = 0; i < n; i++) {
        unsigned c = colour_of(i);
        struct xl_image image = solid(64, 64, (uint8_t)(c >> 16), (uint8_t)(c >> 8), (uint8_t)c);
        struct xl_sheet_cell cell = {.image = i == hole ? NULL : &image,
                                     .reason = "failed: reason"};
        ok(xl_sheet_add(sheet, &cell, &err));
        xl_image_free(&image);
    }
}

static struct xl_sheet *new_table(const struct xl_sheet_block *blocks, int n_blocks) {
    struct xl_err err = {0};
    struct xl_sheet *sheet = NULL;
    struct xl_sheet_params params = {.dir = scratch_dir,
                                     .stem = "sheet",
                                     .title = "Title",
                                     .lines = {"a prompt", "steps 30"},
                                     .blocks = blocks,
                                     .n_blocks = n_blocks,
                                     .width = 64,
                                     .height = 64};
    ok(xl_sheet_new(&params, &sheet, &err));
    return sheet;
}

Test(sheet, rows_and_columns_with_headings_and_a_hole) {
    enum { SIDE = 160 };
    static const struct xl_sheet_heading rows[] = {{"steps 10", NULL}, {"steps 20", "guidance 3"}},
                                         columns[] = {
                                             {"seed 1", NULL}, {"seed 2", NULL}, {"seed 3", NULL}};
    const struct xl_sheet_block blocks[] = {{"euler", 2, 3, rows, columns},
                                            {"heun", 2, 3, rows, columns}};
    struct xl_sheet *sheet = new_table(blocks, 2);
    add_colours(sheet, 12, 4);
    cr_expect_eq(finish(sheet), 1);
    struct xl_image result = page(1);
    struct spot first = spot_of(&result, colour_of(0));
    for (int i = 0; i < 12; i++) {
        if (i == 4) continue;
        struct spot spot = spot_of(&result, colour_of(i));
        struct spot begin = spot_of(&result, colour_of(i / 6 * 6));
        cr_expect_eq(spot.x, first.x + i % 3 * (SIDE + 20), "column of %d", i);
        cr_expect_eq(spot.y, begin.y + i / 3 % 2 * (SIDE + 20), "row of %d", i);
    }
    /* Headings: beside each row, above each column, above each block; the reason in the hole. */
    for (int block = 0; block < 2; block++) {
        int y = spot_of(&result, colour_of(block * 6)).y;
        for (int row = 0; row < 2; row++)
            cr_expect_gt(ink(&result, LEFT, y + row * (SIDE + 20), first.x - LEFT - 10, SIDE), 30);
        for (int column = 0; column < 3; column++)
            cr_expect_gt(ink(&result, first.x + column * (SIDE + 20), y - 30, 100, 24), 20);
        cr_expect_gt(ink(&result, LEFT, y - 75, 80, 40), 20, "heading of block %d", block);
    }
    cr_expect_gt(ink(&result, first.x + SIDE + 30, first.y + SIDE + 40, SIDE - 20, SIDE - 40), 20);
    cr_expect_gt(ink(&result, LEFT, 78, 100, 40), 20, "lines below the title");
    xl_image_free(&result);
}

Test(sheet, a_long_table_goes_on_with_its_headings_and_old_pages_go) {
    struct xl_sheet_heading rows[100], columns[] = {{"a", NULL}, {"b", NULL}};
    for (int i = 0; i < 100; i++) rows[i] = (struct xl_sheet_heading){"row", NULL};
    struct xl_sheet_block block = {NULL, 100, 2, rows, columns};
    struct xl_sheet *sheet = new_table(&block, 1);
    add_colours(sheet, 200, -1);
    cr_expect_eq(finish(sheet), 4);
    struct xl_image first = page(1), last = page(4);
    cr_expect_eq(first.height, last.height, "25 rows each");
    struct spot begin = spot_of(&first, colour_of(0)), again = spot_of(&last, colour_of(150));
    cr_expect_eq(begin.x, again.x);
    cr_expect_eq(begin.y, again.y);
    cr_expect_gt(ink(&last, again.x, again.y - 30, 40, 24), 5, "the columns' headings");
    xl_image_free(&first);
    xl_image_free(&last);
    block.n_rows = 2;
    sheet = new_table(&block, 1);
    add_colours(sheet, 4, -1);
    cr_expect_eq(finish(sheet), 1);
    cr_expect(xl_file_exists(scratch("sheet_01.png")));
    cr_expect_not(xl_file_exists(scratch("sheet_02.png")));
    cr_expect_not(xl_file_exists(scratch("sheet_04.png")));
}

/* Headings of any length stay in their room: the pictures stand where they stand. */
Test(sheet, long_headings_are_wrapped_and_cut) {
    static char longest[5001],
        word[] = "a sentence that goes on and on, and then goes on some more";
    memset(longest, 'W', 5000);
    const char *texts[] = {longest, word, "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", "\xFF\n\x1b"};
    int narrow = 0;
    for (int i = 0; i < 4; i++) {
        struct xl_sheet_heading heading = {texts[i], texts[i]};
        struct xl_sheet_block block = {texts[i], 1, 1, &heading, &heading};
        struct xl_sheet *sheet = new_table(&block, 1);
        add_colours(sheet, 1, -1);
        cr_expect_eq(finish(sheet), 1);
        struct xl_image result = page(1);
        struct spot spot = spot_of(&result, colour_of(0));
        while (at(&result, spot.x - 1, spot.y + 20) == colour_of(0)) spot.x--; /* round corners */
        cr_expect_leq(spot.x, LEFT + 260);
        cr_expect_leq(spot.y, 400);
        cr_expect_eq(result.width, spot.x + 160 + LEFT);
        cr_expect_eq(ink(&result, spot.x - 18, spot.y, 16, 160), 0, "ink beside the picture");
        cr_expect_eq(ink(&result, result.width - LEFT + 2, 0, LEFT - 4, result.height), 0);
        narrow += spot.x < LEFT + 260;
        xl_image_free(&result);
    }
    cr_expect_gt(narrow, 0, "short headings take no more room than they need");
}

/* A letter that the first font does not have is drawn from the next that has it; what none has is
 * the same box for all. */
Test(sheet, every_font_is_asked) {
    static const char *const letters[] = {"\xD8\xA8", "\xD8\xB4", "\xF3\xB0\x80\x81",
                                          "\xF3\xB0\x80\x82"};
    uint64_t digests[4];
    if (!xl_dir_exists("/usr/share/fonts/truetype/dejavu"))
        cr_skip_test("fonts: DejaVu is not installed");
    scratch_puts(scratch("fonts.conf"),
                 "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
                 "<dir>/usr/share/fonts/truetype/dejavu</dir>"
                 "<alias binding=\"same\"><family>sans-serif</family><prefer><family>DejaVu Serif"
                 "</family></prefer></alias></fontconfig>");
    setenv("FONTCONFIG_FILE", scratch("fonts.conf"), 1);
    for (int i = 0; i < 4; i++) {
        struct xl_sheet *sheet = new_sheet(1, 0);
        add(sheet, NULL, letters[i]);
        finish(sheet);
        digests[i] = bytes_digest(scratch("sheet_01.png"));
    }
    cr_expect_neq(digests[0], digests[1], "two Arabic letters, which DejaVu Serif does not have");
    cr_expect_eq(digests[2], digests[3], "two characters of private use, which no font has");
}

/* A page is known by its record, which also says what it shows. */
Test(sheet, a_page_says_what_it_is) {
    static const char *const others[] = {"{}", "[]", "{\"sheet\": 1}", "{\"cell\": \"ab\"}",
                                         "x",  ""};
    struct xl_sheet_record record = {.page = 2, .n_pages = 3, .shows = "0123abcd"}, read = {0};
    char text[XL_SHEET_RECORD_MAX];
    xl_sheet_record_write(&record, text);
    cr_assert(xl_sheet_record_parse(text, &read), "%s", text);
    cr_expect(read.page == 2 && read.n_pages == 3);
    cr_expect_str_eq(read.shows, "0123abcd");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect(!xl_sheet_record_parse(others[i], &read), "%s", others[i]);
    struct xl_err err = {0};
    const struct xl_read_rule rule = {1 << 24, XL_EINPUT, XL_EINPUT};
    char *data = NULL;
    size_t n = 0;
    struct xl_png_text *texts = NULL;
    int n_texts = 0;
    struct xl_sheet *sheet = new_sheet(1, 1);
    add(sheet, NULL, "a");
    finish(sheet);
    ok(xl_file_read(scratch("sheet_01.png"), rule, &data, &n, &err));
    ok(xl_png_texts("a sheet", data, n, &texts, &n_texts, &err));
    cr_assert(n_texts == 1 && !strcmp(texts[0].keyword, XL_PNG_RECORD));
    cr_assert(xl_sheet_record_parse(texts[0].text, &read));
    cr_expect(read.page == 1 && read.n_pages == 1 && !read.shows[0]);
    free(texts);
    free(data);
}
