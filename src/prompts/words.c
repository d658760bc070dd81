/* words.c - articles and plurals by rule, and what the rules miss. */
#include "prompts/words.h"

#include <ctype.h>
#include <string.h>

static bool begins(const char *word, size_t n, const char *with) {
    size_t length = strlen(with);
    return n >= length && !strncasecmp(word, with, length);
}

static bool begins_with_any(const char *word, size_t n, const char *const *list) {
    for (; *list; list++)
        if (begins(word, n, *list)) return true;
    return false;
}

/* "8", "80s", "11th", "18th-century": eight, eleven, eighteen; not 110 and 1800. */
static bool number_takes_an(const char *word, size_t n) {
    size_t digits = 0;
    while (digits < n && isdigit((unsigned char)word[digits])) digits++;
    bool is_teen = digits == 2 && (begins(word, n, "11") || begins(word, n, "18"));
    return word[0] == '8' || is_teen;
}

/* Capitals are spelled: "an SF city", "a UFO". */
static bool is_spelled(const char *word, size_t n) {
    size_t capitals = 0;
    while (capitals < n && isupper((unsigned char)word[capitals])) capitals++;
    bool ends = capitals == n || !isalpha((unsigned char)word[capitals]);
    return ends && (capitals == 1 || (capitals > 1 && capitals < 5));
}

bool xl_takes_an(const char *text, size_t n) {
    static const char *const silent[] = {"hour", "honest", "honor", "honour", "heir", NULL};
    static const char *const like_you[] = {"uni", "use",     "usa",  "usu", "uto", "uti",
                                           "ute", "uku",     "ubiq", "ufo", "ura", "eu",
                                           "ewe", "uranium", "once", "one", NULL};
    static const char *const not_like_you[] = {"unin", "unim", "unid", "unira", "onei", NULL};
    while (n && !isalnum((unsigned char)*text) && (unsigned char)*text < 0x80) text++, n--;
    if (!n) return false;
    size_t length = 0;
    while (length < n &&
           (isalnum((unsigned char)text[length]) || (unsigned char)text[length] >= 0x80))
        length++;
    if (isdigit((unsigned char)*text)) return number_takes_an(text, length);
    if (is_spelled(text, length)) return strchr("AEFHILMNORSX", *text) != NULL;
    if (begins_with_any(text, length, silent)) return true;
    if (begins_with_any(text, length, like_you)) return begins_with_any(text, length, not_like_you);
    static const char *const accented[] = {"\xC3\xA9", "\xC3\x89", "\xC3\xA0", "\xC3\xB6", NULL};
    return strchr("aeiouAEIOU", *text) || begins_with_any(text, length, accented);
}

/* --- Plurals ---------------------------------------------------------------------------------- */

static const char *const irregulars[][2] = {
    {"man", "men"},
    {"child", "children"},
    {"person", "people"},
    {"foot", "feet"},
    {"tooth", "teeth"},
    {"goose", "geese"},
    {"mouse", "mice"},
    {"ox", "oxen"},
    {"wolf", "wolves"},
    {"leaf", "leaves"},
    {"knife", "knives"},
    {"life", "lives"},
    {"shelf", "shelves"},
    {"elf", "elves"},
    {"thief", "thieves"},
    {"half", "halves"},
    {"loaf", "loaves"},
    {"calf", "calves"},
    {"dwarf", "dwarves"},
    {"cactus", "cacti"},
    {"fungus", "fungi"},
    {"nebula", "nebulae"},
    {"fish", "fish"},
    {"sheep", "sheep"},
    {"deer", "deer"},
    {"koi", "koi"},
    {"craft", "craft"},
    {"series", "series"},
    {"species", "species"},
    {"bison", "bison"},
    {"moose", "moose"},
    {"samurai", "samurai"},
    {"hero", "heroes"},
    {"potato", "potatoes"},
    {"tomato", "tomatoes"},
    {"volcano", "volcanoes"},
    {"echo", "echoes"},
    {"quiz", "quizzes"},
    {"crisis", "crises"},
    {"oasis", "oases"},
    {"passerby", "passersby"},
    {"human", "humans"},
    {"shaman", "shamans"},
    {"talisman", "talismans"},
    {"ottoman", "ottomans"},
    {"german", "Germans"},
    {"roman", "Romans"},
    {"mongoose", "mongooses"},
};

/* How many bytes at the end of a word are a noun of the list (0: none), and its plural. The longest
 * counts; one of two letters only as a whole: "goldfish" is a fish, and a fox no ox. */
static size_t irregular(const char *word, size_t n, const char **plural) {
    size_t longest = 0;
    for (size_t i = 0; i < sizeof irregulars / sizeof *irregulars; i++) {
        size_t length = strlen(irregulars[i][0]);
        bool fits = length <= n && !strncasecmp(word + n - length, irregulars[i][0], length);
        if (!fits || length < longest || (length < n && length < 3)) continue;
        *plural = irregulars[i][1];
        longest = length;
    }
    return longest;
}

static void put_word(struct xl_str *out, const char *word, size_t n) {
    const char *plural = NULL;
    size_t length = irregular(word, n, &plural);
    if (length) {
        bool is_capital = isupper((unsigned char)word[n - length]);
        xl_str_append(out, word, n - length);
        xl_str_append(out, is_capital ? word + n - length : plural, 1);
        xl_str_puts(out, plural + 1);
        return;
    }
    bool is_y = n > 1 && tolower((unsigned char)word[n - 1]) == 'y' &&
                !strchr("aeiou", tolower((unsigned char)word[n - 2]));
    bool hisses = n && strchr("sxz", tolower((unsigned char)word[n - 1]));
    bool is_ch = n > 1 &&
                 (!strncasecmp(word + n - 2, "ch", 2) || !strncasecmp(word + n - 2, "sh", 2));
    xl_str_append(out, word, is_y ? n - 1 : n);
    xl_str_puts(out, is_y ? "ies" : hisses || is_ch ? "es" : "s");
}

static bool is_preposition(const char *word, size_t n) {
    static const char *const list[] = {
        "of",     "in",     "on",     "at",   "with",    "by",      "from",   "to",     "under",
        "over",   "behind", "beside", "near", "for",     "without", "made",   "above",  "below",
        "across", "among",  "that",   "who",  "wearing", "holding", "inside", "beneath"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strlen(list[i]) == n && !strncasecmp(list[i], word, n)) return true;
    return false;
}

void xl_put_plural(struct xl_str *out, const char *text, size_t n) {
    size_t begin = 0, end = 0; /* of the last word before a preposition or a comma */
    for (size_t at = 0; at < n;) {
        size_t length = 0;
        while (at + length < n && text[at + length] != ' ') length++;
        if (begin < end && is_preposition(text + at, length)) break;
        bool has_comma = length && text[at + length - 1] == ',';
        if (length) begin = at, end = at + length - has_comma;
        if (has_comma) break;
        at += length;
        while (at < n && text[at] == ' ') at++;
    }
    xl_str_append(out, text, begin);
    if (end > begin) put_word(out, text + begin, end - begin);
    xl_str_append(out, text + end, n - end);
}
