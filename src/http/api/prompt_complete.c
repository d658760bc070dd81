/* prompt_complete.c - GET complete: what the end of a text may become. The text says what is looked
 * for: "<lora:" LoRAs, "__" wildcards, "embedding:" embeddings, else whatever begins so.
 */
#include "http/api/prompt_parts.h"

#include "base/json.h"
#include "http/reply.h"
#include "insight/index/prompt_words.h"

#include <string.h>
#include <strings.h>

enum { LIMIT = 12, LEAST_TYPED = 2 };

/* What is typed, and where in the text it begins. */
struct typed {
    const char *text;
    const char *name, *begin; /* of something that has a name; what it takes the place of */
    const char *phrase, *word;
    unsigned kinds; /* bits of enum xl_prompt_kind */
    bool is_marked; /* a mark said the kind, so that every name fits */
};

static bool is_between(char c) {
    return strchr(",\n()[]{}|<>", c) != NULL;
}

/* Where a mark begins that is the last of its kind, with nothing behind it that ends a name. */
static const char *last_mark(const char *text, const char *mark) {
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, mark)); at++) found = at;
    return found && !strpbrk(found + strlen(mark), "<>,\n") ? found : NULL;
}

/* An opened "__": an even number of them closes each other. */
static const char *open_wildcard(const char *text) {
    const char *opened = NULL;
    for (const char *at = text; (at = strstr(at, "__")); at += 2) opened = opened ? NULL : at;
    return opened && !strpbrk(opened, " ,\n") ? opened : NULL;
}

static struct typed marked(const char *text, const char *mark, size_t n, enum xl_prompt_kind kind) {
    return (struct typed){
        .text = text, .name = mark + n, .begin = mark, .kinds = 1u << kind, .is_marked = true};
}

static struct typed read_typed(const char *text) {
    static const struct {
        const char *mark;
        enum xl_prompt_kind kind;
    } marks[] = {{"<lora:", XL_PROMPT_LORA}, {"embedding:", XL_PROMPT_EMBEDDING}};
    const char *mark, *end = text + strlen(text);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if ((mark = last_mark(text, marks[i].mark)))
            return marked(text, mark, strlen(marks[i].mark), marks[i].kind);
    if ((mark = open_wildcard(text))) return marked(text, mark, 2, XL_PROMPT_WILDCARD);
    if ((mark = last_mark(text, "<")) && !strncmp("<lora:", mark, strlen(mark)))
        return marked(text, mark, strlen(mark), XL_PROMPT_LORA);
    struct typed typed = {.text = text, .kinds = (1u << XL_PROMPT_KINDS) - 1};
    typed.word = typed.phrase = end;
    while (typed.phrase > text && !is_between(typed.phrase[-1])) typed.phrase--;
    while (*typed.phrase == ' ') typed.phrase++;
    while (typed.word > typed.phrase && typed.word[-1] != ' ') typed.word--;
    typed.name = typed.begin = typed.phrase;
    return typed;
}

/* --- Items ------------------------------------------------------------------------------------ */

static json_int_t characters(const char *from, const char *to) {
    json_int_t n = 0;
    for (; from < to; from++) n += ((unsigned char)*from & 0xC0) != 0x80;
    return n;
}

static bool put_item(json_t *items, const char *kind, const char *name, const char *text,
                     const char *about, json_int_t from) {
    bool ok = true;
    json_t *item = json_object();
    xl_json_put(item, "kind", json_string(kind), &ok);
    xl_json_put(item, "name", xl_json_text(name), &ok);
    xl_json_put(item, "text", xl_json_text(text), &ok);
    xl_json_put(item, "about", xl_json_text(about), &ok);
    xl_json_put(item, "from", json_integer(from), &ok);
    return item && !json_array_append_new(items, item) && ok;
}

/* What goes into the prompt; a profile is a setting, and nothing does. */
static const char *inserted(const struct xl_prompt_name *name, struct xl_arena *arena) {
    switch (name->kind) {
    case XL_PROMPT_LORA:
        return xl_arena_printf(arena, "<lora:%s:1>", name->name);
    case XL_PROMPT_WILDCARD:
        return xl_arena_printf(arena, "__%s__", name->name);
    case XL_PROMPT_EMBEDDING:
        return name->name;
    default:
        return "";
    }
}

/* Those that begin so come before those that have it elsewhere. */
static bool fits(const struct xl_prompt_name *name, const struct typed *typed, bool is_beginning) {
    if (!(typed->kinds & 1u << name->kind)) return false;
    bool begins = !strncasecmp(name->name, typed->name, strlen(typed->name));
    if (is_beginning) return begins;
    return typed->is_marked && !begins && strcasestr(name->name, typed->name);
}

static enum xl_status add_names(struct xl_call *call, const struct typed *typed, int limit,
                                json_t *items, struct xl_err *err) {
    struct xl_prompt_api *api = call->user;
    bool ok = true;
    pthread_mutex_lock(&api->mutex);
    enum xl_status status = xl_prompt_names_refresh(api->settings, &api->names, err);
    for (int pass = 0; pass < 2 && !status; pass++)
        for (int i = 0; i < api->names.n && ok && json_array_size(items) < (size_t)limit; i++) {
            const struct xl_prompt_name *name = &api->names.at[i];
            if (fits(name, typed, pass == 0))
                ok = put_item(items, xl_prompt_kind_name(name->kind), name->name,
                              inserted(name, &call->arena), name->about,
                              characters(typed->text, typed->begin));
        }
    pthread_mutex_unlock(&api->mutex);
    return status || ok ? status : xl_fail_nomem(err, "names", 0);
}

static enum xl_status add_words(struct xl_call *call, const struct typed *typed, int limit,
                                json_t *items, struct xl_err *err) {
    const struct xl_prompt_api *api = call->user;
    const struct xl_prompt_words_wish wish = {typed->phrase, typed->word, limit};
    struct xl_index *index = NULL;
    json_t *words = NULL, *word;
    size_t i;
    bool ok = true;
    enum xl_status status = xl_library_take(api->library, &index, err);
    if (status) return status;
    status = xl_prompt_words(index, &wish, &words, err);
    xl_library_give(api->library, index);
    json_array_foreach(words, i, word) {
        const char *text = json_string_value(json_object_get(word, "text"));
        long long n = json_integer_value(json_object_get(word, "pictures"));
        const char *about = xl_arena_printf(&call->arena, "%lld", n);
        const char *begin = json_is_true(json_object_get(word, "is_phrase")) ? typed->phrase
                                                                             : typed->word;
        if (!ok || json_array_size(items) >= (size_t)limit) break;
        ok = about && put_item(items, "word", text, text, about, characters(typed->text, begin));
    }
    json_decref(words);
    return status || ok ? status : xl_fail_nomem(err, "words", 0);
}

enum xl_status xl_prompt_get_complete(struct xl_call *call, struct xl_reply *reply,
                                      struct xl_err *err) {
    int limit = (int)xl_call_int(call, "limit", LIMIT);
    struct typed typed = read_typed(xl_call_text(call, "text"));
    json_t *items = json_array(), *object = json_object();
    bool ok = items && object;
    enum xl_status status = XL_OK;
    if (typed.word && strlen(typed.word) < LEAST_TYPED) typed.word = NULL;
    if (typed.phrase && strlen(typed.phrase) < LEAST_TYPED) typed.kinds = 0, typed.phrase = NULL;
    if (typed.kinds) {
        int most = typed.is_marked ? limit : (limit + 1) / 2; /* words have to have room, too */
        status = add_names(call, &typed, most, items, err);
    }
    if (!status && typed.phrase) status = add_words(call, &typed, limit, items, err);
    if (status) {
        json_decref(items);
        json_decref(object);
        return status;
    }
    xl_json_put(object, "items", items, &ok);
    return xl_reply_json(reply, 200, xl_json_finish(object, ok), err);
}
